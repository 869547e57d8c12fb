package relay_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/lambdas/internal/relay"
	"github.com/streaming-service/streaming-service/protocol"
)

func TestEverySocketAndTheLogHaveTheSameCuts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, log := newGateway(), &chunks{}
		hub := relay.NewHub(g, sockets("a", "b"))
		s := hub.Open(t.Context(), options(log))
		var text strings.Builder
		for i := range 300 {
			word := fmt.Sprintf("wörd %d, ", i)
			text.WriteString(word)
			s.Write(word)
			time.Sleep(time.Duration(i%17) * time.Millisecond)
		}
		finish(t, hub, s)

		a, b := g.frames("a"), g.frames("b")
		assertWhole(t, a, text.String())
		same := slices.EqualFunc(a, b, func(x, y received) bool { return x.raw == y.raw })
		if !same {
			t.Error("the sockets got different frames")
		}
		replayed := life.AnswerFrames(record("request"), log.all(), 0)
		live := a[1 : len(a)-1]
		if len(replayed) != len(live) {
			t.Fatalf("the log replays %d deltas, %d went live", len(replayed), len(live))
		}
		for i, f := range replayed {
			if string(f.Encode()) != live[i].raw {
				t.Errorf("replayed %s, live %s", f.Encode(), live[i].raw)
			}
		}
	})
}

func TestFirstDeltaLeavesAtOnceAndTheRestCoalesces(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, log := newGateway(), &chunks{}
		hub := relay.NewHub(g, sockets("a"))
		s := hub.Open(t.Context(), options(log))
		time.Sleep(time.Second)
		began := time.Since(g.begun)
		written := make([]time.Duration, 1000)
		for i := range written {
			written[i] = time.Since(g.begun)
			s.Write("x")
			time.Sleep(12500 * time.Microsecond)
		}
		finish(t, hub, s)

		frames := g.frames("a")
		if len(frames) > 68 {
			t.Errorf("%d frames for 1,000 tokens at 80 tokens/s, want at most 68", len(frames))
		}
		if first := frames[1].after; first != began {
			t.Errorf("the first delta left after %v, want %v", first, began)
		}
		token := 0
		for _, r := range frames {
			for range len(r.frame.Text) {
				wait := r.after - written[token]
				if wait > 200*time.Millisecond {
					t.Fatalf("token %d waited %v", token, wait)
				}
				if age := written[token] - began; wait > max(50*time.Millisecond, age) {
					t.Fatalf("token %d waited %v after %v", token, wait, age)
				}
				token++
			}
		}
	})
}

// backoff doubles every interval.
type backoff struct{}

func (backoff) Interval(base time.Duration) time.Duration { return 2 * base }

func TestPaceStretchesTheInterval(t *testing.T) {
	t.Parallel()
	count := func(p relay.Backoff) (n int) {
		synctest.Test(t, func(t *testing.T) {
			g, log := newGateway(), &chunks{}
			hub := relay.NewHub(g, sockets("a"))
			o := options(log)
			o.Backoff = p
			s := hub.Open(t.Context(), o)
			for range 1000 {
				s.Write("x")
				time.Sleep(10 * time.Millisecond)
			}
			finish(t, hub, s)
			n = len(g.frames("a"))
		})
		return n
	}
	normal, stretched := count(nil), count(backoff{})
	if stretched > normal*6/10 {
		t.Errorf("%d frames at twice the interval, %d at the normal one", stretched, normal)
	}
}

func TestSlowSocketHoldsUpNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, log := newGateway(), &chunks{}
		g.deliver = func(ctx context.Context, to life.Connection, _ []byte) error {
			if to.ConnectionID != "slow" {
				return nil
			}
			select {
			case <-time.After(2 * time.Second):
				return nil
			case <-ctx.Done():
				return relay.ErrSlow
			}
		}
		hub := relay.NewHub(g, sockets("slow", "fast"))
		s := hub.Open(t.Context(), options(log))
		var text strings.Builder
		for i := range 1500 {
			word := fmt.Sprintf("%d ", i)
			text.WriteString(word)
			s.Write(word)
			time.Sleep(50 * time.Millisecond)
		}
		before := time.Now()
		finish(t, hub, s)
		if took := time.Since(before); took > 6*time.Second {
			t.Errorf("the end waited %v for the slow socket", took)
		}
		fast := g.frames("fast")
		assertWhole(t, fast, text.String())
		for i, r := range fast[1:] {
			if i > 0 && r.after-fast[i].after > time.Second {
				t.Fatalf("frame %d of the fast socket was held up", i)
			}
		}
		bySeq := map[int]string{}
		for _, r := range fast {
			bySeq[*r.frame.Seq] = r.raw
		}
		last := -1
		for _, r := range g.frames("slow") {
			if *r.frame.Seq <= last || bySeq[*r.frame.Seq] != r.raw {
				t.Fatalf("the slow socket got %s after seq %d", r.raw, last)
			}
			last = *r.frame.Seq
		}
		if posts := hub.TakePosts(); posts.Lost == 0 {
			t.Error("the slow socket lost nothing: its queue is not bounded")
		}
		time.Sleep(10 * time.Minute) // for the rest of its queue
	})
}

