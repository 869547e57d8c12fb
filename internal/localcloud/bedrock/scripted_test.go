package bedrock_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
	"github.com/streaming-service/streaming-service/internal/localcloud/bedrock"
)

func TestStreamIsTheScriptedText(t *testing.T) {
	t.Parallel()
	client := serve(t, newModel())
	const script = "script: rate=0 tokens=300 seed=7"
	a := converse(t, client, input("Why is the sky blue?", script))
	if want := bedrock.ScriptedText("Why is the sky blue?", script); a.text != want || a.deltas != 300 {
		t.Errorf("%d deltas, text %q, want %q", a.deltas, a.text, want)
	}
	if a.events != "start delta block-end stop metadata" || a.stop != types.StopReasonEndTurn || a.err != nil {
		t.Errorf("events %q, stop %q, err %v", a.events, a.stop, a.err)
	}
	if in, out := *a.usage.InputTokens, *a.usage.OutputTokens; in < 5 || out != 300 || *a.usage.TotalTokens != in+out {
		t.Errorf("usage = %d in, %d out, %d in all", in, out, *a.usage.TotalTokens)
	}
}

func TestWithoutAScript(t *testing.T) {
	t.Parallel()
	client := serve(t, newModel(bedrock.WithScript("script: rate=0")))
	a := converse(t, client, input("Hello", ""))
	if a.text != bedrock.ScriptedText("Hello", "") || a.deltas < 120 || a.deltas > 250 {
		t.Errorf("%d deltas: %q", a.deltas, a.text)
	}
}

func TestRate(t *testing.T) {
	t.Parallel()
	client := serve(t, newModel())
	begun := time.Now()
	converse(t, client, input("x", "script: rate=50 tokens=26 delay=100"))
	if took := time.Since(begun); took < 600*time.Millisecond || took > 3*time.Second {
		t.Errorf("26 tokens at 50 a second after 100 ms took %v, want 600 ms", took)
	}
}

func TestEnds(t *testing.T) {
	t.Parallel()
	client := serve(t, newModel())
	const script = "script: rate=0 tokens=50"
	whole := bedrock.ScriptedText("x", script)
	word := strings.Fields(whole)[8]
	tests := []struct {
		name   string
		script string
		change func(*types.InferenceConfiguration)
		want   string
		stop   types.StopReason
		tokens int32 // -1: any
	}{
		{"maxTokens", script, func(c *types.InferenceConfiguration) { c.MaxTokens = aws.Int32(10) }, "", types.StopReasonMaxTokens, 10},
		{"maxTokens as long as the text", script, func(c *types.InferenceConfiguration) { c.MaxTokens = aws.Int32(50) }, whole, types.StopReasonEndTurn, 50},
		{"stop sequence", script, func(c *types.InferenceConfiguration) { c.StopSequences = []string{"\x00", word} }, whole[:strings.Index(whole, word)], types.StopReasonStopSequence, -1},
		{"guardrail", script + " stop=guardrail_intervened", nil, whole, types.StopReasonGuardrailIntervened, 50},
		{"content filter", script + " stop=content_filtered", nil, whole, types.StopReasonContentFiltered, 50},
		{"nothing", "script: tokens=0", nil, "", types.StopReasonEndTurn, 0},
		{"text", "script: rate=0 text=naïve & <b>", nil, "naïve & <b>", types.StopReasonEndTurn, 3},
		{"quoted text", `script: rate=0 text="a\nb 🙂" input=77`, nil, "a\nb 🙂", types.StopReasonEndTurn, 3},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			in := input("x", test.script)
			if test.change != nil {
				in.InferenceConfig = &types.InferenceConfiguration{}
				test.change(in.InferenceConfig)
			}
			a := converse(t, client, in)
			if test.want != "" && a.text != test.want || !strings.HasPrefix(whole+test.want, a.text) && test.want == "" || a.stop != test.stop {
				t.Fatalf("text %q, stop %q, err %v; want %q, %q", a.text, a.stop, a.err, test.want, test.stop)
			}
			if test.tokens >= 0 && *a.usage.OutputTokens != test.tokens {
				t.Errorf("%d output tokens, want %d", *a.usage.OutputTokens, test.tokens)
			}
			if strings.Contains(test.script, "input=77") && *a.usage.InputTokens != 77 {
				t.Errorf("%d input tokens, want 77", *a.usage.InputTokens)
			}
		})
	}
}

func TestErrorsBeforeTheStream(t *testing.T) {
	t.Parallel()
	client := serve(t, newModel())
	for name, want := range map[string]string{
		"throttlingException@0":         "ThrottlingException",
		"ThrottlingException":           "ThrottlingException",
		"throttling@0":                  "ThrottlingException",
		"serviceUnavailableException@0": "ServiceUnavailableException",
		"modelTimeoutException@0":       "ModelTimeoutException",
		"modelErrorException@0":         "ModelErrorException",
		"modelNotReadyException@0":      "ModelNotReadyException",
		"internalServerException@0":     "InternalServerException",
		"accessDeniedException@0":       "AccessDeniedException",
		"validationException@0":         "ValidationException",
		"resourceNotFoundException@0":   "ResourceNotFoundException",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := client.ConverseStream(context.Background(), input("x", "script: error="+name))
			if codeOf(err) != want {
				t.Errorf("err = %v, want %s", err, want)
			}
		})
	}
}

