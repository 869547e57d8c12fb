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
}

// SettleFailed counts a settlement that did not succeed.
func (r *Recorder) SettleFailed(life.Record, error) { r.Record(Count(SettleFailures, 1)) }

// Resent counts a message that was sent again.
func (r *Recorder) Resent(life.Record) { r.Record(Count(Resent, 1)) }
