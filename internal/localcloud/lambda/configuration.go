package lambda

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
)

// configuration is the answer of GetFunctionConfiguration.
type configuration struct {
	FunctionName  string
	FunctionArn   string //nolint:revive // AWS's name
	Role          string
	Runtime       string
	Handler       string
	MemorySize    int
	Timeout       int
	Architectures []string
	Environment   struct{ Variables map[string]string }
	State         string
}

func configurationPath(r *http.Request) (reference string, ok bool) {
	escaped, found := strings.CutPrefix(r.URL.EscapedPath(), InvokePathPrefix)
	escaped, ends := strings.CutSuffix(escaped, "/configuration")
	reference, err := url.PathUnescape(escaped)
	return reference, found && ends && err == nil && r.Method == http.MethodGet
}

func (s *Service) serveConfiguration(w http.ResponseWriter, r *http.Request, reference string) {
	f, err := s.find(reference)
	if err != nil {
		writeError(w, err)
		return
	}
	lost, err := s.admit(r, "GetFunctionConfiguration", awsapi.Permission{Action: "lambda:GetFunctionConfiguration", Resource: f.arn})
	switch {
	case err != nil:
		writeError(w, err)
	case lost:
		awsapi.Drop(w)
	default:
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(f.configuration())
	}
}

func (f *function) configuration() configuration {
	f.mu.Lock()
	defer f.mu.Unlock()
	c := configuration{
		FunctionName: f.name, FunctionArn: f.arn, Role: f.spec.RoleARN, Runtime: f.spec.Runtime, Handler: f.spec.Handler,
		MemorySize: f.spec.MemorySize, Timeout: f.spec.Timeout, Architectures: f.spec.Architectures, State: "Active",
	}
	c.Environment.Variables = f.spec.Environment
	return c
}