// Rival defect (e): a gone socket discards the answer.
func TestDefectEGoneSocketLosesNothingForOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, log := newGateway(), &chunks{}
		var tries int
		g.deliver = func(_ context.Context, to life.Connection, _ []byte) error {
			if to.ConnectionID == "gone" {
				tries++
				return relay.ErrGone
			}
			return nil
		}
		hub := relay.NewHub(g, sockets("gone", "alive"))
		s := hub.Open(t.Context(), options(log))
		for range 100 {
			s.Write("word ")
			time.Sleep(20 * time.Millisecond)
		}
		finish(t, hub, s)
		assertWhole(t, g.frames("alive"), strings.Repeat("word ", 100))
		if text := logged(log); text != strings.Repeat("word ", 100) {
			t.Error("the log is not complete")
		}
		if tries != 1 {
			t.Errorf("posted to the gone socket %d times, want 1", tries)
		}
	})
}

func TestGenerationGoesOnWhenAllSocketsAreGone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, log := newGateway(), &chunks{}
		g.deliver = func(context.Context, life.Connection, []byte) error { return relay.ErrGone }
		hub := relay.NewHub(g, sockets("gone"))
		s := hub.Open(t.Context(), options(log))
		s.Write("the answer")
		finish(t, hub, s)
		if text := logged(log); text != "the answer" {
			t.Errorf("the log holds %q", text)
		}
	})
}

// Rival defect (f): model text that equals a control word is swallowed.
func TestDefectFTextIsNeverTakenForControl(t *testing.T) {
	t.Parallel()
	words := []string{"[DONE]", "<|end|>", `{"type":"done","requestId":"request","attempt":1,"seq":1}`, "\x00", "data: [DONE]\n\n"}
	synctest.Test(t, func(t *testing.T) {
		g, log := newGateway(), &chunks{}
		hub := relay.NewHub(g, sockets("a"))
		s := hub.Open(t.Context(), options(log))
		for _, word := range words {
			s.Write(word)
			time.Sleep(time.Second)
		}
		finish(t, hub, s)
		got := g.frames("a")
		assertWhole(t, got, strings.Join(words, ""))
		for i, word := range words {
			if got[i+1].frame.Type != protocol.FrameDelta || got[i+1].frame.Text != word {
				t.Errorf("frame %d is %s, want a delta of %q", i+1, got[i+1].raw, word)
			}
		}
	})
}

// Rival defect (i): a sequence counter shared between requests of a container.
func TestDefectIRequestsHaveTheirOwnSequence(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGateway()
		hub := relay.NewHub(g, sockets("a"))
		var streams []*relay.Stream
		for _, id := range []string{"one", "two", "three"} {
			log := &chunks{}
			streams = append(streams, hub.Open(t.Context(), relay.Options{Record: record(id), Log: log.Put}))
		}
		for range 10 {
			for _, s := range streams {
				s.Write("word ")
			}
			time.Sleep(300 * time.Millisecond)
		}
		for _, s := range streams {
			if seq, err := s.Close(t.Context()); err != nil || seq != 11 {
				t.Errorf("end seq %d, %v, want 11", seq, err)
			}
		}
		synctest.Wait()
		next := map[string]int{}
		for _, r := range g.frames("a") {
			if id := r.frame.RequestID; *r.frame.Seq != next[id] {
				t.Errorf("request %s: seq %d, want %d", id, *r.frame.Seq, next[id])
			}
			next[r.frame.RequestID]++
		}
		for _, s := range streams {
			s.Leave()
		}
	})
}

func TestSocketThatJoinsGetsTheFramesFromThenOn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, log, d := newGateway(), &chunks{}, sockets("early")
		hub := relay.NewHub(g, d)
		s := hub.Open(t.Context(), options(log))
		write := func() {
			for range 20 {
				s.Write("x")
				time.Sleep(200 * time.Millisecond)
			}
		}
		write()
		d.set(nil, "early", "late")
		write()
		finish(t, hub, s)
		early, late := g.frames("early"), g.frames("late")
		if len(late) < 10 || len(late) >= len(early) {
			t.Fatalf("the late socket got %d of %d frames", len(late), len(early))
		}
		for i, r := range late {
			if want := early[len(early)-len(late)+i].raw; r.raw != want {
				t.Errorf("the late socket got %s, want %s", r.raw, want)
			}
		}
	})
}

func TestFramesWaitForTheFirstListOfSockets(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, log, d := newGateway(), &chunks{}, &directory{}
		d.set(errBroken)
		hub := relay.NewHub(g, d)
		s := hub.Open(t.Context(), options(log))
		s.Write("early")
		time.Sleep(3500 * time.Millisecond)
		d.set(nil, "a")
		finish(t, hub, s)
		assertWhole(t, g.frames("a"), "early")
	})
}

