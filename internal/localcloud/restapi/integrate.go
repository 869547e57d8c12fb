package restapi

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/streaming-service/streaming-service/internal/localcloud/gateway"
)

// integrate invokes the method's function and maps what it returns. A function
// that takes longer than the gateway waits keeps running, as in AWS.
func (s *Service) integrate(q *request) (answer, *failure) {
	event, err := q.event()
	if err != nil || len(event) > gateway.MaxInvocationBytes {
		return answer{}, &failureTooLarge
	}
	if q.route.method.integration.streamed {
		return s.integrateStream(q, event)
	}
	result, functionError, err := s.call(q, event)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return answer{}, &failureTimeout
	case gateway.ErrorCode(err) == "AccessDeniedException":
		return answer{}, &failureConfiguration
	case err != nil:
		return answer{}, &failureInvocation
	case functionError != "" || len(result) > gateway.MaxInvocationBytes:
		return answer{}, &failureBadGateway
	}
	a, err := q.snapshot.mapResponse(q, result)
	if err != nil {
		return answer{}, &failureBadGateway
	}
	return a, nil
}

// call invokes the method's function.
func (s *Service) call(q *request, event []byte) ([]byte, string, error) {
	i := q.route.method.integration
	return s.invoke(q, q.source(), i.functionARN, event, s.timeout(*i))
}

// source is the method that invokes a function, named as an execution ARN ends.
func (q *request) source() string {
	return q.apiID + "/" + q.stage.Name + "/" + q.http.Method + q.route.resourcePath
}

// invoke runs a function for a part of the API, named as an execution ARN ends,
// and waits for at most timeout, whether the client does or not.
func (s *Service) invoke(q *request, source, functionARN string, event []byte, timeout time.Duration) ([]byte, string, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(q.http.Context()), timeout)
	defer cancel()
	return s.deps.Invoker.InvokeAs(ctx, gateway.Principal, gateway.ExecutionARN(source), functionARN, event)
}

func (s *Service) timeout(i integration) time.Duration {
	if i.timeoutMilliseconds == 0 {
		return s.deps.Timeout
	}
	return min(s.deps.Timeout, time.Duration(i.timeoutMilliseconds)*time.Millisecond)
}

// proxyResponse is what a function has to return.
type proxyResponse struct {
	StatusCode        json.RawMessage   `json:"statusCode"`
	Headers           map[string]any    `json:"headers"`
	MultiValueHeaders map[string]values `json:"multiValueHeaders"`
	Body              *string           `json:"body"`
	IsBase64Encoded   bool              `json:"isBase64Encoded"`
}

type values []any

// remapped are headers of a backend that reach the client under another name,
// dropped those that do not reach it (API Gateway important notes).
var (
	remapped = map[string]bool{"Authorization": true, "Connection": true, "Content-Md5": true, "Date": true, "Host": true, "Server": true, "User-Agent": true, "Www-Authenticate": true}
	dropped  = map[string]bool{"Content-Length": true, "Expect": true, "Keep-Alive": true, "Proxy-Authenticate": true, "Te": true, "Trailer": true, "Transfer-Encoding": true, "Upgrade": true}
)

// mapResponse turns a function's result into the answer. Anything but
// {statusCode, headers, multiValueHeaders, body, isBase64Encoded} is an error.
func (s *snapshot) mapResponse(q *request, result []byte) (answer, error) {
	var p proxyResponse
	decoder := json.NewDecoder(bytes.NewReader(result))
	decoder.UseNumber()
	if err := decoder.Decode(&p); err != nil {
		return answer{}, fmt.Errorf("decoding proxy response: %w", err)
	}
	status, err := p.status()
	if err != nil {
		return answer{}, err
	}
	header, err := p.header()
	if err != nil {
		return answer{}, err
	}
	body, err := p.body(s.isBinary(firstAccepted(q)))
	if err != nil {
		return answer{}, err
	}
	return answer{status: status, header: header, body: body}, nil
}

func (p proxyResponse) status() (int, error) {
	status, err := strconv.Atoi(strings.Trim(string(p.StatusCode), `"`))
	if err != nil || status < 200 || status > 599 {
		return 0, fmt.Errorf("reading status code %q of proxy response", p.StatusCode)
	}
	return status, nil
}

func (p proxyResponse) header() (http.Header, error) {
	h := http.Header{}
	for name, value := range p.Headers {
		if err := set(h, name, values{value}); err != nil {
			return nil, err
		}
	}
	for name, vs := range p.MultiValueHeaders { // wins over headers
		if err := set(h, name, vs); err != nil {
			return nil, err
		}
	}
	if h.Get("Content-Type") == "" {
		h.Set("Content-Type", "application/json")
	}
	return h, nil
}

func set(h http.Header, name string, vs values) error {
	name = http.CanonicalHeaderKey(name)
	if dropped[name] {
		return nil
	}
	if remapped[name] {
		name = http.CanonicalHeaderKey("x-amzn-Remapped-" + name)
	}
	h.Del(name)
	for _, v := range vs {
		switch v := v.(type) {
		case string, bool, json.Number:
			h.Add(name, fmt.Sprint(v))
		default:
			return fmt.Errorf("reading header %s of proxy response: %T is not a scalar", name, v)
		}
	}
	return nil
}

// body returns the bytes for the client: base64 is decoded only for a client
// that accepts a binary media type.
func (p proxyResponse) body(binary bool) ([]byte, error) {
	if p.Body == nil {
		return nil, nil
	}
	if !p.IsBase64Encoded || !binary {
		return []byte(*p.Body), nil
	}
	decoded, err := base64.StdEncoding.DecodeString(*p.Body)
	if err != nil {
		return nil, fmt.Errorf("decoding body of proxy response: %w", err)
	}
	return decoded, nil
}

// firstAccepted returns the first media type of the Accept header, the only one
// that the gateway looks at.
func firstAccepted(q *request) string {
	accept, _ := gateway.Value(q.fields, "Accept")
	first, _, _ := strings.Cut(accept, ",")
	return strings.TrimSpace(first)
}
