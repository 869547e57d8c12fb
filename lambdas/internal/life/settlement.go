package life

import "github.com/streaming-service/streaming-service/protocol"

// Settlement is what an ended request costs its user.
type Settlement struct {
	Refund     int64 // requests given back: 0 or 1
	Unanswered int64 // of them, those that the model ended: 0 or 1
	Charge     int64 // tokens
	Delta      int64 // change of what the month holds: the charge minus the estimate
	Excess     int64 // tokens charged beyond the estimate
	Cost       protocol.USD
	CostDelta  protocol.USD // change of what the month holds: the cost minus what was reserved
	CostExcess protocol.USD // charged beyond what was reserved
}

// Settle is a pure function of the terminal record, so that whoever settles, and
// however often, computes the same.
func Settle(r Record) Settlement {
	s := Settlement{}
	if charged(r) {
		s.Charge = tokens(r)
		s.Cost = cost(r)
	} else {
		s.Refund = 1
		if unanswered(r) {
			s.Unanswered = 1
		}
	}
	s.Delta = s.Charge - r.Estimate
	s.Excess = max(0, s.Delta)
	s.CostDelta = s.Cost - r.CostEstimate
	s.CostExcess = max(0, s.CostDelta)
	return s
}

// Charged reports whether the request counts when it ends like this.
func (r Record) Charged(end End) bool {
	r.Status, r.StopReason, r.ErrorCode = end.Status, end.StopReason, end.ErrorCode
	return charged(r)
}

// charged reports whether the request counts: it succeeded, its content was
// filtered, its user cancelled it after work had begun, or it is one unanswered
// request too many.
func charged(r Record) bool {
	switch r.Status {
	case protocol.StatusSucceeded:
		return true
	case protocol.StatusCancelled:
		return r.Claimed()
	case protocol.StatusFailed:
		return r.ErrorCode == protocol.CodeContentFiltered || unanswered(r) && r.RefundsSpent
	default:
		return false
	}
}

// unanswered reports whether the model came to an end that is no answer: it said
// nothing, or nothing that can be read.
func unanswered(r Record) bool {
	return r.ErrorCode == protocol.CodeModelError && r.StopReason != ""
}

// tokens is what the model reported or, when it could not, the input's share of
// the estimate.
func tokens(r Record) int64 {
	if r.Usage == nil {
		return r.InputEstimate()
	}
	return max(0, r.Usage.InputTokens) + max(0, r.Usage.OutputTokens)
}

// cost is what those tokens cost at the price of the admission.
func cost(r Record) protocol.USD {
	switch {
	case r.Price == nil:
		return 0
	case r.Usage == nil:
		return r.Price.Cost(protocol.TokenUsage{InputTokens: r.InputEstimate()})
	}
	return r.Price.Cost(*r.Usage)
}

// Spent is the usage of an ended request with what it is charged; nil where its
// usage is not known.
func (r Record) Spent() *protocol.TokenUsage {
	if r.Usage == nil || r.Price == nil || !r.Status.Terminal() {
		return r.Usage
	}
	usage, charged := *r.Usage, Settle(r).Cost
	usage.Cost = &charged
	return &usage
}

// InputEstimate is the part of the estimate that the input accounts for.
func (r Record) InputEstimate() int64 { return max(0, r.Estimate-int64(r.Model.MaxTokens)) }

// Metered is the usage of an attempt that produced about so many tokens: what
// the model reported and, for each count that it did not, an estimate, which
// marks the whole. A count of 0 is no report: no input is empty, and what was
// produced was not nothing.
func (r Record) Metered(reported *protocol.TokenUsage, produced int64) *protocol.TokenUsage {
	var usage protocol.TokenUsage
	if reported != nil {
		usage = *reported
	}
	if usage.InputTokens <= 0 {
		usage.InputTokens, usage.Estimated = r.InputEstimate(), true
		usage.CacheReadTokens, usage.CacheWriteTokens = 0, 0
	}
	if usage.OutputTokens <= 0 {
		usage.OutputTokens = min(produced, int64(r.Model.MaxTokens))
		usage.Estimated = usage.Estimated || produced > 0
	}
	return &usage
}

// Ended returns the end of a request that somebody else than an attempt's owner
// ends for the given code.
func Ended(code protocol.Code) End {
	if code == protocol.CodeCancelled {
		return End{Status: protocol.StatusCancelled, ErrorCode: code}
	}
	return End{Status: protocol.StatusFailed, ErrorCode: code}
}
