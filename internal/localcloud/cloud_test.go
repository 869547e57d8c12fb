package localcloud_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/streaming-service/streaming-service/internal/localcloud"
	"github.com/streaming-service/streaming-service/internal/localcloud/localcloudtest"
	"github.com/streaming-service/streaming-service/internal/localservice"
)

func TestAPromptIsStreamed(t *testing.T) {
	t.Parallel()
	h := localcloudtest.Start(t, options(t))
	token := h.Demo(t).IDToken
	socket := h.Dial(t, token)

	id := h.Submit(t, token, localcloudtest.Prompt("Tell me a story", "tokens=60 seed=7"))
	stream := socket.Stream(t, id, 20*time.Second)
	if stream.End.Type != "done" || stream.Frames[0].Type != "start" || stream.Text == "" {
		t.Fatalf("got %+v; the processor logged:\n%s", stream, h.Logs(t, "processor"))
	}

	var state struct{ Status, Text string }
	h.Rest(t, token, http.MethodGet, "/requests/"+id, nil).Decode(t, &state)
	if state.Status != "succeeded" || state.Text != stream.Text {
		t.Errorf("read %+v, want the text of the socket %q", state, stream.Text)
	}
	if used := usageOf(t, h, token); used.Requests.Used != 1 || used.InFlight != 0 {
		t.Errorf("usage %+v, want one request used and none in flight", used)
	}
	checkMeter(t, h, id)
}

type usage struct {
	Requests struct{ Used, Limit int }
	InFlight int
}

func usageOf(t *testing.T, h *localcloudtest.Harness, token string) usage {
	t.Helper()
	var used usage
	h.Rest(t, token, http.MethodGet, "/usage", nil).Decode(t, &used)
	return used
}

// checkMeter expects the calls of a request under its id.
func checkMeter(t *testing.T, h *localcloudtest.Harness, id string) {
	t.Helper()
	var report struct {
		Requests map[string]struct {
			Calls    map[string]map[string]float64
			Counters map[string]float64
		}
	}
	h.Get(t, "/_local/usage?requests", &report)
	request := report.Requests[id]
	if got := request.Calls["bedrock-runtime"]["ConverseStream"]; got != 1 {
		t.Errorf("%v model calls are counted for request %s, want 1", got, id)
	}
	for _, counter := range []string{"bedrock.outputTokens", "lambda.gbSeconds", "websocket.framesSent"} {
		if request.Counters[counter] <= 0 {
			t.Errorf("counter %s of request %s is %v; all: %v", counter, id, request.Counters[counter], request.Counters)
		}
	}
}

func TestANewUserHasHisOwnQuota(t *testing.T) {
	t.Parallel()
	h := localcloudtest.Start(t, options(t, "quota.monthlyRequests=1"))
	token := h.SignUp(t, "ada@example.com").IDToken
	h.Submit(t, token, localcloudtest.Prompt("Hello", "tokens=1"))
	refused := h.Rest(t, token, http.MethodPost, "/requests", localcloudtest.Prompt("Again", ""))
	if refused.Status != http.StatusTooManyRequests || refused.Code() != "quota_exceeded" {
		t.Errorf("the second request: %d %s, want 429 quota_exceeded", refused.Status, refused.Body)
	}
	if used := usageOf(t, h, h.Demo(t).IDToken); used.Requests.Used != 0 || used.Requests.Limit != 1 {
		t.Errorf("usage of another user: %+v", used)
	}
}

