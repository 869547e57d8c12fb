package lives_test

import (
	"math/rand/v2"
	"sync"
	"time"
)

// rates are how often what goes wrong, each from 0 to 1.
type rates struct {
	refuse, drop, lose, slow float64 // of calls
	outage                   float64 // of minutes: one service is not there for a while
	kill, freeze             float64 // of invocations
	answer                   float64 // of REST answers that never arrive
	loseQueue, duplicate     float64 // of messages
	early, reorder           float64
	conflict, stale          float64 // of writes and eventual reads
	loseFrame, dropSocket    float64 // of frames
	loseDisconnect           float64 // of closed sockets
	model                    float64 // of requests whose model fails
	skew                     bool    // clocks differ
}

// callsArrive reports whether every call of a living process is answered, in time.
func (r rates) callsArrive() bool {
	return r.refuse == 0 && r.drop == 0 && r.lose == 0 && r.slow == 0 && r.outage == 0 && r.freeze == 0
}

// profiles are what a world suffers from. The invariants that hold only while
// some faults are absent are checked where they are.
var profiles = map[string]rates{
	"nothing": {},
	"duplicates": {
		duplicate: 0.4, reorder: 0.3, early: 0.3, stale: 0.3, conflict: 0.2, skew: true,
	},
	"kills": {kill: 0.3, skew: true},
	"store": {
		refuse: 0.05, drop: 0.03, lose: 0.05, slow: 0.02, outage: 0.1, conflict: 0.3, stale: 0.3, skew: true,
	},
	"queue":   {loseQueue: 0.15, duplicate: 0.2, early: 0.2, reorder: 0.2, kill: 0.05, skew: true},
	"sockets": {loseFrame: 0.05, dropSocket: 0.02, loseDisconnect: 0.5, kill: 0.05, answer: 0.1},
	"freezes": {freeze: 0.3, slow: 0.02, skew: true},
	"model":   {model: 0.9, kill: 0.3},
	"everything": {
		refuse: 0.02, drop: 0.01, lose: 0.02, slow: 0.01, outage: 0.05, kill: 0.08, freeze: 0.05, answer: 0.05,
		loseQueue: 0.05, duplicate: 0.1, early: 0.1, reorder: 0.1, conflict: 0.1, stale: 0.1,
		loseFrame: 0.02, dropSocket: 0.01, loseDisconnect: 0.3, model: 0.3, skew: true,
	},
}

// dice decides what goes wrong. What it decides follows from its seed and from
// the order of the questions.
type dice struct {
	mu     sync.Mutex
	rng    *rand.Rand
	rates  rates
	quiet  bool
	down   string // service that is not there
	until  time.Time
	counts map[string]int
	script func(*process, *call) *fate // of a test that decides by itself
}

func newDice(seed uint64, r rates) *dice {
	return &dice{rng: rand.New(rand.NewPCG(seed, 1)), rates: r, counts: map[string]int{}}
}

// stop ends all faults.
func (d *dice) stop() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.quiet = true
}

func (d *dice) count(kind string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.counts[kind]++
}

// hits draws, and counts a hit under a name; "" counts none. The caller holds
// the lock.
func (d *dice) hits(probability float64, kind string) bool {
	if d.quiet || probability == 0 || d.rng.Float64() >= probability {
		return false
	}
	if kind != "" {
		d.counts[kind]++
	}
	return true
}

// happens draws one fault that is none of a call.
func (d *dice) happens(probability func(rates) float64, kind string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.hits(probability(d.rates), kind)
}

// between draws a duration.
func (d *dice) between(least, most time.Duration) time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	return least + time.Duration(d.rng.Int64N(int64(most-least)+1))
}

func (d *dice) freezeTime() time.Duration { return d.between(5*time.Second, 75*time.Second) }

// skew is of one process's clock: two of them differ by no more than 5 s.
func (d *dice) skew() time.Duration {
	if !d.rates.skew {
		return 0
	}
	return d.between(0, 4800*time.Millisecond) - 2400*time.Millisecond
}

// doom is how an invocation ends, if not well.
type doom struct {
	calls  int // killed, or frozen, at this call; 0: not by a call
	freeze bool
	after  time.Duration // killed after so long; 0: not by time
}

