package lives_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/protocol"
)

// scenarios are lives short enough to fail at each of their calls.
var scenarios = map[string]struct {
	script  string
	cancel  time.Duration
	drop    time.Duration
	timeout time.Duration // of the processor; 0: that of production
	ask     string        // "": POST /requests; else by the Chat Completions API
	unkeyed bool          // asks twice, one after the other, without a key
}{
	"succeeds":  {script: "tokens=60 rate=40"},
	"dropped":   {script: "tokens=60 rate=40", drop: 700 * time.Millisecond},
	"cancelled": {script: "tokens=200 rate=40", cancel: 800 * time.Millisecond},
	"cut":       {script: "tokens=1000 rate=40", timeout: 8 * time.Second},
	"cut using": {script: "tokens=8 rate=40 tool=get_weather toolInput={\"city\":\"Llanfairpwllgwyngyll\"} hang@12", timeout: 8 * time.Second},
	"refused":   {script: "tokens=60 rate=40 error=accessDeniedException@0"},
	"throttled": {script: "tokens=60 rate=40 error=throttlingException@0 times=1"},

	"completes":            {ask: asStream, script: "tokens=60 rate=40"},
	"completes in one":     {ask: inOnePiece, script: "tokens=60 rate=40"},
	"completes again":      {ask: asStream, unkeyed: true, script: "tokens=20 rate=40"},
	"completes, cancelled": {ask: asStream, script: "tokens=200 rate=40", cancel: 800 * time.Millisecond},
	"completes, cut":       {ask: asStream, script: "tokens=1000 rate=40", timeout: 8 * time.Second},
	"completes, throttled": {ask: asStream, script: "tokens=60 rate=40 error=throttlingException@0 times=1"},
	"completes, broken":    {ask: asStream, script: "tokens=60 rate=40 error=modelStreamErrorException@5 times=1"},
	"hangs up":             {ask: hangingUp, script: "tokens=60 rate=40"},
}

// Ways of asking over the Chat Completions API.
const (
	asStream   = "stream"
	inOnePiece = "one piece"
	hangingUp  = "hanging up"
)

// sdkTries are how often the SDK makes a call that fails.
const sdkTries = 3

// callFaults are what befalls one call. What the SDK would hide by trying again
// befalls its further tries, too.
var callFaults = map[string]struct {
	tries int
	fate  fate
}{
	"fails":                   {sdkTries, fate{refuse: &refusal{Status: 500, Code: "InternalServerError", Message: "injected"}}},
	"is denied":               {1, fate{refuse: &refusal{Status: 400, Code: "AccessDeniedException", Message: "injected"}}},
	"never comes":             {sdkTries, fate{drop: true}},
	"loses its answer once":   {1, fate{lose: true}},
	"loses its answer always": {sdkTries, fate{lose: true}},
	"takes 12 s":              {1, fate{delay: 12 * time.Second}},
	"comes late":              {1, fate{delay: 12 * time.Second, late: true}},
	"kills its process":       {1, fate{killBefore: true}},
	"kills its process after": {1, fate{killAfter: true}},
	// Its message comes back after 45 s: the thaw meets the next attempt.
	"freezes its process":       {1, fate{freeze: 46 * time.Second, late: true}},
	"meets another transaction": {1, fate{refuse: &refusal{Status: 400, Code: "TransactionConflictException", Message: "injected"}}},
}

// oneFault befalls the n-th call of a world.
type oneFault struct {
	at    int
	fault string

	mu     sync.Mutex
	calls  int
	struck *call
	tries  int
}

func (o *oneFault) fate(_ *process, c *call) *fate {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.calls++
	fault := callFaults[o.fault]
	switch {
	case o.calls-1 == o.at:
		o.struck = c
	case o.struck == nil || o.tries == fault.tries || o.struck.name() != c.name() || !bytes.Equal(o.struck.body, c.body):
		return nil
	}
	o.tries++
	f := fault.fate
	if f.late && c.operation == "TransactWriteItems" {
		f.late = false
	}
	return &f
}

