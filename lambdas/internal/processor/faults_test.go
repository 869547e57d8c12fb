package processor_test

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/streaming-service/streaming-service/protocol"
)

// A process is killed at each of its calls to the outside, before the call acts
// and after it has: another one must take the request to its end.
//
// It guards rule 6 of docs/life.md.
func TestKillAtEveryStep(t *testing.T) {
	t.Parallel()
	for step := 0; ; step++ {
		var reached, after bool
		var operation string
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			defer time.Sleep(time.Hour) // whatever a process left behind ends
			m := w.admit(nil)
			p := w.start()
			var mu sync.Mutex
			n := 0
			p.hook = func(op string, done bool) error {
				mu.Lock()
				defer mu.Unlock()
				if n == step {
					reached, operation, after = true, op, done
					p.killed.Store(true)
				}
				n++
				return nil
			}
			deleted := p.handle(m)
			where := fmt.Sprintf("killed at step %d (%s, after %v)", step, operation, after)
			if !reached {
				return
			}
			if deleted {
				t.Fatalf("%s: deleted", where)
			}
			died, claimed := time.Now(), len(w.claims) > 0
			w.finish(m)
			r := w.record(m)
			if r.Status != protocol.StatusSucceeded || w.settled[r.Key] != 1 || w.text(r) != answerText {
				t.Errorf("%s: %+v, settled %d times", where, r, w.settled[r.Key])
			}
			if w.modelCalls() > 2 {
				t.Errorf("%s: %d model calls", where, w.modelCalls())
			}
			frames := w.framesOf("a")
			if end := frames[len(frames)-1]; end.Type != protocol.FrameDone || end.Attempt != r.Attempt {
				t.Errorf("%s: the last frame is %s", where, end.raw)
			}
			if last := w.claims[len(w.claims)-1]; claimed && last.Sub(died) > 50*time.Second {
				t.Errorf("%s: the next attempt came after %v", where, last.Sub(died))
			}
		})
		if !reached {
			if step < 40 {
				t.Errorf("only %d steps", step)
			}
			return
		}
	}
}

// Every call to the outside fails once, before it acts or by losing its answer:
// the request still ends, once.
//
// It guards rule 1 of docs/life.md.
func TestFailureOfEveryStep(t *testing.T) {
	t.Parallel()
	operations := []string{"claim", "input", "model", "chunk", "renew", "records", "connections", "visibility", "post", "finish", "settle", "release"}
	for _, operation := range operations {
		for _, after := range []bool{false, true} {
			for _, times := range []int{1, 3} {
				t.Run(fmt.Sprintf("%s fails %d times, after it acted %v", operation, times, after), func(t *testing.T) {
					simulate(t, func(t *testing.T, w *world) {
						m := w.admit(nil)
						p := w.start()
						var mu sync.Mutex
						n := 0
						p.hook = func(op string, done bool) error {
							mu.Lock()
							defer mu.Unlock()
							if op != operation || done != after || n == times {
								return nil
							}
							n++
							return errBroken
						}
						if !p.handle(m) {
							w.finish(m)
						}
						r := w.record(m)
						if r.Status != protocol.StatusSucceeded || w.settled[r.Key] != 1 || w.text(r) != answerText {
							t.Errorf("%+v, settled %d times", r, w.settled[r.Key])
						}
						if len(w.finished) != 1 {
							t.Errorf("ended %d times", len(w.finished))
						}
						if w.modelCalls() > 4 {
							t.Errorf("%d model calls", w.modelCalls())
						}
						frames := w.framesOf("a")
						if end := frames[len(frames)-1]; end.Type != protocol.FrameDone {
							t.Errorf("the last frame is %s", end.raw)
						}
					})
				})
			}
		}
	}
}
