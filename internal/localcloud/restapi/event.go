package restapi

import (
	"encoding/base64"
	"encoding/json"
	"mime"
	"strings"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
	"github.com/streaming-service/streaming-service/internal/localcloud/gateway"
)

// proxyEvent is the Lambda proxy event, format 1.0.
type proxyEvent struct {
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
	Body                            *string             `json:"body"`
	IsBase64Encoded                 bool                `json:"isBase64Encoded"`
}

type requestContext struct {
	ResourceID        string   `json:"resourceId"`
	ResourcePath      string   `json:"resourcePath"`
	HTTPMethod        string   `json:"httpMethod"`
	ExtendedRequestID string   `json:"extendedRequestId"`
	RequestTime       string   `json:"requestTime"`
	Path              string   `json:"path"`
	AccountID         string   `json:"accountId"`
	Protocol          string   `json:"protocol"`
	Stage             string   `json:"stage"`
	DomainPrefix      string   `json:"domainPrefix"`
	RequestTimeEpoch  int64    `json:"requestTimeEpoch"`
	RequestID         string   `json:"requestId"`
	Identity          identity `json:"identity"`
	DomainName        string   `json:"domainName"`
	APIID             string   `json:"apiId"`
	Authorizer        any      `json:"authorizer,omitempty"` // claims, or what a function said
}

// identity has null for what only IAM, API keys and certificates fill.
type identity struct {
	CognitoIdentityPoolID         *string `json:"cognitoIdentityPoolId"`
	AccountID                     *string `json:"accountId"`
	CognitoIdentityID             *string `json:"cognitoIdentityId"`
	Caller                        *string `json:"caller"`
	SourceIP                      string  `json:"sourceIp"`
	PrincipalOrgID                *string `json:"principalOrgId"`
	AccessKey                     *string `json:"accessKey"`
	CognitoAuthenticationType     *string `json:"cognitoAuthenticationType"`
	CognitoAuthenticationProvider *string `json:"cognitoAuthenticationProvider"`
	UserARN                       *string `json:"userArn"`
	UserAgent                     *string `json:"userAgent"`
	User                          *string `json:"user"`
}

// event returns the proxy event for the request as JSON.
func (q *request) event() ([]byte, error) {
	single, multi := gateway.Query(q.http)
	e := proxyEvent{
		Resource: q.route.resourcePath, Path: q.path, HTTPMethod: q.http.Method,
		Headers: gateway.Single(q.fields), MultiValueHeaders: gateway.Multi(q.fields),
		QueryStringParameters: single, MultiValueQueryStringParameters: multi,
		StageVariables: q.stage.Variables, RequestContext: q.context(),
	}
	if len(q.route.params) > 0 {
		e.PathParameters = q.route.params
	}
	if len(q.body) > 0 {
		text := string(q.body)
		if contentType, _ := gateway.Value(q.fields, "Content-Type"); q.snapshot.isBinary(contentType) {
			text, e.IsBase64Encoded = base64.StdEncoding.EncodeToString(q.body), true
		}
		e.Body = &text
	}
	return json.Marshal(e)
}

func (q *request) context() requestContext {
	c := requestContext{
		ResourceID: q.route.method.resourceID, ResourcePath: q.route.resourcePath, HTTPMethod: q.http.Method,
		ExtendedRequestID: q.extendedID, RequestTime: gateway.RequestTime(q.start), Path: "/" + q.stage.Name + q.path,
		AccountID: awsapi.AccountID, Protocol: q.http.Proto, Stage: q.stage.Name, DomainPrefix: q.apiID,
		RequestTimeEpoch: q.start.UnixMilli(), RequestID: q.id, Identity: identity{SourceIP: gateway.SourceIP(q.http)},
		DomainName: gateway.DomainName(q.apiID), APIID: q.apiID,
	}
	if agent, ok := gateway.Value(q.fields, "User-Agent"); ok {
		c.Identity.UserAgent = &agent
	}
	switch {
	case q.claims != nil:
		c.Authorizer = map[string]any{"claims": q.claims}
	case q.said != nil:
		c.Authorizer = q.said
	}
	return c
}

// isBinary reports whether a media type is one of the API's binary media types.
func (d definition) isBinary(contentType string) bool {
	mediaType, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		mediaType = contentType
	}
	for _, binary := range d.binary {
		if binary == "*/*" || strings.EqualFold(binary, mediaType) {
			return true
		}
		if kind, ok := strings.CutSuffix(binary, "/*"); ok && strings.HasPrefix(mediaType, kind+"/") {
			return true
		}
	}
	return false
}
