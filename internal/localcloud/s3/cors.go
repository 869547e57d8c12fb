package s3

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
)

// CORSRule lets pages of some origins use a bucket.
type CORSRule struct {
	AllowedOrigins, AllowedMethods, AllowedHeaders, ExposeHeaders []string
	MaxAgeSeconds                                                 int
}

var corsMethods = []string{http.MethodGet, http.MethodPut, http.MethodHead, http.MethodPost, http.MethodDelete}

func (r CORSRule) validate() error {
	if len(r.AllowedOrigins) == 0 || len(r.AllowedMethods) == 0 {
		return errors.New("MalformedXML: a rule needs AllowedOrigins and AllowedMethods")
	}
	for _, origin := range r.AllowedOrigins {
		if strings.Count(origin, "*") > 1 {
			return fmt.Errorf("InvalidRequest: AllowedOrigin %q can not have more than one wildcard", origin)
		}
	}
	for _, method := range r.AllowedMethods {
		if !slices.Contains(corsMethods, method) {
			return fmt.Errorf("InvalidRequest: Found unsupported HTTP method in CORS config. Unsupported method is %s", method)
		}
	}
	return nil
}

// allows tells whether a page of an origin may call the method with the headers.
func (r CORSRule) allows(origin, method string, headers []string) bool {
	return slices.Contains(r.AllowedMethods, method) &&
		slices.ContainsFunc(r.AllowedOrigins, func(p string) bool { return awsapi.Glob(p, origin) }) &&
		!slices.ContainsFunc(headers, func(h string) bool {
			return !slices.ContainsFunc(r.AllowedHeaders, func(p string) bool { return awsapi.Glob(strings.ToLower(p), h) })
		})
}

// allow adds what lets the page of an origin read the answer.
func (r CORSRule) allow(h http.Header, origin string) {
	h.Set("Access-Control-Allow-Origin", origin)
	if slices.Contains(r.AllowedOrigins, "*") {
		h.Set("Access-Control-Allow-Origin", "*")
	} else {
		h.Set("Access-Control-Allow-Credentials", "true")
	}
	h.Set("Access-Control-Allow-Methods", strings.Join(r.AllowedMethods, ", "))
	if len(r.ExposeHeaders) > 0 {
		h.Set("Access-Control-Expose-Headers", strings.Join(r.ExposeHeaders, ", "))
	}
	if r.MaxAgeSeconds > 0 {
		h.Set("Access-Control-Max-Age", strconv.Itoa(r.MaxAgeSeconds))
	}
	h.Set("Vary", "Origin, Access-Control-Request-Headers, Access-Control-Request-Method")
}

func (s *Service) corsRules(bucketName string) []CORSRule {
	s.mu.Lock()
	defer s.mu.Unlock()
	if b, ok := s.buckets[bucketName]; ok {
		return b.cors
	}
	return nil
}

// addCORS lets the page that called read the answer, if a rule allows it.
func (s *Service) addCORS(w http.ResponseWriter, r *http.Request, bucketName string) {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return
	}
	for _, rule := range s.corsRules(bucketName) {
		if rule.allows(origin, r.Method, nil) {
			rule.allow(w.Header(), origin)
			return
		}
	}
}

// preflight answers OPTIONS, for which nobody signs.
func (s *Service) preflight(w http.ResponseWriter, r *http.Request, bucketName string) *failure {
	origin, method := r.Header.Get("Origin"), r.Header.Get("Access-Control-Request-Method")
	if origin == "" || method == "" {
		return fail(http.StatusBadRequest, "BadRequest", "Insufficient information. Origin request header needed.")
	}
	rules := s.corsRules(bucketName)
	if len(rules) == 0 {
		return fail(http.StatusForbidden, "AccessForbidden", "CORSResponse: CORS is not enabled for this bucket.")
	}
	headers := headerNames(r.Header.Get("Access-Control-Request-Headers"))
	for _, rule := range rules {
		if rule.allows(origin, method, headers) {
			rule.allow(w.Header(), origin)
			if len(headers) > 0 {
				w.Header().Set("Access-Control-Allow-Headers", strings.Join(headers, ", "))
			}
			w.WriteHeader(http.StatusOK)
			return nil
		}
	}
	return fail(http.StatusForbidden, "AccessForbidden", "CORSResponse: This CORS request is not allowed. This is usually because the evalution of Origin, "+
		"request method / Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the resource's CORS spec.")
}

// headerNames splits a list of headers, in lower case.
func headerNames(list string) []string {
	var names []string
	for name := range strings.SplitSeq(strings.ToLower(list), ",") {
		if name = strings.TrimSpace(name); name != "" {
			names = append(names, name)
		}
	}
	return names
}
