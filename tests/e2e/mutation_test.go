package e2e_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"github.com/streaming-service/streaming-service/internal/localcloud/localcloudtest"
)

// Each test breaks one declaration of the program and sees the service fail as
// it would on AWS, so that none of them can be forgotten unnoticed.

func TestWithoutAPieceCallsFail(t *testing.T) {
	t.Parallel()
	submit := func(p *person) localcloudtest.Answer {
		return p.call("POST", "/requests", localcloudtest.Prompt("Hi", "tokens=1 rate=0"))
	}
	read := func(p *person) localcloudtest.Answer {
		return p.call("GET", "/requests/"+strings.Repeat("a", 26), nil)
	}
	usage := func(p *person) localcloudtest.Answer { return p.call("GET", "/usage", nil) }
	preflight := func(p *person) localcloudtest.Answer {
		return p.Rest(p.t, "", "OPTIONS", "/requests", nil, "Origin", "https://app.example", "Access-Control-Request-Method", "POST")
	}
	wrongMethod := func(p *person) localcloudtest.Answer { return p.call("DELETE", "/usage", nil) }
	elsewhere := func(p *person) localcloudtest.Answer { return p.Rest(p.t, "", "GET", "/elsewhere", nil) }
	for _, test := range []struct {
		name   string
		broken mutation
		call   func(*person) localcloudtest.Answer
		status int
		code   string
	}{
		{"permission to invoke for POST /requests", drop("submit-permission"), submit, 500, "internal"},
		{"permission to invoke for GET /usage", drop("usage-permission"), usage, 500, "internal"},
		{"permission to invoke for reads", drop("requests-permission"), read, 500, "internal"},
		{"route POST /requests", dropMethod("/requests", "post"), submit, 405, "method_not_allowed"},
		{"route GET /usage", dropMethod("/usage", "get"), usage, 405, "method_not_allowed"},
		{"route OPTIONS /requests", dropMethod("/requests", "options"), preflight, 401, "unauthenticated"},
		{"catch-all of a path", dropMethod("/usage", "x-amazon-apigateway-any-method"), wrongMethod, 404, "not_found"},
		{"catch-all of other paths", dropFrom([]string{"paths"}, "/{proxy+}"), elsewhere, 404, "not_found"},
		{"authorizer of GET /usage", dropFrom([]string{"paths", "/usage", "get"}, "security"), usage, 401, "unauthenticated"},
		{"variable with the quota table", unset("quota", "QUOTA_TABLE"), usage, 502, "internal"},
		{"variable with the queue", unset("quota", "QUEUE_URL"), submit, 502, "internal"},
		{"variable with the requests table", unset("requests", "REQUESTS_TABLE"), read, 502, "internal"},
		{"variable with the client", unset("quota", "USER_POOL_CLIENT_ID"), usage, 502, "internal"},
		{"right to read accounts", forbid("quota-policy", "dynamodb:GetItem", "quota-table"), usage, 500, "internal"},
		{"right to write accounts", forbid("quota-policy", "dynamodb:UpdateItem", "quota-table"), submit, 500, "internal"},
		{"right to write records", forbid("quota-policy", "dynamodb:PutItem", "requests-table"), submit, 500, "internal"},
		{"right to send to the queue", forbid("quota-policy", "sqs:SendMessage", "queue"), submit, 503, "unavailable"},
		{"right to read records", forbid("requests-policy", "dynamodb:GetItem", "requests-table"), read, 500, "internal"},
		{"room under the stage's throttle", change("rest-method-settings", func(in resource.PropertyMap) {
			settings := in["settings"].ObjectValue()
			settings["throttlingRateLimit"], settings["throttlingBurstLimit"] = resource.NewNumberProperty(0), resource.NewNumberProperty(0)
		}), usage, 429, "rate_limited"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p := newPerson(t, brokenCloud(t, test.broken))
			answer := test.call(p)
			wantFailure(t, answer, test.status, test.code)
			if test.status == http.StatusServiceUnavailable {
				p.wantSettled(0, 0) // taken back
			}
		})
	}
}

// wantFailure is wantProblem for answers of the gateway too, whose catch-all
// problems have no status in the body.
func wantFailure(t *testing.T, answer localcloudtest.Answer, status int, code string) {
	t.Helper()
	if answer.Status != status || answer.Code() != code || answer.Header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("got %d %s %s, want a problem %d %s", answer.Status, answer.Header.Get("Content-Type"), answer.Body, status, code)
	}
	if answer.Header.Get("Retry-After") == "" && (status == 429 || status == 503) {
		t.Errorf("%d without Retry-After", status)
	}
}

