package provision

import (
	"context"
	"errors"
	"fmt"

	"github.com/streaming-service/streaming-service/internal/localcloud/iam"
	"github.com/streaming-service/streaming-service/internal/localcloud/s3"
)

// bucketKinds are the buckets, what holds for them and what the program puts
// into them.
func bucketKinds(s *s3.Service, policies *iam.Service) map[string]kind {
	return map[string]kind{
		"aws:s3/bucketV2:BucketV2":                                                                   bucketKind(s),
		"aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock":                                     publicAccessBlockKind(),
		"aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2": encryptionKind(),
		"aws:s3/bucketOwnershipControls:BucketOwnershipControls":                                     ownershipKind(),
		"aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2":                       lifecycleKind(s),
		"aws:s3/bucketCorsConfigurationV2:BucketCorsConfigurationV2":                                 corsKind(s),
		"aws:s3/bucketPolicy:BucketPolicy":                                                           bucketPolicyKind(policies),
		"aws:s3/bucketObjectv2:BucketObjectv2":                                                       objectKind(s),
	}
}

type bucketInputs struct {
	Bucket       string   `json:"bucket" change:"replace"`
	ForceDestroy bool     `json:"forceDestroy"`
	Tags         noEffect `json:"tags"`
}

func bucketKind(s *s3.Service) kind {
	return newKind(realised[bucketInputs]{
		name: autoname{property: "bucket", max: 63, lower: true},
		onCreate: func(_ context.Context, _ Resource, in bucketInputs) (string, Outputs, error) {
			return in.Bucket, Outputs{
				"arn": s3.BucketARN(in.Bucket), "bucketRegionalDomainName": s3.DomainName(in.Bucket), "bucketDomainName": in.Bucket + ".s3.amazonaws.com",
			}, s.CreateBucket(in.Bucket)
		},
		onUpdate: func(context.Context, string, bucketInputs, bucketInputs) (Outputs, error) { return nil, nil },
		onDelete: func(_ context.Context, _ string, in bucketInputs) error {
			return s.DeleteBucket(in.Bucket, in.ForceDestroy)
		},
	})
}

type publicAccessBlockInputs struct {
	Bucket                string `json:"bucket" change:"replace"`
	BlockPublicACLs       bool   `json:"blockPublicAcls"`
	BlockPublicPolicy     bool   `json:"blockPublicPolicy"`
	IgnorePublicACLs      bool   `json:"ignorePublicAcls"`
	RestrictPublicBuckets bool   `json:"restrictPublicBuckets"`
}

// publicAccessBlockKind changes nothing where every bucket is private, so it
// refuses to open one.
func publicAccessBlockKind() kind {
	return newKind(realised[publicAccessBlockInputs]{
		validate: func(in publicAccessBlockInputs) error {
			if !in.BlockPublicACLs || !in.BlockPublicPolicy || !in.IgnorePublicACLs || !in.RestrictPublicBuckets {
				return errors.New("a bucket that is not private has no counterpart in the local cloud")
			}
			return nil
		},
		onCreate: ofBucket(func(in publicAccessBlockInputs) (string, error) { return in.Bucket, nil }),
		onUpdate: func(context.Context, string, publicAccessBlockInputs, publicAccessBlockInputs) (Outputs, error) {
			return nil, nil
		},
	})
}

// ofBucket creates a part of a bucket, whose id is the bucket's name.
func ofBucket[I any](put func(in I) (bucket string, err error)) func(context.Context, Resource, I) (string, Outputs, error) {
	return func(_ context.Context, _ Resource, in I) (string, Outputs, error) {
		bucket, err := put(in)
		return bucket, nil, err
	}
}

type encryptionInputs struct {
	Bucket string `json:"bucket" change:"replace"`
	Rules  []struct {
		Default struct {
			Algorithm string   `json:"sseAlgorithm"`
			Key       noEffect `json:"kmsMasterKeyId"`
		} `json:"applyServerSideEncryptionByDefault"`
		BucketKeyEnabled noEffect `json:"bucketKeyEnabled"`
	} `json:"rules"`
}

func encryptionKind() kind {
	return newKind(realised[encryptionInputs]{
		validate: func(in encryptionInputs) error {
			for _, rule := range in.Rules {
				if algorithm := rule.Default.Algorithm; algorithm != "AES256" && algorithm != "aws:kms" {
					return fmt.Errorf("sseAlgorithm must be AES256 or aws:kms, got %q", algorithm)
				}
			}
			return nil
		},
		onCreate: ofBucket(func(in encryptionInputs) (string, error) { return in.Bucket, nil }),
		onUpdate: func(context.Context, string, encryptionInputs, encryptionInputs) (Outputs, error) { return nil, nil },
	})
}

