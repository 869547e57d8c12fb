package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/streaming-service/streaming-service/components"
	"github.com/streaming-service/streaming-service/protocol"
)

// admit lets as many users connect and submit as there shall be streams, each
// through the compiled functions, and takes their messages off the queue.
func (b *bench) admit(ctx context.Context, c *cloud, users int) (events.SQSEvent, error) {
	b.progress("load: admitting %d users", users)
	for _, step := range []struct {
		function string
		event    func(*cloud, string) any
	}{
		{components.FunctionConnection, connectEvent},
		{components.FunctionQuota, submitEvent},
	} {
		p, err := b.start(ctx, step.function, c.environment(step.function))
		if err != nil {
			return events.SQSEvent{}, err
		}
		err = invokeForEach(ctx, p, users, func(user string) any { return step.event(c, user) })
		p.stop()
		if err != nil {
			return events.SQSEvent{}, fmt.Errorf("%s: %w", step.function, err)
		}
	}
	return c.takeMessages(ctx, users)
}

// invokeForEach invokes a function of the APIs once for every user.
func invokeForEach(ctx context.Context, p *process, users int, event func(user string) any) error {
	for i := range users {
		encoded, err := json.Marshal(event(fmt.Sprintf("user-%04d", i)))
		if err != nil {
			return fmt.Errorf("encoding an event: %w", err)
		}
		body, err := p.invoke(ctx, encoded)
		if err != nil {
			return err
		}
		var response events.APIGatewayProxyResponse
		if err := json.Unmarshal(body, &response); err != nil {
			return fmt.Errorf("reading an answer: %w", err)
		}
		if response.StatusCode >= http.StatusBadRequest {
			return fmt.Errorf("status %d: %s", response.StatusCode, response.Body)
		}
	}
	return nil
}

// connectEvent is what API Gateway sends when a user's socket opens.
func connectEvent(_ *cloud, user string) any {
	return events.APIGatewayWebsocketProxyRequest{
		Headers: map[string]string{"Sec-WebSocket-Protocol": protocol.Subprotocol},
		RequestContext: events.APIGatewayWebsocketProxyRequestContext{
			EventType: "CONNECT", RouteKey: "$connect", ConnectionID: user + "=", ConnectedAt: time.Now().UnixMilli(),
			Authorizer: map[string]any{"userId": user, "tokenExp": strconv.FormatInt(time.Now().Add(time.Hour).Unix(), 10)},
		},
	}
}

// submitEvent is what API Gateway sends when a user submits a request.
func submitEvent(c *cloud, user string) any {
	return events.APIGatewayProxyRequest{
		Resource: "/requests", Path: "/requests", HTTPMethod: http.MethodPost, Body: `{"prompt":"Count, please"}`,
		Headers: map[string]string{"Content-Type": "application/json"},
		RequestContext: events.APIGatewayProxyRequestContext{
			Identity: events.APIGatewayRequestIdentity{SourceIP: "127.0.0.1"},
			Authorizer: map[string]any{"claims": map[string]any{
				"sub": user, "aud": c.config.UserPoolClientID, "token_use": "id",
			}},
		},
	}
}

// takeMessages receives messages as an event source mapping does, but into one
// batch.
func (c *cloud) takeMessages(ctx context.Context, n int) (events.SQSEvent, error) {
	queue := sqs.New(sqs.Options{Region: c.config.Region, BaseEndpoint: aws.String(c.URL()), Credentials: operator, HTTPClient: plainBodies{}})
	var batch events.SQSEvent
	for len(batch.Records) < n {
		out, err := queue.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
			QueueUrl: &c.config.QueueURL, MaxNumberOfMessages: batchOnAWS, WaitTimeSeconds: 1,
			MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameAll},
		})
		if err != nil {
			return batch, fmt.Errorf("receiving messages: %w", err)
		}
		if len(out.Messages) == 0 {
			return batch, fmt.Errorf("receiving messages: %d of %d came", len(batch.Records), n)
		}
		for _, m := range out.Messages {
			attributes := map[string]string{}
			maps.Copy(attributes, m.Attributes)
			batch.Records = append(batch.Records, events.SQSMessage{
				MessageId: *m.MessageId, ReceiptHandle: *m.ReceiptHandle, Body: *m.Body, Attributes: attributes, EventSource: "aws:sqs",
			})
		}
	}
	return batch, nil
}
