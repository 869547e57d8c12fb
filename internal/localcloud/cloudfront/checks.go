package cloudfront

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
)

// checkDistribution holds a distribution to what CreateDistribution takes, with
// the errors of its API reference. The mutex is held.
func (s *Service) checkDistribution(d *Distribution) error {
	for _, check := range []func(*Distribution) error{checkSettings, checkCertificate, s.checkAliases, s.checkOrigins, s.checkBehavior, checkErrors} {
		if err := check(d); err != nil {
			return err
		}
	}
	return nil
}

// maxRootObject is from "Default root object" of the CloudFront Developer Guide,
// in characters.
const maxRootObject = 255

func checkSettings(d *Distribution) error {
	switch {
	case strings.HasPrefix(d.DefaultRootObject, "/") || len(d.DefaultRootObject) > maxRootObject:
		return refuse("InvalidDefaultRootObject", fmt.Sprintf("The default root object file name is too big or contains an invalid character: %q", d.DefaultRootObject))
	case len([]rune(d.Comment)) > maxComment:
		return refuse("InvalidArgument", fmt.Sprintf("comment must have at most %d characters, got %d", maxComment, len([]rune(d.Comment))))
	case d.HTTPVersion != "" && !slices.Contains([]string{"http1.1", "http2", "http3", "http2and3"}, d.HTTPVersion):
		return refuse("InvalidArgument", fmt.Sprintf("httpVersion must be http1.1, http2, http3 or http2and3, got %q", d.HTTPVersion))
	}
	return nil
}

// acmARN is a certificate where CloudFront looks for it, whatever the Region of
// the service ("Requirements for using SSL/TLS certificates with CloudFront").
var acmARN = regexp.MustCompile(`^arn:` + awsapi.Partition + `:acm:us-east-1:\d{12}:certificate/\S+$`)

var (
	supportMethods   = []string{"sni-only", "vip", "static-ip"}
	protocolVersions = []string{"SSLv3", "TLSv1", "TLSv1_2016", "TLSv1.1_2016", "TLSv1.2_2018", "TLSv1.2_2019", "TLSv1.2_2021", "TLSv1.2_2025", "TLSv1.3_2025"}
)

func checkCertificate(d *Distribution) error {
	c := d.Certificate
	switch {
	case len(d.Aliases) > 0 && c.ACMARN == "":
		return refuse("InvalidViewerCertificate", "To add an alternate domain name (CNAME) to a CloudFront distribution, you must attach a trusted certificate that validates your authorization to use the domain name.")
	case c.ACMARN == "" && !c.Default:
		return refuse("InvalidViewerCertificate", "one of cloudfrontDefaultCertificate and acmCertificateArn must be given")
	case c.ACMARN == "":
		return nil
	case !acmARN.MatchString(c.ACMARN):
		return refuse("InvalidViewerCertificate", "The specified SSL certificate doesn't exist, isn't in us-east-1 region, isn't valid, or doesn't include a valid certificate chain.")
	case !slices.Contains(supportMethods, c.SupportMethod):
		return refuse("InvalidViewerCertificate", fmt.Sprintf("with acmCertificateArn, sslSupportMethod must be one of %s, got %q", strings.Join(supportMethods, ", "), c.SupportMethod))
	case c.MinimumVersion != "" && !slices.Contains(protocolVersions, c.MinimumVersion):
		return refuse("InvalidMinimumProtocolVersion", fmt.Sprintf("minimumProtocolVersion must be one of %s, got %q", strings.Join(protocolVersions, ", "), c.MinimumVersion))
	}
	return nil
}

var hostName = regexp.MustCompile(`^(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$`)

func (s *Service) checkAliases(d *Distribution) error {
	for _, alias := range d.Aliases {
		if !hostName.MatchString(strings.ToLower(alias)) {
			return refuse("InvalidArgument", fmt.Sprintf("an alias must be a domain name, got %q", alias))
		}
		for id, other := range s.distributions {
			if id != d.ID && slices.ContainsFunc(other.Aliases, func(a string) bool { return strings.EqualFold(a, alias) }) {
				return refuse("CNAMEAlreadyExists", "One or more of the CNAMEs you provided are already associated with a different resource: "+alias)
			}
		}
	}
	return nil
}

// bucketDomain are the names of a bucket that CloudFront takes for one.
var bucketDomain = regexp.MustCompile(`^(.+)\.s3(\.` + awsapi.Region + `)?\.` + regexp.QuoteMeta(awsapi.DNSSuffix) + `$`)

