// Package relay brings the text of a model to the sockets of a user and to the
// log that replays are made from. It cuts the text into frames once, so that
// every socket and every replay has the same frames, and posts them to each
// socket in order and on its own, so that a slow socket holds up nobody.
package relay

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/streaming-service/streaming-service/lambdas/internal/life"
)

// Errors of Sockets that are the socket's own doing.
var (
	// ErrGone says that the socket does not exist, or not yet.
	ErrGone = errors.New("the socket is gone")
	// ErrSlow says that the socket did not take the frame in time.
	ErrSlow = errors.New("the socket is slow")
)

// Sockets delivers one frame to one socket, with what retries it takes.
type Sockets interface {
	Deliver(ctx context.Context, to life.Connection, frame []byte) error
}

// Connections lists the sockets of a user.
type Connections interface {
	Connections(ctx context.Context, userID string, consistent bool) ([]life.Connection, error)
}

// Backoff stretches the interval between two frames while API Gateway refuses
// posts.
type Backoff interface {
	Interval(base time.Duration) time.Duration
}

// Periods of the delivery.
const (
	headStart    = 2 * time.Millisecond // what the first list of connections gives to the call of the model
	refreshEvery = time.Second          // how soon a user's first socket is noticed, or one that follows a lost one
	calmRefresh  = 3 * time.Second      // how soon a further one is, and any after seekFor
	seekFor      = 30 * time.Second     // how long a user is expected to open a socket
	readTimeout  = 3 * time.Second      // of one list of connections
	endWait      = 5 * time.Second      // how long an end frame waits for slow sockets
	postTimeout  = 10 * time.Second     // of one frame to one socket
	deafPause    = time.Second          // after a 410 of a socket that may still open
)

// Hub holds the queues of all sockets that this process posts to. It is a
// life.Poster.
type Hub struct {
	sockets     Sockets
	connections Connections
	delivered   atomic.Int64
	gone        atomic.Int64
	lost        atomic.Int64
	queued      atomic.Int64 // bytes that wait for any socket

	mu        sync.Mutex
	audiences map[string]*audience
}

var _ life.Poster = (*Hub)(nil)

// NewHub returns a Hub without sockets.
func NewHub(sockets Sockets, connections Connections) *Hub {
	return &Hub{sockets: sockets, connections: connections, audiences: map[string]*audience{}}
}

// Posts counts what became of frames, per socket.
type Posts struct {
	Delivered int64
	Gone      int64 // met no socket
	Lost      int64 // given up on a slow socket, whose client will ask again
}

// TakePosts returns the counts since the last call.
func (h *Hub) TakePosts() Posts {
	return Posts{Delivered: h.delivered.Swap(0), Gone: h.gone.Swap(0), Lost: h.lost.Swap(0)}
}

// Post sends frame to every socket that the user has at this moment, behind the
// frames that are queued for it, and waits for the posts. Sockets that are gone
// or slow are no error: their clients ask again.
func (h *Hub) Post(ctx context.Context, userID string, frame []byte) error {
	a := h.join(userID)
	defer h.leave(a)
	if err := a.load(ctx, true); err != nil {
		return fmt.Errorf("listing the sockets of a user: %w", err)
	}
	queues := a.queues()
	results := make(chan error, len(queues))
	for _, q := range queues {
		q.push(frame, results)
	}
	return await(ctx, results, len(queues))
}

// await collects n results. It gives up on the slow ones after endWait.
func await(ctx context.Context, results <-chan error, n int) error {
	patience := time.NewTimer(endWait)
	defer patience.Stop()
	var failures []error
	for range n {
		select {
		case err := <-results:
			if err != nil && !errors.Is(err, ErrGone) && !errors.Is(err, ErrSlow) {
				failures = append(failures, err)
			}
		case <-patience.C:
			return errors.Join(failures...)
		case <-ctx.Done():
			return fmt.Errorf("posting a frame: %w", ctx.Err())
		}
	}
	return errors.Join(failures...)
}

// join returns the audience of a user, which lives until everybody who joined
// has left.
func (h *Hub) join(userID string) *audience {
	h.mu.Lock()
	defer h.mu.Unlock()
	a, ok := h.audiences[userID]
	if !ok {
		a = &audience{hub: h, userID: userID, sockets: map[string]*queue{}}
		h.audiences[userID] = a
	}
	a.members++
	return a
}

func (h *Hub) leave(a *audience) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if a.members--; a.members == 0 {
		delete(h.audiences, a.userID)
		a.close()
	}
}