func TestDataOutlivesARun(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	run := func(t *testing.T, use func(*localcloudtest.Harness)) {
		t.Helper()
		o := options(t)
		o.DataDir = dir
		h := localcloudtest.Start(t, o)
		use(h)
		if err := h.Cloud.Close(); err != nil {
			t.Fatal(err)
		}
	}
	var token, id, text string
	run(t, func(h *localcloudtest.Harness) {
		token = h.SignUp(t, "ada@example.com").IDToken
		socket := h.Dial(t, token)
		id = h.Submit(t, token, localcloudtest.Prompt("Hello", "tokens=20"))
		text = socket.Stream(t, id, 20*time.Second).Text
	})
	run(t, func(h *localcloudtest.Harness) {
		var state struct{ Text string }
		h.Rest(t, token, http.MethodGet, "/requests/"+id, nil).Decode(t, &state)
		if state.Text != text {
			t.Errorf("with the old token the answer is %q, want %q", state.Text, text)
		}
		again := h.SignIn(t, "ada@example.com", localcloudtest.Password).IDToken
		if used := usageOf(t, h, again); used.Requests.Used != 1 {
			t.Errorf("usage %+v, want the request of the run before", used)
		}
	})
}

func TestDamagedDataIsNotOverwritten(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "dev", "tables.json")
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(`{"version":1,"tab`), 0o600); err != nil {
		t.Fatal(err)
	}
	o := options(t)
	o.DataDir = dir
	cloud, err := localcloud.New(localservice.Program(), o)
	if err != nil {
		t.Fatal(err)
	}
	if err := cloud.Start(t.Context()); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("got error %v, want one that names %s", err, path)
	}
	if err := cloud.Close(); err != nil {
		t.Error(err)
	}
	if content, err := os.ReadFile(path); err != nil || string(content) != `{"version":1,"tab` {
		t.Errorf("the file now holds %q, %v", content, err)
	}
}

func TestOneCloudADataDirectory(t *testing.T) {
	t.Parallel()
	o := options(t)
	o.DataDir = t.TempDir()
	localcloudtest.Start(t, o)
	second, err := localcloud.New(localservice.Program(), o)
	if err != nil {
		t.Fatal(err)
	}
	if err := second.Start(t.Context()); err == nil || !strings.Contains(err.Error(), "another local cloud uses it") {
		t.Errorf("got error %v, want one about the other cloud", err)
	}
	if err := second.Close(); err != nil {
		t.Error(err)
	}
}

func TestCustomDomainsHaveLocalURLs(t *testing.T) {
	t.Parallel()
	h := localcloudtest.Start(t, options(t, "domain.rest=api.example.com", "domain.webSocket=ws.example.com",
		"domain.certificateArn=arn:aws:acm:us-east-1:000000000000:certificate/1", "domain.hostedZoneId=Z1"))
	if !strings.HasPrefix(h.Config.RestURL, h.Cloud.URL()) || !strings.HasPrefix(h.Config.WebSocketURL, "ws"+strings.TrimPrefix(h.Cloud.URL(), "http")) {
		t.Fatalf("URLs %s and %s are not those of %s", h.Config.RestURL, h.Config.WebSocketURL, h.Cloud.URL())
	}
	if used := usageOf(t, h, h.Demo(t).IDToken); used.Requests.Limit == 0 {
		t.Errorf("usage %+v", used)
	}
}

