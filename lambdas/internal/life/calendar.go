package life

import (
	"fmt"
	"time"
)

// Calendar cuts time into the months of a time zone.
type Calendar struct{ location *time.Location }

// NewCalendar returns the calendar of an IANA time zone.
func NewCalendar(zone string) (Calendar, error) {
	location, err := time.LoadLocation(zone)
	if err != nil {
		return Calendar{}, fmt.Errorf("loading time zone %q: %w", zone, err)
	}
	return Calendar{location}, nil
}

// Period returns the month of t, such as 2026-11.
func (c Calendar) Period(t time.Time) string { return t.In(c.location).Format("2006-01") }

// resolution is the step in which zones shift their clocks.
const resolution = 15 * time.Minute

// ResetsAt returns the first instant of the month after t's. Where clocks shift
// around that midnight, it does not exist or comes twice, and time.Date picks
// either side.
func (c Calendar) ResetsAt(t time.Time) time.Time {
	local := t.In(c.location)
	year, month, _ := local.Date()
	next := time.Date(year, month+1, 1, 0, 0, 0, 0, c.location)
	for sameMonth(next, local) {
		next = next.Add(resolution)
	}
	for earlier := next.Add(-resolution); !sameMonth(earlier, local) && earlier.After(t); earlier = next.Add(-resolution) {
		next = earlier
	}
	return next
}

func sameMonth(a, b time.Time) bool {
	return a.Year() == b.Year() && a.Month() == b.Month()
}

// RecordExpiry returns when a record that ends at now may be deleted. Its period
// ends at most 31 days later.
func RecordExpiry(now time.Time) time.Time { return now.Add(MetaRetention) }
