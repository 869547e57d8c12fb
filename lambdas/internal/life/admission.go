package life

import (
	"math"
	"time"

	"github.com/streaming-service/streaming-service/protocol"
)

// MaxOpen bounds the open requests of any user. Their ids are in the user's
// item, of which DynamoDB takes 400 KB: beyond that nothing of it could be
// written any more.
const MaxOpen = 10_000

// OpenCap is the cap that a configured one, of which 0 is unlimited, comes to.
func OpenCap(configured int64) int64 {
	if configured == 0 {
		return MaxOpen
	}
	return min(configured, MaxOpen)
}

// Admission is one request that asks to be admitted, with all that decides it.
type Admission struct {
	Record    Record
	Allowance Allowance
	Cap       int64 // open requests of the user; 0: unlimited
	Rate      Rate
	Now       time.Time
	ResetsAt  time.Time // end of the record's period

	// Groups of the token with which the user calls, for the account to
	// remember. A caller with a key (not ByToken) tells nothing new of them.
	Groups  []string
	ByToken bool
}

// Check returns why account refuses the admission, or nil. The store repeats
// these conditions when it writes; this reading refuses what is plainly over a
// limit without a write, and names the limit when the write was refused.
func (a Admission) Check(account Account) *Refusal {
	month := account.Months[a.Record.Period]
	switch {
	case account.Blocked(a.Now):
		return &Refusal{Code: protocol.CodeBlocked}
	case a.Allowance.MonthlyRequests > 0 && month.Used >= a.Allowance.MonthlyRequests:
		return a.overQuota(protocol.QuotaRequests, a.Allowance.MonthlyRequests, month.Used)
	case a.Allowance.MonthlyTokens > 0 && month.Held > a.Allowance.MonthlyTokens-a.Record.Estimate:
		return a.overQuota(protocol.QuotaTokens, a.Allowance.MonthlyTokens, month.Tokens)
	case a.Allowance.MonthlyBudget > 0 && a.Record.Price == nil:
		return &Refusal{Code: protocol.CodeModelNotAllowed}
	case a.Allowance.MonthlyBudget > 0 && month.HeldCost > a.Allowance.MonthlyBudget-a.Record.CostEstimate:
		return a.overQuota(protocol.QuotaBudget, int64(a.Allowance.MonthlyBudget), int64(month.Cost))
	case a.Cap > 0 && account.InFlight >= a.Cap:
		return &Refusal{Code: protocol.CodeTooManyInFlight, RetryAfter: 1}
	}
	if wait := a.Rate.Wait(account.TAT, a.Now); wait > 0 {
		return &Refusal{Code: protocol.CodeRateLimited, RetryAfter: Seconds(wait)}
	}
	return nil
}

// OverServiceBudget refuses the admission, as any other of its month, because
// all users together have spent the budget of the service.
func (a Admission) OverServiceBudget() *Refusal {
	return &Refusal{Code: protocol.CodeServiceBudgetExceeded, RetryAfter: Seconds(a.ResetsAt.Sub(a.Now))}
}

func (a Admission) overQuota(quota string, limit, used int64) *Refusal {
	return &Refusal{
		Code:       protocol.CodeQuotaExceeded,
		RetryAfter: Seconds(a.ResetsAt.Sub(a.Now)),
		Quota:      quota,
		Limit:      limit,
		Used:       used,
	}
}

// Seconds rounds a wait up to whole seconds, at least 1, as Retry-After has it.
func Seconds(wait time.Duration) int64 {
	return max(1, int64(math.Ceil(wait.Seconds())))
}

// toolTokens is what the models' own instructions for tools count (Anthropic,
// tool-use: up to 346 tokens).
const toolTokens = 350

// Estimate returns the tokens to reserve: a third of the bytes and 8 for each
// block of a message or of the system text and each tool, which no tokenizer in
// use exceeds on plain text, plus what the model may answer. Images and documents
// are not among them.
func Estimate(in Input, maxTokens int) int64 {
	total := int64(maxTokens)
	for _, m := range in.Messages {
		for _, b := range m.All() {
			total += estimateBlock(b)
		}
	}
	for _, block := range in.System {
		total += estimateBytes(len(block))
	}
	for _, tool := range in.Tools {
		total += estimateBytes(len(tool.Name) + len(tool.Description) + len(tool.InputSchema))
	}
	if len(in.Tools) > 0 {
		total += toolTokens
	}
	return total
}

func estimateBlock(b protocol.Block) int64 {
	total := estimateBytes(len(b.Text) + len(b.Redacted) + len(b.Name) + len(b.Input) + len(b.JSON))
	for _, part := range b.Content {
		total += estimateBlock(part)
	}
	return total
}

func estimateBytes(n int) int64 { return int64(n+2)/3 + 8 }