func TestWithoutAPieceNoSocketOpens(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		broken mutation
		status int
	}{
		{"permission to invoke the authorizer", drop("websocket-authorizer-permission"), 500},
		{"permission to invoke for $connect", drop("connect-route-permission"), 500},
		{"variable with the pool", unset("authorizer", "USER_POOL_ID"), 500},
		{"variable with the connections table", unset("connection", "CONNECTIONS_TABLE"), 502},
		{"right to write connections", forbid("connection-policy", "dynamodb:PutItem", "connections-table"), 500},
		{"authorizer of $connect", change("connect-route", func(in resource.PropertyMap) {
			in["authorizationType"] = resource.NewStringProperty("NONE")
			delete(in, "authorizerId")
		}), 502},
		{"throttle of the stage", change("websocket-stage", func(in resource.PropertyMap) {
			settings := in["defaultRouteSettings"].ObjectValue()
			delete(settings, "throttlingRateLimit")
			delete(settings, "throttlingBurstLimit")
		}), 429},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			h := brokenCloud(t, test.broken)
			if got := handshake(t, h, "streaming.v1, "+h.Demo(t).IDToken); got != test.status {
				t.Errorf("handshake %d, want %d", got, test.status)
			}
		})
	}
}

func TestWithoutAPieceFramesAreRefused(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, message string
		broken        mutation
	}{
		{"route $default", "Forbidden", drop("default-route")},
		{"permission to invoke for $default", "Internal server error", drop("default-route-permission")},
		{"right to post", "Internal server error", forbid("connection-policy", "execute-api:ManageConnections", "POST/@connections")},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p := newPerson(t, brokenCloud(t, test.broken))
			socket := p.dial()
			socket.Send(t, map[string]any{"action": "ping"})
			if frame := socket.Next(t, patience); frame.Type != "" || frame.Message != test.message {
				t.Errorf("a ping gets %s, want the gateway's own %q", frame.Raw, test.message)
			}
		})
	}
}

// Without the model's permission every request fails at once, and is refunded.
func TestWithoutTheRightToAskTheModelRequestsFail(t *testing.T) {
	t.Parallel()
	p := newPerson(t, brokenCloud(t, forbid("processor-policy", "bedrock:InvokeModelWithResponseStream", "bedrock")))
	socket := p.dial()
	id := p.submit("Hi", "tokens=1 rate=0")
	if end := endOf(t, socket, id); end.Type != "error" || end.Code != "model_error" || end.Retryable {
		t.Errorf("end %s, want model_error that no retry helps", end.Raw)
	}
	if s := p.await(id, "failed"); s.Error == nil || s.Error.Code != "model_error" {
		t.Errorf("failed as %+v", s)
	}
	p.wantSettled(0, 0)
	if logs := p.Logs(t, "processor"); !strings.Contains(logs, "AccessDenied") {
		t.Error("the processor does not log why")
	}
}

// What the processor needs for its work keeps requests in the queue when it is
// missing: nothing is lost, and nothing gets to its user.
func TestWithoutAPieceRequestsWait(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		broken mutation
		logs   string
	}{
		{"mapping from the queue", drop("processor-mapping"), ""},
		{"variable with the requests table", unset("processor", "REQUESTS_TABLE"), "REQUESTS_TABLE"},
		{"right to claim", forbid("processor-policy", "dynamodb:UpdateItem", "requests-table"), "AccessDenied"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p := newPerson(t, brokenCloud(t, test.broken))
			id := p.submit("Hi", "tokens=1 rate=0")
			if test.logs != "" {
				localcloudtest.Eventually(t, patience, "the processor's complaint of "+test.logs, func() bool {
					return strings.Contains(p.Logs(t, "processor"), test.logs)
				})
			}
			if s := p.state(id); s.Status != "queued" || s.Attempt != 0 {
				t.Errorf("request %+v, want it queued", s)
			}
			if got := p.messages(p.Config.QueueURL); got != 1 {
				t.Errorf("%d messages in the queue, want 1", got)
			}
		})
	}
}

// messages counts the messages of a queue, hidden ones too.
func (p *person) messages(queueURL string) int {
	p.t.Helper()
	answer := p.aws("AmazonSQS.GetQueueAttributes", map[string]any{"QueueUrl": queueURL, "AttributeNames": []string{"All"}})
	var body struct{ Attributes map[string]string }
	if answer.Status != http.StatusOK {
		p.t.Fatalf("reading queue: %d %s", answer.Status, answer.Body)
	}
	answer.Decode(p.t, &body)
	total := 0
	for _, name := range []string{"ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed"} {
		total += atoi(p.t, body.Attributes[name])
	}
	return total
}

