package relay_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/lambdas/internal/relay"
)

// counted is a directory that counts its reads.
type counted struct {
	*directory
	reads int // guarded by directory.mu
}

func (c *counted) Connections(ctx context.Context, userID string, consistent bool) ([]life.Connection, error) {
	c.mu.Lock()
	c.reads++
	c.mu.Unlock()
	return c.directory.Connections(ctx, userID, consistent)
}

// take returns the reads since the last call.
func (c *counted) take() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	defer func() { c.reads = 0 }()
	return c.reads
}

// write relays something every 200 ms.
func write(s *relay.Stream, d time.Duration) {
	for ; d > 0; d -= 200 * time.Millisecond {
		s.Write("x")
		time.Sleep(200 * time.Millisecond)
	}
}

// The list of sockets is read as often as somebody waits for a new one.
func TestSocketsAreListedAsOftenAsOneIsExpected(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, log, d := newGateway(), &chunks{}, &counted{directory: &directory{}}
		hub := relay.NewHub(g, d)
		s := hub.Open(t.Context(), options(log))
		defer s.Leave()
		expect := func(what string, low, high int) {
			t.Helper()
			if reads := d.take(); reads < low || reads > high {
				t.Errorf("%d reads %s, want %d to %d", reads, what, low, high)
			}
		}
		write(s, 12*time.Second)
		expect("in 12 s before a first socket", 11, 13)
		write(s, 30*time.Second)
		d.take()
		write(s, 12*time.Second)
		expect("in 12 s when nobody comes", 3, 5)
		d.set(nil, "a")
		write(s, 4*time.Second)
		d.take()
		write(s, 12*time.Second)
		expect("in 12 s with a socket", 3, 5)
	})
}

// A page that is loaded anew gets the text again within a second and a frame,
// however long the list of its user's sockets would have been good for.
func TestSuccessorOfALostSocketIsNoticedInASecond(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, log, d := newGateway(), &chunks{}, sockets("old")
		var closed atomic.Bool
		g.deliver = func(_ context.Context, to life.Connection, _ []byte) error {
			if closed.Load() && to.ConnectionID == "old" {
				return relay.ErrGone
			}
			return nil
		}
		hub := relay.NewHub(g, d)
		s := hub.Open(t.Context(), options(log))
		defer s.Leave()
		write(s, 10*time.Second) // a list is read every 3 s by now
		closed.Store(true)
		d.set(nil, "new")
		opened := time.Since(g.begun)
		write(s, 5*time.Second)
		got := g.frames("new")
		if len(got) == 0 {
			t.Fatal("the new socket got nothing")
		}
		if late := got[0].after - opened; late > 1400*time.Millisecond {
			t.Errorf("the new socket got its first frame after %v", late)
		}
	})
}
