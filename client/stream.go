package client

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"sync"
	"time"

	"github.com/streaming-service/streaming-service/protocol"
)

// Event is what happens to a request: Delta, Reasoning, ToolUse, Restarted, Done
// or Failed; in a ToolLoop also Asked, Answered and ToolResult.
type Event interface{ event() }

// Delta is the next piece of the answer's text.
type Delta struct{ Text string }

// Reasoning is the next piece of what the model thinks before it answers.
type Reasoning struct{ Text string }

// ToolUse is a use of a tool that the answer asks for. It is to be run when the
// request has ended with protocol.StopReasonToolUse, which a ToolLoop does.
type ToolUse struct {
	ID    string
	Name  string
	Input json.RawMessage // an object
}

// Restarted says that all that came so far is void: the service began the answer
// anew, as attempt Attempt.
type Restarted struct{ Attempt int }

// Done is the end of a request that succeeded. It is the last event.
type Done struct {
	// StopReason says why the answer ended: one of Bedrock's Converse API such
	// as end_turn, or protocol.StopReasonDeadline. protocol.IsCut tells which of
	// them leave an answer that was cut short.
	StopReason string
	Usage      protocol.TokenUsage
}

// Failed is the end of a request that did not succeed, or was cancelled. It is
// the last event. The text so far is what the model had produced.
type Failed struct {
	Code    protocol.Code
	Message string
	// Retryable says that submitting again, with a new key, may succeed.
	Retryable bool
}

func (Delta) event()     {}
func (Reasoning) event() {}
func (ToolUse) event()   {}
func (Restarted) event() {}
func (Done) event()      {}
func (Failed) event()    {}

func (f Failed) Error() string { return string(f.Code) + ": " + f.Message }

// Stream is one request as it is being answered. It is safe for concurrent
// use; each event is given to one caller of Next.
type Stream struct {
	client    *Client
	requestID string
	quota     *protocol.Usage
	ctx       context.Context // ends with the stream
	stop      context.CancelFunc
	kick      chan struct{} // the pace may have changed
	more      chan struct{} // the queue may have changed

	mu        sync.Mutex
	assembler protocol.Assembler
	pace      *pace
	queue     []Event
	err       error // why there are no more events: io.EOF after the end
}

// RequestID is the id under which the service knows the request, also in
// another process: see Client.Follow.
func (s *Stream) RequestID() string { return s.requestID }

// Quota is what the user has used, as of the admission of the request. It is
// nil for a stream of Client.Follow.
func (s *Stream) Quota() *protocol.Usage { return s.quota }

// Text is the text of the answer so far, whether its events were taken or not.
func (s *Stream) Text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.assembler.Text()
}

// Reasoning is the reasoning so far, likewise.
func (s *Stream) Reasoning() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.assembler.Reasoning()
}

// Content is the answer so far, as blocks: what the next request of the
// conversation has for the assistant's message.
func (s *Stream) Content() []protocol.Block {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.assembler.Content()
}

// Next waits for the next event. After Done or Failed it returns io.EOF; it
// fails with ErrClosed once the stream or its client was closed, and with an
// *APIError if the service no longer knows the request.
func (s *Stream) Next(ctx context.Context) (Event, error) {
	for {
		event, err := s.take()
		if event != nil || err != nil {
			return event, err
		}
		select {
		case <-s.more:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (s *Stream) take() (Event, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.queue) == 0 {
		if s.err != nil {
			signal(s.more) // for other callers of Next
		}
		return nil, s.err
	}
	event := s.queue[0]
	s.queue = s.queue[1:]
	if len(s.queue) > 0 {
		signal(s.more)
	}
	return event, nil
}

// Events ranges over the events up to the end. An error is the last pair.
func (s *Stream) Events(ctx context.Context) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		for {
			event, err := s.Next(ctx)
			if errors.Is(err, io.EOF) {
				return
			}
			if !yield(event, err) || err != nil {
				return
			}
		}
	}
}

// Wait takes all events and returns the whole text. A request that did not
// succeed is a Failed error, beside the text that there is.
func (s *Stream) Wait(ctx context.Context) (string, error) {
	var failure error
	for event, err := range s.Events(ctx) {
		if err != nil {
			return s.Text(), err
		}
		if failed, ok := event.(Failed); ok {
			failure = failed
		}
	}
	return s.Text(), failure
}

// Cancel asks the service to stop; the stream ends with Failed and the code
// cancelled, unless the answer was complete before.
func (s *Stream) Cancel(ctx context.Context) error {
	if _, err := s.client.Cancel(ctx, s.requestID); err != nil {
		return err
	}
	s.update(func(now time.Time) {
		s.pace.quietUntil = now.Add(cancelPatience)
	})
	return nil
}

// cancelPatience is how long the end of a cancelled request may take before it
// is asked for: the service sees a cancel within a second.
const cancelPatience = 2 * time.Second

// Close stops following the request without cancelling it: the service goes on
// answering, and Client.Follow takes it up again.
func (s *Stream) Close() {
	s.fail(ErrClosed)
}

// apply takes a frame from the socket.
func (s *Stream) apply(f protocol.Frame) {
	s.update(func(now time.Time) {
		s.pace.hear(now)
		change := s.assembler.Apply(f)
		s.pace.readWanted = s.pace.readWanted || change.FarBehind
		if advances(change) || f.Seq != nil && s.assembler.Last() == *f.Seq {
			s.pace.progress(now)
		}
		s.see(change)
	})
}

// adopt takes a state that was read by GET.
func (s *Stream) adopt(state protocol.RequestState) {
	s.update(func(now time.Time) {
		s.pace.readDone(now)
		s.see(s.assembler.Adopt(state))
	})
}

// see queues what a change means to the consumer.
func (s *Stream) see(change protocol.Change) {
	if change.Restarted {
		s.queue = append(s.queue, Restarted{Attempt: s.assembler.Attempt()})
	}
	if change.Reasoning != "" {
		s.queue = append(s.queue, Reasoning{Text: change.Reasoning})
	}
	if change.Text != "" {
		s.queue = append(s.queue, Delta{Text: change.Text})
	}
	for _, use := range change.ToolUses {
		s.queue = append(s.queue, toolUseOf(use))
	}
	if change.Ended {
		s.queue = append(s.queue, endEvent(s.assembler.End()))
		s.finish(io.EOF)
	}
}

func advances(change protocol.Change) bool {
	return change.Restarted || change.Text != "" || change.Reasoning != "" || len(change.ToolUses) > 0
}

func toolUseOf(use protocol.Block) ToolUse {
	return ToolUse{ID: use.ToolUseID, Name: use.Name, Input: use.Input}
}

func endEvent(end *protocol.Frame) Event {
	if end.Type == protocol.FrameDone {
		done := Done{StopReason: end.StopReason}
		if end.Usage != nil {
			done.Usage = *end.Usage
		}
		return done
	}
	return Failed{Code: end.Code, Message: end.Message, Retryable: end.Retryable != nil && *end.Retryable}
}

// update changes an open stream and wakes who waits for it.
func (s *Stream) update(change func(now time.Time)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return
	}
	change(time.Now())
	signal(s.kick)
	signal(s.more)
}

// fail ends the stream for a reason that is not the request's own end.
func (s *Stream) fail(err error) {
	s.update(func(time.Time) { s.finish(err) })
}

// finish must be called with the lock held. It does not wait for the client's
// lock, which may be held by the caller's caller.
func (s *Stream) finish(err error) {
	s.err = err
	s.stop()
}

// signal wakes one receiver of a channel of capacity one.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
