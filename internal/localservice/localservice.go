// Package localservice is the stack program of this project as the local cloud
// runs it. It is all that the local cloud knows of the service.
package localservice

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/streaming-service/streaming-service/components"
	"github.com/streaming-service/streaming-service/internal/localcloud"
	"github.com/streaming-service/streaming-service/internal/localcloud/provision"
	"github.com/streaming-service/streaming-service/internal/stack"
	"github.com/streaming-service/streaming-service/web/build"
)

// Program is the stack program, with the chat page.
func Program() localcloud.Program {
	return localcloud.Program{
		Declare: func(ctx *pulumi.Context, with localcloud.Setup) error {
			return stack.Run(ctx, stack.WithFunctionBuilder(with.Builder), stack.WithConfig(with.Config))
		},
		Functions:      len(components.Functions()),
		AdoptedPool:    adoptedPool,
		UserPoolOutput: "userPoolId",
		Localize:       localize,
		Page:           page,
	}
}

// adoptedPool is the pool that auth.userPoolId names. The program itself tells
// what is wrong with its settings.
func adoptedPool(with localcloud.Setup) (poolID, clientID string) {
	var auth struct{ UserPoolID, UserPoolClientID string }
	if err := json.Unmarshal([]byte(with.Config[with.Project+":auth"]), &auth); err != nil {
		return "", ""
	}
	return auth.UserPoolID, auth.UserPoolClientID
}

// localize undoes what custom domains change: here a stage has its own URL.
// What a stage has of its own is http or ws here, and stays.
func localize(outputs map[string]any, urls map[string]string) {
	for stage, output := range map[string]string{provision.RESTStage: "restUrl", provision.WebSocketStage: "webSocketUrl"} {
		if url, ok := urls[stage]; ok && onAWS(outputs[output]) {
			outputs[output] = url
		}
	}
	if _, ok := outputs["openAiUrl"]; ok {
		outputs["openAiUrl"] = fmt.Sprint(outputs["restUrl"], "/openai/v1")
	}
}

// onAWS tells whether an output is the URL of a custom domain.
func onAWS(output any) bool {
	url, _ := output.(string)
	return strings.HasPrefix(url, "https://") || strings.HasPrefix(url, "wss://")
}

// page serves the chat page. Its policy allows no script but its own.
func page() (http.Handler, error) {
	files, err := build.Page()
	if err != nil {
		return nil, err
	}
	server := build.Handler(files)
	policy, headers := build.Policy("'self'", "http:", "https:", "ws:", "wss:"), build.Headers()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "method must be GET", http.StatusMethodNotAllowed)
			return
		}
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		for name, value := range headers {
			h.Set(name, value)
		}
		server.ServeHTTP(w, r)
	}), nil
}
