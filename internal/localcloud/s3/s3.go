// Package s3 is the object storage of the local cloud: private buckets with a
// policy, CORS and lifecycle rules, and objects that are put, read and deleted
// whole. It speaks S3's REST API by path and by virtual host, with signatures in
// the header and in the query (presigned URLs). What it does not know, such as
// listings, versions and multipart uploads, is NotImplemented, never ignored.
package s3

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
)

// Keys are the access keys that roles have.
type Keys interface {
	// Key returns what the owner of an access key signs with; false for a key
	// that was not issued here.
	Key(accessKeyID string) (secret, token string, issued bool)
}

// Deps are what the service works with.
type Deps struct {
	Guard awsapi.Guard
	Keys  Keys
	Now   func() time.Time // default time.Now
}

// Service holds the buckets. Its methods may be called concurrently.
type Service struct {
	guard awsapi.Guard
	keys  Keys
	now   func() time.Time

	mu      sync.Mutex
	buckets map[string]*bucket
	changes uint64
}

type bucket struct {
	cors      []CORSRule
	lifecycle []LifecycleRule
	objects   map[string]Object
}

// New returns a service without buckets.
func New(deps Deps) *Service {
	if deps.Now == nil {
		deps.Now = time.Now
	}
	return &Service{guard: deps.Guard, keys: deps.Keys, now: deps.Now, buckets: map[string]*bucket{}}
}

// BucketARN returns the ARN of the bucket of that name.
func BucketARN(name string) string { return "arn:" + awsapi.Partition + ":s3:::" + name }

// ObjectARN returns the ARN of an object.
func ObjectARN(bucket, key string) string { return BucketARN(bucket) + "/" + key }

// DomainName returns the Regional name of a bucket's endpoint.
func DomainName(name string) string {
	return name + ".s3." + awsapi.Region + "." + awsapi.DNSSuffix
}

var (
	bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)
	likeIP     = regexp.MustCompile(`^\d+\.\d+\.\d+\.\d+$`)
)

// CreateBucket declares a bucket.
func (s *Service) CreateBucket(name string) error {
	if !bucketName.MatchString(name) || strings.Contains(name, "..") || likeIP.MatchString(name) || strings.HasPrefix(name, "xn--") {
		return fmt.Errorf("creating bucket %q: InvalidBucketName: The specified bucket is not valid.", name) //nolint:revive,staticcheck // as S3 says it
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, exists := s.buckets[name]; exists {
		return fmt.Errorf("creating bucket %s: BucketAlreadyOwnedByYou", name)
	}
	s.buckets[name] = &bucket{objects: map[string]Object{}}
	return nil
}

// DeleteBucket removes a bucket. One that holds objects is only removed by
// force.
func (s *Service) DeleteBucket(name string, force bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, ok := s.buckets[name]
	if !ok {
		return nil
	}
	s.expire(b)
	if len(b.objects) > 0 && !force {
		return fmt.Errorf("deleting bucket %s: BucketNotEmpty: it holds %d objects", name, len(b.objects))
	}
	delete(s.buckets, name)
	s.changes++
	return nil
}

// PutCORS declares the CORS rules of a bucket; none removes them.
func (s *Service) PutCORS(bucketName string, rules []CORSRule) error {
	for i, rule := range rules {
		if err := rule.validate(); err != nil {
			return fmt.Errorf("putting CORS rule %d of bucket %s: %w", i, bucketName, err)
		}
	}
	return s.change(bucketName, func(b *bucket) { b.cors = slices.Clone(rules) })
}

// PutLifecycle declares the lifecycle rules of a bucket; none removes them.
func (s *Service) PutLifecycle(bucketName string, rules []LifecycleRule) error {
	for i, rule := range rules {
		if err := rule.validate(); err != nil {
			return fmt.Errorf("putting lifecycle rule %d of bucket %s: %w", i, bucketName, err)
		}
	}
	return s.change(bucketName, func(b *bucket) { b.lifecycle = slices.Clone(rules) })
}

func (s *Service) change(bucketName string, apply func(*bucket)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, ok := s.buckets[bucketName]
	if !ok {
		return fmt.Errorf("changing bucket %s: NoSuchBucket", bucketName)
	}
	apply(b)
	return nil
}

// Exists tells whether there is a bucket of that name.
func (s *Service) Exists(bucketName string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.buckets[bucketName]
	return ok
}

// Declared returns the names of the buckets, sorted.
func (s *Service) Declared() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.buckets))
}
