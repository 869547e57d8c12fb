package life_test

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/streaming-service/streaming-service/lambdas/internal/life"
)

func TestNewRate(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name      string
		perSecond float64
		burst     int64
		want      life.Rate
	}{
		{"unlimited", 0, 5, life.Rate{}},
		{"two a second", 2, 3, life.Rate{Interval: 500 * time.Millisecond, Tolerance: time.Second}},
		{"rounded up", 3, 1, life.Rate{Interval: 334 * time.Millisecond}},
		{"less than one a second", 0.1, 2, life.Rate{Interval: 10 * time.Second, Tolerance: 10 * time.Second}},
		{"burst below the rate", 20.5, 10, life.Rate{Interval: 49 * time.Millisecond, Tolerance: 9 * 49 * time.Millisecond}},
		{"no burst", 1, 0, life.Rate{Interval: time.Second}},
		{"more than fits", 1e-6, math.MaxInt32, life.Rate{Interval: 1e6 * time.Second, Tolerance: 315e6 * time.Second}},
	}
	for _, test := range tests {
		if got := life.NewRate(test.perSecond, test.burst); got != test.want {
			t.Errorf("%s: NewRate = %+v, want %+v", test.name, got, test.want)
		}
	}
}

// A bucket smaller than what a second puts in still fills at the rate.
func TestBurstBelowTheRate(t *testing.T) {
	t.Parallel()
	rate := life.NewRate(100, 2)
	now, tat := time.UnixMilli(1_000_000), time.Time{}
	admit := func(n int) (admitted int) {
		for range n {
			if rate.Wait(tat, now) == 0 {
				tat = rate.Next(tat, now)
				admitted++
			}
		}
		return admitted
	}
	if got := admit(10); got != 2 {
		t.Errorf("%d of 10 were admitted at once, want the burst of 2", got)
	}
	evenly := 0
	for range 100 {
		now = now.Add(10 * time.Millisecond)
		evenly += admit(1)
	}
	if evenly != 100 {
		t.Errorf("%d of 100 a second apart by the rate were admitted", evenly)
	}
	now = now.Add(time.Second)
	if got := admit(10); got != 2 {
		t.Errorf("%d of 10 were admitted after a second's rest, want the burst of 2", got)
	}
}

// In any window, no more are admitted than the burst and what the rate allows
// for its length.
func TestRateHoldsInEveryWindow(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		perSecond := rapid.Float64Range(0.2, 50).Draw(t, "rate")
		burst := rapid.Int64Range(1, 20).Draw(t, "burst")
		gaps := rapid.SliceOfN(rapid.IntRange(0, 400), 1, 200).Draw(t, "gaps")
		rate := life.NewRate(perSecond, burst)

		now, tat := time.UnixMilli(1_000_000), time.Time{}
		var admitted []time.Time
		for _, gap := range gaps {
			now = now.Add(time.Duration(gap) * time.Millisecond)
			wait := rate.Wait(tat, now)
			if wait > 0 {
				if rate.Wait(tat, now.Add(wait)) > 0 {
					t.Fatalf("refused after waiting %v", wait)
				}
				continue
			}
			tat = rate.Next(tat, now)
			admitted = append(admitted, now)
		}
		for i, from := range admitted {
			for j := i; j < len(admitted); j++ {
				window := admitted[j].Sub(from).Seconds()
				if allowed := float64(burst) + perSecond*window; float64(j-i+1) > allowed+1e-9 {
					t.Fatalf("%d admissions in %v s, at most %v", j-i+1, window, allowed)
				}
			}
		}
	})
}
