package components

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/s3"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// newBucket creates a private bucket: without ACLs, closed to the public,
// encrypted, and over TLS alone. What is in it goes with it.
func (b *build) newBucket(role string, key pulumi.StringPtrInput) (*s3.BucketV2, error) {
	bucket, err := s3.NewBucketV2(b.ctx, b.child(role), &s3.BucketV2Args{ForceDestroy: pulumi.Bool(true), Tags: b.args.Tags}, b.options()...)
	if err != nil {
		return nil, fmt.Errorf("creating bucket %s: %w", role, err)
	}
	for _, part := range []func() error{
		func() error { return b.closeBucket(role, bucket) },
		func() error { return b.encryptBucket(role, bucket, key) },
		func() error {
			_, err := s3.NewBucketOwnershipControls(b.ctx, b.child(role+"-ownership"), &s3.BucketOwnershipControlsArgs{
				Bucket: bucket.ID(),
				Rule:   &s3.BucketOwnershipControlsRuleArgs{ObjectOwnership: pulumi.String("BucketOwnerEnforced")},
			}, b.options()...)
			return err
		},
	} {
		if err := part(); err != nil {
			return nil, fmt.Errorf("securing bucket %s: %w", role, err)
		}
	}
	return bucket, nil
}

func (b *build) closeBucket(role string, bucket *s3.BucketV2) error {
	_, err := s3.NewBucketPublicAccessBlock(b.ctx, b.child(role+"-access"), &s3.BucketPublicAccessBlockArgs{
		Bucket:                bucket.ID(),
		BlockPublicAcls:       pulumi.Bool(true),
		BlockPublicPolicy:     pulumi.Bool(true),
		IgnorePublicAcls:      pulumi.Bool(true),
		RestrictPublicBuckets: pulumi.Bool(true),
	}, b.options()...)
	return err
}

// encryptBucket encrypts with a customer's key or else with S3's own.
func (b *build) encryptBucket(role string, bucket *s3.BucketV2, key pulumi.StringPtrInput) error {
	rule := &s3.BucketServerSideEncryptionConfigurationV2RuleArgs{
		ApplyServerSideEncryptionByDefault: &s3.BucketServerSideEncryptionConfigurationV2RuleApplyServerSideEncryptionByDefaultArgs{SseAlgorithm: pulumi.String("AES256")},
	}
	if key != nil {
		rule.ApplyServerSideEncryptionByDefault = &s3.BucketServerSideEncryptionConfigurationV2RuleApplyServerSideEncryptionByDefaultArgs{
			SseAlgorithm: pulumi.String("aws:kms"), KmsMasterKeyId: key,
		}
		rule.BucketKeyEnabled = pulumi.Bool(true) // a call of KMS now and then instead of one an object
	}
	_, err := s3.NewBucketServerSideEncryptionConfigurationV2(b.ctx, b.child(role+"-encryption"), &s3.BucketServerSideEncryptionConfigurationV2Args{
		Bucket: bucket.ID(), Rules: s3.BucketServerSideEncryptionConfigurationV2RuleArray{rule},
	}, b.options()...)
	return err
}

// newBucketPolicy refuses plain HTTP, and adds what else is granted.
func (b *build) newBucketPolicy(role string, bucket *s3.BucketV2, grants ...grant) error {
	tls := denyPlainHTTP("s3", bucket.Arn, pulumi.Sprintf("%s/*", bucket.Arn))
	_, err := s3.NewBucketPolicy(b.ctx, b.child(role+"-policy"), &s3.BucketPolicyArgs{
		Bucket: bucket.ID(), Policy: policy(append([]grant{tls}, grants...)...),
	}, b.options()...)
	if err != nil {
		return fmt.Errorf("creating policy of bucket %s: %w", role, err)
	}
	return nil
}
