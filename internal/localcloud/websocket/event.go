package websocket

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/streaming-service/streaming-service/internal/localcloud/gateway"
	"github.com/streaming-service/streaming-service/internal/localcloud/gateway/rawheader"
)

// event is what functions receive; the kinds of event leave out different parts.
type event struct {
	Type                            string              `json:"type,omitempty"`      // of an authorizer's
	MethodARN                       string              `json:"methodArn,omitempty"` // of an authorizer's
	Headers                         map[string]string   `json:"headers,omitempty"`
	MultiValueHeaders               map[string][]string `json:"multiValueHeaders,omitempty"`
	QueryStringParameters           map[string]string   `json:"queryStringParameters,omitempty"`
	MultiValueQueryStringParameters map[string][]string `json:"multiValueQueryStringParameters,omitempty"`
	StageVariables                  map[string]string   `json:"stageVariables,omitempty"`
	RequestContext                  eventContext        `json:"requestContext"`
	Body                            *string             `json:"body,omitempty"`
	IsBase64Encoded                 bool                `json:"isBase64Encoded"`
}

type eventContext struct {
	RouteKey             string            `json:"routeKey"`
	Authorizer           map[string]string `json:"authorizer,omitempty"`
	MessageID            string            `json:"messageId,omitempty"`
	EventType            string            `json:"eventType"`
	ExtendedRequestID    string            `json:"extendedRequestId"`
	RequestTime          string            `json:"requestTime"`
	MessageDirection     string            `json:"messageDirection"`
	DisconnectStatusCode *int              `json:"disconnectStatusCode,omitempty"`
	DisconnectReason     *string           `json:"disconnectReason,omitempty"`
	Stage                string            `json:"stage"`
	ConnectedAt          int64             `json:"connectedAt"` // epoch milliseconds
	RequestTimeEpoch     int64             `json:"requestTimeEpoch"`
	Identity             identity          `json:"identity"`
	RequestID            string            `json:"requestId"`
	DomainName           string            `json:"domainName"`
	ConnectionID         string            `json:"connectionId"`
	APIID                string            `json:"apiId"`
}

type identity struct {
	UserAgent string `json:"userAgent,omitempty"`
	SourceIP  string `json:"sourceIp"`
}

// session is what is known of a connection from its handshake on.
type session struct {
	key         connKey
	connectedAt time.Time
	identity    identity
	host        string
	authorizer  map[string]string // principalId and context of the authorizer
}

func newSession(key connKey, r *http.Request) *session {
	return &session{key: key, connectedAt: time.Now(), identity: identity{r.UserAgent(), gateway.SourceIP(r)}, host: r.Host}
}

func (s *session) context(routeKey, eventType string) eventContext {
	now, id := time.Now(), gateway.NewExtendedID()
	return eventContext{
		RouteKey: routeKey, Authorizer: s.authorizer, EventType: eventType, ExtendedRequestID: id, RequestTime: gateway.RequestTime(now),
		MessageDirection: "IN", Stage: s.key.stage, ConnectedAt: s.connectedAt.UnixMilli(), RequestTimeEpoch: now.UnixMilli(),
		Identity: s.identity, RequestID: id, DomainName: gateway.DomainName(s.key.apiID), ConnectionID: s.key.connectionID, APIID: s.key.apiID,
	}
}

// connectEvent is the event of $connect and of its authorizer.
func (s *session) connectEvent(r *http.Request, fields []rawheader.Field, variables map[string]string) event {
	single, multi := gateway.Query(r)
	return event{
		Headers: gateway.Single(fields), MultiValueHeaders: gateway.Multi(fields),
		QueryStringParameters: single, MultiValueQueryStringParameters: multi,
		StageVariables: variables, RequestContext: s.context("$connect", "CONNECT"),
	}
}

// messageEvent has neither headers nor query string.
func (s *session) messageEvent(routeKey string, message []byte, variables map[string]string) event {
	body := string(message)
	e := event{StageVariables: variables, RequestContext: s.context(routeKey, "MESSAGE"), Body: &body}
	e.RequestContext.MessageID = gateway.NewExtendedID()
	return e
}

// disconnectEvent has only the headers that the gateway makes itself.
func (s *session) disconnectEvent(code int, reason string, variables map[string]string) event {
	fields := []rawheader.Field{{Name: "Host", Value: s.host}, {Name: "x-api-key"}, {Name: "X-Forwarded-For"}, {Name: "x-restapi"}}
	e := event{
		Headers: gateway.Single(fields), MultiValueHeaders: gateway.Multi(fields),
		StageVariables: variables, RequestContext: s.context("$disconnect", "DISCONNECT"),
	}
	e.RequestContext.DisconnectStatusCode, e.RequestContext.DisconnectReason = &code, &reason
	return e
}

// notice is a frame of the gateway itself, or the body of a refused handshake.
func notice(message string, c eventContext) []byte {
	text, err := json.Marshal(struct {
		Message      string `json:"message"`
		ConnectionID string `json:"connectionId"`
		RequestID    string `json:"requestId"`
	}{message, c.ConnectionID, c.RequestID})
	if err != nil {
		return nil
	}
	return text
}
