package logging

import (
	"context"
	"encoding/json"
	"log/slog"
	"time"

	"github.com/aws/aws-lambda-go/events"
)

// Edges logs, at debug, what a function is called with and what it answers, as
// far as neither is anybody's content: which route, how many messages, which
// status, how long it took.
func Edges[In, Out any](log *slog.Logger, handle func(context.Context, In) (Out, error)) func(context.Context, In) (Out, error) {
	if !log.Enabled(context.Background(), slog.LevelDebug) {
		return handle
	}
	return func(ctx context.Context, event In) (Out, error) {
		began := time.Now()
		log.LogAttrs(ctx, slog.LevelDebug, "event", ofEvent(event)...)
		answer, err := handle(ctx, event)
		log.LogAttrs(ctx, slog.LevelDebug, "answer", append(ofAnswer(answer), slog.Bool("failed", err != nil), slog.Duration("took", time.Since(began)))...)
		return answer, err
	}
}

func ofEvent(event any) []slog.Attr {
	switch e := event.(type) {
	case events.APIGatewayProxyRequest:
		return []slog.Attr{slog.String("method", e.HTTPMethod), slog.String("resource", e.Resource), slog.Int("bytes", len(e.Body))}
	case events.APIGatewayWebsocketProxyRequest:
		return []slog.Attr{slog.String("route", e.RequestContext.RouteKey), slog.String("connection", e.RequestContext.ConnectionID), slog.Int("bytes", len(e.Body))}
	case events.APIGatewayCustomAuthorizerRequestTypeRequest:
		return []slog.Attr{slog.String("method", e.MethodArn)}
	case events.SQSEvent:
		return []slog.Attr{slog.Int("messages", len(e.Records))}
	case json.RawMessage:
		return []slog.Attr{slog.Int("bytes", len(e))}
	default:
		return nil
	}
}

func ofAnswer(answer any) []slog.Attr {
	switch a := answer.(type) {
	case events.APIGatewayProxyResponse:
		return []slog.Attr{slog.Int("status", a.StatusCode), slog.Int("bytes", len(a.Body))}
	case *events.APIGatewayProxyStreamingResponse: // begun, and read after this
		if a != nil {
			return []slog.Attr{slog.Int("status", a.StatusCode)}
		}
	case events.APIGatewayCustomAuthorizerResponse:
		if statements := a.PolicyDocument.Statement; len(statements) > 0 {
			return []slog.Attr{slog.String("effect", statements[0].Effect)}
		}
	case events.SQSEventResponse:
		return []slog.Attr{slog.Int("handedBack", len(a.BatchItemFailures))}
	}
	return nil
}
