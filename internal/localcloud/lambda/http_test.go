package lambda_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
	"github.com/streaming-service/streaming-service/internal/localcloud/lambda"
)

type denyLambda struct{}

func (denyLambda) Admit(_ context.Context, call awsapi.Call) (bool, *awsapi.Error) {
	if call.AccessKeyID == "stranger" {
		return false, awsapi.AccessDenied("stranger", call.Permissions[0].Action, call.Permissions[0].Resource)
	}
	return false, nil
}

func TestHTTPInvoke(t *testing.T) {
	t.Parallel()
	s := newService(t, func(o *lambda.Options) { o.Guard = denyLambda{} })
	newFunction(t, s)
	server := httptest.NewServer(s)
	defer server.Close()
	tests := []struct {
		name, path, body, kind, key string
		status                      int
		want, wantHeader            string // body; "name: value"
	}{
		{"name", "f", `{"do":"echo","text":"x"}`, "", "", 200, `"x"`, "X-Amz-Executed-Version: $LATEST"},
		{"ARN", "arn%3Aaws%3Alambda%3Aus-east-1%3A000000000000%3Afunction%3Af", `{"do":"echo","text":"x"}`, "RequestResponse", "", 200, `"x"`, ""},
		{"failing function", "f", `{"do":"fail","text":"x"}`, "", "", 200, `"errorMessage":"x"`, "X-Amz-Function-Error: Unhandled"},
		{"event", "f", `{}`, "Event", "", 202, "", ""},
		{"dry run", "f", `{}`, "DryRun", "", 204, "", ""},
		{"unknown function", "g", `{}`, "", "", 404, "Function not found", "X-Amzn-Errortype: ResourceNotFoundException"},
		{"unknown version", "f:7", `{}`, "", "", 404, "Function not found", ""},
		{"not JSON", "f", `{`, "", "", 400, "", "X-Amzn-Errortype: InvalidRequestContentException"},
		{"too large", "f", strings.Repeat("1", 6<<20+1), "", "", 413, "", "X-Amzn-Errortype: RequestTooLargeException"},
		{"bad kind", "f", `{}`, "Later", "", 400, "InvocationType", ""},
		{"no permission", "f", `{}`, "", "stranger", 403, "lambda:InvokeFunction", "X-Amzn-Errortype: AccessDeniedException"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			request, err := http.NewRequest(http.MethodPost, server.URL+lambda.InvokePathPrefix+test.path+"/invocations", strings.NewReader(test.body))
			if err != nil {
				t.Fatal(err)
			}
			if test.kind != "" {
				request.Header.Set("X-Amz-Invocation-Type", test.kind)
			}
			request.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+test.key+"/20260101/us-east-1/lambda/aws4_request")
			response, err := http.DefaultClient.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			body, err := io.ReadAll(response.Body)
			if err != nil {
				t.Fatal(err)
			}
			name, value, _ := strings.Cut(test.wantHeader, ": ")
			if response.StatusCode != test.status || !strings.Contains(string(body), test.want) || response.Header.Get(name) != value {
				t.Errorf("%d %v %s, want %d %s %s", response.StatusCode, response.Header, body, test.status, test.wantHeader, test.want)
			}
		})
	}
}
