package lives_test

import (
	"cmp"
	"flag"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/http"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/streaming-service/streaming-service/internal/environment"
	"github.com/streaming-service/streaming-service/internal/localcloud/sqs"
	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/protocol"
)

var crowdFlag = flag.Int("crowd", 300, "users of TestCrowd")

// What a crowd does. Answers are short so that the test is: twelve batches of ten
// answers of 3 s take as many requests a second as fifty of 12.5 s.
const (
	crowdRate      = 28   // users a second begin, on average
	crowdSurge     = 10   // every tenth of them within a sixtieth of the time
	crowdBatches   = 12   // processors: 40 requests a second
	crowdImpatient = 100  // every 100th user asks three times at once
	crowdLost      = 1000 // of every 1,000 admissions one is killed before its message is sent
	crowdAnswer    = "script: tokens=6 rate=2"
)

// TestCrowd has many users ask once each, all of them within the time that takes
// 70 % of the processors, but a tenth of them at nearly the same moment. Each
// request is answered, no account is left reserved, and nobody waits longer than
// the backlog of the surge explains. Nobody has a socket: frames are counted
// elsewhere.
//
//	go test ./lambdas/internal/lives -run TestCrowd -crowd 100000 -timeout 3h -v
func TestCrowd(t *testing.T) {
	t.Parallel()
	begun := time.Now()
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t, *crowdFlag)
		c.come()
		c.world.rest()
		c.judge()
		c.report()
	})
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	t.Logf("%v of real time, %d MB from the system", time.Since(begun).Round(time.Second), memory.Sys>>20)
}

// crowd is a world with many users, and what was seen of them.
type crowd struct {
	world *world
	users int
	span  time.Duration // over which they begin

	mu        sync.Mutex
	ages      []time.Duration // of messages that came for the first time
	answers   map[int]int     // of admissions, by status
	conflicts map[string]int  // by function
	busy      map[place]busy
	calls     map[string]int // of the sweep, by operation
	sweeps    int
	last      time.Time // call of the sweep
	began     time.Time // of the sweep that runs
	longest   time.Duration
	most      int // calls of one sweep
	current   int
}

// busy is a write of an item that is under way.
type busy struct {
	until       time.Time
	transaction bool
}

func newCrowd(t *testing.T, users int) *crowd {
	t.Helper()
	calendar, err := life.NewCalendar("UTC")
	if err != nil {
		t.Fatal(err)
	}
	c := &crowd{
		users: users, span: time.Duration(users) * time.Second / crowdRate, answers: map[int]int{},
		conflicts: map[string]int{}, busy: map[place]busy{}, calls: map[string]int{},
	}
	c.world = newWorld(t, 1, "nothing", settings{
		calendar: calendar, batch: 10, concurrency: crowdBatches, processorTimeout: 5 * time.Minute, cap: 5, rate: 1, burst: 10,
		tiers: environment.Tiers{Default: environment.Limits{MonthlyRequests: 1000, MonthlyTokens: 1_000_000}},
	})
	c.world.log = slog.New(slog.DiscardHandler)
	c.world.dice.script = c.fate
	c.world.received = c.receive
	return c
}

// come has every user ask.
func (c *crowd) come() {
	c.world.begin()
	begun := time.Now()
	for _, a := range c.arrivals() {
		time.Sleep(time.Until(begun.Add(a.at)))
		for range a.times {
			c.world.clients.Go(func() { c.ask(a.user) })
		}
	}
}

// arrival is when a user asks, and how many times at once.
type arrival struct {
	user, times int
	at          time.Duration
}

// arrivals are all users, in order of time.
func (c *crowd) arrivals() []arrival {
	dice := rand.New(rand.NewPCG(1, 3))
	arrivals := make([]arrival, c.users)
	for n := range arrivals {
		a := arrival{user: n, times: 1, at: time.Duration(dice.Int64N(int64(c.span)))}
		if n%crowdSurge == 0 {
			a.at = c.span/2 + time.Duration(dice.Int64N(int64(c.span/60)))
		}
		if n%crowdImpatient == 0 {
			a.times = 3
		}
		arrivals[n] = a
	}
	slices.SortFunc(arrivals, func(a, b arrival) int { return cmp.Compare(a.at, b.at) })
	return arrivals
}

func (c *crowd) ask(n int) {
	body := encode(map[string]any{"prompt": "Why is the sky blue?", "system": crowdAnswer, "maxTokens": 6})
	a := c.world.gateway.rest("user"+strconv.Itoa(n), http.MethodPost, "", body, "")
	c.mu.Lock()
	defer c.mu.Unlock()
	c.answers[a.status]++
}

