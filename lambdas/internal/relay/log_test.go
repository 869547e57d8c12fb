package relay_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/lambdas/internal/relay"
)

func TestLogIsWrittenByTheKilobyteOrTheSecond(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		rate  int // tokens of 4 bytes a second
		check func(t *testing.T, log *chunks)
	}{
		{"slow: every second", 80, func(t *testing.T, log *chunks) {
			if n := len(log.all()); n < 9 || n > 11 {
				t.Errorf("%d chunks in 10 s, want one a second", n)
			}
			for i := 1; i < len(log.times)-1; i++ {
				if gap := log.times[i].Sub(log.times[i-1]); gap > 1250*time.Millisecond {
					t.Errorf("chunk %d came %v after the one before", i, gap)
				}
			}
		}},
		{"fast: by the kilobyte", 800, func(t *testing.T, log *chunks) {
			for i, c := range log.all()[:len(log.all())-1] {
				if len(c.Text) < 1024 || len(c.Text) > 1024+800 {
					t.Errorf("chunk %d has %d bytes", i, len(c.Text))
				}
			}
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				log := &chunks{}
				hub := relay.NewHub(newGateway(), sockets("a"))
				s := hub.Open(t.Context(), options(log))
				for range 10 * tt.rate {
					s.Write("word")
					time.Sleep(time.Second / time.Duration(tt.rate))
				}
				finish(t, hub, s)
				tt.check(t, log)
				assertLog(t, log, strings.Repeat("word", 10*tt.rate))
			})
		})
	}
}

// assertLog checks that the log is contiguous and holds text.
// logged is the text that a log holds.
func logged(log *chunks) string {
	answer, _ := life.Answer(log.all())
	return answer.Text()
}

func assertLog(t *testing.T, log *chunks, text string) {
	t.Helper()
	next := 1
	for _, c := range log.all() {
		if c.FirstSeq != next {
			t.Fatalf("chunk begins at %d, want %d", c.FirstSeq, next)
		}
		next = c.LastSeq() + 1
	}
	if got := logged(log); got != text {
		t.Errorf("the log holds %d bytes, want %d", len(got), len(text))
	}
	all := log.all()
	if got, want := all[len(all)-1].OutputTokens, relay.EstimateTokens(int64(len(text))); got != want {
		t.Errorf("the log counts %d tokens, want %d", got, want)
	}
}

func TestLogOutlastsFailingWrites(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log := &chunks{}
		fails := 0
		log.put = func(context.Context, life.Chunk) error {
			if fails++; fails%3 != 0 {
				return errBroken
			}
			return nil
		}
		hub := relay.NewHub(newGateway(), sockets())
		s := hub.Open(t.Context(), options(log))
		for range 200 {
			s.Write(strings.Repeat("x", 100))
			time.Sleep(20 * time.Millisecond)
		}
		finish(t, hub, s)
		assertLog(t, log, strings.Repeat("x", 20_000))
	})
}

func TestCloseReportsALogThatCannotBeCompleted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log := &chunks{put: func(context.Context, life.Chunk) error { return errBroken }}
		hub := relay.NewHub(newGateway(), sockets())
		owned, lose := context.WithCancel(t.Context())
		s := hub.Open(owned, options(log))
		defer s.Leave()
		s.Write("text")
		impatient, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := s.Close(impatient); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want a deadline", err)
		}
		lose()
		if _, err := s.Close(t.Context()); !errors.Is(err, errBroken) {
			t.Errorf("after the attempt was lost: got %v, want the failure of the write", err)
		}
	})
}

func TestSlowLogGathersFrames(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log := &chunks{put: func(context.Context, life.Chunk) error { time.Sleep(5 * time.Second); return nil }}
		hub := relay.NewHub(newGateway(), sockets())
		s := hub.Open(t.Context(), options(log))
		for range 100 {
			s.Write(strings.Repeat("x", 6_000))
			time.Sleep(100 * time.Millisecond)
		}
		finish(t, hub, s)
		assertLog(t, log, strings.Repeat("x", 600_000))
		for _, c := range log.all() {
			if len(c.Text) > 200<<10 {
				t.Errorf("a chunk of %d bytes does not fit into an item", len(c.Text))
			}
		}
	})
}
