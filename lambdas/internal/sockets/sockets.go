// Package sockets posts frames to WebSocket connections through the
// @connections API of API Gateway.
package sockets

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/streaming-service/streaming-service/lambdas/internal/jitter"
	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/lambdas/internal/relay"
)

// Retries of one frame.
const (
	callTimeout   = 3 * time.Second
	maxTries      = 6
	firstPause    = 50 * time.Millisecond
	longestPause  = 2 * time.Second
	openingWindow = 10 * time.Second // how long $connect may run
	openingTries  = 4
)

// Rows are the stored connections.
type Rows interface {
	// DeleteConnection forgets a connection if it was made before
	// connectedBefore.
	DeleteConnection(ctx context.Context, c life.Connection, connectedBefore time.Time) error
}

// Sockets posts to the connections of one WebSocket API.
type Sockets struct {
	api     *managementAPI
	rows    Rows
	backoff *Backoff
}

var _ relay.Sockets = (*Sockets)(nil)

// New returns the sockets behind endpoint, the callback URL of the API's stage.
// Rows of connections that are gone are deleted; backoff, unless nil, learns of
// refused posts.
func New(cfg aws.Config, endpoint string, rows Rows, backoff *Backoff) *Sockets {
	return &Sockets{api: newManagementAPI(cfg, endpoint), rows: rows, backoff: backoff}
}

// NewBroadcaster returns the life.Poster of a function that streams nothing
// itself.
func NewBroadcaster(sockets *Sockets, connections relay.Connections) *relay.Hub {
	return relay.NewHub(sockets, connections)
}

// Deliver posts frame to a connection. Its error wraps relay.ErrGone if the
// connection does not exist; the row is then deleted, unless it is so young
// that the socket may still be opening. It wraps relay.ErrSlow if API Gateway
// kept refusing the frame as one too many.
func (s *Sockets) Deliver(ctx context.Context, to life.Connection, frame []byte) error {
	err := s.try(ctx, to, func() error { return s.post(ctx, to.ConnectionID, frame) })
	if errors.Is(err, relay.ErrGone) {
		if before := time.Now().Add(-life.GoneGrace); to.ConnectedAt.Before(before) {
			// The row expires by itself if this fails.
			_ = s.rows.DeleteConnection(context.WithoutCancel(ctx), to, before)
		}
	}
	return err
}

// try calls the API until it has done what it should or another call is not
// worth it.
func (s *Sockets) try(ctx context.Context, to life.Connection, call func() error) error {
	pause := firstPause
	for try := 1; ; try++ {
		err := call()
		if !again(err, to, try) || !sleep(ctx, jitter.Half(pause)) {
			return err
		}
		pause = min(2*pause, longestPause)
	}
}

// again reports whether a call that ended with err is worth another try.
func again(err error, to life.Connection, try int) bool {
	switch {
	case err == nil:
		return false
	case errors.Is(err, relay.ErrGone):
		return try < openingTries && time.Since(to.ConnectedAt) < openingWindow
	case errors.Is(err, errRefused):
		return false
	}
	return try < maxTries
}

// Close closes a connection. Its error wraps relay.ErrGone if the connection
// does not exist, or is so young that its socket may still be opening.
func (s *Sockets) Close(ctx context.Context, c life.Connection) error {
	return s.try(ctx, c, func() error { return s.close(ctx, c.ConnectionID) })
}

func (s *Sockets) close(ctx context.Context, connectionID string) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	if err := classify(s.api.deleteConnection(ctx, connectionID)); err != nil {
		return fmt.Errorf("closing a connection: %w", err)
	}
	return nil
}

func (s *Sockets) post(ctx context.Context, connectionID string, frame []byte) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	err := classify(s.api.postToConnection(ctx, connectionID, frame))
	switch {
	case err == nil:
		return nil
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("posting a frame: %w: %w", relay.ErrSlow, err)
	case errors.Is(err, relay.ErrSlow) && s.backoff != nil:
		s.backoff.Refused()
	}
	return fmt.Errorf("posting a frame: %w", err)
}

// errRefused marks errors that every further try would meet again.
var errRefused = errors.New("refused")

// classify says what an error of the API means for the next try.
func classify(err error) error {
	if err == nil {
		return nil
	}
	var (
		api      smithy.APIError
		response *smithyhttp.ResponseError
		code     string
		status   int
	)
	if errors.As(err, &api) {
		code = api.ErrorCode()
	}
	if errors.As(err, &response) {
		status = response.HTTPStatusCode()
	}
	switch {
	case code == "GoneException", status == http.StatusGone:
		return fmt.Errorf("%w: %w", relay.ErrGone, err)
	case code == "LimitExceededException", status == http.StatusTooManyRequests:
		return fmt.Errorf("%w: %w", relay.ErrSlow, err)
	case status >= 400 && status < 500:
		return fmt.Errorf("%w: %w", errRefused, err)
	}
	return err
}

// sleep reports whether ctx is still alive after d.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
