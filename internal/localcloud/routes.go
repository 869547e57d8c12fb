package localcloud

import (
	"net"
	"net/http"
	"strings"

	"github.com/streaming-service/streaming-service/internal/localcloud/lambda"
	"github.com/streaming-service/streaming-service/internal/localcloud/provision"
	"github.com/streaming-service/streaming-service/internal/localcloud/restapi"
	"github.com/streaming-service/streaming-service/internal/localcloud/websocket"
)

// front puts every service behind the one address.
func (c *Cloud) front(page http.Handler) http.Handler {
	s := c.services
	outputs := get(func(*http.Request) any { return c.outputs() })
	return &front{
		machine: c.machine(),
		page:    c.sites(page),
		local: map[string]http.Handler{
			"/" + configFile:    c.sites(outputs),
			"/_local/outputs":   outputs,
			"/_local/resources": get(func(*http.Request) any { return c.graph.Nodes() }),
			"/_local/logs":      get(func(r *http.Request) any { return c.logs(r.URL.Query().Get("function")) }),
			"/_local/faults":    s.faults,
			"/_local/usage":     s.meter,
			"/_local/outbox":    http.HandlerFunc(s.users.ServeOutbox),
		},
		prefixes: map[string]http.Handler{
			restapi.PathPrefix:          c.sites(nil).asDeployed(s.rest),
			websocket.PathPrefix:        c.sites(nil).asDeployed(s.sockets),
			websocket.ConnectionsPrefix: s.sockets,
			"/model/":                   s.model,
			lambda.InvokePathPrefix:     s.functions,
		},
		targets: map[string]http.Handler{
			"DynamoDB_20120810": s.tables,
			"AmazonSQS":         s.queues,
			targetUserPools:     s.users,
			targetIdentityPools: s.users,
		},
		public: map[string]bool{targetUserPools: true, targetIdentityPools: true},
		jwks:   s.users,
		bucket: bucketOfPages{s.buckets, c.sites(nil).asDeployed(s.buckets)},
	}
}

// bucketOfPages serves S3 to pages of the program's sites as to any other.
type bucketOfPages struct {
	objects
	serve http.Handler
}

// ServeHTTP implements http.Handler.
func (b bucketOfPages) ServeHTTP(w http.ResponseWriter, r *http.Request) { b.serve.ServeHTTP(w, r) }

// machine is the name that the cloud was started with.
func (c *Cloud) machine() machine {
	host, _, _ := net.SplitHostPort(c.options.Addr) // checked by withDefaults
	return machine(host)
}

// Services of Cognito in X-Amz-Target.
const (
	targetUserPools     = "AWSCognitoIdentityProviderService"
	targetIdentityPools = "AWSCognitoIdentityService"
)

// stageURLs are the stages' own URLs by the type of their resource.
func (c *Cloud) stageURLs() map[string]string {
	urls := map[string]string{}
	for _, node := range c.graph.Nodes() {
		if node.Type != provision.RESTStage && node.Type != provision.WebSocketStage {
			continue
		}
		if stage, ok := c.provider.Read(node.URN, node.ID); ok {
			urls[node.Type] = strings.TrimSuffix(stage["invokeUrl"].StringValue(), "/")
		}
	}
	return urls
}

// logs returns the last lines of a function by its declared or physical name,
// or of all functions.
func (c *Cloud) logs(name string) map[string][]string {
	logs := map[string][]string{}
	for _, function := range c.services.functions.Functions() {
		if name == "" || function == name || strings.Contains(function, "-"+name+"-") {
			logs[function] = c.services.functions.Logs(function)
		}
	}
	return logs
}

// get serves a value as JSON.
func get(value func(*http.Request) any) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "method must be GET", http.StatusMethodNotAllowed)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		_, _ = w.Write(encode(value(r))) // the caller is gone; nobody is left to tell
	})
}
