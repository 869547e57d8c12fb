package relay_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/streaming-service/streaming-service/lambdas/internal/relay"
)

// spoken is a word and when the model said it, since the gateway was made.
type spoken struct {
	text string
	at   time.Duration
}

// say has a model say words, each after a pause. What nobody hears yet gathers.
func say(g *gateway, pauses []time.Duration) <-chan spoken {
	words := make(chan spoken, len(pauses))
	go func() {
		defer close(words)
		for i, pause := range pauses {
			time.Sleep(pause)
			words <- spoken{fmt.Sprintf("%04d ", i), time.Since(g.begun)}
		}
	}()
	return words
}

// listen reads as the adapter of a model does: it rests before each read, which
// takes what has gathered, at least a word and at most so many. It returns all
// words and the number of reads.
func listen(ctx context.Context, s *relay.Stream, words <-chan spoken, most int) (said []spoken, reads int) {
	take := func(word spoken, ok bool) bool {
		if ok {
			s.Write(word.text)
			said = append(said, word)
		}
		return ok
	}
	for {
		s.Rest(ctx)
		reads++
		select {
		case word, ok := <-words:
			if !take(word, ok) {
				return said, reads
			}
		case <-ctx.Done():
			return said, reads
		}
		for gathered := min(len(words), most-1); gathered > 0; gathered-- {
			take(<-words, true)
		}
	}
}

// latest is by how much the last of the words came later than it was said, and
// by how much the first did.
func latest(t *testing.T, got []received, said []spoken) (worst, first time.Duration) {
	t.Helper()
	next := 0
	for _, r := range got {
		for text := r.frame.Text; text != ""; text = text[len(said[next-1].text):] {
			if next == len(said) || !strings.HasPrefix(text, said[next].text) {
				t.Fatalf("%q comes after word %d of %d", text, next, len(said))
			}
			late := r.after - said[next].at
			if next == 0 {
				first = late
			}
			worst = max(worst, late)
			next++
		}
	}
	if next < len(said) {
		t.Errorf("%d of %d words came", next, len(said))
	}
	return worst, first
}

func steady(n int, pause time.Duration) []time.Duration {
	pauses := make([]time.Duration, n)
	for i := range pauses {
		pauses[i] = pause
	}
	return pauses
}

func uneven(n int, most time.Duration) []time.Duration {
	pauses, dice := make([]time.Duration, n), rand.New(rand.NewPCG(2, 2))
	for i := range pauses {
		pauses[i] = time.Duration(dice.Int64N(int64(most)))
	}
	return pauses
}

// A reader that rests wakes a few times for a frame instead of once for a word.
// Nobody notices: the first word leaves at once, no other waits longer than it
// may, and there are no more frames.
func TestRestSparesReadsAndDelaysNothing(t *testing.T) {
	t.Parallel()
	stalls := append(append(steady(30, 20*time.Millisecond), 3*time.Second), steady(30, 20*time.Millisecond)...)
	for name, test := range map[string]struct {
		pauses []time.Duration
		reads  int // of a word, in percent
	}{
		"at 50 a second":          {steady(500, 20*time.Millisecond), 25},
		"at 80 a second":          {steady(1000, 12500*time.Microsecond), 22},
		"at 500 a second":         {steady(2000, 2*time.Millisecond), 7},
		"uneven":                  {uneven(1000, 25*time.Millisecond), 20},
		"slower than frames":      {steady(20, 400*time.Millisecond), 210},
		"with a stall":            {stalls, 45},
		"one word":                {steady(1, time.Millisecond), 200},
		"all at once":             {steady(300, 0), 2},
		"two words, then nothing": {[]time.Duration{time.Millisecond, 10 * time.Millisecond, 5 * time.Second}, 200},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			frames := map[bool]int{}
			for _, rests := range []bool{false, true} {
				synctest.Test(t, func(t *testing.T) {
					g, log := newGateway(), &chunks{}
					hub := relay.NewHub(g, sockets("a"))
					s := hub.Open(t.Context(), options(log))
					time.Sleep(time.Second) // the sockets are listed
					words := say(g, test.pauses)
					if !rests {
						for word := range words {
							s.Write(word.text)
						}
						finish(t, hub, s)
						frames[rests] = len(g.frames("a"))
						return
					}
					said, reads := listen(t.Context(), s, words, len(test.pauses))
					ended := time.Since(g.begun)
					finish(t, hub, s)
					got := g.frames("a")
					frames[rests] = len(got)
					worst, first := latest(t, got, said)
					if first != 0 || worst > relay.DefaultFlushInterval {
						t.Errorf("the first word is %v late, another %v", first, worst)
					}
					if most := len(said)*test.reads/100 + 2; reads > most {
						t.Errorf("%d reads for %d words, want at most %d", reads, len(said), most)
					}
					if late := ended - said[len(said)-1].at; late > relay.DefaultFlushInterval {
						t.Errorf("the end is heard %v late", late)
					}
				})
			}
			if frames[true] > frames[false]+frames[false]/50+1 {
				t.Errorf("%d frames, %d without rests", frames[true], frames[false])
			}
		})
	}
}

