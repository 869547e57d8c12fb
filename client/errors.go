package client

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/streaming-service/streaming-service/protocol"
)

// ErrClosed is what a Stream returns once it or its Client was closed.
var ErrClosed = errors.New("the stream was closed")

// APIError is a refusal by the REST API.
type APIError struct {
	// Status is the HTTP status.
	Status int
	// Code names the reason. It is empty if the answer was not one of the
	// service's own.
	Code protocol.Code
	// RetryAfter is how long the service asks to wait, 0 if it did not say.
	RetryAfter time.Duration
	// Problem is the whole answer: which fields of a body are not valid, which
	// limit refused and when it resets.
	Problem protocol.Problem
}

func (e *APIError) Error() string {
	what := string(e.Code)
	if what == "" {
		what = http.StatusText(e.Status)
	}
	var message strings.Builder
	fmt.Fprintf(&message, "%s (%d)", what, e.Status)
	if e.Problem.Detail != "" {
		message.WriteString(": " + e.Problem.Detail)
	}
	for _, field := range e.Problem.Errors {
		fmt.Fprintf(&message, "; %s: %s", field.Field, field.Message)
	}
	return message.String()
}

// Temporary reports whether the same call, with the same idempotency key, may
// be answered otherwise soon: a throttle, or an outcome that is not known. A
// gateway's own 429 names no code.
func (e *APIError) Temporary() bool {
	switch e.Status {
	case http.StatusTooManyRequests:
		return e.Code == protocol.CodeRateLimited || e.Code == ""
	case http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return e.Code != protocol.CodeServiceBudgetExceeded
	default:
		return false
	}
}

// Why a file cannot be part of a message.
const (
	FileOfNoFormat FileProblem = "format" // its ending names none that a model takes
	FileEmpty      FileProblem = "empty"
	FileTooLarge   FileProblem = "size"
)

// FileProblem says why a file cannot be part of a message.
type FileProblem string

// FileError is a file that cannot be part of a message. Nothing was sent.
type FileError struct {
	Name    string
	Problem FileProblem
	Size    int // in bytes
	Limit   int // the most bytes that such a file may have, with FileTooLarge
}

func (e *FileError) Error() string {
	switch e.Problem {
	case FileEmpty:
		return fmt.Sprintf("attaching %q: it is empty", e.Name)
	case FileTooLarge:
		return fmt.Sprintf("attaching %q: it has %d bytes; a file of its type may have %d", e.Name, e.Size, e.Limit)
	}
	return fmt.Sprintf("attaching %q: its ending is of no type that a model takes", e.Name)
}

// AuthError is a refusal by Amazon Cognito.
type AuthError struct {
	Status int
	// Code is the name of Cognito's exception, such as NotAuthorizedException
	// or CodeMismatchException.
	Code    string
	Message string
}

func (e *AuthError) Error() string { return e.Code + ": " + e.Message }

// Temporary reports whether Cognito may answer the same call otherwise soon. A
// session whose renewal failed with such an error has not ended.
func (e *AuthError) Temporary() bool {
	return e.Status >= http.StatusInternalServerError || e.Status == http.StatusTooManyRequests ||
		e.Code == "TooManyRequestsException" || e.Code == "InternalErrorException"
}

// ChallengeError says that the password was right but that Cognito asks for
// more: NEW_PASSWORD_REQUIRED is answered with Auth.SetNewPassword,
// SOFTWARE_TOKEN_MFA with Auth.SendCode and MFA_SETUP with
// Auth.NewAuthenticator; Auth.SignInWith does all of that. Others need the
// user's own client. It holds for 15 minutes with the component's user pool.
type ChallengeError struct {
	// Name is Cognito's name of the challenge.
	Name string
	// Email is the user who is signing in.
	Email string

	session string
	userID  string
}

func (e *ChallengeError) Error() string {
	switch e.Name {
	case newPasswordRequired:
		return "signing in: the password is temporary and has to be replaced (" + e.Name + ")"
	case softwareTokenMFA:
		return "signing in: the user pool asks for a code of the authenticator app (" + e.Name + ")"
	case mfaSetup:
		return "signing in: the user pool wants an authenticator app to be set up (" + e.Name + ")"
	}
	return "signing in: the user pool asks for " + e.Name + ", which this client cannot answer"
}

// retryAfter reads a Retry-After header in seconds, 0 if there is none.
func retryAfter(header http.Header) time.Duration {
	seconds, err := strconv.Atoi(header.Get("Retry-After"))
	if err != nil || seconds < 0 {
		return 0
	}
	return time.Duration(seconds) * time.Second
}
