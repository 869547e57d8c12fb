// Package cloudfront is the content delivery of the local cloud: distributions
// in front of a private bucket, which they read with origin access control, and
// response headers policies.
//
// It answers as an edge location does, but for these. Nothing is kept: each
// request goes to the bucket, as if all that it holds had just been invalidated.
// There is no TLS, so that all policies about it hold: a viewer who would be
// redirected to HTTPS is served. Compression is gzip; CloudFront prefers Brotli,
// but not to browsers over plain HTTP, which take none. Further cache behaviors,
// origins that are no bucket, functions at the edge, geographic restrictions,
// signed URLs, and cache and response headers policies of AWS's own making other
// than the managed cache policies are refused by name.
package cloudfront

import (
	"crypto/rand"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
	"github.com/streaming-service/streaming-service/internal/localcloud/s3"
)

// HostedZoneID is the zone of all distributions in Route 53 (AliasTarget in its
// API reference).
const HostedZoneID = "Z2FDTNDATAQYW2"

// Principal is who reads buckets for distributions.
const Principal = "cloudfront.amazonaws.com"

// Buckets are the origins.
type Buckets interface {
	Exists(bucket string) bool
	// GetObject returns an object, whoever asks.
	GetObject(bucket, key string) (s3.Object, bool)
}

// Policies decide about what a service of AWS may do.
type Policies interface {
	// AllowedService returns nil if the policy of a resource lets a service do
	// something, else the refusal.
	AllowedService(principal string, p awsapi.Permission) *awsapi.Error
}

// Deps are what the service works with.
type Deps struct {
	Buckets  Buckets
	Policies Policies
}

// Service holds the distributions. Its methods may be called concurrently.
type Service struct {
	deps Deps

	mu            sync.RWMutex
	distributions map[string]Distribution
	controls      map[string]OriginAccessControl
	headers       map[string]ResponseHeadersPolicy
}

// New returns a service without distributions.
func New(deps Deps) *Service {
	return &Service{
		deps: deps, distributions: map[string]Distribution{},
		controls: map[string]OriginAccessControl{}, headers: map[string]ResponseHeadersPolicy{},
	}
}

// ARN returns the ARN of a resource, such as distribution/E1: CloudFront is in
// no Region.
func ARN(resource string) string {
	return "arn:" + awsapi.Partition + ":cloudfront::" + awsapi.AccountID + ":" + resource
}

// Declared returns the ids of all that is there, sorted.
func (s *Service) Declared() []string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	ids := slices.Collect(maps.Keys(s.distributions))
	ids = slices.AppendSeq(ids, maps.Keys(s.controls))
	ids = slices.AppendSeq(ids, maps.Keys(s.headers))
	slices.Sort(ids)
	return ids
}

// newID returns an id, or an ETag, as CloudFront makes them.
func newID() string { return "E" + rand.Text()[:13] }

// domainName is the name that CloudFront gives to a distribution.
func domainName(id string) string {
	return "d" + strings.ToLower(strings.TrimPrefix(id, "E")) + ".cloudfront.net"
}

// refuse is an error as the API of CloudFront has it.
func refuse(code, message string) error { return errors.New(code + ": " + message) }