func TestErrorsInTheStream(t *testing.T) {
	t.Parallel()
	client := serve(t, newModel())
	tests := []struct {
		strike string
		want   string // code or text of the stream's error
		deltas int
	}{
		{"error=throttlingException@5", "ThrottlingException", 5},
		{"error=serviceUnavailableException@5", "ServiceUnavailableException", 5},
		{"error=internalServerException@5", "InternalServerException", 5},
		{"error=modelStreamErrorException@5", "ModelStreamErrorException", 5},
		{"error=modelStreamErrorException@0", "ModelStreamErrorException", 0},
		{"error=validationException@5", "ValidationException", 5},
		{"error=modelTimeoutException@5", "modelTimeoutException", 5},
		{"error=throttlingException@20", "ThrottlingException", 20},
		{"badcrc@5", "checksum", 5},
		{"truncate@5", "", 5},
		{"truncate@0", "", 0},
		{"drop@5", "", 5},
	}
	for _, test := range tests {
		t.Run(test.strike, func(t *testing.T) {
			t.Parallel()
			a := converse(t, client, input("x", "script: rate=0 tokens=20 "+test.strike))
			if got := codeOf(a.err); got != test.want && (test.want != "checksum" || !strings.Contains(got, "checksum")) {
				t.Errorf("err = %v, want %s", a.err, test.want)
			}
			if a.deltas != test.deltas || a.stop != "" || a.usage != nil {
				t.Errorf("%d deltas, stop %q, usage %v; want %d and no end", a.deltas, a.stop, a.usage, test.deltas)
			}
		})
	}
}

func TestHangStallsUntilTheClientLeaves(t *testing.T) {
	t.Parallel()
	used := make(chan bedrock.Usage, 1)
	client := serve(t, newModel(bedrock.WithMeter(func(u bedrock.Usage) { used <- u })))
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	out, err := client.ConverseStream(ctx, input("x", "script: rate=0 tokens=20 hang@5"))
	if err != nil {
		t.Fatal(err)
	}
	if a := read(out); a.deltas != 5 || a.stop != "" {
		t.Errorf("answer = %+v", a)
	}
	select {
	case u := <-used:
		if u.OutputTokens != 5 || u.Model != modelID {
			t.Errorf("usage = %+v", u)
		}
	case <-time.After(5 * time.Second):
		t.Error("the stream goes on without its client")
	}
}

func TestTimesCountsAttemptsOfARequest(t *testing.T) {
	t.Parallel()
	client := serve(t, newModel())
	attempt := func(id string) string {
		in := input("x", "script: rate=0 error=throttlingException@0 times=2")
		if id != "" {
			in.RequestMetadata = map[string]string{"requestId": id}
		}
		out, err := client.ConverseStream(context.Background(), in)
		if err == nil {
			_ = out.GetStream().Close()
		}
		return codeOf(err)
	}
	for _, id := range []string{"one", "two", ""} {
		for i, want := range []string{"ThrottlingException", "ThrottlingException", "", ""} {
			if got := attempt(id); got != want {
				t.Errorf("request %q, attempt %d: %q, want %q", id, i+1, got, want)
			}
		}
	}
}

func TestSDKRetriesReachTheAnswer(t *testing.T) {
	t.Parallel()
	client := serve(t, newModel())
	out, err := client.ConverseStream(context.Background(), input("x", "script: rate=0 tokens=9 error=throttlingException@0 times=1"),
		func(o *bedrockruntime.Options) { o.RetryMaxAttempts = 3 })
	if err != nil {
		t.Fatal(err)
	}
	if a := read(out); a.deltas != 9 {
		t.Errorf("%d deltas", a.deltas)
	}
}

func TestInjectedFaults(t *testing.T) {
	t.Parallel()
	tests := []struct {
		fault bedrock.Fault
		want  string
	}{
		{bedrock.Fault{Error: "throttlingException", AfterTokens: 3}, "ThrottlingException"},
		{bedrock.Fault{Truncate: true, AfterTokens: 3}, ""},
	}
	for _, test := range tests {
		client := serve(t, newModel(bedrock.WithFaults(func() bedrock.Fault { return test.fault })))
		if a := converse(t, client, input("x", "script: rate=0")); a.deltas != 3 || codeOf(a.err) != test.want || a.stop != "" {
			t.Errorf("%+v: %d deltas, err %v, stop %q", test.fault, a.deltas, a.err, a.stop)
		}
	}
}

// recorder is a guard that notes calls and may refuse or lose them.
type recorder struct {
	refuse *awsapi.Error
	lose   bool

	mu    sync.Mutex
	calls []awsapi.Call
}

func (r *recorder) Admit(_ context.Context, call awsapi.Call) (bool, *awsapi.Error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls = append(r.calls, call)
	return r.lose, r.refuse
}

func TestGuard(t *testing.T) {
	t.Parallel()
	guard := &recorder{refuse: awsapi.AccessDenied("r", "bedrock:InvokeModelWithResponseStream", "x")}
	client := serve(t, bedrock.NewScripted(guard))
	in := input("x", "")
	in.GuardrailConfig = &types.GuardrailStreamConfiguration{GuardrailIdentifier: aws.String("g1"), GuardrailVersion: aws.String("1")}
	if _, err := client.ConverseStream(context.Background(), in); codeOf(err) != "AccessDeniedException" {
		t.Errorf("err = %v", err)
	}
	call := guard.calls[0]
	if call.Service != "bedrock-runtime" || call.Operation != "ConverseStream" || call.AccessKeyID != "key" || !strings.Contains(string(call.Body), `"messages"`) {
		t.Errorf("call = %+v", call)
	}
	if last := call.Permissions[len(call.Permissions)-1]; last.Action != "bedrock:ApplyGuardrail" || last.Resource != "arn:aws:bedrock:us-east-1:000000000000:guardrail/g1" {
		t.Errorf("last permission = %+v", last)
	}
	lost := &recorder{lose: true}
	if _, err := serve(t, bedrock.NewScripted(lost)).ConverseStream(context.Background(), input("x", "")); err == nil || codeOf(err) == "" {
		t.Errorf("lost response: %v", err)
	}
}
