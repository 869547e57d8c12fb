package components

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/streaming-service/streaming-service/internal/allowlist"
)

// gatewayOrigin is the Access-Control-Allow-Origin of the errors that API
// Gateway itself answers. It can only be a literal or a copy of something in
// the request, not a choice from a list. One allowed origin is named. With
// several, any page may read these errors, as it may without a list: they say
// nothing but a status and fixed words, and without the header the pages of
// the service could not tell an expired token from a broken network. Answers
// of the functions name the caller's origin, and only if it is allowed.
//
// The site is an origin more. Its name is known here if it is one's own; that of
// CloudFront comes after the API.
func (b *build) gatewayOrigin() pulumi.StringInput {
	allowed := b.args.Auth.AllowedOrigins
	if b.hasSite() && allowed != nil {
		domain := b.args.Site.Domain
		if domain == nil {
			return pulumi.String("*")
		}
		allowed = withOrigin(allowed, pulumi.Sprintf("https://%s", required(domain)))
	}
	if v, known := plain(allowed); known {
		origins, _ := v.([]string)
		return pulumi.String(onlyOrAny(origins))
	}
	return allowed.ToStringArrayOutput().ApplyT(onlyOrAny).(pulumi.StringOutput)
}

// bucketOrigins are the origins of the pages that may put uploads: those that may
// call the APIs.
func (b *build) bucketOrigins() pulumi.StringArrayInput {
	switch allowed := b.args.Auth.AllowedOrigins; {
	case allowed == nil:
		return pulumi.ToStringArray([]string{"*"})
	case b.hasSite():
		return withOrigin(allowed, b.site.origin)
	default:
		return allowed
	}
}

// withOrigin is a list of origins and one more.
func withOrigin(list pulumi.StringArrayInput, origin pulumi.StringInput) pulumi.StringArrayInput {
	return pulumi.All(list, origin).ApplyT(func(v []any) []string {
		return allowlist.Origins(v[0].([]string)).With(v[1].(string))
	}).(pulumi.StringArrayOutput)
}

func onlyOrAny(origins []string) string {
	if len(origins) == 1 {
		return origins[0]
	}
	return "*"
}
