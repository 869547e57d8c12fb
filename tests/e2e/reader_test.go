package e2e_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/streaming-service/streaming-service/internal/localcloud/localcloudtest"
)

// resumeEvery is how often a reader asks for what it lacks.
const resumeEvery = 500 * time.Millisecond

// reader follows one request over any number of sockets, as the contract asks
// of a client: what it lacks it asks for again.
type reader struct {
	id string

	mu      sync.Mutex
	attempt int
	frames  map[int]localcloudtest.Frame // of the attempt, by seq
	last    int                          // all frames up to it are there
	end     *localcloudtest.Frame
}

func newReader(id string) *reader {
	return &reader{id: id, frames: map[int]localcloudtest.Frame{}, last: -1}
}

// follow reads a socket until enough has come.
func (r *reader) follow(t *testing.T, s *localcloudtest.Socket, enough func() bool) {
	t.Helper()
	done := make(chan struct{})
	var asking sync.WaitGroup
	defer asking.Wait()
	defer close(done)
	asking.Go(func() {
		for {
			s.Send(t, r.resume())
			select {
			case <-done:
				return
			case <-time.After(resumeEvery):
			}
		}
	})
	for deadline := time.Now().Add(patience); !enough(); {
		r.take(t, s.Next(t, time.Until(deadline)))
	}
}

func (r *reader) resume() map[string]any {
	r.mu.Lock()
	defer r.mu.Unlock()
	return map[string]any{"action": "resume", "requestId": r.id, "attempt": r.attempt, "afterSeq": r.last}
}

// take applies a frame. One that comes twice must be the same both times.
func (r *reader) take(t *testing.T, frame localcloudtest.Frame) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if frame.RequestID != r.id || frame.Attempt < r.attempt {
		return
	}
	if frame.Attempt > r.attempt {
		r.attempt, r.last, r.frames, r.end = frame.Attempt, -1, map[int]localcloudtest.Frame{}, nil
	}
	if before, ok := r.frames[frame.Seq]; ok && before.Raw != frame.Raw {
		t.Errorf("frame %d of attempt %d came as %s and as %s", frame.Seq, frame.Attempt, before.Raw, frame.Raw)
	}
	r.frames[frame.Seq] = frame
	for ; r.frames[r.last+1].Raw != ""; r.last++ {
	}
	if frame.Ends() {
		r.end = &frame
	}
}

// complete reports whether the end has come and nothing before it is missing.
func (r *reader) complete() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.end != nil && r.last == r.end.Seq
}

func (r *reader) text() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var text strings.Builder
	for seq := range r.last + 1 {
		text.WriteString(r.frames[seq].Text)
	}
	return text.String()
}
