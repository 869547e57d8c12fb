package life_test

import (
	"testing"
	"time"
	_ "time/tzdata"

	"pgregory.net/rapid"

	"github.com/streaming-service/streaming-service/lambdas/internal/life"
)

func calendar(t testing.TB, zone string) life.Calendar {
	t.Helper()
	c, err := life.NewCalendar(zone)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestCalendar(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, zone, at, period, resets string
	}{
		{"utc", "UTC", "2026-11-24T12:00:00Z", "2026-11", "2026-12-01T00:00:00Z"},
		{"december", "UTC", "2026-12-31T23:59:59Z", "2026-12", "2027-01-01T00:00:00Z"},
		{"first instant", "UTC", "2026-12-01T00:00:00Z", "2026-12", "2027-01-01T00:00:00Z"},
		{"east of utc", "Asia/Tokyo", "2026-11-30T15:00:00Z", "2026-12", "2026-12-31T15:00:00Z"},
		{"west of utc", "America/New_York", "2026-12-01T04:59:59Z", "2026-11", "2026-12-01T05:00:00Z"},
		{"clocks change within the month", "America/New_York", "2026-11-01T04:30:00Z", "2026-11", "2026-12-01T05:00:00Z"},
		{"summer time at the end", "Europe/Berlin", "2026-10-15T00:00:00Z", "2026-10", "2026-10-31T23:00:00Z"},
		{"summer time at the start", "Europe/Berlin", "2026-03-15T00:00:00Z", "2026-03", "2026-03-31T22:00:00Z"},
		{"quarter of an hour", "Asia/Kathmandu", "2026-11-24T00:00:00Z", "2026-11", "2026-11-30T18:15:00Z"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			at, err := time.Parse(time.RFC3339, test.at)
			if err != nil {
				t.Fatal(err)
			}
			c := calendar(t, test.zone)
			if got := c.Period(at); got != test.period {
				t.Errorf("Period = %s, want %s", got, test.period)
			}
			if got := c.ResetsAt(at).UTC().Format(time.RFC3339); got != test.resets {
				t.Errorf("ResetsAt = %s, want %s", got, test.resets)
			}
		})
	}
}

func TestCalendarRefusesUnknownZones(t *testing.T) {
	t.Parallel()
	if _, err := life.NewCalendar("Europe/Atlantis"); err == nil {
		t.Error("no error")
	}
}

// The period changes exactly at the reset, whatever clocks do around it.
func TestPeriodsMeetAtTheReset(t *testing.T) {
	t.Parallel()
	zones := []string{
		"UTC", "America/New_York", "America/Sao_Paulo", "America/Asuncion", "America/Havana", "America/St_Johns", "Asia/Amman", "Asia/Beirut",
		"Asia/Kathmandu", "Asia/Tehran", "Africa/Cairo", "Australia/Lord_Howe", "Europe/Berlin", "Pacific/Apia", "Pacific/Chatham", "Pacific/Kiritimati",
	}
	rapid.Check(t, func(t *rapid.T) {
		zone := rapid.SampledFrom(zones).Draw(t, "zone")
		c, err := life.NewCalendar(zone)
		if err != nil {
			t.Fatal(err)
		}
		at := time.Unix(rapid.Int64Range(800_000_000, 2_200_000_000).Draw(t, "at"), 0)
		resets := c.ResetsAt(at)
		if !resets.After(at) || resets.Sub(at) > 32*24*time.Hour {
			t.Fatalf("%v resets at %v", at, resets)
		}
		if c.Period(resets) == c.Period(at) || c.Period(resets.Add(-time.Second)) != c.Period(at) {
			t.Fatalf("%s: period %s of %v does not end at %v", zone, c.Period(at), at, resets)
		}
	})
}
