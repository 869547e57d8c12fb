package lives_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/streaming-service/streaming-service/protocol"
)

// report adds up what happened in all worlds.
type report struct {
	mu                         sync.Mutex
	worlds, lives, requests    int
	calls, deaths, violations  int
	faults, outcomes, refusals map[string]int
	longest                    map[string]time.Duration // from a kill to the next attempt, by profile
}

func newReport() *report {
	return &report{faults: map[string]int{}, outcomes: map[string]int{}, refusals: map[string]int{}, longest: map[string]time.Duration{}}
}

func (r *report) add(w *world) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.worlds++
	r.lives += len(w.lives)
	r.violations += w.violations
	r.deaths += w.ledger.deaths
	r.longest[w.profile] = max(r.longest[w.profile], w.ledger.longest)
	for _, h := range w.ledger.users {
		for _, record := range h.records {
			r.requests++
			outcome := string(record.Status)
			if record.StopReason == protocol.StopReasonDeadline {
				outcome += " at the deadline"
			}
			if record.ErrorCode != "" {
				outcome += " " + string(record.ErrorCode)
			}
			r.outcomes[outcome]++
		}
	}
	for _, said := range w.model.said() {
		r.calls += len(said)
	}
	addTo(r.faults, w.dice.counts)
	for kind, n := range w.injector.Injected() {
		r.faults[kind] += int(n)
	}
	addTo(r.refusals, w.refused)
	if w.violations > 0 && *narrateFlag {
		w.t.Log("\n" + w.trace.String())
	}
}

func addTo(sum, more map[string]int) {
	for k, n := range more {
		sum[k] += n
	}
}

func (r *report) String() string {
	var b strings.Builder
	total := 0
	for _, n := range r.faults {
		total += n
	}
	fmt.Fprintf(&b, "%d lives in %d worlds, %d requests admitted, %d calls of the model, %d attempts killed\n", r.lives, r.worlds, r.requests, r.calls, r.deaths)
	fmt.Fprintf(&b, "violations: %d\n", r.violations)
	for _, section := range []struct {
		title string
		of    map[string]int
	}{{fmt.Sprintf("faults injected: %d", total), r.faults}, {"outcomes", r.outcomes}, {"refusals", r.refusals}} {
		fmt.Fprintf(&b, "%s\n", section.title)
		for _, name := range slices.Sorted(maps.Keys(section.of)) {
			fmt.Fprintf(&b, "  %7d %s\n", section.of[name], name)
		}
	}
	fmt.Fprintln(&b, "longest time from a kill to the next attempt")
	for _, name := range slices.Sorted(maps.Keys(r.longest)) {
		fmt.Fprintf(&b, "  %7.1fs %s\n", r.longest[name].Seconds(), name)
	}
	return b.String()
}