// A read over TLS takes one record, which is one word: with a rest before each, the
// reader would fall behind the model.
func TestReaderCatchesUpWordByWord(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGateway()
		hub := relay.NewHub(g, sockets("a"))
		s := hub.Open(t.Context(), options(&chunks{}))
		time.Sleep(time.Second)
		said, _ := listen(t.Context(), s, say(g, steady(1000, 12500*time.Microsecond)), 1)
		finish(t, hub, s)
		got := g.frames("a")
		if worst, first := latest(t, got, said); first != 0 || worst > relay.DefaultFlushInterval || len(got) > 70 {
			t.Errorf("the first word is %v late, another %v, in %d frames", first, worst, len(got))
		}
	})
}

// rested is how long a rest took.
func rested(ctx context.Context, s *relay.Stream) time.Duration {
	begun := time.Now()
	s.Rest(ctx)
	return time.Since(begun)
}

func TestThereIsNoRestWithoutAFrameThatWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGateway()
		hub := relay.NewHub(g, sockets("a"))
		s := hub.Open(t.Context(), options(&chunks{}))
		if took := rested(t.Context(), s); took != 0 {
			t.Errorf("before the first word: %v", took)
		}
		s.Write("a")
		if took := rested(t.Context(), s); took != 0 {
			t.Errorf("when it has left: %v", took)
		}
		s.Write("b")
		if took := rested(t.Context(), s); took < 20*time.Millisecond || took > 50*time.Millisecond {
			t.Errorf("when the second waits: %v", took)
		}
		if took := rested(t.Context(), s); took != 0 {
			t.Errorf("again: %v", took)
		}
		s.Write("c")
		if took := rested(t.Context(), s); took != 0 {
			t.Errorf("for the same frame: %v", took)
		}
		finish(t, hub, s)
		if took := rested(t.Context(), s); took != 0 {
			t.Errorf("after the end: %v", took)
		}
	})
}

func TestRestEndsWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGateway()
		hub := relay.NewHub(g, sockets("a"))
		s := hub.Open(t.Context(), options(&chunks{}))
		s.Write("a")
		s.Write("b")
		ctx, cancel := context.WithTimeout(t.Context(), 7*time.Millisecond)
		defer cancel()
		if took := rested(ctx, s); took != 7*time.Millisecond {
			t.Errorf("rested %v", took)
		}
		time.Sleep(time.Second)
		if got := g.frames("a"); len(got) != 3 || got[2].frame.Text != "b" {
			t.Errorf("the text that waited: %d frames", len(got))
		}
		finish(t, hub, s)
	})
}

// stretched is a backoff that stretches as much as it can.
type stretched struct{}

func (stretched) Interval(base time.Duration) time.Duration { return 100 * base }

func TestRestIsNoLongerThanAStretchedInterval(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := options(&chunks{})
		o.Backoff = stretched{}
		hub := relay.NewHub(newGateway(), sockets("a"))
		s := hub.Open(t.Context(), o)
		s.Write("a")
		s.Write("b")
		if took := rested(t.Context(), s); took < 900*time.Millisecond || took > time.Second {
			t.Errorf("rested %v", took)
		}
		finish(t, hub, s)
	})
}
