package lives_test

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/protocol"
)

var (
	livesFlag   = flag.Int("lives", 200, "requests that TestLives drives")
	seedFlag    = flag.Uint64("seed", 1, "seed of the first world of TestLives")
	profileFlag = flag.String("profile", "", "only worlds of this profile of faults")
	strideFlag  = flag.Int("stride", 9, "TestOneFaultAtEveryCall strikes every so many calls; 1: all")
	narrateFlag = flag.Bool("narrate", false, "print what happened in worlds with a violation")
)

// The requests of one world. The race detector, which runs short tests, takes
// twenty times as long for each.
const (
	livesPerWorld      = 25
	livesPerShortWorld = 8
)

// life1 is one request as its user plans it, and what came of it.
type life1 struct {
	number  int
	user    string
	key     string
	body    string
	hash    string
	start   time.Duration
	callers int
	cancel  time.Duration // after the 202; 0: never
	drop    time.Duration // of a device's socket; 0: never
	read    time.Duration // GET; 0: never
	again   time.Duration // the submission, after everything else; 0: never
	foreign bool          // another user tries to reach it

	completion *completion // how it asks over the Chat Completions API; nil: it does not

	mu       sync.Mutex
	accepted map[string]bool // ids of its 202s
	unknown  int             // answers that do not say what happened
}

var users = []string{"alice", "bob", "carol"}

// plan draws a life.
func plan(w *world, rng *rand.Rand, number int) *life1 {
	speeds := []int{0, 8, 40, 80} // tokens a second
	if w.settings.processorTimeout >= 5*time.Minute {
		speeds = append(speeds, 1) // outlives its first lease
	}
	script := fmt.Sprintf("script: tokens=%d rate=%d", 1+rng.IntN(120), speeds[rng.IntN(len(speeds))])
	most := 60 + rng.IntN(200)
	if rng.IntN(8) == 0 {
		w.dice.count("model.neverStops")
		script, most = neverStops(w.settings.processorTimeout)
	}
	if w.dice.happens(func(r rates) float64 { return r.model }, "") {
		failure := modelFailures[rng.IntN(len(modelFailures))]
		w.dice.count("model." + strings.Fields(failure)[0])
		script += " " + failure
	}
	if rng.IntN(8) == 0 {
		script += " input=900" // more than was reserved
	}
	prompt := fmt.Sprintf("life %d of world %d", number, w.seed)
	fields, blocks := withBlocks(rng, prompt)
	fields["system"], fields["maxTokens"] = script+blocks, most
	l := &life1{
		number: number, user: users[rng.IntN(w.settings.users)], callers: 1, accepted: map[string]bool{},
		start: time.Duration(rng.Int64N(int64(w.settings.spread))),
		body:  encode(fields),
	}
	l.hash = life.BodyHash([]byte(l.body))
	soon := func() time.Duration { return time.Duration(rng.Int64N(int64(20*time.Second))) + 1 }
	if rng.IntN(5) > 0 {
		l.key = "key-" + strconv.Itoa(number)
		l.callers = 1 + rng.IntN(4)*rng.IntN(2)
		l.again = time.Duration(rng.IntN(3)) * 3 * time.Minute
	}
	if rng.IntN(3) == 0 {
		l.cancel = soon()
	}
	if rng.IntN(3) == 0 {
		l.drop = soon()
	}
	if rng.IntN(3) == 0 {
		l.read = soon()
	}
	l.foreign = rng.IntN(10) == 0
	if rng.IntN(3) == 0 {
		l.completion = &completion{streamed: rng.IntN(3) > 0}
		if rng.IntN(5) == 0 {
			l.completion.hangUp = soon()
		}
		l.body = l.completion.body(prompt, script, most)
		l.hash = life.BodyHash([]byte(l.body))
	}
	return l
}

// neverStops is a model that an invocation of so long does not see the end of,
// and the maxTokens that it needs.
func neverStops(timeout time.Duration) (script string, maxTokens int) {
	const rate = 10
	maxTokens = int(rate * timeout.Seconds())
	return fmt.Sprintf("script: tokens=%d rate=%d", maxTokens, rate), maxTokens
}

// live drives one life to its last answer.
func (w *world) live(l *life1, rng *rand.Rand) {
	time.Sleep(l.start)
	device := w.devices[l.user][rng.IntN(len(w.devices[l.user]))]
	pauses := make([]time.Duration, l.callers)
	for n := range pauses {
		pauses[n] = time.Duration(rng.Int64N(int64(2*time.Second))) * time.Duration(rng.IntN(2))
	}
	if l.drop > 0 {
		time.AfterFunc(l.drop, device.drop)
	}
	var callers sync.WaitGroup
	for _, pause := range pauses {
		callers.Go(func() {
			time.Sleep(pause)
			if l.completion != nil {
				w.complete(l)
				return
			}
			w.submit(l)
		})
	}
	callers.Wait()
	for _, id := range l.ids() {
		if l.completion == nil {
			w.visit(l, id, device)
		}
		w.submitAgain(l, id)
	}
}

