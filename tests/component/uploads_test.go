package component_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/streaming-service/streaming-service/components"
)

// TestUploads: without the setting there is no bucket, nobody may use one, and
// the API has no path for it.
func TestUploads(t *testing.T) {
	t.Parallel()
	with, without := declare(t, nil), declare(t, &args{Uploads: new(false)})
	for name := range without.resources {
		if strings.Contains(name, "upload") {
			t.Errorf("%s was declared", name)
		}
	}
	if _, ok := without.find(t, "quota").property("environment", "variables").(map[string]any)["UPLOADS_URL"]; ok {
		t.Error("the quota function has a bucket")
	}
	if strings.Contains(policies(t, without), "s3:") {
		t.Error("somebody may use a bucket")
	}
	if restDocument(t, without).at("paths", "/uploads") != nil || restDocument(t, with).at("paths", "/uploads") == nil {
		t.Error("the API has the path without the bucket, or the bucket without the path")
	}
	if got := with.find(t, "quota").property("environment", "variables", "UPLOADS_URL"); got != "https://svc-uploads-bucket.s3.eu-west-1.amazonaws.com" {
		t.Errorf("the quota function has %v", got)
	}
}

// TestUploadsFromPages: a page may put uploads if it may call the APIs.
func TestUploadsFromPages(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		auth *components.AuthSettings
		want []any
	}{
		{nil, []any{"*"}},
		{&components.AuthSettings{AllowedOrigins: pulumi.ToStringArray([]string{"https://A.example.com:443"})}, []any{"https://a.example.com"}},
		{&components.AuthSettings{AllowedOrigins: pulumi.ToStringArray([]string{"https://a.example.com"}).ToStringArrayOutput()}, []any{"https://a.example.com"}},
	} {
		rules, _ := declare(t, &args{Auth: test.auth}).find(t, "uploads-cors").Inputs["corsRules"].([]any)
		if got := rules[0].(map[string]any)["allowedOrigins"]; len(rules) != 1 || !reflect.DeepEqual(got, test.want) {
			t.Errorf("%+v: got %v, want %v", test.auth, got, test.want)
		}
	}
}

// TestUploadsAreEncrypted: with S3's own key or the customer's.
func TestUploadsAreEncrypted(t *testing.T) {
	t.Parallel()
	for key, want := range map[string]map[string]any{
		"":     {"sseAlgorithm": "AES256"},
		keyARN: {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": keyARN},
	} {
		given := &components.ProtectionSettings{}
		if key != "" {
			given.KmsKeyArn = pulumi.String(key)
		}
		rules, _ := declare(t, &args{Protection: given}).find(t, "uploads-encryption").Inputs["rules"].([]any)
		if got := rules[0].(map[string]any)["applyServerSideEncryptionByDefault"]; !reflect.DeepEqual(got, want) {
			t.Errorf("with key %q: %v, want %v", key, got, want)
		}
	}
}
