package s3

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"time"
)

// SavedObject is an object as it outlives a restart. Its body lies elsewhere,
// by its sum.
type SavedObject struct {
	Bucket       string    `json:"bucket"`
	Key          string    `json:"key"`
	Body         string    `json:"body"` // SHA-256, in hexadecimal
	ContentType  string    `json:"contentType"`
	CacheControl string    `json:"cacheControl,omitempty"`
	ETag         string    `json:"etag"`
	LastModified time.Time `json:"lastModified"`
}

// Snapshot is the objects of all buckets but those that the program declares,
// in the order of bucket and key.
type Snapshot []SavedObject

// Snapshot returns the objects as of one moment, and their bodies by their sums.
func (s *Service) Snapshot() (saved Snapshot, bodies map[string][]byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	bodies = map[string][]byte{}
	for name, b := range s.buckets {
		s.expire(b)
		for key, o := range b.objects {
			if o.Declared {
				continue
			}
			sum := sha256.Sum256(o.Body)
			body := hex.EncodeToString(sum[:])
			bodies[body] = o.Body
			saved = append(saved, SavedObject{name, key, body, o.ContentType, o.CacheControl, o.ETag, o.LastModified})
		}
	}
	slices.SortFunc(saved, func(a, b SavedObject) int {
		return cmp.Or(cmp.Compare(a.Bucket, b.Bucket), cmp.Compare(a.Key, b.Key))
	})
	return saved, bodies
}

// Changes counts the writes since the start: as long as it stays, so does the
// snapshot, but for what expires.
func (s *Service) Changes() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changes
}

// Restore stores what was saved, with the bodies that body finds. It returns
// the buckets that are no longer declared, whose objects are dropped.
func (s *Service) Restore(saved Snapshot, body func(sum string) ([]byte, error)) (dropped []string, err error) {
	for _, o := range saved {
		if !s.Exists(o.Bucket) {
			dropped = append(dropped, o.Bucket)
			continue
		}
		content, err := body(o.Body)
		if err != nil {
			return nil, err
		}
		_ = s.change(o.Bucket, func(b *bucket) {
			b.objects[o.Key] = Object{Body: content, ContentType: o.ContentType, CacheControl: o.CacheControl, ETag: o.ETag, LastModified: o.LastModified}
			s.changes++
		})
	}
	slices.Sort(dropped)
	return slices.Compact(dropped), nil
}
