package lives_test

import (
	"net/http"
	"testing/synctest"
	"time"

	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/lambdas/internal/relay"
	"github.com/streaming-service/streaming-service/protocol"
)

// This file holds the invariants of docs/life.md that are judged at rest: no
// faults, nothing running, no message anywhere, two sweep periods passed.

func (w *world) checkAtRest() {
	said, produced := w.model.said(), w.model.produced()
	for _, h := range w.ledger.users {
		w.ledgerAtRest(h)
		for _, r := range h.records {
			w.everyRequestEnds(r)
			w.textIsExact(r, said[r.RequestID], produced[r.RequestID])
			w.framesAreWhole(r)
			w.devicesSurfaceOneEnd(r)
			w.workIsBounded(r, len(said[r.RequestID]))
			w.workIsCharged(r, w.model.cut(r.RequestID))
		}
	}
	for _, l := range w.lives {
		w.recordOrNothing(l)
		w.whatWasReadHolds(l)
	}
	w.nothingKilledStays()
}

// everyRequestEnds is invariant 1: every request answered 202 has a record that
// is terminal at rest.
func (w *world) everyRequestEnds(r life.Record) {
	if !r.Status.Terminal() {
		w.violate(1, "at rest: %+v", r)
	}
}

// recordOrNothing is invariant 2: 202 -> exactly one record; 4xx -> none; 503,
// 504 or no answer -> at most one, and a retry with the key converges on one
// record and one charge.
func (w *world) recordOrNothing(l *life1) {
	var records []life.Record
	for _, h := range w.ledger.users {
		for _, r := range h.records {
			if r.BodyHash == l.hash {
				records = append(records, r)
			}
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case len(l.accepted) > 0 && len(records) != 1, len(records) > 1:
		w.violate(2, "life %d: accepted as %v, %d records", l.number, l.accepted, len(records))
	case len(l.accepted) == 0 && l.unknown == 0 && len(records) > 0:
		w.violate(2, "life %d: refused, but a record: %+v", l.number, records[0])
	}
	for id := range l.accepted {
		if len(records) == 1 && id != records[0].RequestID {
			w.violate(2, "life %d: accepted as %s, record %s", l.number, id, records[0].RequestID)
		}
	}
}

// ledgerAtRest is invariant 4: open = {"-"}, inFlight = 0, held = tokens = sum
// of charges, heldCost = cost = sum of costs, and the sweep has nothing to look at. That the charges are those
// of the records is ledgerAlways.
func (w *world) ledgerAtRest(h *history) {
	if len(h.account.Open) > 0 || h.account.InFlight != 0 || !h.account.OpenSince.IsZero() {
		w.violate(4, "at rest: %+v", h.account)
	}
	for period, m := range h.account.Months {
		if m.Held != m.Tokens || m.HeldCost != m.Cost {
			w.violate(4, "at rest: %s %+v", period, m)
		}
	}
	w.ledgerAlways(h)
	if w.ledger.misses(h) {
		w.violate(4, "at rest: user %s is stored otherwise than was seen: %+v", h.account.UserID, h)
	}
}

// textIsExact is invariant 7: succeeded -> GET's text = the joined deltas 1 to
// endSeq-1 of the final attempt on every socket that followed the contract =
// what the model produced in it, until the deadline if that came first. Else GET's text is a prefix of the last
// attempt's.
func (w *world) textIsExact(r life.Record, said []string, produced []*protocol.Answer) {
	answer := w.gateway.rest(r.UserID, http.MethodGet, r.RequestID, "", "")
	var state protocol.RequestState
	if answer.status != http.StatusOK || !answer.into(&state) {
		w.violate(7, "GET of %s: %d %s", r.RequestID, answer.status, answer.body)
		return
	}
	succeeded := r.Status == protocol.StatusSucceeded
	whole := succeeded && r.StopReason != protocol.StopReasonDeadline
	if !isPrefixOfOne(state.Text, said, whole) && state.Text != "" {
		w.violate(7, "%s %s: GET's text %q is none of %q", r.RequestID, r.Status, state.Text, said)
	}
	for _, d := range w.devices[r.UserID] {
		f := d.follows[r.RequestID]
		if succeeded && f != nil && f.ends > 0 && f.assembler.Text() != state.Text {
			w.violate(7, "%s: a device has %q, GET %q", r.RequestID, f.assembler.Text(), state.Text)
		}
	}
	w.blocksAreExact(r, state, produced)
	if succeeded && state.LastSeq != r.EndSeq-1 {
		w.violate(7, "%s: GET's lastSeq is %d, the end is frame %d", r.RequestID, state.LastSeq, r.EndSeq)
	}
}

// framesAreWhole is invariant 8: the owner's end is n+1.
func (w *world) framesAreWhole(r life.Record) {
	if end := w.frames.ends[r.RequestID]; end != "" && end != string(life.EndFrame(r).Encode()) {
		w.violate(9, "%s: posted end %s, record %s", r.RequestID, end, life.EndFrame(r).Encode())
	}
	for _, kind := range []protocol.FrameType{protocol.FrameDelta, protocol.FrameReasoning, protocol.FrameToolUse} {
		if r.EndSeq > 0 && w.frames.has(r.RequestID, r.Attempt, r.EndSeq, kind) {
			w.violate(8, "%s: a %s at its end %d", r.RequestID, kind, r.EndSeq)
		}
	}
}

// devicesSurfaceOneEnd is invariant 9: every socket open from before the
// terminal write gets an end frame, or gets it as answer to its next resume; a
// client surfaces exactly one.
func (w *world) devicesSurfaceOneEnd(r life.Record) {
	for n, d := range w.devices[r.UserID] {
		f := d.follows[r.RequestID]
		switch {
		case f == nil:
		case f.ends != 1:
			w.violate(9, "%s: device %d surfaced %d ends", r.RequestID, n, f.ends)
		case f.assembler.End().Code != r.ErrorCode:
			w.violate(9, "%s: device %d ended with %q, the record with %q", r.RequestID, n, f.assembler.End().Code, r.ErrorCode)
		}
	}
}

// workIsBounded is invariant 11: model calls per request <= attemptCap; exactly
// 1 without faults, for any number of duplicates or callers of one key.
func (w *world) workIsBounded(r life.Record, calls int) {
	if calls > life.AttemptCap {
		w.violate(11, "%s: %d calls of the model", r.RequestID, calls)
	}
	if (w.profile == "nothing" || w.profile == "duplicates") && r.Claimed() && calls != 1 {
		w.violate(11, "%s: %d calls of the model without a fault", r.RequestID, calls)
	}
}

// workIsCharged is invariant 12: what a user can have the model go on with is
// charged. While every call reaches its service, nobody but the service, at its
// deadline or for its user, stops a model that speaks. What it said is then
// charged: what was kept, and the use of a tool that it had begun.
func (w *world) workIsCharged(r life.Record, cut int) {
	if s := life.Settle(r); s.Refund > 0 && cut > 0 && w.dice.rates.callsArrive() && w.dice.script == nil {
		w.violate(12, "%s is refunded, although %d calls of the model were stopped: %+v", r.RequestID, cut, r)
	}
	if r.StopReason != protocol.StopReasonDeadline {
		return
	}
	var state protocol.RequestState
	w.gateway.rest(r.UserID, http.MethodGet, r.RequestID, "", "").into(&state)
	kept := producedBytes(state.Content)
	least, most := r.Metered(nil, relay.EstimateTokens(kept)), r.Metered(nil, relay.EstimateTokens(kept+mostOfAUse))
	if u := r.Usage; u == nil || u.OutputTokens == 0 || u.OutputTokens < least.OutputTokens || u.OutputTokens > most.OutputTokens ||
		*u != *r.Metered(nil, u.OutputTokens) {
		w.violate(12, "%s was cut: usage %+v, want %+v to %+v", r.RequestID, u, least, most)
	}
}

// mostOfAUse is more than the model says for one use of a tool. One that is cut is
// charged as far as it came, and is no part of the answer.
const mostOfAUse = 300 // bytes

// nothingKilledStays is invariant 10: every killed attempt was followed by
// another, or by the end.
func (w *world) nothingKilledStays() {
	for key, at := range w.ledger.killed {
		w.violate(10, "%s: killed at %v, and never heard of again", key.RequestID, at)
	}
}

// restTime is how long after the last fault there may be a message or an open
// request: the queue may hide a message for its own visibility timeout, twice.
const restTime = 2*queueVisibility + 10*time.Minute

// comeToRest waits until there is no message and no open request, and for two
// sweeps more.
func (w *world) comeToRest() {
	for begun := time.Now(); !w.idle() && time.Since(begun) < restTime; {
		time.Sleep(sweepEvery)
	}
	time.Sleep(2*sweepEvery + time.Minute)
	synctest.Wait()
}

// idle reports whether there is no message and no open request.
func (w *world) idle() bool {
	for _, arn := range []string{w.queueARN, w.letterARN} {
		attributes, err := w.queues.Attributes(arn)
		if err != nil {
			w.t.Error(err)
		}
		for _, state := range []string{"", "NotVisible", "Delayed"} {
			if attributes["ApproximateNumberOfMessages"+state] != "0" {
				return false
			}
		}
	}
	return !w.ledger.open()
}
