package components

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/s3"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// uploads are where the images and documents of users lie. Without them all is
// empty.
type uploads struct {
	bucket    *s3.BucketV2
	name, arn pulumi.StringOutput
	url       pulumi.StringInput
}

// uploadDays is after how many days an upload is deleted, at the midnight UTC
// that follows. The functions refuse it as soon as it is a day old.
const uploadDays = 1

func (b *build) newUploads() error {
	none := pulumi.String("").ToStringOutput()
	b.uploads = uploads{nil, none, none, pulumi.String("")}
	if !b.hasUploads() {
		return nil
	}
	bucket, err := b.newBucket("uploads", b.args.Protection.KmsKeyArn)
	if err != nil {
		return err
	}
	b.uploads = uploads{bucket, bucket.ID().ToStringOutput(), bucket.Arn, pulumi.Sprintf("https://%s", bucket.BucketRegionalDomainName)}
	for _, part := range []func() error{
		func() error { return b.newBucketPolicy("uploads", bucket) },
		func() error { return b.expireUploads(bucket) },
	} {
		if err := part(); err != nil {
			return err
		}
	}
	return nil
}

func (b *build) expireUploads(bucket *s3.BucketV2) error {
	_, err := s3.NewBucketLifecycleConfigurationV2(b.ctx, b.child("uploads-lifecycle"), &s3.BucketLifecycleConfigurationV2Args{
		Bucket: bucket.ID(),
		Rules: s3.BucketLifecycleConfigurationV2RuleArray{&s3.BucketLifecycleConfigurationV2RuleArgs{
			Id:         pulumi.String("expire"),
			Status:     pulumi.String("Enabled"),
			Filter:     &s3.BucketLifecycleConfigurationV2RuleFilterArgs{Prefix: pulumi.String("")},
			Expiration: &s3.BucketLifecycleConfigurationV2RuleExpirationArgs{Days: pulumi.Int(uploadDays)},
			AbortIncompleteMultipartUpload: &s3.BucketLifecycleConfigurationV2RuleAbortIncompleteMultipartUploadArgs{
				DaysAfterInitiation: pulumi.Int(uploadDays),
			},
		}},
	}, b.options()...)
	if err != nil {
		return fmt.Errorf("creating lifecycle of uploads: %w", err)
	}
	return nil
}

// openUploads lets the pages that may call the APIs put uploads, by the URLs
// that they are given. It comes after the site, which is one of them.
func (b *build) openUploads() error {
	if !b.hasUploads() {
		return nil
	}
	_, err := s3.NewBucketCorsConfigurationV2(b.ctx, b.child("uploads-cors"), &s3.BucketCorsConfigurationV2Args{
		Bucket: b.uploads.bucket.ID(),
		CorsRules: s3.BucketCorsConfigurationV2CorsRuleArray{&s3.BucketCorsConfigurationV2CorsRuleArgs{
			AllowedOrigins: b.bucketOrigins(),
			AllowedMethods: pulumi.ToStringArray([]string{"PUT"}),
			AllowedHeaders: pulumi.ToStringArray([]string{"content-type"}),
			MaxAgeSeconds:  pulumi.Int(7200),
		}},
	}, b.options()...)
	if err != nil {
		return fmt.Errorf("creating CORS of uploads: %w", err)
	}
	return nil
}
