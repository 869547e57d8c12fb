package completions

import (
	"io"
	"sync"
	"time"
)

// feed is the body of a streamed response. It takes all that is written, however
// slowly its reader comes along: the model never waits for a client. While there
// is nothing to read it gives the pulse, so that nobody on the way takes a
// silent model for a dead connection.
type feed struct {
	pulse []byte
	every time.Duration

	mu      sync.Mutex
	pending []byte
	err     error // of a read after all that is pending
	changed chan struct{}
}

func newFeed(pulse string, every time.Duration) *feed {
	return &feed{pulse: []byte(pulse), every: every, changed: make(chan struct{}, 1)}
}

// Write adds to the body. It never fails.
func (f *feed) Write(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.pending = append(f.pending, p...)
	f.wake()
	return len(p), nil
}

// Finish ends the body behind what was written: with err, or well if that is
// nil. Only the first call counts.
func (f *feed) Finish(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err != nil {
		return
	}
	if f.err = err; err == nil {
		f.err = io.EOF
	}
	f.wake()
}

func (f *feed) wake() {
	select {
	case f.changed <- struct{}{}:
	default:
	}
}

// Read implements io.Reader for one reader.
func (f *feed) Read(p []byte) (int, error) {
	silence := time.NewTimer(f.every)
	defer silence.Stop()
	for {
		if n, err := f.take(p); n > 0 || err != nil {
			return n, err
		}
		select {
		case <-f.changed:
		case <-silence.C:
			_, _ = f.Write(f.pulse)
		}
	}
}

func (f *feed) take(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := copy(p, f.pending)
	f.pending = f.pending[n:]
	if n > 0 {
		return n, nil
	}
	return 0, f.err
}
