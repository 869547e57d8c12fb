package lambda

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
)

// InvokePathPrefix is where ServeHTTP expects Lambda's Invoke,
// POST /2015-03-31/functions/{name}/invocations, and GetFunctionConfiguration,
// GET /2015-03-31/functions/{name}/configuration.
const InvokePathPrefix = "/2015-03-31/functions/"

// ServeHTTP answers GetFunctionConfiguration and Invoke of any AWS SDK, the
// latter synchronous (RequestResponse), as an event, and as a dry run.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if reference, ok := configurationPath(r); ok {
		s.serveConfiguration(w, r, reference)
		return
	}
	reference, refused := invokePath(r)
	if refused != nil {
		writeError(w, refused)
		return
	}
	payload, tooLarge := awsapi.ReadBody(r, maxPayload+1)
	if tooLarge != nil {
		payload = make([]byte, maxPayload+1) // refused below, in Lambda's words
	}
	lost, err := s.serveInvoke(w, r, reference, payload)
	switch {
	case err != nil:
		writeError(w, err)
	case lost:
		awsapi.Drop(w)
	}
}

func invokePath(r *http.Request) (reference string, err error) {
	escaped, found := strings.CutPrefix(r.URL.EscapedPath(), InvokePathPrefix)
	escaped, ends := strings.CutSuffix(strings.TrimSuffix(escaped, "/"), "/invocations")
	reference, unescape := url.PathUnescape(escaped)
	switch {
	case !found || !ends || unescape != nil || strings.Contains(reference, "/"):
		return "", &awsapi.Error{Status: http.StatusNotFound, Code: "UnknownOperationException", Message: "the local Lambda answers Invoke and GetFunctionConfiguration only"}
	case r.Method != http.MethodPost:
		return "", &awsapi.Error{Status: http.StatusMethodNotAllowed, Code: "UnknownOperationException", Message: "Invoke is a POST"}
	}
	return reference, nil
}

// serveInvoke writes the answer unless it returns an error or lost.
func (s *Service) serveInvoke(w http.ResponseWriter, r *http.Request, reference string, payload []byte) (lost bool, err error) {
	if qualifier := r.URL.Query().Get("Qualifier"); qualifier != "" {
		reference += ":" + qualifier
	}
	f, err := s.find(reference)
	if err != nil {
		return false, err
	}
	lost, err = s.admitInvoke(r, f)
	if err != nil {
		return false, err
	}
	switch kind := r.Header.Get("X-Amz-Invocation-Type"); kind {
	case "", "RequestResponse":
		result, err := f.invoke(r.Context(), payload)
		if err != nil || lost {
			return lost, err
		}
		writeInvocation(w, result)
	case "Event":
		if err := s.invokeAsync(f, payload); err != nil || lost {
			return lost, err
		}
		w.WriteHeader(http.StatusAccepted)
	case "DryRun":
		w.WriteHeader(http.StatusNoContent)
	default:
		return false, invalidParameter("InvocationType must be RequestResponse, Event or DryRun, got %q", kind)
	}
	return false, nil
}

func (s *Service) admitInvoke(r *http.Request, f *function) (lost bool, err error) {
	return s.admit(r, "Invoke", awsapi.Permission{Action: "lambda:InvokeFunction", Resource: f.arn})
}

func (s *Service) admit(r *http.Request, operation string, needed awsapi.Permission) (lost bool, err error) {
	if s.options.Guard == nil {
		return false, nil
	}
	lost, refused := s.options.Guard.Admit(r.Context(), awsapi.Call{
		Service: "lambda", Operation: operation, AccessKeyID: awsapi.AccessKeyID(r),
		Permissions: []awsapi.Permission{needed},
	})
	if refused == nil {
		return lost, nil
	}
	if refused.Code == "AccessDeniedException" {
		denied := *refused
		denied.Status = http.StatusForbidden
		return false, &denied
	}
	return false, refused
}

func writeInvocation(w http.ResponseWriter, result Result) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("x-amzn-RequestId", result.RequestID)
	h.Set("X-Amz-Executed-Version", "$LATEST")
	if result.FunctionError != "" {
		h.Set("X-Amz-Function-Error", result.FunctionError)
	}
	_, _ = w.Write(result.Payload)
}

func writeError(w http.ResponseWriter, err error) {
	refused := (*awsapi.Error)(nil)
	if !errors.As(err, &refused) {
		refused = &awsapi.Error{Status: http.StatusInternalServerError, Code: "ServiceException", Message: err.Error()}
	}
	awsapi.RestJSON.WriteError(w, refused)
}
