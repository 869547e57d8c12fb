package cloudfront

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
)

// ResponseHeadersPolicy are headers that are added to answers.
type ResponseHeadersPolicy struct {
	ID       string // made when empty
	Name     string // unique
	Comment  string // at most 128 characters
	Security []ResponseHeader
	Custom   []ResponseHeader
	ETag     string // made
}

// ResponseHeader is added to every answer, or only to those that lack it.
type ResponseHeader struct {
	Name, Value string
	Override    bool // of what the origin says
}

const (
	// maxComment is from the API reference, in characters.
	maxComment = 128
	// maxCustomHeaders and maxHeaderValue are from "Quotas on headers" of the
	// CloudFront Developer Guide.
	maxCustomHeaders = 10
	maxHeaderValue   = 1783
)

// securityHeaders have settings of their own and are not taken as custom
// headers.
var securityHeaders = []string{
	"Content-Security-Policy", "Referrer-Policy", "Strict-Transport-Security", "X-Content-Type-Options", "X-Frame-Options", "X-Xss-Protection",
}

func (p ResponseHeadersPolicy) validate() error {
	switch {
	case p.Name == "" || len([]rune(p.Name)) > maxComment:
		return refuse("InvalidArgument", fmt.Sprintf("name must have 1 to %d characters, got %q", maxComment, p.Name))
	case len([]rune(p.Comment)) > maxComment:
		return refuse("InvalidArgument", fmt.Sprintf("comment must have at most %d characters, got %d", maxComment, len([]rune(p.Comment))))
	case len(p.Custom) > maxCustomHeaders:
		return refuse("TooManyCustomHeadersInResponseHeadersPolicy",
			fmt.Sprintf("The number of custom headers in the response headers policy exceeds the maximum: %d, at most %d", len(p.Custom), maxCustomHeaders))
	}
	for _, h := range p.Custom {
		if err := h.validateCustom(); err != nil {
			return err
		}
	}
	for _, h := range p.Security {
		if !httpguts.ValidHeaderFieldValue(h.Value) {
			return refuse("InvalidArgument", fmt.Sprintf("the value of %s must be one line, got %q", h.Name, h.Value))
		}
	}
	return nil
}

func (h ResponseHeader) validateCustom() error {
	kind := ""
	switch name := http.CanonicalHeaderKey(h.Name); {
	case !httpguts.ValidHeaderFieldName(h.Name):
		return refuse("InvalidArgument", fmt.Sprintf("the name of a header must be a token, got %q", h.Name))
	case !httpguts.ValidHeaderFieldValue(h.Value) || len(h.Value) > maxHeaderValue:
		return refuse("InvalidArgument", fmt.Sprintf("the value of %s must be one line of at most %d characters, got %q", h.Name, maxHeaderValue, h.Value))
	case slices.Contains(securityHeaders, name):
		kind = "security"
	case strings.HasPrefix(name, "Access-Control-"):
		kind = "CORS"
	default:
		return nil
	}
	return refuse("InvalidArgument", "The parameter CustomHeaders contains "+h.Name+" that is a "+kind+" header and cannot be set as custom header.")
}

// apply adds the headers to those of an answer.
func (p ResponseHeadersPolicy) apply(answer http.Header) {
	for _, h := range slices.Concat(p.Security, p.Custom) {
		if h.Override || len(answer.Values(h.Name)) == 0 {
			answer.Set(h.Name, h.Value)
		}
	}
}

// PutResponseHeadersPolicy declares or replaces a response headers policy.
func (s *Service) PutResponseHeadersPolicy(p ResponseHeadersPolicy) (ResponseHeadersPolicy, error) {
	if err := p.validate(); err != nil {
		return p, fmt.Errorf("putting response headers policy %s: %w", p.Name, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, other := range s.headers {
		if id != p.ID && other.Name == p.Name {
			return p, fmt.Errorf("putting response headers policy %s: %w", p.Name, refuse("ResponseHeadersPolicyAlreadyExists",
				"A response headers policy with this name already exists. You must provide a unique name."))
		}
	}
	if p.ID == "" {
		p.ID = awsapi.NewRequestID()
	}
	p.ETag = newID()
	s.headers[p.ID] = p
	return p, nil
}

// DeleteResponseHeadersPolicy removes a response headers policy that no
// distribution uses.
func (s *Service) DeleteResponseHeadersPolicy(id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range s.distributions {
		if d.Behavior.ResponseHeadersPolicyID == id {
			return fmt.Errorf("deleting response headers policy %s: %w", id, refuse("ResponseHeadersPolicyInUse",
				"Cannot delete the response headers policy because it is attached to one or more cache behaviors in a CloudFront distribution."))
		}
	}
	delete(s.headers, id)
	return nil
}
