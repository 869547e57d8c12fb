package relay

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/streaming-service/streaming-service/lambdas/internal/life"
)

// Bounds of what waits for sockets. 128 frames are 25 s of text at five frames a
// second. Bytes count per frame and socket, although sockets share frames.
const (
	maxQueuedFrames = 128      // for one socket
	maxQueuedBytes  = 1 << 20  // for one socket
	fairQueuedBytes = 64 << 10 // for one socket, once the process is full
	maxProcessBytes = 64 << 20 // for all sockets of the process
)

// queue posts frames to one socket, one after the other. It has a goroutine
// only while it has frames. When it overflows, the oldest frames are lost: the
// client sees the gap at the next one and asks for a replay.
type queue struct {
	hub  *Hub
	to   life.Connection
	lost func() // is told once that the socket is gone for good

	mu        sync.Mutex
	frames    []queued
	bytes     int
	posting   bool
	gone      bool
	deafUntil time.Time
}

// queued is a frame on its way. Its result is sent to result unless that is
// nil; the channel has room for it.
type queued struct {
	frame  []byte
	result chan<- error
}

func (q queued) settle(err error) {
	if q.result != nil {
		q.result <- err
	}
}

// push queues frame. It never waits.
func (q *queue) push(frame []byte, result chan<- error) {
	f := queued{frame, result}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.gone || (result == nil && time.Now().Before(q.deafUntil)) {
		f.settle(ErrGone)
		return
	}
	for q.full(len(frame)) {
		q.hub.lost.Add(1)
		q.pop().settle(ErrSlow)
	}
	q.frames = append(q.frames, f)
	q.bytes += len(frame)
	q.hub.queued.Add(int64(len(frame)))
	if !q.posting {
		q.posting = true
		go q.post()
	}
}

// full reports whether a frame must go before one of n bytes may come.
func (q *queue) full(n int) bool {
	n += q.bytes
	switch {
	case len(q.frames) <= 1:
		return false
	case len(q.frames) >= maxQueuedFrames, n > maxQueuedBytes:
		return true
	}
	return n > fairQueuedBytes && q.hub.queued.Load() > maxProcessBytes
}

func (q *queue) pop() queued {
	f := q.frames[0]
	q.frames[0] = queued{}
	q.frames = q.frames[1:]
	q.bytes -= len(f.frame)
	q.hub.queued.Add(-int64(len(f.frame)))
	return f
}

// post delivers what is queued until nothing is.
func (q *queue) post() {
	for {
		q.mu.Lock()
		if len(q.frames) == 0 {
			q.posting, q.frames = false, nil
			q.mu.Unlock()
			return
		}
		f := q.pop()
		q.mu.Unlock()
		err := q.deliver(f.frame)
		q.note(err)
		f.settle(err)
	}
}

func (q *queue) deliver(frame []byte) error {
	ctx, cancel := context.WithTimeout(context.Background(), postTimeout)
	defer cancel()
	return q.hub.sockets.Deliver(ctx, q.to, frame)
}

// note draws the conclusions of a delivery.
func (q *queue) note(err error) {
	switch {
	case err == nil:
		q.hub.delivered.Add(1)
		return
	case !errors.Is(err, ErrGone):
		q.hub.lost.Add(1)
		return
	}
	q.hub.gone.Add(1)
	if q.forGood(time.Now()) {
		q.lost()
	}
}

// forGood reports whether a socket that was not there will not come either, and
// gives up what waits for it.
func (q *queue) forGood(now time.Time) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if now.Sub(q.to.ConnectedAt) < life.GoneGrace {
		q.deafUntil = now.Add(deafPause)
		return false
	}
	q.gone = true
	for len(q.frames) > 0 {
		q.pop().settle(ErrGone)
	}
	return true
}

func (q *queue) isGone() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.gone
}
