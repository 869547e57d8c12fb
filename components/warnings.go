package components

import (
	"fmt"
	"math"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/streaming-service/streaming-service/internal/environment"
)

// assumedTokensPerSecond is how fast a model is taken to answer: about as fast as
// a small one, and as the figures in docs/benchmarks.md are made with.
const assumedTokensPerSecond = 80

// warn says, as soon as the settings are known, which of them are allowed but do
// less than they promise.
func (b *build) warn() error {
	maxTokens, timeout := b.args.Model.MaxTokens, b.args.Functions.Timeout
	_ = pulumi.All(asOutput(maxTokens), asOutput(timeout)).ApplyT(func(v []any) (bool, error) {
		warning := longAnswerWarning(orDefault(v[0], nil).(int), orDefault(v[1], nil).(int))
		if warning == "" {
			return false, nil
		}
		return true, b.ctx.Log.Warn(warning, &pulumi.LogArgs{Resource: b.svc})
	})
	return nil
}

// longAnswerWarning is about answers that no model finishes in time; "" if the
// time is enough for the longest.
func longAnswerWarning(maxTokens, timeout int) string {
	closing := int(environment.ClosingTime.Seconds())
	seconds := timeout - closing
	if maxTokens <= seconds*assumedTokensPerSecond {
		return ""
	}
	return fmt.Sprintf("model.maxTokens (%d) is more than a model produces within functions.timeout (%d s, of which the last %d s are for ending the request): "+
		"that takes %.0f tokens per second, and %d are assumed. Answers that take longer are cut, with the stop reason deadline, and charged. "+
		"Lower model.maxTokens to %d, raise functions.timeout (at most 900), or ignore this if the model is that fast.",
		maxTokens, timeout, closing, math.Ceil(float64(maxTokens)/float64(seconds)), assumedTokensPerSecond, seconds*assumedTokensPerSecond)
}
