package websocket

import (
	"fmt"
	"net/http"
	"time"

	"github.com/coder/websocket"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
	"github.com/streaming-service/streaming-service/internal/localcloud/gateway"
)

// Errors of the @connections API. The SDK tells them apart by x-amzn-ErrorType
// alone.
var (
	errGone         = &awsapi.Error{Status: http.StatusGone, Code: "GoneException", Message: "Gone"}
	errLimit        = &awsapi.Error{Status: http.StatusTooManyRequests, Code: "LimitExceededException", Message: "Too Many Requests"}
	errTooLarge     = &awsapi.Error{Status: http.StatusRequestEntityTooLarge, Code: "PayloadTooLargeException", Message: fmt.Sprintf("Frame size exceeds the limit of %d bytes", MaxFrameBytes)}
	errForbidden    = &awsapi.Error{Status: http.StatusForbidden, Code: "ForbiddenException", Message: "Forbidden"}
	errMissingToken = &awsapi.Error{Status: http.StatusForbidden, Code: "MissingAuthenticationTokenException", Message: "Missing Authentication Token"}
)

var operations = map[string]string{
	http.MethodPost:   "PostToConnection",
	http.MethodGet:    "GetConnection",
	http.MethodDelete: "DeleteConnection",
}

// manage serves one call of the @connections API.
func (s *Service) manage(w http.ResponseWriter, r *http.Request, key connKey) {
	operation, known := operations[r.Method]
	if !known || awsapi.AccessKeyID(r) == "" {
		awsapi.RestJSON.WriteError(w, errMissingToken)
		return
	}
	body, err := awsapi.ReadBody(r, MaxMessageBytes)
	if err != nil {
		awsapi.RestJSON.WriteError(w, errTooLarge)
		return
	}
	loseResponse, err := s.admitCall(r, operation, key, body)
	if err == nil {
		err = s.act(w, r.Method, key, body, loseResponse)
	}
	switch {
	case loseResponse:
		awsapi.Drop(w)
	case err != nil:
		awsapi.RestJSON.WriteError(w, err)
	}
}

// admitCall asks the guard, the stage and the account's throttle.
func (s *Service) admitCall(r *http.Request, operation string, key connKey, body []byte) (loseResponse bool, err *awsapi.Error) {
	resource := gateway.ExecutionARN(key.apiID + "/" + key.stage + "/" + r.Method + "/@connections/" + key.connectionID)
	loseResponse, err = s.deps.Guard.Admit(r.Context(), awsapi.Call{
		Service: "execute-api", Operation: operation, AccessKeyID: awsapi.AccessKeyID(r), Body: body,
		Permissions: []awsapi.Permission{{Action: "execute-api:ManageConnections", Resource: resource}},
	})
	if err != nil {
		if err.Code == "AccessDeniedException" {
			err = &awsapi.Error{Status: errForbidden.Status, Code: errForbidden.Code, Message: err.Message}
		}
		return false, err
	}
	if _, _, ok := s.view(key.apiID, key.stage); !ok {
		return false, errForbidden
	}
	if !s.deps.Account.Allow() {
		return false, errLimit
	}
	return loseResponse, nil
}

// act does what the call asks for and answers it, unless the answer is to be
// lost.
func (s *Service) act(w http.ResponseWriter, method string, key connKey, body []byte, loseResponse bool) *awsapi.Error {
	sock, ok := s.find(key)
	if !ok {
		return errGone
	}
	switch method {
	case http.MethodPost:
		if err := s.post(sock, body); err != nil || loseResponse {
			return err
		}
		w.Header().Set("x-amzn-RequestId", awsapi.NewRequestID())
		w.WriteHeader(http.StatusOK)
	case http.MethodDelete:
		go sock.close(websocket.StatusNormalClosure, "Connection closed by the service")
		if !loseResponse {
			w.Header().Set("x-amzn-RequestId", awsapi.NewRequestID())
			w.WriteHeader(http.StatusNoContent)
		}
	default:
		if !loseResponse {
			awsapi.RestJSON.WriteResult(w, sock.describe())
		}
	}
	return nil
}

// post queues a frame for a socket, or loses it when a fault says so.
func (s *Service) post(sock *socket, frame []byte) *awsapi.Error {
	switch {
	case len(frame) > MaxFrameBytes:
		return errTooLarge
	case s.deps.Faults.DropSocket():
		sock.drop()
	case s.deps.Faults.LoseFrame():
	case !sock.send(frame):
		return errLimit
	}
	return nil
}

type description struct {
	ConnectedAt  string   `json:"connectedAt"`
	Identity     identity `json:"identity"`
	LastActiveAt string   `json:"lastActiveAt"`
}

func (k *socket) describe() description {
	const layout = "2006-01-02T15:04:05.000Z"
	return description{k.connectedAt.UTC().Format(layout), k.identity, time.Unix(0, k.active.Load()).UTC().Format(layout)}
}
