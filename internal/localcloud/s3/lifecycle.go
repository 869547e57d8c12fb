package s3

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// LifecycleRule expires the objects whose key begins with Prefix.
type LifecycleRule struct {
	ID      string
	Enabled bool
	Prefix  string
	Days    int // after the creation, rounded up to the next midnight UTC
}

func (r LifecycleRule) validate() error {
	switch {
	case len(r.ID) > 255:
		return errors.New("InvalidArgument: ID length should not exceed allowed limit of 255")
	case r.Days < 1:
		return fmt.Errorf("InvalidArgument: 'Days' for Expiration action must be a positive integer, got %d", r.Days)
	}
	return nil
}

// expires is when a rule removes an object: S3 adds the days to its creation
// and rounds up to the next day, midnight UTC.
func (r LifecycleRule) expires(created time.Time) time.Time {
	const day = 24 * time.Hour
	return created.Add(time.Duration(r.Days) * day).Truncate(day).Add(day)
}

// expiry returns the rule that removes an object first, if any does.
func (b *bucket) expiry(key string, o Object) (at time.Time, by string, ok bool) {
	for _, rule := range b.lifecycle {
		if !rule.Enabled || !strings.HasPrefix(key, rule.Prefix) {
			continue
		}
		if end := rule.expires(o.LastModified); !ok || end.Before(at) {
			at, by, ok = end, rule.ID, true
		}
	}
	return at, by, ok
}

// expire removes what has expired. S3 does so within a day or so and tells
// nobody; nothing may rely on an object between the two. The mutex is held.
func (s *Service) expire(b *bucket) {
	now := s.now()
	for key, o := range b.objects {
		if at, _, ok := b.expiry(key, o); ok && !now.Before(at) {
			delete(b.objects, key)
			s.changes++
		}
	}
}
