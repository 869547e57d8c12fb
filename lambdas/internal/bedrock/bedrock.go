// Package bedrock asks the models of Amazon Bedrock, by ConverseStream.
package bedrock

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/lambdas/internal/model"
	"github.com/streaming-service/streaming-service/protocol"
)

// DefaultIdleTimeout is how long a model may say nothing before it is given up.
const DefaultIdleTimeout = time.Minute

// errIdle is the cause of a stream that was cut because nothing came.
var errIdle = errors.New("the model said nothing for too long")

// Options are what every call has in common.
type Options struct {
	GuardrailID      string // empty: no guardrail
	GuardrailVersion string
	IdleTimeout      time.Duration // default: DefaultIdleTimeout
}

// Models are the models of one Region.
type Models struct {
	client  *bedrockruntime.Client
	options Options
}

// New returns the models that cfg reaches. A call is made once: whether another
// is worth it is for the attempt to decide, which knows what the user has seen.
func New(cfg aws.Config, o Options) *Models {
	if o.IdleTimeout <= 0 {
		o.IdleTimeout = DefaultIdleTimeout
	}
	client := bedrockruntime.NewFromConfig(cfg, func(b *bedrockruntime.Options) {
		b.Retryer = aws.NopRetryer{}
	})
	return &Models{client: client, options: o}
}

// Stream asks the record's model and has listener take every piece of what it
// produces. Unless ctx is over, an error is a *model.Failure.
func (m *Models) Stream(ctx context.Context, record life.Record, in life.Input, listener model.Listener) (model.Answer, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	idle := time.AfterFunc(m.options.IdleTimeout, func() { cancel(errIdle) })
	defer idle.Stop()

	request, err := m.request(record, in)
	if err != nil {
		return model.Answer{}, &model.Failure{Code: protocol.CodeInternal, Final: true, Err: err}
	}
	stream, err := m.converse(ctx, request, listener)
	request.Messages = nil // the SDK keeps the request in the context of the answer
	if err != nil {
		return model.Answer{}, failure(ctx, err)
	}
	defer stream.close()
	return m.read(ctx, stream, idle, listener)
}

// read follows the events of a stream to its end.
func (m *Models) read(ctx context.Context, stream *eventStream, idle *time.Timer, listener model.Listener) (model.Answer, error) {
	heard := transcript{onDelta: listener.Take}
	var err error
	for err == nil {
		err = stream.next(&heard)
		idle.Reset(m.options.IdleTimeout)
	}
	switch {
	case heard.stopped:
		return heard.answer, judge(heard)
	case ctx.Err() != nil:
		return heard.answer, failure(ctx, ctx.Err())
	case !errors.Is(err, io.EOF):
		return heard.answer, failure(ctx, err)
	}
	return heard.answer, &model.Failure{Code: protocol.CodeModelError, Retryable: true, Err: errors.New("the stream broke off")}
}

// judge returns the failure that a stop reason stands for, if it does.
func judge(heard transcript) error {
	switch reason := types.StopReason(heard.answer.StopReason); {
	case reason == types.StopReasonContentFiltered:
		return &model.Failure{Code: protocol.CodeContentFiltered}
	case reason == types.StopReasonMalformedModelOutput, reason == types.StopReasonMalformedToolUse:
		return &model.Failure{Code: protocol.CodeModelError, Err: fmt.Errorf("the model stopped for %s", reason)}
	case reason == types.StopReasonToolUse && heard.malformed:
		return &model.Failure{Code: protocol.CodeModelError, Err: errors.New("the model uses a tool with an input that is no JSON object")}
	}
	return nil
}
