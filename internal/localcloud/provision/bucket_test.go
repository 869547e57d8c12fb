package provision_test

import (
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
	"github.com/streaming-service/streaming-service/internal/localcloud/provision"
)

const (
	tokenBucket = "aws:s3/bucketV2:BucketV2"
	tokenObject = "aws:s3/bucketObjectv2:BucketObjectv2"
)

// TestBucket: a bucket and its companions live and end as declared.
func TestBucket(t *testing.T) {
	t.Parallel()
	services := newServices(t)
	p := provision.New(services)
	name, outputs := create(t, p, tokenBucket, "Svc-uploads", properties(map[string]any{"forceDestroy": true}))
	if !strings.HasPrefix(name, "svc-uploads-") || outputs["arn"].StringValue() != "arn:aws:s3:::"+name {
		t.Fatalf("got %s with %v", name, outputs)
	}
	for token, inputs := range map[string]map[string]any{
		"aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": {
			"blockPublicAcls": true, "blockPublicPolicy": true, "ignorePublicAcls": true, "restrictPublicBuckets": true,
		},
		"aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2": {
			"rules": []any{map[string]any{"applyServerSideEncryptionByDefault": map[string]any{"sseAlgorithm": "AES256"}}},
		},
		"aws:s3/bucketOwnershipControls:BucketOwnershipControls": {"rule": map[string]any{"objectOwnership": "BucketOwnerEnforced"}},
		"aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2": {
			"rules": []any{map[string]any{"id": "day", "status": "Enabled", "filter": map[string]any{"prefix": ""}, "expiration": map[string]any{"days": 1}}},
		},
		"aws:s3/bucketCorsConfigurationV2:BucketCorsConfigurationV2": {
			"corsRules": []any{map[string]any{"allowedOrigins": []any{"*"}, "allowedMethods": []any{"PUT"}}},
		},
	} {
		inputs["bucket"] = name
		id, _ := create(t, p, token, "part", properties(inputs))
		if id != name {
			t.Errorf("%s has id %s", token, id)
		}
		if err := p.Delete(t.Context(), r(token, "part"), id, properties(inputs)); err != nil {
			t.Error(err)
		}
	}
	if err := p.Delete(t.Context(), r(tokenBucket, "Svc-uploads"), name, properties(map[string]any{"bucket": name, "forceDestroy": true})); err != nil || services.Buckets.Exists(name) {
		t.Errorf("after the deletion: %v", err)
	}
}

// TestBucketObject: an object is what the program says it is, from its creation
// to its deletion.
func TestBucketObject(t *testing.T) {
	t.Parallel()
	services := newServices(t)
	p := provision.New(services)
	name, _ := create(t, p, tokenBucket, "site", properties(nil))
	inputs := func(content string) map[string]any {
		return map[string]any{"bucket": name, "key": "index.html", "content": content, "contentType": "text/html", "cacheControl": "no-cache"}
	}
	id, _ := create(t, p, tokenObject, "index", properties(inputs("one")))
	if _, err := p.Update(t.Context(), r(tokenObject, "index"), id, properties(inputs("one")), properties(inputs("two"))); err != nil {
		t.Fatal(err)
	}
	got, ok := services.Buckets.GetObject(name, "index.html")
	if !ok || string(got.Body) != "two" || got.ContentType != "text/html" || got.CacheControl != "no-cache" {
		t.Errorf("got %+v, %t", got, ok)
	}
	if err := p.Delete(t.Context(), r(tokenBucket, "site"), name, properties(map[string]any{"bucket": name})); err == nil || !strings.Contains(err.Error(), "BucketNotEmpty") {
		t.Errorf("a bucket with an object was deleted: %v", err)
	}
	if err := p.Delete(t.Context(), r(tokenObject, "index"), id, properties(inputs("two"))); err != nil {
		t.Fatal(err)
	}
	create(t, p, tokenObject, "icon", properties(map[string]any{"bucket": name, "key": "icon.png", "contentBase64": "iVBO"}))
	if got, _ := services.Buckets.GetObject(name, "icon.png"); string(got.Body) != "\x89PN" {
		t.Errorf("got %q", got.Body)
	}
}

func TestBucketPolicy(t *testing.T) {
	t.Parallel()
	const token = "aws:s3/bucketPolicy:BucketPolicy"
	services := newServices(t)
	p := provision.New(services)
	name, bucket := create(t, p, tokenBucket, "site", properties(nil))
	arn := bucket["arn"].StringValue()
	inputs := properties(map[string]any{
		"bucket": name, "policy": `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"` + arn + `/*"}]}`,
	})
	refused := func() bool {
		return services.IAM.Allowed("operator", awsapi.Permission{Action: "s3:PutObject", Resource: arn + "/a", PolicyOf: arn}) != nil
	}
	id, _ := create(t, p, token, "policy", inputs)
	if !refused() {
		t.Error("nobody is refused")
	}
	if err := p.Delete(t.Context(), r(token, "policy"), id, inputs); err != nil || refused() {
		t.Errorf("refused after the deletion: %v", err)
	}
}

func TestBucketsAreRefused(t *testing.T) {
	t.Parallel()
	p := provision.New(newServices(t))
	for _, test := range []struct {
		token  string
		inputs map[string]any
		want   string
	}{
		{tokenBucket, map[string]any{"acl": "public-read"}, `property "acl" has no counterpart`},
		{"aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock", map[string]any{"bucket": "b", "blockPublicAcls": true}, "not private"},
		{"aws:s3/bucketOwnershipControls:BucketOwnershipControls", map[string]any{"bucket": "b", "rule": map[string]any{"objectOwnership": "ObjectWriter"}}, "BucketOwnerEnforced"},
		{
			"aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2",
			map[string]any{"bucket": "b", "rules": []any{map[string]any{"applyServerSideEncryptionByDefault": map[string]any{"sseAlgorithm": "DES"}}}}, "AES256 or aws:kms",
		},
		{tokenObject, map[string]any{"bucket": "b", "key": "k", "content": "a", "contentBase64": "YQ=="}, "exclude each other"},
		{tokenObject, map[string]any{"bucket": "b"}, "key must be given"},
	} {
		if _, err := p.Check(r(test.token, "x"), []byte("x"), resource.NewPropertyMapFromMap(test.inputs)); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s %v: %v, want %q", test.token, test.inputs, err, test.want)
		}
	}
}