// Without the right to post, answers are made and kept but reach no socket.
func TestWithoutTheRightToPostNothingIsStreamed(t *testing.T) {
	t.Parallel()
	p := newPerson(t, brokenCloud(t, forbid("processor-policy", "execute-api:ManageConnections", "@connections")))
	socket := p.dial()
	id := p.submit("Hi", "tokens=20 rate=0")
	if s := p.await(id, "succeeded"); s.Text == "" {
		t.Error("no text")
	}
	socket.Send(t, map[string]any{"action": "ping"})
	if frame := socket.Next(t, patience); frame.Type != "pong" {
		t.Errorf("the socket got %s, want nothing of the request", frame.Raw)
	}
}

// A function that reports failed messages to a mapping that does not ask for
// reports has them deleted: the attempt that failed is the last.
func TestWithoutReportBatchItemFailuresMessagesAreLost(t *testing.T) {
	t.Parallel()
	const script = "tokens=50 rate=0 error=throttlingException@10 times=1"
	whole := newPerson(t, cloud(t))
	if s := whole.await(whole.submit("Hi", script), "succeeded"); s.Attempt != 2 {
		t.Errorf("with it: %+v, want a second attempt to succeed", s)
	}
	p := newPerson(t, brokenCloud(t, change("processor-mapping", func(in resource.PropertyMap) {
		delete(in, "functionResponseTypes")
	})))
	id := p.submit("Hi", script)
	localcloudtest.Eventually(t, patience, "the end of the first attempt", func() bool {
		s := p.state(id)
		return s.Status == "queued" && s.Attempt == 1
	})
	localcloudtest.Eventually(t, patience, "the loss of the message", func() bool { return p.messages(p.Config.QueueURL) == 0 })
	if s := p.state(id); s.Status != "queued" || s.Attempt != 1 {
		t.Errorf("request %+v, want it left behind", s)
	}
	if got := p.messages(p.Config.DeadLetterQueueURL); got != 0 {
		t.Errorf("%d dead letters: nothing should have reached them", got)
	}
}

// A role without the right to receive is refused when the mapping is made.
func TestWithoutTheRightToReceiveTheProgramFails(t *testing.T) {
	t.Parallel()
	_, err := openBroken(t, forbid("processor-policy", "sqs:ReceiveMessage", "queue"))
	if err == nil || !strings.Contains(err.Error(), "processor-mapping") || !strings.Contains(err.Error(), "ReceiveMessage") {
		t.Errorf("got error %v, want one about the mapping and ReceiveMessage", err)
	}
}

// Without its gateway responses, the API's own refusals are in AWS's shape, which
// is not the contract's.
func TestWithoutGatewayResponsesRefusalsAreOfAnotherShape(t *testing.T) {
	t.Parallel()
	h := brokenCloud(t, dropFrom([]string{"x-amazon-apigateway-gateway-responses"}, "UNAUTHORIZED", "DEFAULT_4XX"))
	if answer := h.Rest(t, "", "GET", "/usage", nil); answer.Status != 401 || string(answer.Body) != `{"message":"Unauthorized"}` {
		t.Errorf("got %d %s, want AWS's own", answer.Status, answer.Body)
	}
}

// Without binary media types API Gateway repairs what is not UTF-8, and the
// function cannot refuse it.
func TestWithoutBinaryBodiesInvalidTextIsAdmitted(t *testing.T) {
	t.Parallel()
	p := newPerson(t, brokenCloud(t, dropFrom(nil, "x-amazon-apigateway-binary-media-types")))
	if answer := p.call("POST", "/requests", []byte("{\"prompt\":\"H\xffi\"}")); answer.Status != http.StatusAccepted {
		t.Errorf("got %d %s, want it admitted", answer.Status, answer.Body)
	}
}

// What API Gateway refuses to import or to deploy fails the program.
func TestWithoutAPieceTheAPIIsNotMade(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		broken mutation
		want   []string
	}{
		{"integration", dropFrom([]string{"paths", "/usage", "get"}, "x-amazon-apigateway-integration"), []string{"rest-deployment", "No integration defined for method GET /usage"}},
		{"authorizer", dropFrom([]string{"components", "securitySchemes"}, "idToken"), []string{"rest-api", "idToken", "/usage"}},
		{"extension of the authorizer", dropFrom([]string{"components", "securitySchemes", "idToken"}, "x-amazon-apigateway-authorizer"), []string{"rest-api", "open to everybody"}},
		{"function of an integration", dropFrom([]string{"paths", "/usage", "get", "x-amazon-apigateway-integration"}, "uri"), []string{"rest-api", "/usage", "invoke ARN"}},
		{"schema of a body", dropFrom([]string{"components", "schemas"}, "SubmitRequest"), []string{"rest-api", "SubmitRequest"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := openBroken(t, test.broken)
			for _, want := range test.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("got error %v, want one about %s", err, want)
				}
			}
		})
	}
}
