package provision_test

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudfront"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"github.com/streaming-service/streaming-service/internal/localcloud/provision"
)

const (
	tokenDistribution  = "aws:cloudfront/distribution:Distribution"
	tokenAccessControl = "aws:cloudfront/originAccessControl:OriginAccessControl"
	tokenHeadersPolicy = "aws:cloudfront/responseHeadersPolicy:ResponseHeadersPolicy"

	cachingOptimized = "658327ea-f89d-4fab-a63d-7e88639e58f6"
)

// site is a distribution and what it needs.
type site struct {
	*provision.Provider
	bucket, access, headers string
}

func newSite(t *testing.T) site {
	t.Helper()
	s := site{Provider: provision.New(newServices(t))}
	s.bucket, _ = create(t, s.Provider, tokenBucket, "site", properties(nil))
	s.access, _ = create(t, s.Provider, tokenAccessControl, "access", properties(accessControl(nil)))
	s.headers, _ = create(t, s.Provider, tokenHeadersPolicy, "headers", properties(headersPolicy(nil)))
	return s
}

// accessControl are the inputs of an origin access control, with changes.
func accessControl(changes map[string]any) map[string]any {
	return with(map[string]any{"name": "site", "originAccessControlOriginType": "s3", "signingBehavior": "always", "signingProtocol": "sigv4"}, changes)
}

func headersPolicy(changes map[string]any) map[string]any {
	return with(map[string]any{
		"name": "site",
		"securityHeadersConfig": map[string]any{
			"contentSecurityPolicy":   map[string]any{"contentSecurityPolicy": "default-src 'none'", "override": true},
			"strictTransportSecurity": map[string]any{"accessControlMaxAgeSec": 31536000, "includeSubdomains": true, "override": true},
		},
	}, changes)
}

// distribution are the inputs of a distribution; changes may be of its cache
// behavior, too.
func (s site) distribution(changes map[string]any) map[string]any {
	behavior := map[string]any{
		"targetOriginId": "page", "viewerProtocolPolicy": "redirect-to-https", "allowedMethods": []any{"GET", "HEAD"}, "cachedMethods": []any{"HEAD", "GET"},
		"cachePolicyId": cachingOptimized, "responseHeadersPolicyId": s.headers, "compress": true,
	}
	inputs := map[string]any{
		"enabled": true, "isIpv6Enabled": true, "httpVersion": "http2and3", "defaultRootObject": "index.html", "comment": "page",
		"origins": []any{s.origin(nil)}, "defaultCacheBehavior": behavior,
		"restrictions":      map[string]any{"geoRestriction": map[string]any{"restrictionType": "none"}},
		"viewerCertificate": map[string]any{"cloudfrontDefaultCertificate": true},
	}
	for name, value := range changes {
		if _, ok := behavior[name]; ok {
			behavior[name] = value
		} else {
			inputs[name] = value
		}
	}
	return inputs
}

func (s site) origin(changes map[string]any) map[string]any {
	return with(map[string]any{"originId": "page", "domainName": s.bucket + ".s3.us-east-1.amazonaws.com", "originAccessControlId": s.access}, changes)
}

// declare checks and creates a resource and returns what is wrong with it.
func (s site) declare(t *testing.T, token string, inputs map[string]any) error {
	t.Helper()
	checked, err := s.Check(r(token, "other"), []byte("other"), properties(inputs))
	if err == nil {
		_, _, err = s.Create(t.Context(), r(token, "other"), checked)
	}
	return err
}

func with(inputs, changes map[string]any) map[string]any {
	maps.Copy(inputs, changes)
	return inputs
}

