package cloudfront

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
)

// Distribution declares what is served under some names.
type Distribution struct {
	ID                string // made when empty
	Resource          string // what the program calls it
	Enabled           bool
	Comment           string // at most 128 characters
	Aliases           []string
	Certificate       ViewerCertificate
	DefaultRootObject string // of the path "/"
	Origins           []Origin
	Behavior          Behavior
	Errors            []CustomErrorResponse
	HTTPVersion       string // http1.1, http2, http3 or http2and3
	DomainName        string // made
	ETag              string // made
}

// ViewerCertificate is for the aliases of a distribution.
type ViewerCertificate struct {
	Default        bool   // CloudFront's own, for its own names
	ACMARN         string // or one of ACM
	SupportMethod  string // with ACM: sni-only, vip or static-ip
	MinimumVersion string // with ACM
}

// Origin is where objects come from: a bucket.
type Origin struct {
	ID              string
	DomainName      string // of a bucket
	Path            string // put before every key
	AccessControlID string // "": requests are not signed
	bucket          string
}

// Behavior says how objects are served.
type Behavior struct {
	TargetOriginID          string
	ViewerProtocolPolicy    string // allow-all, https-only or redirect-to-https
	AllowedMethods          []string
	CachedMethods           []string
	CachePolicyID           string
	ResponseHeadersPolicyID string // "": none
	Compress                bool
}

// CustomErrorResponse replaces the answer of an origin that failed.
type CustomErrorResponse struct {
	ErrorCode    int
	ResponseCode int // 0: ErrorCode
	PagePath     string
}

// PutDistribution declares or replaces a distribution.
func (s *Service) PutDistribution(d Distribution) (Distribution, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.checkDistribution(&d); err != nil {
		return d, fmt.Errorf("putting distribution %s: %w", d.Resource, err)
	}
	if d.ID == "" {
		d.ID = newID()
	}
	d.DomainName, d.ETag = domainName(d.ID), newID()
	s.distributions[d.ID] = d
	return d, nil
}

// DeleteDistribution removes a distribution that is disabled.
func (s *Service) DeleteDistribution(id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.distributions[id].Enabled {
		return fmt.Errorf("deleting distribution %s: %w", id, refuse("DistributionNotDisabled",
			"The specified CloudFront distribution is not disabled. You must disable the distribution before you can delete it."))
	}
	delete(s.distributions, id)
	return nil
}

// DisableDistribution stops a distribution from being served.
func (s *Service) DisableDistribution(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if d, ok := s.distributions[id]; ok {
		d.Enabled = false
		s.distributions[id] = d
	}
}

// ResourceOf returns what the program calls a distribution.
func (s *Service) ResourceOf(id string) string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.distributions[id].Resource
}

// Enabled returns the distributions that are served, by what the program calls
// them.
func (s *Service) Enabled() []Distribution {
	s.mu.RLock()
	defer s.mu.RUnlock()
	served := slices.DeleteFunc(slices.Collect(maps.Values(s.distributions)), func(d Distribution) bool { return !d.Enabled })
	slices.SortFunc(served, func(a, b Distribution) int {
		return cmp.Or(cmp.Compare(a.Resource, b.Resource), cmp.Compare(a.ID, b.ID))
	})
	return served
}
