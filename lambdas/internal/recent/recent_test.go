package recent_test

import (
	"testing"
	"time"

	"github.com/streaming-service/streaming-service/lambdas/internal/recent"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func TestMap(t *testing.T) {
	t.Parallel()
	var m recent.Map[string, int]
	expect := func(key string, since time.Time, want int, known bool) {
		t.Helper()
		if got, ok := m.Recall(key, since); ok != known || ok && got != want {
			t.Errorf("%s: %d, %v, want %d, %v", key, got, ok, want, known)
		}
	}
	expect("a", time.Time{}, 0, false)
	m.Remember("a", 1, noon)
	m.Remember("b", 2, noon)
	expect("a", noon, 1, true)
	expect("a", noon.Add(1), 0, false)
	m.Forget("a")
	expect("a", noon, 0, false)
	expect("b", noon, 2, true)
	m.Remember("b", 3, noon.Add(time.Minute))
	expect("b", noon.Add(time.Minute), 3, true)
}

func TestAFullMapForgets(t *testing.T) {
	t.Parallel()
	const most = 10_000
	var m recent.Map[int, int]
	for i := range most {
		m.Remember(i, i, noon)
	}
	if got, ok := m.Recall(0, noon); !ok || got != 0 {
		t.Errorf("the first of %d is %d, %v", most, got, ok)
	}
	m.Remember(most, most, noon)
	if _, ok := m.Recall(0, noon); ok {
		t.Error("the first is remembered, and everything after it")
	}
	if got, ok := m.Recall(most, noon); !ok || got != most {
		t.Errorf("the last is %d, %v", got, ok)
	}
}