// liveWithOneFault runs a scenario and returns how many calls it made until its
// user knew the end.
func liveWithOneFault(t *testing.T, scenario string, o *oneFault) (calls int) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		calendar, err := life.NewCalendar("UTC")
		if err != nil {
			t.Fatal(err)
		}
		s := scenarios[scenario]
		w := newWorld(t, 1, "nothing", settings{calendar: calendar, batch: 1, cap: 3, processorTimeout: cmp.Or(s.timeout, 5*time.Minute)})
		w.profile = "one fault"
		w.dice.script = o.fate
		w.devices["alice"] = []*device{newDevice(w, "alice", 1)}
		w.begin()
		l := &life1{user: "alice", key: "key", callers: 2, cancel: s.cancel, drop: s.drop, number: 1, accepted: map[string]bool{}}
		fields := map[string]any{"prompt": "one fault", "system": "script: " + s.script, "maxTokens": 1000}
		if strings.Contains(s.script, toolName) {
			fields["tools"] = []protocol.Tool{{Name: toolName, InputSchema: json.RawMessage(`{"type":"object"}`)}}
		}
		l.body = encode(fields)
		watched := 6 * time.Second
		if s.ask != "" {
			l.completion = &completion{streamed: s.ask != inOnePiece}
			if s.ask == hangingUp {
				l.completion.hangUp = time.Second
			}
			l.body = l.completion.body("one fault", "script: "+s.script, 1000)
			watched = 45 * time.Second // until the message that stands by has come
		}
		l.hash = life.BodyHash([]byte(l.body))
		w.lives = []*life1{l}
		if s.unkeyed {
			l.key, l.callers = "", 1
			w.lives = append(w.lives, l.next(s.script))
		}
		time.Sleep(time.Second) // the socket opens
		w.clients.Go(func() {
			for _, l := range w.lives {
				w.live(l, rand.New(rand.NewPCG(1, 1)))
			}
		})
		time.Sleep(watched)
		o.mu.Lock()
		calls = o.calls
		struck := "nothing"
		if o.struck != nil {
			struck = o.struck.name()
		}
		o.mu.Unlock()
		w.rest()
		if t.Failed() {
			t.Logf("%s, call %d (%s) %s", scenario, o.at, struck, o.fault)
			t.Log("\n" + w.trace.String())
		}
	})
	return calls
}

// next is a life that asks the same way.
func (l *life1) next(script string) *life1 {
	next := &life1{
		user: l.user, key: l.key, callers: l.callers, number: l.number + 1, accepted: map[string]bool{},
		completion: &completion{streamed: l.completion.streamed},
	}
	next.body = next.completion.body("one fault more", "script: "+script, 1000)
	next.hash = life.BodyHash([]byte(next.body))
	return next
}

// Every call of a life fails once, in every way. In CI a part of them does, a
// different part for every fault, and fewer under the slow race detector.
//
// It guards rules 6 and 15 of docs/life.md.
func TestOneFaultAtEveryCall(t *testing.T) {
	t.Parallel()
	stride := *strideFlag
	if testing.Short() {
		stride *= 4
	}
	for _, scenario := range slices.Sorted(maps.Keys(scenarios)) {
		calls := liveWithOneFault(t, scenario, &oneFault{at: -1})
		if calls < 15 {
			t.Fatalf("%s makes only %d calls", scenario, calls)
		}
		t.Logf("%s: %d calls", scenario, calls)
		for offset, fault := range slices.Sorted(maps.Keys(callFaults)) {
			t.Run(fmt.Sprintf("%s/%s", scenario, fault), func(t *testing.T) {
				t.Parallel()
				for at := offset % stride; at < calls; at += stride {
					liveWithOneFault(t, scenario, &oneFault{at: at, fault: fault})
				}
			})
		}
	}
}
