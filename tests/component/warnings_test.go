package component_test

import (
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/streaming-service/streaming-service/components"
)

// warnings notes what a program warns of.
type warnings struct {
	pulumi.Log
	mu   sync.Mutex
	said []string
	of   []pulumi.Resource
}

func (w *warnings) Warn(message string, about *pulumi.LogArgs) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.said, w.of = append(w.said, message), append(w.of, about.Resource)
	return nil
}

// What a model cannot produce in the time of the function is warned of, as soon
// as both numbers are known.
func TestLongAnswersAreWarnedOf(t *testing.T) {
	t.Parallel()
	later := func(n int) pulumi.IntPtrInput {
		return pulumi.Int(n).ToIntOutput().ApplyT(func(n int) *int { return &n }).(pulumi.IntPtrOutput)
	}
	longest := pulumi.Int(128_000)
	for name, test := range map[string]struct {
		maxTokens, timeout pulumi.IntPtrInput
		want               []string // parts of the warning; none: no warning
	}{
		"defaults":              {nil, nil, nil},
		"as much as there is":   {pulumi.Int(23_600), nil, nil},
		"a token more":          {pulumi.Int(23_601), nil, []string{"(23601)", "(300 s", "takes 81 tokens per second", "80 are assumed", "to 23600"}},
		"longest in least":      {longest, pulumi.Int(30), []string{"(128000)", "(30 s, of which the last 5 s", "takes 5120 tokens per second", "to 2000"}},
		"longest in most":       {longest, pulumi.Int(900), []string{"(128000)", "(900 s", "takes 144 tokens per second", "to 71600"}},
		"known later":           {later(128_000), later(30), []string{"(128000)", "(30 s", "takes 5120 tokens per second"}},
		"known later, and fine": {later(1000), later(30), nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := &warnings{}
			var made *components.StreamingService
			_, err := run(func(ctx *pulumi.Context) (err error) {
				ctx.Log = w
				made, err = components.NewStreamingService(ctx, service, withFake(&args{
					Model: &components.ModelSettings{MaxTokens: test.maxTokens}, Functions: &components.FunctionsSettings{Timeout: test.timeout},
				}))
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			if len(w.said) != min(1, len(test.want)) {
				t.Fatalf("warned %q", w.said)
			}
			for _, part := range test.want {
				if !strings.Contains(w.said[0], part) {
					t.Errorf("warned %q, want %q in it", w.said[0], part)
				}
			}
			if slices.ContainsFunc(w.of, func(r pulumi.Resource) bool { return r != made }) {
				t.Errorf("warned about %v", w.of)
			}
		})
	}
}