// receive notes how old a message is that comes for the first time.
func (c *crowd) receive(m sqs.Message) {
	sent, err := strconv.ParseInt(m.Attributes["SentTimestamp"], 10, 64)
	if err != nil || m.Attributes["ApproximateReceiveCount"] != "1" {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ages = append(c.ages, time.Since(time.UnixMilli(sent)))
}

// latencies are of calls that take long enough to meet others.
var latencies = map[string]time.Duration{
	"dynamodb.GetItem": 3 * time.Millisecond, "dynamodb.Query": 4 * time.Millisecond, "dynamodb.BatchGetItem": 4 * time.Millisecond,
	"dynamodb.PutItem": 5 * time.Millisecond, "dynamodb.UpdateItem": 5 * time.Millisecond, "dynamodb.TransactWriteItems": 20 * time.Millisecond,
	"sqs.SendMessage": 10 * time.Millisecond,
}

// fate has calls take their time, writes of one item conflict as DynamoDB has
// it, and a few admissions die between their commit and their message.
func (c *crowd) fate(p *process, call *call) *fate {
	c.mu.Lock()
	defer c.mu.Unlock()
	f := &fate{delay: latencies[call.name()]}
	if p.function == "recovery" {
		c.sweep(call, f.delay)
	}
	if p.function == "quota" && call.name() == "sqs.SendMessage" && c.world.dice.rng.IntN(crowdLost) == 0 {
		c.world.dice.counts["quota.killed"]++
		f.killBefore = true
	}
	if call.operation == "UpdateItem" || call.operation == "TransactWriteItems" {
		f.refuse = c.occupy(p, call, f.delay)
	}
	return f
}

// occupy notes that a call writes its items for a while, or returns the conflict
// with a write that is under way: of the two, one is a transaction.
func (c *crowd) occupy(p *process, call *call, d time.Duration) *refusal {
	now := time.Now()
	transaction := call.operation == "TransactWriteItems"
	places := call.places()
	reasons := make([]map[string]any, len(places))
	conflict := false
	for i, item := range places {
		reasons[i] = map[string]any{"Code": "None"}
		if b := c.busy[item]; b.until.After(now) && (b.transaction || transaction) {
			reasons[i] = map[string]any{"Code": "TransactionConflict", "Message": "Transaction is ongoing for the item"}
			conflict = true
		}
	}
	if !conflict {
		if len(c.busy) > 1000 {
			maps.DeleteFunc(c.busy, func(_ place, b busy) bool { return !b.until.After(now) })
		}
		for _, item := range places {
			c.busy[item] = busy{now.Add(d), transaction}
		}
		return nil
	}
	c.conflicts[p.function]++
	if transaction {
		return &refusal{
			Status: http.StatusBadRequest, Code: "TransactionCanceledException", Message: "Transaction cancelled",
			Members: map[string]any{"CancellationReasons": reasons},
		}
	}
	return &refusal{Status: http.StatusBadRequest, Code: "TransactionConflictException", Message: "Transaction is ongoing for the item"}
}

// sweep counts the calls of sweeps, which are minutes apart.
func (c *crowd) sweep(call *call, d time.Duration) {
	now := time.Now()
	if now.Sub(c.last) > time.Minute {
		c.sweeps++
		c.began, c.current = now, 0
	}
	c.last = now
	c.calls[call.name()]++
	c.current++
	c.most = max(c.most, c.current)
	c.longest = max(c.longest, now.Add(d).Sub(c.began))
}

// judge compares what became of the requests with what was answered.
func (c *crowd) judge() {
	t, w := c.world.t, c.world
	asked, unsettled := 0, 0
	status := map[protocol.Status]int{}
	for _, h := range w.ledger.users {
		unsettled += len(h.account.Open)
		for _, r := range h.records {
			asked++
			status[r.Status]++
		}
	}
	killed := w.dice.counts["quota.killed"]
	if c.answers[http.StatusAccepted]+killed != asked || c.answers[http.StatusBadGateway] != killed || len(c.answers) > 2 {
		t.Errorf("answers %v and %d killed admissions, but %d records", c.answers, killed, asked)
	}
	if status[protocol.StatusSucceeded] != asked || unsettled != 0 {
		t.Errorf("%v of %d records, %d of them not settled", status, asked, unsettled)
	}
	// What comes beyond what is answered in the surge is worked off after it.
	surge := c.span.Seconds() / 60
	backlog := float64(c.users)/crowdSurge + surge*crowdRate*(1-1.0/crowdSurge) - surge*40
	if oldest := slices.Max(c.ages); oldest > time.Duration(max(0, backlog)/40*1.5*float64(time.Second))+10*time.Second {
		t.Errorf("the oldest message was %v old, of a backlog of %.0f", oldest, backlog)
	}
}

// report tells what the crowd cost.
func (c *crowd) report() {
	t := c.world.t
	slices.Sort(c.ages)
	at := func(p float64) time.Duration {
		return c.ages[int(p*float64(len(c.ages)-1))].Round(time.Millisecond)
	}
	t.Logf("%d users in %v, %d a second in the surge", c.users, c.span, c.users/crowdSurge*60/max(1, int(c.span.Seconds())))
	t.Logf("admissions by status %v, killed before their message %d", c.answers, c.world.dice.counts["quota.killed"])
	t.Logf("queue age p50 %v, p90 %v, p99 %v, max %v", at(0.5), at(0.9), at(0.99), at(1))
	t.Logf("conflicts %v, all tried again; %d admissions of users who asked three times at once", c.conflicts, 3*((c.users+crowdImpatient-1)/crowdImpatient))
	t.Logf("%d sweeps: %s; the largest %d calls in %v", c.sweeps, calls(c.calls), c.most, c.longest)
}

func calls(counts map[string]int) (list string) {
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		list += fmt.Sprintf("%s %d, ", name, counts[name])
	}
	return list
}