func TestAnAdoptedUserPoolIsMade(t *testing.T) {
	t.Parallel()
	o := options(t, "auth.userPoolId=us-east-1_Adopted01", "auth.userPoolClientId=adoptedclient0123456789abc")
	o.Root = t.TempDir() // the stack dev of the project sets what an adopted pool refuses
	for name, content := range map[string]string{"Pulumi.yaml": "name: streaming-service\nruntime: go\n", "Pulumi.dev.yaml": "config: {}\n"} {
		if err := os.WriteFile(filepath.Join(o.Root, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	h := localcloudtest.Start(t, o)
	if h.Config.UserPoolID != "us-east-1_Adopted01" {
		t.Errorf("user pool %s", h.Config.UserPoolID)
	}
	token := h.Demo(t).IDToken
	if used := usageOf(t, h, token); used.Requests.Limit == 0 {
		t.Errorf("usage %+v", used)
	}
	h.Dial(t, token).Close()
}

func TestEverySettingHasACounterpart(t *testing.T) {
	t.Parallel()
	localcloudtest.Start(t, options(t,
		"protection.deletionProtection=true", "protection.pointInTimeRecovery=true", "protection.encryptLogs=true",
		"protection.kmsKeyArn=arn:aws:kms:us-east-1:000000000000:key/1", "protection.webAclArn=arn:aws:wafv2:us-east-1:000000000000:regional/webacl/a/1",
		"observability.alarmTopicArn=arn:aws:sns:us-east-1:000000000000:alarms", "observability.dashboard=true",
		"observability.tracing=true", "observability.accessLogs=true", "observability.apiGatewayLogRole=manage",
		"quota.tiers.pro.monthlyRequests=1000", "auth.mfa=OPTIONAL", "functions.reservedConcurrentExecutions=60",
		"model.guardrailId=gr1", "model.guardrailVersion=1",
		"site.enabled=true", "site.domain=chat.example.com", "site.certificateArn=arn:aws:acm:us-east-1:000000000000:certificate/2",
	))
}

func TestResourcesShowTheGraph(t *testing.T) {
	t.Parallel()
	h := localcloudtest.Start(t, options(t))
	var nodes []struct {
		URN, Type, Name string
		Parent, ID      *string // empty for some, but there for all
	}
	h.Get(t, "/_local/resources", &nodes)
	known, names := map[string]bool{"": true}, map[string]string{}
	for _, node := range nodes {
		if node.Parent == nil || node.ID == nil {
			t.Fatalf("%s lacks its parent or its id", node.Name)
		}
		if !known[*node.Parent] {
			t.Errorf("%s has the unknown parent %s", node.Name, *node.Parent)
		}
		known[node.URN] = true
		names[node.Type] = *node.ID
		if strings.HasPrefix(node.Type, "aws:") && *node.ID == "" {
			t.Errorf("%s has no physical id", node.URN)
		}
	}
	if names["aws:cognito/userPool:UserPool"] != h.Config.UserPoolID {
		t.Errorf("the user pool is %q, want %q", names["aws:cognito/userPool:UserPool"], h.Config.UserPoolID)
	}
}

func TestATakenPort(t *testing.T) {
	t.Parallel()
	var config net.ListenConfig
	listener, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	o := options(t)
	o.Addr = listener.Addr().String()
	cloud, err := localcloud.New(localservice.Program(), o)
	if err != nil {
		t.Fatal(err)
	}
	if err := cloud.Start(t.Context()); err == nil || err.Error() != "listening on "+o.Addr+": another program uses this address; -addr 127.0.0.1:0 picks a free port" {
		t.Errorf("got error %v, want one that names %s and what to do", err, o.Addr)
	}
	if err := cloud.Close(); err != nil {
		t.Error(err)
	}
}

// failing builds nothing.
type failing struct{}

func (failing) Build(context.Context, string, string) (string, error) {
	return "", errors.New("exit status 1: # example.com/x\nlambdas/x/main.go:3:1: undefined: y\nlambdas/x/main.go:4:1: undefined: z")
}

func TestAFailingBuild(t *testing.T) {
	t.Parallel()
	o := options(t)
	o.Builder = failing{}
	cloud, err := localcloud.New(localservice.Program(), o)
	if err != nil {
		t.Fatal(err)
	}
	err = cloud.Start(t.Context())
	want := ": lambdas/x/main.go:3:1: undefined: y; lambdas/x/main.go:4:1: undefined: z"
	if err == nil || !strings.HasPrefix(err.Error(), "building function ") || !strings.HasSuffix(err.Error(), want) {
		t.Errorf("got error %v, want the function and %q", err, want)
	}
	if err := cloud.Close(); err != nil {
		t.Error(err)
	}
}

func TestWelcome(t *testing.T) {
	t.Parallel()
	h := localcloudtest.Start(t, options(t))
	for _, want := range []string{"AWS_ENDPOINT_URL=" + h.Cloud.URL() + " ", h.Config.DemoUser, h.Config.DemoPassword} {
		if !strings.Contains(h.Cloud.Welcome(), want) {
			t.Errorf("the welcome lacks %q:\n%s", want, h.Cloud.Welcome())
		}
	}
}
