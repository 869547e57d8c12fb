package restapi

import (
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
	"github.com/streaming-service/streaming-service/internal/localcloud/gateway"
)

const headerParameter = "gatewayresponse.header."

// answer shapes a failure by the gateway response declared for it.
func (s *snapshot) answer(q *request, f failure) answer {
	g := s.response(f)
	status := f.status
	if code, err := strconv.Atoi(g.statusCode); err == nil {
		status = code
	}
	contentType, template := g.template(q)
	vars := variables{q: q, failure: f, status: status}
	header := http.Header{}
	header.Set("Content-Type", contentType)
	header.Set("x-amzn-ErrorType", f.errorType)
	for name, value := range g.parameters {
		if field, expression, err := g.parameter(name, value); err == nil {
			header.Set(field, vars.evaluate(expression))
		}
	}
	return answer{status: status, header: header, body: []byte(vars.substitute(template))}
}

// check is what API Gateway refuses.
func (g gatewayResponse) check() error {
	if _, ok := responseTypes[g.responseType]; !ok {
		return badRequest("Unsupported gateway response type %q", g.responseType)
	}
	if g.statusCode != "" {
		if code, err := strconv.Atoi(g.statusCode); err != nil || code < 400 || code > 599 {
			return badRequest("Invalid status code %q of gateway response %s", g.statusCode, g.responseType)
		}
	}
	for name, value := range g.parameters {
		if _, _, err := g.parameter(name, value); err != nil {
			return err
		}
	}
	return nil
}

// template chooses by the Accept header, else application/json.
func (g gatewayResponse) template(q *request) (contentType, template string) {
	if len(g.templates) == 0 {
		g.templates = defaultResponse.templates
	}
	accept, _ := gateway.Value(q.fields, "Accept")
	for wanted := range strings.SplitSeq(accept, ",") {
		wanted, _, _ = strings.Cut(wanted, ";")
		if template, ok := g.templates[strings.TrimSpace(wanted)]; ok {
			return strings.TrimSpace(wanted), template
		}
	}
	contentType = "application/json"
	if _, ok := g.templates[contentType]; !ok {
		contentType = slices.Min(slices.Collect(maps.Keys(g.templates)))
	}
	return contentType, g.templates[contentType]
}

// parameter reads a response parameter: the header it sets and the expression
// of its value, a 'literal' or a reference.
func (g gatewayResponse) parameter(name, value string) (header, expression string, err error) {
	header, ok := strings.CutPrefix(name, headerParameter)
	if !ok || header == "" {
		return "", "", badRequest("Invalid response parameter %q of gateway response %s: expected %sNAME", name, g.responseType, headerParameter)
	}
	literal := len(value) >= 2 && strings.HasPrefix(value, "'") && strings.HasSuffix(value, "'")
	if !literal && !reference.MatchString("$"+value) {
		return "", "", badRequest("Invalid mapping expression specified: Validation Result: warnings : [], errors : [Invalid mapping expression specified: %s]", value)
	}
	return header, value, nil
}

// reference finds what templates and parameters may refer to.
var reference = regexp.MustCompile(`\$(?:context(?:\.[A-Za-z0-9_:\-]+)+|stageVariables\.[A-Za-z0-9_]+|method\.request\.(?:header|querystring|path)\.[A-Za-z0-9_.\-]*[A-Za-z0-9_\-])`)

// variables are what a gateway response can insert.
type variables struct {
	q       *request
	failure failure
	status  int
}

// substitute replaces the references in a template. It is substitution only:
// API Gateway does not run VTL here.
func (v variables) substitute(template string) string {
	return reference.ReplaceAllStringFunc(template, func(ref string) string { return v.lookup(ref[1:]) })
}

func (v variables) evaluate(expression string) string {
	if literal, ok := strings.CutPrefix(expression, "'"); ok {
		return strings.TrimSuffix(literal, "'")
	}
	return v.lookup(expression)
}

// lookup returns the value of a reference, "" for what this request lacks.
func (v variables) lookup(ref string) string {
	for prefix, find := range map[string]func(string) string{
		"context.":                    v.context,
		"stageVariables.":             func(name string) string { return v.q.stage.Variables[name] },
		"method.request.header.":      v.header,
		"method.request.querystring.": func(name string) string { return v.q.http.URL.Query().Get(name) },
		"method.request.path.":        func(name string) string { return v.q.route.params[name] },
	} {
		if name, ok := strings.CutPrefix(ref, prefix); ok {
			return find(name)
		}
	}
	return ""
}

func (v variables) header(name string) string {
	value, _ := gateway.Value(v.q.fields, name)
	return value
}

func (v variables) context(name string) string {
	c := v.q.context()
	if claim, ok := strings.CutPrefix(name, "authorizer.claims."); ok {
		return v.q.claims[claim]
	}
	switch name {
	case "error.message":
		return v.failure.message
	case "error.messageString":
		return v.failure.messageString()
	case "error.responseType":
		return v.failure.responseType
	case "status":
		return strconv.Itoa(v.status)
	case "identity.sourceIp":
		return c.Identity.SourceIP
	case "identity.userAgent":
		return v.header("User-Agent")
	}
	return map[string]string{
		"accountId": awsapi.AccountID, "apiId": c.APIID, "domainName": c.DomainName, "domainPrefix": c.DomainPrefix,
		"extendedRequestId": c.ExtendedRequestID, "httpMethod": c.HTTPMethod, "path": c.Path, "protocol": c.Protocol,
		"requestId": c.RequestID, "requestTime": c.RequestTime, "requestTimeEpoch": strconv.FormatInt(c.RequestTimeEpoch, 10),
		"resourceId": c.ResourceID, "resourcePath": c.ResourcePath, "stage": c.Stage,
	}[name]
}
