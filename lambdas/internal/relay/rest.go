package relay

import (
	"context"
	"time"
)

// catchUp is how long a frame waits at least for the reader of the model to take
// what has gathered while it rested.
const catchUp = 5 * time.Millisecond

// Rest waits while more text would only wait with what is pending: until shortly
// before the next frame is due. It returns early when ctx is over.
func (s *Stream) Rest(ctx context.Context) {
	wait := s.beginRest()
	if wait <= 0 {
		return
	}
	select {
	case <-time.After(wait):
	case <-ctx.Done():
	}
	s.endRest()
}

// beginRest returns how long a rest may take; if it is one, the frame waits for
// its end.
func (s *Stream) beginRest() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.armed || s.closed {
		return 0
	}
	wait := time.Until(s.due) - catchUp
	if wait > 0 {
		s.timer.Stop()
	}
	return wait
}

// endRest has the frame leave when it is due, or soon if the reader, on a busy
// machine, wakes up late.
func (s *Stream) endRest() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.armed && !s.closed {
		s.timer.Reset(max(time.Until(s.due), catchUp))
	}
}