// ids are those of the requests that answers told of.
func (l *life1) ids() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Collect(maps.Keys(l.accepted))
}

// submitAgain is part of invariant 2: a replay gives the first request's id, at
// no charge, whatever the limits; another body under its key is a conflict.
func (w *world) submitAgain(l *life1, id string) {
	if l.again == 0 {
		return
	}
	time.Sleep(l.again)
	if l.completion != nil {
		w.completeAgain(l, id)
		return
	}
	var accepted protocol.SubmitResponse
	a := w.gateway.rest(l.user, http.MethodPost, "", l.body, l.key)
	if a.ok && a.status < 500 && (a.status != http.StatusAccepted || !a.into(&accepted) || accepted.RequestID != id) {
		w.violate(2, "replay of %s: %d %s", id, a.status, a.body)
	}
	a = w.gateway.rest(l.user, http.MethodPost, "", strings.Replace(l.body, "life", "other life", 1), l.key)
	if a.ok && a.status < 500 && a.status != http.StatusConflict {
		w.violate(2, "another body under the key of %s: %d %s", id, a.status, a.body)
	}
}

// submit posts until the outcome is known, as far as that is safe.
func (w *world) submit(l *life1) {
	for wait := 500 * time.Millisecond; ; wait = min(2*wait, 20*time.Second) {
		answer := w.gateway.rest(l.user, http.MethodPost, "", l.body, l.key)
		var accepted protocol.SubmitResponse
		var problem protocol.Problem
		switch {
		case answer.status == http.StatusAccepted && answer.into(&accepted):
			w.accept(accepted.RequestID)
			l.mu.Lock()
			l.accepted[accepted.RequestID] = true
			l.mu.Unlock()
			for _, d := range w.devices[l.user] {
				d.do(func() { d.follow(accepted.RequestID) })
			}
			return
		case answer.ok && answer.status < 500 && answer.into(&problem):
			w.mu.Lock()
			w.refused[string(problem.Code)]++
			w.mu.Unlock()
			return
		}
		l.mu.Lock()
		l.unknown++
		l.mu.Unlock()
		if l.key == "" {
			return
		}
		time.Sleep(wait)
	}
}

// visit does what the plan says with an accepted request.
func (w *world) visit(l *life1, id string, d *device) {
	if l.foreign {
		other := users[(slices.Index(users, l.user)+1)%len(users)]
		if a := w.gateway.rest(other, http.MethodDelete, id, "", ""); a.ok && a.status == http.StatusAccepted {
			w.violate(2, "%s cancelled the request of %s", other, l.user)
		}
	}
	if l.read > 0 {
		time.AfterFunc(l.read, func() { d.do(func() { d.read(id) }) })
	}
	if l.cancel == 0 {
		return
	}
	time.Sleep(l.cancel)
	if l.number%2 == 0 {
		d.cancel(id)
		return
	}
	for range 5 {
		if a := w.gateway.rest(l.user, http.MethodDelete, id, "", ""); a.status == http.StatusAccepted {
			return
		}
		time.Sleep(time.Second)
	}
}

// run lives all lives of a world.
func (w *world) run(rng *rand.Rand, lives int) {
	for n, user := range users[:w.settings.users] {
		for k := range 1 + (n+int(w.seed))%2 {
			w.devices[user] = append(w.devices[user], newDevice(w, user, w.seed<<8|uint64(n<<4|k)))
		}
	}
	w.begin()
	for n := range lives {
		l := plan(w, rng, n)
		w.lives = append(w.lives, l)
		own := rand.New(rand.NewPCG(w.seed, uint64(n)+100))
		w.clients.Go(func() { w.live(l, own) })
	}
	w.rest()
}

// Each world draws its settings, its faults and its users' plans from its seed.
//
// It guards rule 3 of docs/life.md.
func TestLives(t *testing.T) {
	t.Parallel()
	names := slices.Sorted(maps.Keys(profiles))
	if *profileFlag != "" {
		names = []string{*profileFlag}
	}
	perWorld := livesPerWorld
	if testing.Short() {
		perWorld = livesPerShortWorld
	}
	report := newReport()
	t.Run("worlds", func(t *testing.T) {
		for n := range (*livesFlag + livesPerWorld - 1) / livesPerWorld {
			seed, profile := *seedFlag+uint64(n), names[n%len(names)]
			t.Run(fmt.Sprintf("%d-%s", seed, profile), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					rng := rand.New(rand.NewPCG(seed, 3))
					w := newWorld(t, seed, profile, drawSettings(t, rng))
					w.run(rng, perWorld)
					report.add(w)
				})
			})
		}
	})
	t.Log("\n" + report.String())
}
