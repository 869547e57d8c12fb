package bedrock_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
	"github.com/streaming-service/streaming-service/internal/localcloud/bedrock"
)

func TestPassthrough(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIDOFTHECALLER")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	t.Setenv("AWS_REGION", "eu-central-1")
	var seen *http.Request
	model := newModel()
	real := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen = r.Clone(context.Background())
		model.ServeHTTP(w, r)
	}))
	defer real.Close()
	guard := &recorder{}
	pass, err := bedrock.NewPassthrough(context.Background(), guard, real.URL)
	if err != nil {
		t.Fatal(err)
	}
	client := serve(t, pass)
	const script = "script: rate=0 tokens=40"
	if a := converse(t, client, input("x", script)); a.text != bedrock.ScriptedText("x", script) || a.usage == nil {
		t.Errorf("answer = %+v", a)
	}
	if authorization := seen.Header.Get("Authorization"); !strings.Contains(authorization, "Credential=AKIDOFTHECALLER/") || !strings.Contains(authorization, "/eu-central-1/bedrock/aws4_request") {
		t.Errorf("Authorization = %s", authorization)
	}
	if seen.URL.EscapedPath() != "/model/us.amazon.nova-lite-v1%3A0/converse-stream" {
		t.Errorf("path = %s", seen.URL.EscapedPath())
	}
	if _, err := client.ConverseStream(context.Background(), input("x", "script: error=throttlingException@0")); codeOf(err) != "ThrottlingException" {
		t.Errorf("err = %v", err)
	}
	guard.refuse = awsapi.AccessDenied("r", "bedrock:InvokeModelWithResponseStream", "x")
	if _, err := client.ConverseStream(context.Background(), input("x", "")); codeOf(err) != "AccessDeniedException" {
		t.Errorf("err = %v", err)
	}
}

func TestPassthroughWithoutCredentials(t *testing.T) {
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_WEB_IDENTITY_TOKEN_FILE"} {
		t.Setenv(name, "")
	}
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	t.Setenv("AWS_CONFIG_FILE", "/nonexistent")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
	if _, err := bedrock.NewPassthrough(context.Background(), awsapi.Open{}, ""); err == nil || !strings.Contains(err.Error(), "finding AWS credentials") {
		t.Errorf("err = %v", err)
	}
}
