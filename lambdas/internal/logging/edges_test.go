package logging_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"github.com/streaming-service/streaming-service/lambdas/internal/logging"
)

const secret = "s3cr3t"

// edges returns the lines that a call leaves at a level.
func edges[In, Out any](t *testing.T, level slog.Level, event In, answer Out, failure error) []map[string]any {
	t.Helper()
	var out bytes.Buffer
	handle := logging.Edges(logging.New(&out, level), func(context.Context, In) (Out, error) { return answer, failure })
	got, err := handle(t.Context(), event)
	if !reflect.DeepEqual(got, answer) || !errors.Is(err, failure) {
		t.Errorf("the function answered %v, %v", got, err)
	}
	if strings.Contains(out.String(), secret) {
		t.Errorf("content was logged: %s", out.String())
	}
	var lines []map[string]any
	for line := range strings.Lines(out.String()) {
		var entry map[string]any
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, entry)
	}
	return lines
}

func expect(t *testing.T, lines []map[string]any, event, answer map[string]any) {
	t.Helper()
	if len(lines) != 2 {
		t.Fatalf("lines are %v", lines)
	}
	for i, want := range []map[string]any{event, answer} {
		for name, v := range want {
			if lines[i][name] != v {
				t.Errorf("%s is %v, want %v in %v", name, lines[i][name], v, lines[i])
			}
		}
	}
}

// TestDebugShowsTheEdges: a function at debug says what it was called with and
// what it answered, and never any content.
func TestDebugShowsTheEdges(t *testing.T) {
	t.Parallel()
	headers := map[string]string{"Authorization": secret}
	expect(t, edges(t, slog.LevelDebug,
		events.APIGatewayProxyRequest{HTTPMethod: "POST", Resource: "/requests", Path: "/" + secret, Headers: headers, Body: secret},
		events.APIGatewayProxyResponse{StatusCode: 202, Body: secret}, nil),
		map[string]any{"level": "DEBUG", "message": "event", "method": "POST", "resource": "/requests", "bytes": 6.0},
		map[string]any{"level": "DEBUG", "message": "answer", "status": 202.0, "bytes": 6.0, "failed": false})
	expect(t, edges(t, slog.LevelDebug,
		events.APIGatewayWebsocketProxyRequest{Headers: headers, Body: secret, RequestContext: events.APIGatewayWebsocketProxyRequestContext{RouteKey: "$default", ConnectionID: "c="}},
		events.APIGatewayProxyResponse{StatusCode: 200, Body: secret}, nil),
		map[string]any{"route": "$default", "connection": "c=", "bytes": 6.0}, map[string]any{"status": 200.0})
	expect(t, edges(t, slog.LevelDebug,
		events.APIGatewayCustomAuthorizerRequestTypeRequest{Headers: headers, MethodArn: "arn:$connect"},
		events.APIGatewayCustomAuthorizerResponse{PrincipalID: secret, PolicyDocument: events.APIGatewayCustomAuthorizerPolicy{Statement: []events.IAMPolicyStatement{{Effect: "Deny"}}}}, nil),
		map[string]any{"method": "arn:$connect"}, map[string]any{"effect": "Deny"})
	expect(t, edges(t, slog.LevelDebug,
		events.SQSEvent{Records: []events.SQSMessage{{Body: secret}, {Body: secret}}},
		events.SQSEventResponse{BatchItemFailures: []events.SQSBatchItemFailure{{ItemIdentifier: "m"}}}, nil),
		map[string]any{"messages": 2.0}, map[string]any{"handedBack": 1.0})
	expect(t, edges(t, slog.LevelDebug, json.RawMessage(secret), any(nil), errors.New(secret)),
		map[string]any{"bytes": 6.0}, map[string]any{"failed": true})
}

func TestOnlyDebugShowsTheEdges(t *testing.T) {
	t.Parallel()
	if lines := edges(t, slog.LevelInfo, events.SQSEvent{}, events.SQSEventResponse{}, nil); lines != nil {
		t.Errorf("lines are %v", lines)
	}
}
