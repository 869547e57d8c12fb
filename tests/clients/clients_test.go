// Package clients_test has the clients of OpenAI's API that people use run over
// the service on the local cloud, at the versions of package-lock.json and
// requirements.txt: nobody here wrote them.
package clients_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/streaming-service/streaming-service/internal/functionbuild"
	"github.com/streaming-service/streaming-service/internal/localcloud"
	"github.com/streaming-service/streaming-service/internal/localcloud/localcloudtest"
	"github.com/streaming-service/streaming-service/lambdas/operator"
	"github.com/streaming-service/streaming-service/protocol"
	"github.com/streaming-service/streaming-service/tests/packages"
)

const modelID = "global.amazon.nova-2-lite-v1:0"

// client is a program that does all that it is asked, and what is its own.
type client struct {
	name    string
	command func(*testing.T) *exec.Cmd
	errors  map[string]string // its classes, by scenario
	models  bool              // it lists models
	seals   bool              // it gives sealed reasoning back
}

var clients = []client{
	{"openai of PyPI", python("openai_python.py"), openAIErrors, true, true},
	{"openai of npm", node("openai_node.mjs"), openAIErrors, true, true},
	{"litellm", python("litellm_python.py"), map[string]string{
		"quota": "RateLimitError", "throttled": "ServiceUnavailableError", "broken": "MidStreamFallbackError",
		"wrongKey": "AuthenticationError", "refused": "BadRequestError",
	}, false, true}, // it asks for models at the root of the host
	{"AI SDK 6", node("aisdk_node.mjs", "AI=ai6", "COMPATIBLE=openai-compatible2"), aiSDKErrors, false, false},
	{"AI SDK 7", node("aisdk_node.mjs", "AI=ai7", "COMPATIBLE=openai-compatible3"), aiSDKErrors, false, false},
}

var (
	openAIErrors = map[string]string{
		"quota": "RateLimitError", "throttled": "InternalServerError", "broken": "APIError",
		"wrongKey": "AuthenticationError", "refused": "BadRequestError",
	}
	aiSDKErrors = map[string]string{
		"quota": "AI_APICallError", "throttled": "AI_APICallError", "broken": "", // no exception but a part of the stream
		"wrongKey": "AI_APICallError", "refused": "AI_APICallError",
	}
)

func TestClients(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("installs packages from npm and PyPI")
	}
	open, limited := start(t, "throttle.userRateLimit=0"), start(t, "throttle.userRateLimit=0.2", "throttle.userBurstLimit=1")
	for _, c := range clients {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, open, limited)
			w.run(t, c)
			w.check(t, c)
		})
	}
}

func start(t *testing.T, overrides ...string) *localcloudtest.Harness {
	t.Helper()
	return localcloudtest.Start(t, localcloud.Options{
		Builder:   functionbuild.New(functionbuild.ForHost(), functionbuild.WithSource("../..")),
		Overrides: append(overrides, "auth.personalKeys=true"),
	})
}

func python(program string, environment ...string) func(*testing.T) *exec.Cmd {
	return func(t *testing.T) *exec.Cmd {
		t.Helper()
		command := exec.CommandContext(t.Context(), packages.Program(t, "python3"), program)
		command.Env = append(os.Environ(), append(environment,
			"PYTHONPATH="+packages.PyPI(t, "requirements.txt"), "PYTHONDONTWRITEBYTECODE=1",
			"LITELLM_LOCAL_MODEL_COST_MAP=True", // there is no internet
		)...)
		return command
	}
}

func node(program string, environment ...string) func(*testing.T) *exec.Cmd {
	return func(t *testing.T) *exec.Cmd {
		t.Helper()
		binary, dir := packages.Program(t, "node"), t.TempDir()
		if err := os.CopyFS(dir, os.DirFS(".")); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(packages.NPM(t, "."), filepath.Join(dir, "node_modules")); err != nil {
			t.Fatal(err)
		}
		command := exec.CommandContext(t.Context(), binary, program)
		command.Dir, command.Env = dir, append(os.Environ(), environment...)
		return command
	}
}

