package relay_test

import (
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/streaming-service/streaming-service/lambdas/internal/relay"
)

// A token that came just before a frame was due once sent a frame of its own, and
// the due one followed with a few letters: a fifth more frames of an answer that
// does not come like clockwork.
func TestUnevenTokensMakeNoMoreFrames(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, log := newGateway(), &chunks{}
		hub := relay.NewHub(g, sockets("a"))
		s := hub.Open(t.Context(), options(log))
		dice := rand.New(rand.NewPCG(1, 1))
		for range 1000 {
			s.Write("x")
			time.Sleep(time.Duration(dice.Int64N(int64(25 * time.Millisecond))))
		}
		finish(t, hub, s)
		if frames := len(g.frames("a")); frames > 68 {
			t.Errorf("%d frames for 1,000 tokens at about 80 tokens/s, want at most 68", frames)
		}
	})
}