type ownershipInputs struct {
	Bucket string `json:"bucket" change:"replace"`
	Rule   struct {
		ObjectOwnership string `json:"objectOwnership"`
	} `json:"rule"`
}

// ownershipKind knows buckets without ACLs alone.
func ownershipKind() kind {
	return newKind(realised[ownershipInputs]{
		validate: func(in ownershipInputs) error {
			if in.Rule.ObjectOwnership != "BucketOwnerEnforced" {
				return fmt.Errorf("objectOwnership must be BucketOwnerEnforced in the local cloud, got %q", in.Rule.ObjectOwnership)
			}
			return nil
		},
		onCreate: ofBucket(func(in ownershipInputs) (string, error) { return in.Bucket, nil }),
		onUpdate: func(context.Context, string, ownershipInputs, ownershipInputs) (Outputs, error) { return nil, nil },
	})
}

type lifecycleInputs struct {
	Bucket string `json:"bucket" change:"replace"`
	Rules  []struct {
		ID     string `json:"id"`
		Status string `json:"status"`
		Filter struct {
			Prefix string `json:"prefix"`
		} `json:"filter"`
		Expiration struct {
			Days int `json:"days"`
		} `json:"expiration"`
		// There are no multipart uploads here.
		Abort noEffect `json:"abortIncompleteMultipartUpload"`
	} `json:"rules"`
}

func (in lifecycleInputs) rules() []s3.LifecycleRule {
	rules := make([]s3.LifecycleRule, len(in.Rules))
	for i, r := range in.Rules {
		rules[i] = s3.LifecycleRule{ID: r.ID, Enabled: r.Status == "Enabled", Prefix: r.Filter.Prefix, Days: r.Expiration.Days}
	}
	return rules
}

func lifecycleKind(s *s3.Service) kind {
	put := func(in lifecycleInputs) (string, error) { return in.Bucket, s.PutLifecycle(in.Bucket, in.rules()) }
	return newKind(realised[lifecycleInputs]{
		onCreate: ofBucket(put),
		onUpdate: func(_ context.Context, _ string, _, in lifecycleInputs) (Outputs, error) {
			_, err := put(in)
			return nil, err
		},
		onDelete: func(_ context.Context, _ string, in lifecycleInputs) error { return s.PutLifecycle(in.Bucket, nil) },
	})
}

type corsInputs struct {
	Bucket string `json:"bucket" change:"replace"`
	Rules  []struct {
		AllowedOrigins []string `json:"allowedOrigins"`
		AllowedMethods []string `json:"allowedMethods"`
		AllowedHeaders []string `json:"allowedHeaders"`
		ExposeHeaders  []string `json:"exposeHeaders"`
		MaxAgeSeconds  int      `json:"maxAgeSeconds"`
	} `json:"corsRules"`
}

func (in corsInputs) rules() []s3.CORSRule {
	rules := make([]s3.CORSRule, len(in.Rules))
	for i, r := range in.Rules {
		rules[i] = s3.CORSRule(r)
	}
	return rules
}

func corsKind(s *s3.Service) kind {
	put := func(in corsInputs) (string, error) { return in.Bucket, s.PutCORS(in.Bucket, in.rules()) }
	return newKind(realised[corsInputs]{
		onCreate: ofBucket(put),
		onUpdate: func(_ context.Context, _ string, _, in corsInputs) (Outputs, error) {
			_, err := put(in)
			return nil, err
		},
		onDelete: func(_ context.Context, _ string, in corsInputs) error { return s.PutCORS(in.Bucket, nil) },
	})
}

type bucketPolicyInputs struct {
	Bucket string     `json:"bucket" change:"replace"`
	Policy policyText `json:"policy"`
}

func bucketPolicyKind(policies *iam.Service) kind {
	put := func(in bucketPolicyInputs) (string, error) {
		return in.Bucket, policies.PutResourcePolicy(s3.BucketARN(in.Bucket), string(in.Policy))
	}
	return newKind(realised[bucketPolicyInputs]{
		onCreate: ofBucket(put),
		onUpdate: func(_ context.Context, _ string, _, in bucketPolicyInputs) (Outputs, error) {
			_, err := put(in)
			return nil, err
		},
		onDelete: func(_ context.Context, _ string, in bucketPolicyInputs) error {
			policies.DeleteResourcePolicy(s3.BucketARN(in.Bucket))
			return nil
		},
	})
}