// TestDistribution: a distribution is declared, changed and deleted, and what it
// refers to outlives it.
func TestDistribution(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	id, outputs := create(t, s.Provider, tokenDistribution, "site", properties(s.distribution(nil)))
	for name, want := range map[string]string{
		"arn": "arn:aws:cloudfront::000000000000:distribution/" + id, "domainName": "d" + strings.ToLower(id[1:]) + ".cloudfront.net",
		"hostedZoneId": "Z2FDTNDATAQYW2", "status": "Deployed",
	} {
		if got := outputs[resource.PropertyKey(name)].StringValue(); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if !strings.HasPrefix(id, "E") || len(id) != 14 || id != strings.ToUpper(id) {
		t.Errorf("the id is %q", id)
	}
	changed := s.distribution(map[string]any{"aliases": []any{"chat.example.com"}, "viewerCertificate": certificate("us-east-1")})
	after, err := s.Update(t.Context(), r(tokenDistribution, "site"), id, properties(s.distribution(nil)), properties(changed))
	if err != nil {
		t.Fatal(err)
	}
	if after["etag"].StringValue() == outputs["etag"].StringValue() || after["domainName"].StringValue() != outputs["domainName"].StringValue() {
		t.Errorf("the update made of %v\n%v", outputs, after)
	}
	parts := []struct {
		token, name, id string
		inputs          map[string]any
		inUse           string
	}{
		{tokenAccessControl, "access", s.access, accessControl(nil), "OriginAccessControlInUse: Cannot delete the origin access control"},
		{tokenHeadersPolicy, "headers", s.headers, headersPolicy(nil), "ResponseHeadersPolicyInUse: Cannot delete the response headers policy"},
	}
	for _, part := range parts {
		if err := s.Delete(t.Context(), r(part.token, part.name), part.id, properties(part.inputs)); err == nil || !strings.Contains(err.Error(), part.inUse) {
			t.Errorf("%s in use: %v, want %s", part.name, err, part.inUse)
		}
	}
	if err := s.Delete(t.Context(), r(tokenDistribution, "site"), id, properties(changed)); err != nil {
		t.Fatal(err)
	}
	for _, part := range parts {
		if err := s.Delete(t.Context(), r(part.token, part.name), part.id, properties(part.inputs)); err != nil {
			t.Errorf("%s that nothing uses: %v", part.name, err)
		}
	}
}

func certificate(region string) map[string]any {
	return map[string]any{
		"acmCertificateArn": "arn:aws:acm:" + region + ":000000000000:certificate/1", "sslSupportMethod": "sni-only", "minimumProtocolVersion": "TLSv1.2_2021",
	}
}

// TestDistributionsAreRefused as CloudFront refuses them.
func TestDistributionsAreRefused(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	taken := s.distribution(map[string]any{"aliases": []any{"taken.example.com"}, "viewerCertificate": certificate("us-east-1")})
	create(t, s.Provider, tokenDistribution, "first", properties(taken))
	page := func(changes map[string]any) map[string]any {
		return map[string]any{"customErrorResponses": []any{with(map[string]any{"errorCode": 403, "responseCode": 404, "responsePagePath": "/404.html"}, changes)}}
	}
	for _, test := range []struct {
		name    string
		changes map[string]any
		want    string
	}{
		{"cache policy", map[string]any{"cachePolicyId": "00000000-0000-0000-0000-000000000000"}, "NoSuchCachePolicy: The cache policy does not exist"},
		{"no cache policy", map[string]any{"cachePolicyId": ""}, "InvalidArgument: The parameter ForwardedValues is required"},
		{"headers policy", map[string]any{"responseHeadersPolicyId": "none"}, "NoSuchResponseHeadersPolicy: "},
		{"target", map[string]any{"targetOriginId": "other"}, "NoSuchOrigin: No origin exists with the specified Origin Id"},
		{"methods", map[string]any{"allowedMethods": []any{"GET", "HEAD", "OPTIONS"}}, "allowedMethods must be GET and HEAD in the local cloud"},
		{"protocol", map[string]any{"viewerProtocolPolicy": "https"}, "viewerProtocolPolicy must be"},
		{"alias", map[string]any{"aliases": []any{"chat.example.com"}}, "InvalidViewerCertificate: To add an alternate domain name (CNAME) to a CloudFront distribution, you must attach a trusted certificate"},
		{"alias that is none", map[string]any{"aliases": []any{"chat"}, "viewerCertificate": certificate("us-east-1")}, `an alias must be a domain name, got "chat"`},
		{"alias of another", map[string]any{"aliases": []any{"Taken.example.com"}, "viewerCertificate": certificate("us-east-1")}, "CNAMEAlreadyExists: "},
		{"certificate elsewhere", map[string]any{"viewerCertificate": certificate("eu-west-1")}, "InvalidViewerCertificate: The specified SSL certificate doesn't exist, isn't in us-east-1 region"},
		{"no certificate", map[string]any{"viewerCertificate": map[string]any{}}, "InvalidViewerCertificate: one of cloudfrontDefaultCertificate and acmCertificateArn"},
		{"certificate without method", map[string]any{"viewerCertificate": with(certificate("us-east-1"), map[string]any{"sslSupportMethod": ""})}, "sslSupportMethod must be one of"},
		{"TLS", map[string]any{"viewerCertificate": with(certificate("us-east-1"), map[string]any{"minimumProtocolVersion": "TLSv9"})}, "InvalidMinimumProtocolVersion: "},
		{"root object", map[string]any{"defaultRootObject": "/index.html"}, "InvalidDefaultRootObject: The default root object file name is too big or contains an invalid character"},
		{"comment", map[string]any{"comment": strings.Repeat("x", 129)}, "comment must have at most 128 characters, got 129"},
		{"HTTP", map[string]any{"httpVersion": "http4"}, `httpVersion must be http1.1, http2, http3 or http2and3, got "http4"`},
		{"no origin", map[string]any{"origins": []any{}}, "a distribution needs an origin"},
		{"two of one id", map[string]any{"origins": []any{s.origin(nil), s.origin(nil)}}, "each origin needs an id of its own"},
		{"no bucket", map[string]any{"origins": []any{s.origin(map[string]any{"domainName": "none.s3.amazonaws.com"})}}, "InvalidOrigin: The Amazon S3 origin server specified does not refer to a valid Amazon S3 bucket"},
		{"other origin", map[string]any{"origins": []any{s.origin(map[string]any{"domainName": "example.com"})}}, "origin page: example.com is no bucket"},
		{"origin path", map[string]any{"origins": []any{s.origin(map[string]any{"originPath": "v1/"})}}, `originPath must begin with a slash and not end with one, got "v1/"`},
		{"access control", map[string]any{"origins": []any{s.origin(map[string]any{"originAccessControlId": "E0"})}}, "InvalidOriginAccessControl: The origin access control is not valid: there is no E0"},
		{"error code", page(map[string]any{"errorCode": 402}), "InvalidErrorCode: An invalid error code was specified: 402"},
		{"response code", page(map[string]any{"responseCode": 201}), "InvalidResponseCode: A response code is not valid: 201"},
		{"page without code", page(map[string]any{"responseCode": 0}), "responseCode and responsePagePath of a custom error response must be given together"},
		{"page", page(map[string]any{"responsePagePath": "404.html"}), "InvalidRelativePath: "},
		{"country", map[string]any{"restrictions": map[string]any{"geoRestriction": map[string]any{"restrictionType": "whitelist"}}}, `restrictionType must be none in the local cloud, got "whitelist"`},
		{"further behaviors", map[string]any{"orderedCacheBehaviors": []any{map[string]any{"pathPattern": "/a"}}}, `property "orderedCacheBehaviors" has no counterpart`},
	} {
		if err := s.declare(t, tokenDistribution, s.distribution(test.changes)); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", test.name, err, test.want)
		}
	}
}

