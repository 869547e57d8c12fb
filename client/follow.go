package client

import (
	"errors"
	"net/http"
	"time"

	"github.com/streaming-service/streaming-service/protocol"
)

// follow keeps an open stream going: it asks for what is missing and reads the
// state when asking does not help. It returns when the stream ends.
func (s *Stream) follow() {
	defer s.client.forget(s)
	for s.ctx.Err() == nil {
		doing, until := s.plan()
		switch doing {
		case resume:
			s.ask()
		case read:
			s.readState()
		case wait:
			s.waitUntil(until)
		}
	}
}

// plan says what the stream needs now.
func (s *Stream) plan() (action, time.Time) {
	open := s.client.open()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pace.next(time.Now(), open, s.assembler.Gap())
}

func (s *Stream) waitUntil(until time.Time) {
	timer := time.NewTimer(time.Until(until))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-s.kick:
	case <-s.ctx.Done():
	}
}

// ask sends a resume for what follows the last frame that was applied.
func (s *Stream) ask() {
	s.mu.Lock()
	frame := protocol.Resume(s.requestID, s.assembler.Attempt(), s.assembler.Last())
	s.pace.asked(time.Now())
	s.mu.Unlock()
	s.client.ask(frame)
}

// readState reads the state by GET. What will not be otherwise later ends the
// stream with its error.
func (s *Stream) readState() {
	state, err := s.client.Get(s.ctx, s.requestID)
	if err == nil {
		s.adopt(state)
		return
	}
	if final(err) {
		s.fail(err)
		return
	}
	s.update(func(now time.Time) { s.pace.readFailed(now) })
}

// final reports whether reading the state again is of no use.
func final(err error) bool {
	if signedOut := (*AuthError)(nil); errors.As(err, &signedOut) {
		return !signedOut.Temporary()
	}
	var refusal *APIError
	if !errors.As(err, &refusal) {
		return false
	}
	switch refusal.Status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound:
		return true
	default:
		return false
	}
}
