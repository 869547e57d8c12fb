package lambda

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
)

// runtimeServer serves the Runtime API of all environments on one port. Each
// environment has a path of its own: AWS_LAMBDA_RUNTIME_API=host:port/token.
type runtimeServer struct {
	listener net.Listener
	server   *http.Server

	mu           sync.RWMutex
	environments map[string]*environment
}

func newRuntimeServer() (*runtimeServer, error) {
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listening for the Runtime API: %w", err)
	}
	r := &runtimeServer{listener: listener, environments: map[string]*environment{}}
	r.server = &http.Server{Handler: r.routes(), ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = r.server.Serve(listener) }() // ends with close
	return r, nil
}

func (r *runtimeServer) close() { _ = r.server.Close() }

func (r *runtimeServer) routes() http.Handler {
	mux := http.NewServeMux()
	runtime := "/{token}/2018-06-01/runtime"
	mux.Handle("GET "+runtime+"/invocation/next", r.handler((*environment).serveNext))
	mux.Handle("POST "+runtime+"/invocation/{id}/response", r.handler((*environment).serveResponse))
	mux.Handle("POST "+runtime+"/invocation/{id}/error", r.handler((*environment).serveError))
	mux.Handle("POST "+runtime+"/init/error", r.handler((*environment).serveInitError))
	mux.Handle("POST /{token}/2020-01-01/extension/register", r.handler((*environment).serveRegister))
	mux.Handle("GET /{token}/2020-01-01/extension/event/next", r.handler((*environment).serveExtensionEvent))
	return mux
}

func (r *runtimeServer) handler(serve func(*environment, http.ResponseWriter, *http.Request)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		r.mu.RLock()
		e := r.environments[request.PathValue("token")]
		r.mu.RUnlock()
		if e == nil {
			answer(w, http.StatusForbidden, "UnknownEnvironment", "no such environment")
			return
		}
		serve(e, w, request)
	})
}

// add registers an environment and returns its token.
func (r *runtimeServer) add(e *environment) string {
	token := awsapi.NewRequestID()
	r.mu.Lock()
	r.environments[token] = e
	r.mu.Unlock()
	return token
}

func (r *runtimeServer) remove(token string) {
	r.mu.Lock()
	delete(r.environments, token)
	r.mu.Unlock()
}

// address is the value of AWS_LAMBDA_RUNTIME_API.
func (r *runtimeServer) address(token string) string {
	return r.listener.Addr().String() + "/" + token
}

func (e *environment) serveInitError(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxResponse))
	if err != nil {
		return
	}
	e.mu.Lock()
	e.initError = bytes.Clone(body)
	e.mu.Unlock()
	accepted(w)
}

// serveRegister lets extensions register; aws-lambda-go does for SIGTERM.
func (e *environment) serveRegister(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Lambda-Extension-Identifier", awsapi.NewRequestID())
	w.Header().Set("Content-Type", "application/json")
	_, _ = fmt.Fprintf(w, `{"functionName":%q,"functionVersion":"$LATEST","handler":%q}`, e.spec.Name, e.spec.Handler)
}

// serveExtensionEvent blocks: the only event would be the shutdown, which here
// is a kill.
func (e *environment) serveExtensionEvent(_ http.ResponseWriter, r *http.Request) {
	select {
	case <-e.process.exited:
	case <-r.Context().Done():
	}
}

func accepted(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusAccepted)
	_, _ = io.WriteString(w, `{"status":"OK"}`)
}

func answer(w http.ResponseWriter, status int, kind, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(errorOutcome(kind, message).payload)
}
