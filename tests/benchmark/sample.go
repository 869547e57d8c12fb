package main

import (
	"math"
	"slices"
	"time"
)

// sample holds the durations of repetitions.
type sample []time.Duration

// at returns the p-th quantile, 0 to 1, by nearest rank; 0 of an empty sample.
func (s sample) at(p float64) time.Duration {
	if len(s) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(s))
	return sorted[max(0, int(math.Ceil(p*float64(len(sorted))))-1)]
}

func (s sample) median() time.Duration { return s.at(0.5) }

// several returns the quantiles at once, which sorts a large sample only once.
func (s sample) several(ps ...float64) []time.Duration {
	sorted := sample(slices.Sorted(slices.Values(s)))
	found := make([]time.Duration, len(ps))
	for i, p := range ps {
		if len(sorted) > 0 {
			found[i] = sorted[max(0, int(math.Ceil(p*float64(len(sorted))))-1)]
		}
	}
	return found
}

// minus returns the pairwise differences.
func (s sample) minus(other sample) sample {
	differences := make(sample, min(len(s), len(other)))
	for i := range differences {
		differences[i] = s[i] - other[i]
	}
	return differences
}
