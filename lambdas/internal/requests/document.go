package requests

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/streaming-service/streaming-service/lambdas/internal/httpapi"
	"github.com/streaming-service/streaming-service/protocol"
)

// Document answers GET /openapi.json.
func Document(context.Context, httpapi.Request) (httpapi.Response, error) {
	return httpapi.Response{Status: http.StatusOK, Body: json.RawMessage(protocol.OpenAPI)}, nil
}