// TestPartsOfDistributionsAreRefused as CloudFront refuses them.
func TestPartsOfDistributionsAreRefused(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	security := func(name string, value map[string]any) map[string]any {
		return headersPolicy(map[string]any{"name": "other", "securityHeadersConfig": map[string]any{name: value}})
	}
	custom := func(count int, name, value string) map[string]any {
		item := map[string]any{"header": name, "value": value, "override": true}
		return headersPolicy(map[string]any{"name": "other", "customHeadersConfig": map[string]any{"items": slices.Repeat([]any{item}, count)}})
	}
	for _, test := range []struct {
		token  string
		inputs map[string]any
		want   string
	}{
		{tokenAccessControl, accessControl(nil), "OriginAccessControlAlreadyExists: An origin access control with the specified parameters already exists."},
		{tokenAccessControl, accessControl(map[string]any{"name": strings.Repeat("x", 65)}), "name must have 1 to 64 characters"},
		{tokenAccessControl, accessControl(map[string]any{"name": "other", "signingBehavior": "sometimes"}), `signingBehavior must be always, never or no-override, got "sometimes"`},
		{tokenAccessControl, accessControl(map[string]any{"name": "other", "signingProtocol": "sigv2"}), `signingProtocol must be sigv4, got "sigv2"`},
		{tokenAccessControl, accessControl(map[string]any{"name": "other", "originAccessControlOriginType": "lambda"}), `originAccessControlOriginType must be s3 in the local cloud, got "lambda"`},
		{tokenHeadersPolicy, headersPolicy(nil), "ResponseHeadersPolicyAlreadyExists: A response headers policy with this name already exists."},
		{tokenHeadersPolicy, headersPolicy(map[string]any{"name": "other", "comment": strings.Repeat("x", 129)}), "comment must have at most 128 characters, got 129"},
		{tokenHeadersPolicy, security("frameOptions", map[string]any{"frameOption": "ALLOW", "override": true}), `frameOption must be DENY or SAMEORIGIN, got "ALLOW"`},
		{tokenHeadersPolicy, security("referrerPolicy", map[string]any{"referrerPolicy": "never", "override": true}), `referrerPolicy must be one of no-referrer,`},
		{tokenHeadersPolicy, security("contentSecurityPolicy", map[string]any{"override": true}), "contentSecurityPolicy must not be empty"},
		{tokenHeadersPolicy, security("contentSecurityPolicy", map[string]any{"contentSecurityPolicy": "a\nb", "override": true}), "the value of Content-Security-Policy must be one line"},
		{tokenHeadersPolicy, security("strictTransportSecurity", map[string]any{"accessControlMaxAgeSec": -1, "override": true}), "accessControlMaxAgeSec must be >= 0, got -1"},
		{tokenHeadersPolicy, security("xssProtection", map[string]any{"protection": true, "modeBlock": true, "reportUri": "https://a", "override": true}), "exclude each other"},
		{tokenHeadersPolicy, custom(1, "x-frame-options", "DENY"), "InvalidArgument: The parameter CustomHeaders contains x-frame-options that is a security header and cannot be set as custom header."},
		{tokenHeadersPolicy, custom(1, "Access-Control-Allow-Origin", "*"), "cannot be set as custom header"},
		{tokenHeadersPolicy, custom(1, "X A", "a"), `the name of a header must be a token, got "X A"`},
		{tokenHeadersPolicy, custom(1, "X-A", strings.Repeat("x", 1784)), "the value of X-A must be one line of at most 1783 characters"},
		{tokenHeadersPolicy, custom(11, "X-A", "a"), "TooManyCustomHeadersInResponseHeadersPolicy: "},
		{tokenHeadersPolicy, headersPolicy(map[string]any{"corsConfig": map[string]any{}}), `property "corsConfig" has no counterpart`},
	} {
		if err := s.declare(t, test.token, test.inputs); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s %v: %v, want %q", test.token, test.inputs, err, test.want)
		}
	}
}

