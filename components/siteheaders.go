package components

import (
	"fmt"
	"maps"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudfront"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	page "github.com/streaming-service/streaming-service/web/build"
)

// strictTransportSeconds is how long browsers use HTTPS alone for the page's name:
// a year. Names below it are not the service's to speak for.
const strictTransportSeconds = 365 * 24 * 60 * 60

// newSiteHeaders adds to every file what the page asks of its host. CloudFront
// has settings of its own for some of the headers and takes them only there.
func (b *build) newSiteHeaders() (*cloudfront.ResponseHeadersPolicy, error) {
	always := pulumi.Bool(true) // whatever the bucket says
	security := &cloudfront.ResponseHeadersPolicySecurityHeadersConfigArgs{
		ContentSecurityPolicy: &cloudfront.ResponseHeadersPolicySecurityHeadersConfigContentSecurityPolicyArgs{
			ContentSecurityPolicy: b.sitePolicy(), Override: always,
		},
		StrictTransportSecurity: &cloudfront.ResponseHeadersPolicySecurityHeadersConfigStrictTransportSecurityArgs{
			AccessControlMaxAgeSec: pulumi.Int(strictTransportSeconds), Override: always,
		},
	}
	var others cloudfront.ResponseHeadersPolicyCustomHeadersConfigItemArray
	headers := page.Headers()
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		value := pulumi.String(headers[name])
		switch name {
		case "X-Content-Type-Options": // which has one value only
			security.ContentTypeOptions = &cloudfront.ResponseHeadersPolicySecurityHeadersConfigContentTypeOptionsArgs{Override: always}
		case "X-Frame-Options":
			security.FrameOptions = &cloudfront.ResponseHeadersPolicySecurityHeadersConfigFrameOptionsArgs{FrameOption: value, Override: always}
		case "Referrer-Policy":
			security.ReferrerPolicy = &cloudfront.ResponseHeadersPolicySecurityHeadersConfigReferrerPolicyArgs{ReferrerPolicy: value, Override: always}
		default:
			others = append(others, &cloudfront.ResponseHeadersPolicyCustomHeadersConfigItemArgs{Header: pulumi.String(name), Value: value, Override: always})
		}
	}
	policy, err := cloudfront.NewResponseHeadersPolicy(b.ctx, b.child("site-headers"), &cloudfront.ResponseHeadersPolicyArgs{
		Comment:               pulumi.String("Chat page of " + b.name),
		SecurityHeadersConfig: security,
		CustomHeadersConfig:   &cloudfront.ResponseHeadersPolicyCustomHeadersConfigArgs{Items: others},
	}, b.options()...)
	if err != nil {
		return nil, fmt.Errorf("creating response headers policy: %w", err)
	}
	return policy, nil
}

// sitePolicy is the content security policy of the page: it talks to this
// service and to nothing else.
func (b *build) sitePolicy() pulumi.StringOutput {
	rest, webSocket := b.place.api(b.rest.api.ID()), b.place.api(b.webSocket.api.ID())
	if name := b.args.Domain.Rest; name != nil {
		rest = required(name).ToStringOutput()
	}
	if name := b.args.Domain.WebSocket; name != nil {
		webSocket = required(name).ToStringOutput()
	}
	connect := pulumi.StringArray{
		pulumi.String("'self'"), // for config.json
		pulumi.Sprintf("https://%s", rest),
		pulumi.Sprintf("wss://%s", webSocket),
		pulumi.Sprintf("https://%s", b.place.endpoint("cognito-idp")),
	}
	if b.hasUploads() {
		connect = append(connect, b.uploads.url)
	}
	return b.place.withCloudFront(connect.ToStringArrayOutput().ApplyT(func(sources []string) string { return page.Policy(sources...) }).(pulumi.StringOutput))
}
