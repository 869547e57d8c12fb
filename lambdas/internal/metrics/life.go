package metrics

import (
	"github.com/streaming-service/streaming-service/lambdas/internal/life"
)

var _ life.Meter = (*Recorder)(nil)

// Settled counts a request that this function settled.
func (r *Recorder) Settled(record life.Record, settlement life.Settlement) {
	reason := string(record.ErrorCode)
	if reason == "" {
		reason = string(record.Status)
	}
	values := []Value{Count(Ended, 1), Count(Refunded, settlement.Refund), Count(ExcessTokens, settlement.Excess)}
	if settlement.Charge > 0 && record.Usage != nil {
		values = append(values, Count(InputTokens, record.Usage.InputTokens), Count(OutputTokens, record.Usage.OutputTokens))
	}
	r.RecordBy(reason, values...)
	if record.Price != nil && settlement.Cost > 0 {
		r.spent(record, settlement)
	}
}

// spent counts what a request cost by model and kind of token.
func (r *Recorder) spent(record life.Record, settlement life.Settlement) {
	values := []Value{Dollars(Cost, settlement.Cost), Dollars(ExcessCost, settlement.CostExcess)}
	if record.Usage != nil {
		kinds := record.Price.CostByKind(*record.Usage)
		values = append(values, Dollars(InputCost, kinds.Input), Dollars(OutputCost, kinds.Output),
			Dollars(CacheReadCost, kinds.CacheRead), Dollars(CacheWriteCost, kinds.CacheWrite))
	}
	r.RecordOf(record.Model.ModelID, values...)
}

// SettleFailed counts a settlement that did not succeed.
func (r *Recorder) SettleFailed(life.Record, error) { r.Record(Count(SettleFailures, 1)) }

// Resent counts a message that was sent again.
func (r *Recorder) Resent(life.Record) { r.Record(Count(Resent, 1)) }
