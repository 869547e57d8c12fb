// Command connection is the function behind the routes of the WebSocket API.
package main

import (
	"github.com/aws/aws-lambda-go/lambda"

	"github.com/streaming-service/streaming-service/internal/environment"
	"github.com/streaming-service/streaming-service/lambdas/internal/connection"
	"github.com/streaming-service/streaming-service/lambdas/internal/logging"
	"github.com/streaming-service/streaming-service/lambdas/internal/start"
	"github.com/streaming-service/streaming-service/lambdas/internal/start/lifecycle"
)

func main() {
	f := start.Load(environment.FunctionConnection)
	l := lifecycle.New(f)
	handler := &connection.Handler{
		Store:          l.Store,
		Life:           l.Service,
		Sockets:        l.Sockets,
		Log:            f.Log,
		MaxConnections: f.Settings.UserConnections,
	}
	lambda.Start(logging.Edges(f.Log, handler.Handle))
}
