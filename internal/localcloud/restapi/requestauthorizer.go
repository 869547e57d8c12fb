package restapi

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/streaming-service/streaming-service/internal/localcloud/gateway"
)

// authorizerEvent is what a REQUEST authorizer gets: the request without its
// body.
type authorizerEvent struct {
	Type                            string              `json:"type"`
	MethodARN                       string              `json:"methodArn"`
	Resource                        string              `json:"resource"`
	Path                            string              `json:"path"`
	HTTPMethod                      string              `json:"httpMethod"`
	Headers                         map[string]string   `json:"headers"`
	MultiValueHeaders               map[string][]string `json:"multiValueHeaders"`
	QueryStringParameters           map[string]string   `json:"queryStringParameters"`
	MultiValueQueryStringParameters map[string][]string `json:"multiValueQueryStringParameters"`
	PathParameters                  map[string]string   `json:"pathParameters"`
	StageVariables                  map[string]string   `json:"stageVariables"`
	RequestContext                  requestContext      `json:"requestContext"`
}

// askFunction lets a REQUEST authorizer judge, whose answer holds for this call
// alone. Without an identity source that it needs it is not asked.
func (s *Service) askFunction(q *request, z authorizer) *failure {
	for _, source := range z.identitySources {
		if source.value(q) == "" {
			return &failureUnauthorized
		}
	}
	methodARN := gateway.ExecutionARN(q.apiID + "/" + q.stage.Name + "/" + q.http.Method + q.path)
	event, err := json.Marshal(q.authorizerEvent(methodARN))
	if err != nil {
		return &failureAuthorizer
	}
	result, functionError, err := s.invoke(q, q.apiID+"/authorizers/"+z.id, z.functionARN, event, s.deps.Timeout)
	switch {
	case err != nil:
		return &failureNoAuthorizer
	case functionError != "" && errorMessage(result) == "Unauthorized":
		return &failureUnauthorized
	case functionError != "":
		return &failureAuthorizer
	}
	verdict, err := gateway.ParseVerdict(result)
	switch {
	case err != nil:
		return &failureNoAuthorizer
	case verdict.Denies(methodARN):
		return &failureDeniedOutright
	case !verdict.Allows(methodARN):
		return &failureDenied
	}
	q.said = verdict.Context
	return nil
}

func (q *request) authorizerEvent(methodARN string) authorizerEvent {
	single, multi := gateway.Query(q.http)
	return authorizerEvent{
		Type: "REQUEST", MethodARN: methodARN, Resource: q.route.resourcePath, Path: q.path, HTTPMethod: q.http.Method,
		Headers: gateway.Single(q.fields), MultiValueHeaders: gateway.Multi(q.fields),
		QueryStringParameters: single, MultiValueQueryStringParameters: multi, PathParameters: q.route.params,
		StageVariables: q.stage.Variables, RequestContext: q.context(),
	}
}

func errorMessage(payload []byte) string {
	var failed struct {
		ErrorMessage string `json:"errorMessage"`
	}
	if json.Unmarshal(payload, &failed) != nil {
		return ""
	}
	return failed.ErrorMessage
}

// identitySource is a part of a request that must be there.
type identitySource struct{ kind, name string }

// parseIdentitySources reads a list such as
// "method.request.header.A, method.request.querystring.b".
func parseIdentitySources(list string) ([]identitySource, error) {
	var sources []identitySource
	for source := range strings.SplitSeq(list, ",") {
		source = strings.TrimSpace(source)
		if source == "" {
			continue
		}
		parsed, err := parseIdentitySource(source)
		if err != nil {
			return nil, err
		}
		sources = append(sources, parsed)
	}
	return sources, nil
}

func parseIdentitySource(source string) (identitySource, error) {
	for _, kind := range []string{"method.request.header", "method.request.querystring", "stageVariables"} {
		if name, ok := strings.CutPrefix(source, kind+"."); ok && name != "" {
			return identitySource{kind, name}, nil
		}
	}
	return identitySource{}, fmt.Errorf("the local cloud does not know identity source %q", source)
}

// value matches names by case, as API Gateway does (api-gateway-known-issues).
func (i identitySource) value(q *request) string {
	switch i.kind {
	case "method.request.header":
		return gateway.Single(q.fields)[i.name]
	case "method.request.querystring":
		single, _ := gateway.Query(q.http)
		return single[i.name]
	default:
		return q.stage.Variables[i.name]
	}
}
