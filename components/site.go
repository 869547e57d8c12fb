package components

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudfront"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/s3"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/streaming-service/streaming-service/internal/environment"
	page "github.com/streaming-service/streaming-service/web/build"
)

// site is where the chat page is hosted; without it, bucket is nil and the rest
// empty.
type site struct {
	bucket *s3.BucketV2
	origin pulumi.StringOutput // of what the page sends, and its address
	target pulumi.StringOutput // what a domain name of one's own points to
}

// certificateRegion is where CloudFront looks for certificates (CloudFront
// Developer Guide, "Requirements for using SSL/TLS certificates").
const certificateRegion = "us-east-1"

// cachingOptimized is the cache policy Managed-CachingOptimized: what files say
// in Cache-Control holds, but for a second at least, and both compressions are
// kept (CloudFront Developer Guide, "Use managed cache policies").
const cachingOptimized = "658327ea-f89d-4fab-a63d-7e88639e58f6"

// siteOrigin is the id of the bucket among the origins of the distribution.
const siteOrigin = "page"

func (b *build) hasSite() bool { return *b.args.Site.Enabled }

// newSite makes the place of the page. Its security policy names the APIs, so it
// comes after them; its address goes to the functions in variables of the
// stages, which come after it. The files follow when all that they say is known.
func (b *build) newSite() error {
	none := pulumi.String("").ToStringOutput()
	b.site = site{origin: none, target: none}
	if !b.hasSite() {
		return nil
	}
	bucket, err := b.newBucket("site", nil) // what is public needs no key of the customer's
	if err != nil {
		return err
	}
	distribution, err := b.newDistribution(bucket)
	if err != nil {
		return err
	}
	b.site = site{bucket, pulumi.Sprintf("https://%s", distribution.DomainName), none}
	if domain := b.args.Site.Domain; domain != nil {
		b.site.origin, b.site.target = pulumi.Sprintf("https://%s", required(domain)), distribution.DomainName
	}
	return b.newBucketPolicy("site", bucket, readableBy(distribution, bucket))
}

// readableBy lets CloudFront read what is in a bucket for one distribution. It
// may not list it, so what is not there is forbidden rather than not found.
func readableBy(distribution *cloudfront.Distribution, bucket *s3.BucketV2) grant {
	return pulumi.All(distribution.Arn, bucket.Arn).ApplyT(func(v []any) []statement {
		return []statement{{
			Effect: "Allow", Action: []string{"s3:GetObject"}, Resource: []string{v[1].(string) + "/*"},
			Principal: map[string]string{"Service": "cloudfront.amazonaws.com"},
			Condition: map[string]map[string][]string{"StringEquals": {"AWS:SourceArn": {v[0].(string)}}},
		}}
	})
}

func (b *build) newDistribution(bucket *s3.BucketV2) (*cloudfront.Distribution, error) {
	access, err := cloudfront.NewOriginAccessControl(b.ctx, b.child("site-origin-access"), &cloudfront.OriginAccessControlArgs{
		Description:                   pulumi.String("Reads the chat page of " + b.name),
		OriginAccessControlOriginType: pulumi.String("s3"),
		SigningBehavior:               pulumi.String("always"),
		SigningProtocol:               pulumi.String("sigv4"),
	}, b.options()...)
	if err != nil {
		return nil, fmt.Errorf("creating origin access control: %w", err)
	}
	headers, err := b.newSiteHeaders()
	if err != nil {
		return nil, err
	}
	read := pulumi.ToStringArray([]string{"GET", "HEAD"})
	args := &cloudfront.DistributionArgs{
		Comment:           pulumi.String("Chat page of " + b.name),
		Enabled:           pulumi.Bool(true),
		IsIpv6Enabled:     pulumi.Bool(true),
		HttpVersion:       pulumi.String("http2and3"),
		DefaultRootObject: pulumi.String(page.Index),
		Origins: cloudfront.DistributionOriginArray{&cloudfront.DistributionOriginArgs{
			OriginId: pulumi.String(siteOrigin), DomainName: bucket.BucketRegionalDomainName, OriginAccessControlId: access.ID(),
		}},
		DefaultCacheBehavior: &cloudfront.DistributionDefaultCacheBehaviorArgs{
			TargetOriginId:          pulumi.String(siteOrigin),
			ViewerProtocolPolicy:    pulumi.String("redirect-to-https"),
			AllowedMethods:          read,
			CachedMethods:           read,
			CachePolicyId:           pulumi.String(cachingOptimized),
			ResponseHeadersPolicyId: headers.ID(),
			Compress:                pulumi.Bool(true),
		},
		Restrictions: &cloudfront.DistributionRestrictionsArgs{
			GeoRestriction: &cloudfront.DistributionRestrictionsGeoRestrictionArgs{RestrictionType: pulumi.String("none")},
		},
		ViewerCertificate: &cloudfront.DistributionViewerCertificateArgs{CloudfrontDefaultCertificate: pulumi.Bool(true)},
		Tags:              b.args.Tags,
	}
	if domain := b.args.Site.Domain; domain != nil {
		args.Aliases = pulumi.StringArray{required(domain)}
		args.ViewerCertificate = &cloudfront.DistributionViewerCertificateArgs{
			AcmCertificateArn:      b.args.Site.CertificateArn,
			SslSupportMethod:       pulumi.String("sni-only"),
			MinimumProtocolVersion: pulumi.String("TLSv1.2_2021"),
		}
	}
	distribution, err := cloudfront.NewDistribution(b.ctx, b.child("site-distribution"), args, b.options()...)
	if err != nil {
		return nil, fmt.Errorf("creating distribution: %w", err)
	}
	return distribution, nil
}

// stageVariables tell the functions the origin of the page.
func (b *build) stageVariables() pulumi.StringMapInput {
	if !b.hasSite() {
		return nil
	}
	return pulumi.StringMap{environment.SiteOrigin: b.site.origin}
}