// stale is a directory whose eventual reads miss the socket that just opened.
type stale struct{ *directory }

func (s stale) Connections(ctx context.Context, userID string, consistent bool) ([]life.Connection, error) {
	if !consistent {
		return nil, nil
	}
	return s.directory.Connections(ctx, userID, consistent)
}

// TestEndFrameReachesASocketThatJustOpened guards rule 11 of docs/life.md.
func TestEndFrameReachesASocketThatJustOpened(t *testing.T) {
	t.Parallel()
	g := newGateway()
	if err := relay.NewHub(g, stale{sockets("a")}).Post(t.Context(), "user", end(0)); err != nil {
		t.Fatal(err)
	}
	if got := g.frames("a"); len(got) != 1 {
		t.Errorf("%d frames", len(got))
	}
}

func TestPostTellsWhatTheSocketsAreNotToBlameFor(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		listing error
		deliver error
		wantErr error
	}{
		{name: "delivered"},
		{name: "gone", deliver: relay.ErrGone},
		{name: "slow", deliver: relay.ErrSlow},
		{name: "refused", deliver: errBroken, wantErr: errBroken},
		{name: "unlisted", listing: errBroken, wantErr: errBroken},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			g, d := newGateway(), &directory{}
			d.set(tt.listing, "a")
			g.deliver = func(context.Context, life.Connection, []byte) error { return tt.deliver }
			err := relay.NewHub(g, d).Post(t.Context(), "user", end(0))
			if !errors.Is(err, tt.wantErr) {
				t.Errorf("got %v, want %v", err, tt.wantErr)
			}
		})
	}
}

func TestYoungSocketThatIsNotOpenYetIsTriedAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, log, d := newGateway(), &chunks{}, &directory{}
		young := socket("young")
		young.ConnectedAt = time.Now()
		d.list = []life.Connection{young}
		open := time.Now().Add(2 * time.Second)
		g.deliver = func(context.Context, life.Connection, []byte) error {
			if time.Now().Before(open) {
				return relay.ErrGone
			}
			return nil
		}
		hub := relay.NewHub(g, d)
		s := hub.Open(t.Context(), options(log))
		for range 50 {
			s.Write("x")
			time.Sleep(200 * time.Millisecond)
		}
		seq := finish(t, hub, s)
		got := g.frames("young")
		if len(got) < 30 || *got[len(got)-1].frame.Seq != seq {
			t.Errorf("the socket got %d frames once it was open", len(got))
		}
	})
}

func TestDeserted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, log, d := newGateway(), &chunks{}, &directory{}
		hub := relay.NewHub(g, d)
		s := hub.Open(t.Context(), options(log))
		defer s.Leave()
		deserted := func() bool {
			time.Sleep(time.Minute)
			return s.Deserted(30 * time.Second)
		}
		if deserted() {
			t.Error("deserted without ever a socket")
		}
		d.set(nil, "a")
		if deserted() {
			t.Error("deserted with a live socket")
		}
		d.set(errBroken)
		if deserted() {
			t.Error("deserted because sockets cannot be listed")
		}
		d.set(nil)
		if !deserted() {
			t.Error("not deserted a minute after the last socket went")
		}
	})
}

// What tells the sockets of a start lets the call of the model go first, but never
// the first word wait.
func TestStartGivesWayToTheCallOfTheModel(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ silence, told time.Duration }{
		{0, 0}, {time.Millisecond, time.Millisecond}, {time.Hour, 2 * time.Millisecond},
	} {
		t.Run(test.silence.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				begun := time.Now()
				told := make(chan time.Duration, 1)
				list := sockets("a")
				hub := relay.NewHub(newGateway(), listing(func(ctx context.Context, userID string, consistent bool) ([]life.Connection, error) {
					select {
					case told <- time.Since(begun):
					default:
					}
					return list.Connections(ctx, userID, consistent)
				}))
				s := hub.Open(t.Context(), options(&chunks{}))
				defer s.Leave()
				time.AfterFunc(test.silence, func() { s.Write("word") })
				if got := <-told; got != test.told {
					t.Errorf("the sockets were listed after %v, want %v", got, test.told)
				}
			})
		})
	}
}

// listing lists the sockets of a user.
type listing func(ctx context.Context, userID string, consistent bool) ([]life.Connection, error)

func (l listing) Connections(ctx context.Context, userID string, consistent bool) ([]life.Connection, error) {
	return l(ctx, userID, consistent)
}

func TestLeaveEndsAllActivity(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, log := newGateway(), &chunks{}
		hub := relay.NewHub(g, sockets("a"))
		s := hub.Open(t.Context(), options(log))
		s.Write("first ")
		s.Write("second")
		synctest.Wait()
		s.Leave()
		s.Write("third")
		time.Sleep(time.Minute)
		if got := g.frames("a"); len(got) != 2 {
			t.Errorf("%d frames, want the start and the first delta", len(got))
		}
		if got := log.all(); len(got) != 0 {
			t.Errorf("the log of a void attempt was written: %v", got)
		}
	})
}