// TestCloudFrontPropertiesOfTheProvider: all that the provider's SDK has is
// either known or refused by name, and these are refused.
func TestCloudFrontPropertiesOfTheProvider(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for _, test := range []struct {
		token   string
		args    reflect.Type
		within  []string
		refused []string
	}{
		{tokenDistribution, cloudfront.DistributionArgs{}.ElementType(), nil, []string{"continuousDeploymentPolicyId", "orderedCacheBehaviors", "originGroups", "staging"}},
		{tokenDistribution, reflect.TypeFor[cloudfront.DistributionDefaultCacheBehavior](), []string{"defaultCacheBehavior"}, []string{
			"defaultTtl", "fieldLevelEncryptionId", "forwardedValues", "functionAssociations", "grpcConfig", "lambdaFunctionAssociations", "maxTtl", "minTtl",
			"originRequestPolicyId", "realtimeLogConfigArn", "smoothStreaming", "trustedKeyGroups", "trustedSigners",
		}},
		{tokenDistribution, reflect.TypeFor[cloudfront.DistributionOrigin](), []string{"origins", "0"}, []string{"customHeaders", "customOriginConfig", "s3OriginConfig", "vpcOriginConfig"}},
		{tokenDistribution, reflect.TypeFor[cloudfront.DistributionViewerCertificate](), []string{"viewerCertificate"}, []string{"iamCertificateId"}},
		{tokenDistribution, reflect.TypeFor[cloudfront.DistributionCustomErrorResponse](), []string{"customErrorResponses", "0"}, nil},
		{tokenAccessControl, cloudfront.OriginAccessControlArgs{}.ElementType(), nil, nil},
		{tokenHeadersPolicy, cloudfront.ResponseHeadersPolicyArgs{}.ElementType(), nil, []string{"corsConfig", "etag", "removeHeadersConfig", "serverTimingHeadersConfig"}},
		{tokenHeadersPolicy, reflect.TypeFor[cloudfront.ResponseHeadersPolicySecurityHeadersConfig](), []string{"securityHeadersConfig"}, nil},
	} {
		var refused []string
		for _, field := range reflect.VisibleFields(test.args) {
			name := field.Tag.Get("pulumi")
			var inputs any = map[string]any{name: "x"}
			for _, parent := range slices.Backward(test.within) {
				if parent == "0" {
					inputs = []any{inputs}
				} else {
					inputs = map[string]any{parent: inputs}
				}
			}
			_, err := s.Check(r(test.token, "x"), []byte("x"), properties(inputs.(map[string]any)))
			if err != nil && strings.Contains(err.Error(), `"`+name+`" has no counterpart`) {
				refused = append(refused, name)
			}
		}
		slices.Sort(refused)
		if !slices.Equal(refused, test.refused) {
			t.Errorf("of %s %v the local cloud refuses %q, want %q", test.token, test.within, refused, test.refused)
		}
	}
}
