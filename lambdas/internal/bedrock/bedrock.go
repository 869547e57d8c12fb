// Package bedrock asks the models of Amazon Bedrock, by ConverseStream.
package bedrock

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/schemas"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/aws/smithy-go/transport/http/protocol/restjson1"

	"github.com/streaming-service/streaming-service/lambdas/internal/awsconfig"
	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/lambdas/internal/model"
	"github.com/streaming-service/streaming-service/protocol"
)

// DefaultIdleTimeout is how long a model may say nothing before it is given up.
const DefaultIdleTimeout = time.Minute

// maxIdleConns keeps connections for as many streams as one process may run.
const maxIdleConns = 256

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
		b.HTTPClient = awsconfig.Sized(b.HTTPClient, maxIdleConns)
	})
	return &Models{client: client, options: o}
}

// Stream asks the record's model and calls onDelta with every piece of what it
// produces. Unless ctx is over, an error is a *model.Failure.
func (m *Models) Stream(ctx context.Context, record life.Record, in life.Input, onDelta func(model.Delta)) (model.Answer, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	idle := time.AfterFunc(m.options.IdleTimeout, func() { cancel(errIdle) })
	defer idle.Stop()

	request, err := m.request(record, in)
	if err != nil {
		return model.Answer{}, &model.Failure{Code: protocol.CodeInternal, Final: true, Err: err}
	}
	out, err := m.client.ConverseStream(ctx, request, ownDecoder)
	request.Messages = nil // the SDK keeps the request in the context of the answer
	if err != nil {
		return model.Answer{}, failure(ctx, err)
	}
	stream := out.GetStream()
	defer func() { _ = stream.Close() }()
	return m.read(ctx, stream, idle, onDelta)
}

// ownDecoder gives a stream a protocol of its own: that of the client holds one
// decoder for all of its streams, which race (aws/smithy-go issue 714).
func ownDecoder(o *bedrockruntime.Options) {
	o.Protocol = &wholeCharacters{Protocol: restjson1.New(schemas.AmazonBedrockFrontendService)}
}

// read follows the events of a stream to its end.
func (m *Models) read(ctx context.Context, stream *bedrockruntime.ConverseStreamEventStream, idle *time.Timer, onDelta func(model.Delta)) (model.Answer, error) {
	heard := transcript{onDelta: onDelta}
	for event := range stream.Events() {
		idle.Reset(m.options.IdleTimeout)
		heard.hear(event)
	}
	err := stream.Err()
	switch {
	case ctx.Err() != nil && !heard.stopped:
		return heard.answer, failure(ctx, ctx.Err())
	case err != nil && !heard.stopped:
		return heard.answer, failure(ctx, err)
	case !heard.stopped:
		// The SDK reports no error for a stream that breaks off.
		return heard.answer, &model.Failure{Code: protocol.CodeModelError, Retryable: true, Err: errors.New("the stream broke off")}
	}
	return heard.answer, judge(heard)
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
