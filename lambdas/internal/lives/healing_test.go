package lives_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/streaming-service/streaming-service/internal/localcloud/faults"
	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/protocol"
)

// A message is lost after its sender was told that it was sent, and nobody asks
// for the request any more: rule 5 has it sent again within two sweeps.
func TestLostMessageIsSentAgainWithinTwoSweeps(t *testing.T) {
	t.Parallel()
	heal(t, nil, 2*sweepEvery)
}

// The same, with a user who looks once in a while: any touch heals what has
// stood still for a minute.
func TestLostMessageIsSentAgainAtTheNextTouch(t *testing.T) {
	t.Parallel()
	touches := map[string]func(w *world, id string){
		"GET": func(w *world, id string) { w.gateway.rest("alice", http.MethodGet, id, "", "") },
		"a replay": func(w *world, _ string) {
			w.gateway.rest("alice", http.MethodPost, "", lostBody, "key")
		},
		"another request": func(w *world, _ string) {
			w.gateway.rest("alice", http.MethodPost, "", encode(map[string]any{"prompt": "another"}), "")
		},
		"resume": func(w *world, id string) {
			s := w.gateway.connect("alice", func([]byte) {}, func() {})
			w.gateway.send(s, protocol.Resume(id, 0, -1))
		},
	}
	for name, touch := range touches {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			heal(t, touch, life.HealAfter+10*time.Second)
		})
	}
}

var lostBody = encode(map[string]any{"prompt": "lost", "system": "script: tokens=20 rate=0"})

// heal loses the message of a request and expects the request to end in time.
func heal(t *testing.T, touch func(w *world, id string), within time.Duration) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		calendar, err := life.NewCalendar("UTC")
		if err != nil {
			t.Fatal(err)
		}
		w := newWorld(t, 1, "nothing", settings{calendar: calendar, batch: 1, processorTimeout: 5 * time.Minute})
		if err := w.injector.Set([]faults.Rule{{Service: "sqs", Lose: 1, Times: 1}}); err != nil {
			t.Fatal(err)
		}
		w.begin()
		time.Sleep(time.Second)
		var accepted protocol.SubmitResponse
		if a := w.gateway.rest("alice", http.MethodPost, "", lostBody, "key"); !a.into(&accepted) || a.status != http.StatusAccepted {
			t.Fatalf("answer %+v", a)
		}
		begun := time.Now()
		if touch != nil {
			time.Sleep(life.HealAfter + time.Second)
			touch(w, accepted.RequestID)
		}
		time.Sleep(time.Until(begun.Add(within)))
		if r := w.ledger.record("alice", accepted.RequestID); r.Status != protocol.StatusSucceeded {
			t.Errorf("after %v: %+v", within, r)
		}
		w.profile = "lost message"
		w.rest()
	})
}