// invocation draws the end of an invocation.
func (d *dice) invocation(function string) doom {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.hits(d.rates.kill, "function."+function+".kill"):
		if d.rng.IntN(2) == 0 {
			return doom{after: time.Duration(d.rng.Int64N(int64(20 * time.Second)))}
		}
		return doom{calls: 1 + int(d.rng.ExpFloat64()*12)}
	case d.hits(d.rates.freeze, "function."+function+".freeze"):
		return doom{calls: 1 + int(d.rng.ExpFloat64()*12), freeze: true}
	}
	return doom{}
}

// fate is what befalls one call.
type fate struct {
	killBefore, killAfter bool
	delay                 time.Duration // before it acts
	freeze                time.Duration // of its process from here on
	late                  bool          // it acts even if its caller has given up by then
	drop                  bool          // it never arrives
	refuse                *refusal      // answered instead of acting
	lose                  bool          // it acts; the answer never arrives
}

// call draws the fate of a call.
func (d *dice) call(p *process, c *call) fate {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.quiet:
		return fate{}
	case d.script != nil:
		if f := d.script(p, c); f != nil {
			return *f
		}
		return fate{}
	}
	name := c.name()
	f := fate{late: c.operation != "TransactWriteItems" && d.rng.IntN(2) == 0}
	switch {
	case d.isDown(c.service):
		d.counts[c.service+".outage"]++
		f.drop = true
	case d.hits(d.rates.refuse, name+".error"):
		f.refuse = d.pickError(c)
	case d.hits(d.rates.drop, name+".drop"):
		f.drop = true
	case d.hits(d.rates.lose, name+".afterCommit"):
		f.lose = true
	case d.hits(d.rates.slow, name+".latency"):
		f.delay = time.Duration(d.rng.Int64N(int64(15 * time.Second)))
	case d.hits(d.rates.kill*0.02, "function."+p.function+".killAfterCommit"):
		f.killAfter = true
	}
	return f
}

// isDown draws the outages of whole services: about rates.outage of all minutes.
func (d *dice) isDown(service string) bool {
	now := time.Now()
	if d.quiet || d.rates.outage == 0 {
		return false
	}
	if now.Before(d.until) {
		return d.down == service
	}
	if d.down != "" {
		d.down, d.until = "", now.Add(time.Duration(d.rng.Int64N(int64(2*time.Minute))))
		return false
	}
	if d.rng.Float64() < d.rates.outage {
		d.down = []string{"dynamodb", "sqs", "execute-api", "bedrock-runtime"}[d.rng.IntN(4)]
		d.until = now.Add(time.Duration(d.rng.Int64N(int64(20 * time.Second))))
		return d.down == service
	}
	d.until = now.Add(10 * time.Second)
	return false
}

// namedError is an error as its service names it.
type namedError struct {
	status int
	code   string
}

// serviceErrors are what the services may answer at any time.
var serviceErrors = map[string][]namedError{
	"dynamodb": {
		{500, "InternalServerError"}, {503, "ServiceUnavailable"}, {400, "ProvisionedThroughputExceededException"},
		{400, "ThrottlingException"}, {400, "RequestLimitExceeded"}, {400, "AccessDeniedException"},
	},
	"sqs":             {{500, "InternalFailure"}, {400, "RequestThrottled"}, {503, "ServiceUnavailable"}, {403, "AccessDeniedException"}},
	"execute-api":     {{429, "LimitExceededException"}, {500, "InternalServerError"}, {403, "ForbiddenException"}},
	"bedrock-runtime": {{429, "ThrottlingException"}, {500, "InternalServerException"}, {503, "ServiceUnavailableException"}, {408, "ModelTimeoutException"}, {424, "ModelErrorException"}},
}

func (d *dice) pickError(c *call) *refusal {
	errors := serviceErrors[c.service]
	if c.service == "dynamodb" && d.rng.IntN(3) == 0 {
		switch c.operation {
		case "TransactWriteItems":
			return conflictingTransaction()
		case "PutItem", "UpdateItem", "DeleteItem":
			return &refusal{Status: 400, Code: "TransactionConflictException", Message: "injected"}
		}
	}
	e := errors[d.rng.IntN(len(errors))]
	return &refusal{Status: e.status, Code: e.code, Message: "injected"}
}

func conflictingTransaction() *refusal {
	return &refusal{Status: 400, Code: "TransactionCanceledException", Message: "injected", Members: map[string]any{
		"CancellationReasons": []map[string]string{{"Code": "None"}, {"Code": "TransactionConflict", "Message": "injected"}},
	}}
}
