package provision

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/streaming-service/streaming-service/internal/localcloud/cloudfront"
)

type headersPolicyInputs struct {
	Name     string                 `json:"name"`
	Comment  string                 `json:"comment"`
	Security *securityHeadersInputs `json:"securityHeadersConfig"`
	Custom   struct {
		Items []struct {
			Header   string `json:"header"`
			Value    string `json:"value"`
			Override bool   `json:"override"`
		} `json:"items"`
	} `json:"customHeadersConfig"`
}

type securityHeadersInputs struct {
	ContentSecurityPolicy *struct {
		Policy   string `json:"contentSecurityPolicy"`
		Override bool   `json:"override"`
	} `json:"contentSecurityPolicy"`
	ContentTypeOptions *struct {
		Override bool `json:"override"`
	} `json:"contentTypeOptions"`
	FrameOptions *struct {
		Option   string `json:"frameOption"`
		Override bool   `json:"override"`
	} `json:"frameOptions"`
	ReferrerPolicy *struct {
		Policy   string `json:"referrerPolicy"`
		Override bool   `json:"override"`
	} `json:"referrerPolicy"`
	StrictTransportSecurity *struct {
		MaxAge            int  `json:"accessControlMaxAgeSec"`
		IncludeSubdomains bool `json:"includeSubdomains"`
		Preload           bool `json:"preload"`
		Override          bool `json:"override"`
	} `json:"strictTransportSecurity"`
	XSSProtection *struct {
		Protection bool   `json:"protection"`
		ModeBlock  bool   `json:"modeBlock"`
		ReportURI  string `json:"reportUri"`
		Override   bool   `json:"override"`
	} `json:"xssProtection"`
}

// Values of FrameOptionsList and ReferrerPolicyList in the API reference.
var (
	frameOptions     = []string{"DENY", "SAMEORIGIN"}
	referrerPolicies = []string{
		"no-referrer", "no-referrer-when-downgrade", "origin", "origin-when-cross-origin",
		"same-origin", "strict-origin", "strict-origin-when-cross-origin", "unsafe-url",
	}
)

func (in securityHeadersInputs) validate() error {
	switch {
	case in.ContentSecurityPolicy != nil && in.ContentSecurityPolicy.Policy == "":
		return errors.New("InvalidArgument: contentSecurityPolicy must not be empty")
	case in.FrameOptions != nil && !slices.Contains(frameOptions, in.FrameOptions.Option):
		return fmt.Errorf("InvalidArgument: frameOption must be DENY or SAMEORIGIN, got %q", in.FrameOptions.Option)
	case in.ReferrerPolicy != nil && !slices.Contains(referrerPolicies, in.ReferrerPolicy.Policy):
		return fmt.Errorf("InvalidArgument: referrerPolicy must be one of %s, got %q", strings.Join(referrerPolicies, ", "), in.ReferrerPolicy.Policy)
	case in.StrictTransportSecurity != nil && in.StrictTransportSecurity.MaxAge < 0:
		return fmt.Errorf("InvalidArgument: accessControlMaxAgeSec must be >= 0, got %d", in.StrictTransportSecurity.MaxAge)
	case in.XSSProtection != nil && in.XSSProtection.ModeBlock && in.XSSProtection.ReportURI != "":
		return fmt.Errorf("InvalidArgument: modeBlock and reportUri of xssProtection exclude each other, got true and %q", in.XSSProtection.ReportURI)
	}
	return nil
}

// headers are the values that the settings stand for.
func (in securityHeadersInputs) headers() []cloudfront.ResponseHeader {
	var headers []cloudfront.ResponseHeader
	add := func(name, value string, override bool) {
		headers = append(headers, cloudfront.ResponseHeader{Name: name, Value: value, Override: override})
	}
	if h := in.ContentSecurityPolicy; h != nil {
		add("Content-Security-Policy", h.Policy, h.Override)
	}
	if h := in.ContentTypeOptions; h != nil {
		add("X-Content-Type-Options", "nosniff", h.Override)
	}
	if h := in.FrameOptions; h != nil {
		add("X-Frame-Options", h.Option, h.Override)
	}
	if h := in.ReferrerPolicy; h != nil {
		add("Referrer-Policy", h.Policy, h.Override)
	}
	if h := in.StrictTransportSecurity; h != nil {
		add("Strict-Transport-Security", directives("max-age="+strconv.Itoa(h.MaxAge), h.IncludeSubdomains, "includeSubDomains", h.Preload, "preload"), h.Override)
	}
	if h := in.XSSProtection; h != nil {
		value := "0"
		if h.Protection {
			value = directives("1", h.ModeBlock, "mode=block", h.ReportURI != "", "report="+h.ReportURI)
		}
		add("X-XSS-Protection", value, h.Override)
	}
	return headers
}

// directives are a first one and, each on its condition, two more.
func directives(first string, hasSecond bool, second string, hasThird bool, third string) string {
	if hasSecond {
		first += "; " + second
	}
	if hasThird {
		first += "; " + third
	}
	return first
}

func headersPolicyKind(s *cloudfront.Service) kind {
	put := func(id string, in headersPolicyInputs) (string, Outputs, error) {
		policy := cloudfront.ResponseHeadersPolicy{ID: id, Name: in.Name, Comment: in.Comment}
		if in.Security != nil {
			policy.Security = in.Security.headers()
		}
		for _, h := range in.Custom.Items {
			policy.Custom = append(policy.Custom, cloudfront.ResponseHeader{Name: h.Header, Value: h.Value, Override: h.Override})
		}
		p, err := s.PutResponseHeadersPolicy(policy)
		return p.ID, Outputs{"arn": cloudfront.ARN("response-headers-policy/" + p.ID), "etag": p.ETag}, err
	}
	return newKind(realised[headersPolicyInputs]{
		name: autoname{property: "name", max: 128},
		validate: func(in headersPolicyInputs) error {
			if in.Security == nil {
				return nil
			}
			return in.Security.validate()
		},
		onCreate: func(_ context.Context, r Resource, in headersPolicyInputs) (string, Outputs, error) {
			return put(r.stableUUID(""), in)
		},
		onUpdate: func(_ context.Context, id string, _, in headersPolicyInputs) (Outputs, error) {
			_, outputs, err := put(id, in)
			return outputs, err
		},
		onDelete: func(_ context.Context, id string, _ headersPolicyInputs) error {
			return s.DeleteResponseHeadersPolicy(id)
		},
	})
}