// world is what a client is given, and what came of it.
type world struct {
	open   *localcloudtest.Harness
	token  string // of the user of the key "all"
	asked  asked
	wire   *wire
	result result
}

// asked is what the programs read.
type asked struct {
	BaseURL    string            `json:"baseUrl"`
	LimitedURL string            `json:"limitedUrl"`
	Model      string            `json:"model"`
	Keys       map[string]string `json:"keys"`
	Tools      json.RawMessage   `json:"tools"`
	Image      string            `json:"image"` // a data: URL
}

// What each client is given to ask with.
const (
	toolsOfAll = `[{"type":"function","function":{"name":"get_weather","description":"The weather of a city, now.","parameters":{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}}}]`
	imageOfAll = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)

// result is what they print.
type result struct {
	Plain, Stream                               answer
	SecondTurn                                  struct{ Text string }
	Models                                      []string
	Rate                                        struct{ Texts []string }
	Quota, Throttled, Broken, WrongKey, Refused failure
	HangUp                                      struct{ RequestID string }
	Tools                                       toolLoop
	NotFetched                                  *failure // nil: the client sends no address
	Parameters                                  []string
}

type answer struct {
	ID, RequestID, Text, Finish string
	Pieces, Tokens, LastChoices int
}

// toolLoop is an answer that uses a tool, and the one that its result got.
type toolLoop struct {
	ID, Reasoning, Text, Finish string
	Calls                       []struct{ ID, Name, Arguments string }
	Answer, AnswerFinish        string
}

type failure struct {
	Class, Code, Param, Message, Text string
	Status                            int
}

// newWorld makes the users of one client: one without limits, one whose quota is
// used up, one of the cloud where calls must be slow, and one with a key that is
// not there any more.
func newWorld(t *testing.T, open, limited *localcloudtest.Harness) *world {
	t.Helper()
	w := &world{open: open, wire: newWire()}
	w.token = open.SignUp(t, newEmail()).IDToken
	spent := newEmail()
	spentToken := open.SignUp(t, spent).IDToken
	w.asked = asked{
		BaseURL: w.wire.before(t, open.Config.OpenAIURL), LimitedURL: w.wire.before(t, limited.Config.OpenAIURL), Model: modelID,
		Tools: json.RawMessage(toolsOfAll), Image: imageOfAll,
		Keys: map[string]string{
			"all": newKey(t, open, w.token), "quota": newKey(t, open, spentToken),
			"rate": newKey(t, limited, limited.SignUp(t, newEmail()).IDToken), "wrong": "ssk_" + string(bytes.Repeat([]byte("A"), 43)),
		},
	}
	tool, err := operator.Connect(t.Context(), operator.Target{
		Function: open.Config.FunctionARNs["quota"], UserPoolID: open.Config.UserPoolID, Endpoint: open.URL, Region: open.Config.Region,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := tool.Set(t.Context(), spent, operator.Override{MonthlyRequests: new(int64(1))}); err != nil {
		t.Fatal(err)
	}
	open.Submit(t, spentToken, localcloudtest.Prompt("the only one", "tokens=1 rate=0"))
	return w
}

func newKey(t *testing.T, h *localcloudtest.Harness, token string) string {
	t.Helper()
	var created protocol.CreateKeyResponse
	h.Rest(t, token, "POST", "/keys", protocol.CreateKeyRequest{Name: t.Name()}).Decode(t, &created)
	return created.Key
}

// run lets the client do everything.
func (w *world) run(t *testing.T, c client) {
	t.Helper()
	input, err := json.Marshal(w.asked)
	if err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	command := c.command(t)
	command.Stdin, command.Stdout, command.Stderr = bytes.NewReader(input), &stdout, &stderr
	if err := command.Run(); err != nil {
		t.Fatalf("%v\n%s\n%s", err, stdout.String(), stderr.String())
	}
	if err := json.Unmarshal(stdout.Bytes(), &w.result); err != nil {
		t.Fatalf("%v in %s\n%s", err, stdout.String(), stderr.String())
	}
}