func (s *Service) checkOrigins(d *Distribution) error {
	if len(d.Origins) == 0 {
		return refuse("InvalidArgument", "a distribution needs an origin")
	}
	d.Origins = slices.Clone(d.Origins)
	seen := map[string]bool{}
	for i := range d.Origins {
		o := &d.Origins[i]
		if seen[o.ID] || o.ID == "" {
			return refuse("InvalidArgument", fmt.Sprintf("each origin needs an id of its own, got %q", o.ID))
		}
		seen[o.ID] = true
		if err := s.checkOrigin(o); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) checkOrigin(o *Origin) error {
	name := bucketDomain.FindStringSubmatch(o.DomainName)
	switch {
	case name == nil:
		return fmt.Errorf("origin %s: %s is no bucket: other origins have no counterpart in the local cloud", o.ID, o.DomainName)
	case !s.deps.Buckets.Exists(name[1]):
		return refuse("InvalidOrigin", "The Amazon S3 origin server specified does not refer to a valid Amazon S3 bucket: "+o.DomainName)
	case o.Path != "" && (!strings.HasPrefix(o.Path, "/") || strings.HasSuffix(o.Path, "/")):
		return refuse("InvalidArgument", fmt.Sprintf("originPath must begin with a slash and not end with one, got %q", o.Path))
	}
	o.bucket = name[1]
	if _, ok := s.controls[o.AccessControlID]; o.AccessControlID != "" && !ok {
		return refuse("InvalidOriginAccessControl", "The origin access control is not valid: there is no "+o.AccessControlID)
	}
	return nil
}

// readOnly are the methods of a distribution that only reads: the first of the
// three choices that CloudFront has.
var readOnly = []string{"GET", "HEAD"}

func (s *Service) checkBehavior(d *Distribution) error {
	b := d.Behavior
	if !slices.ContainsFunc(d.Origins, func(o Origin) bool { return o.ID == b.TargetOriginID }) {
		return refuse("NoSuchOrigin", fmt.Sprintf("No origin exists with the specified Origin Id: %q", b.TargetOriginID))
	}
	for name, methods := range map[string][]string{"allowedMethods": b.AllowedMethods, "cachedMethods": b.CachedMethods} {
		if !slices.Equal(slices.Sorted(slices.Values(methods)), readOnly) {
			return fmt.Errorf("%s must be GET and HEAD in the local cloud, got %v", name, methods)
		}
	}
	if !slices.Contains([]string{"allow-all", "https-only", "redirect-to-https"}, b.ViewerProtocolPolicy) {
		return refuse("InvalidArgument", fmt.Sprintf("viewerProtocolPolicy must be allow-all, https-only or redirect-to-https, got %q", b.ViewerProtocolPolicy))
	}
	if b.CachePolicyID == "" {
		return refuse("InvalidArgument", "The parameter ForwardedValues is required. (The local cloud knows cache policies only.)")
	}
	if _, ok := managedCachePolicies[b.CachePolicyID]; !ok {
		return refuse("NoSuchCachePolicy", "The cache policy does not exist: "+b.CachePolicyID)
	}
	if _, ok := s.headers[b.ResponseHeadersPolicyID]; b.ResponseHeadersPolicyID != "" && !ok {
		return refuse("NoSuchResponseHeadersPolicy", "The response headers policy does not exist: "+b.ResponseHeadersPolicyID)
	}
	return nil
}

// errorCodes are those of origins that CloudFront can answer for, and what it can
// answer then ("Generate custom error responses" in the CloudFront Developer
// Guide).
var (
	errorCodes    = []int{400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504}
	responseCodes = append([]int{200}, errorCodes...)
)

func checkErrors(d *Distribution) error {
	for _, e := range d.Errors {
		switch {
		case !slices.Contains(errorCodes, e.ErrorCode):
			return refuse("InvalidErrorCode", fmt.Sprintf("An invalid error code was specified: %d", e.ErrorCode))
		case (e.ResponseCode == 0) != (e.PagePath == ""):
			return refuse("InvalidArgument", "responseCode and responsePagePath of a custom error response must be given together")
		case e.ResponseCode != 0 && !slices.Contains(responseCodes, e.ResponseCode):
			return refuse("InvalidResponseCode", fmt.Sprintf("A response code is not valid: %d", e.ResponseCode))
		case e.PagePath != "" && !strings.HasPrefix(e.PagePath, "/"):
			return refuse("InvalidRelativePath", fmt.Sprintf("The relative path is too big, is not URL-encoded, or does not begin with a slash (/): %q", e.PagePath))
		}
	}
	return nil
}
