package bedrock_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/schemas"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/transport/http/protocol/restjson1"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
	"github.com/streaming-service/streaming-service/internal/localcloud/bedrock"
)

const modelID = "us.amazon.nova-lite-v1:0"

// client is the SDK's, with a protocol of its own for each call: that of a client
// holds one decoder for all of its streams, which race (aws/smithy-go#714).
type client struct{ *bedrockruntime.Client }

func (c client) ConverseStream(ctx context.Context, in *bedrockruntime.ConverseStreamInput, options ...func(*bedrockruntime.Options)) (*bedrockruntime.ConverseStreamOutput, error) {
	return c.Client.ConverseStream(ctx, in, append(options, func(o *bedrockruntime.Options) {
		o.Protocol = restjson1.New(schemas.AmazonBedrockFrontendService)
	})...)
}

func serve(t testing.TB, handler http.Handler) client {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return newClient(server.URL)
}

// plainBodies hides WriteTo of request bodies, see leastLatency in scripted.go.
type plainBodies struct{ http.Client }

func (c *plainBodies) Do(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		r.Body = struct{ io.ReadCloser }{r.Body}
	}
	return c.Client.Do(r)
}

func newClient(url string) client {
	return client{bedrockruntime.New(bedrockruntime.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(url), RetryMaxAttempts: 1, HTTPClient: &plainBodies{},
		Credentials: credentials.NewStaticCredentialsProvider("key", "secret", ""),
	})}
}

// input asks prompt under a script.
func input(prompt, script string) *bedrockruntime.ConverseStreamInput {
	in := &bedrockruntime.ConverseStreamInput{
		ModelId:  aws.String(modelID),
		Messages: []types.Message{said(types.ConversationRoleUser, prompt)},
	}
	if script != "" {
		in.System = []types.SystemContentBlock{
			&types.SystemContentBlockMemberText{Value: "Be kind."},
			&types.SystemContentBlockMemberText{Value: script},
		}
	}
	return in
}

func said(role types.ConversationRole, text string) types.Message {
	return types.Message{Role: role, Content: []types.ContentBlock{&types.ContentBlockMemberText{Value: text}}}
}

// answer is what a client saw of a stream.
type answer struct {
	text                 string
	deltas               int // of text
	reasoning, signature string
	events               string // initials, in order, deltas once
	stop                 types.StopReason
	usage                *types.TokenUsage
	err                  error // of the stream
}

func converse(t testing.TB, client client, in *bedrockruntime.ConverseStreamInput) answer {
	t.Helper()
	out, err := client.ConverseStream(context.Background(), in)
	if err != nil {
		t.Fatal(err)
	}
	return read(out)
}

func read(out *bedrockruntime.ConverseStreamOutput) answer {
	stream := out.GetStream()
	defer stream.Close()
	var a answer
	for event := range stream.Events() {
		kind := "?"
		switch event := event.(type) {
		case *types.ConverseStreamOutputMemberMessageStart:
			kind = "start "
		case *types.ConverseStreamOutputMemberContentBlockDelta:
			kind = "delta "
			a.take(event.Value.Delta)
		case *types.ConverseStreamOutputMemberContentBlockStop:
			kind = "block-end "
		case *types.ConverseStreamOutputMemberMessageStop:
			kind, a.stop = "stop ", event.Value.StopReason
		case *types.ConverseStreamOutputMemberMetadata:
			kind, a.usage = "metadata", event.Value.Usage
		}
		if !strings.HasSuffix(a.events, kind) {
			a.events += kind
		}
	}
	a.err = stream.Err()
	return a
}

func (a *answer) take(delta types.ContentBlockDelta) {
	switch d := delta.(type) {
	case *types.ContentBlockDeltaMemberText:
		a.text += d.Value
		a.deltas++
	case *types.ContentBlockDeltaMemberReasoningContent:
		switch r := d.Value.(type) {
		case *types.ReasoningContentBlockDeltaMemberText:
			a.reasoning += r.Value
		case *types.ReasoningContentBlockDeltaMemberSignature:
			a.signature += r.Value
		}
	}
}

func codeOf(err error) string {
	if e := smithy.APIError(nil); errors.As(err, &e) {
		return e.ErrorCode()
	}
	if err == nil {
		return ""
	}
	return err.Error()
}

func newModel(options ...bedrock.Option) *bedrock.Scripted {
	return bedrock.NewScripted(awsapi.Open{}, options...)
}
