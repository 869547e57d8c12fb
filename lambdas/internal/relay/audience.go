package relay

import (
	"context"
	"sync"
	"time"
)

// audience is the sockets of one user while at least one of the user's requests
// streams through this process.
type audience struct {
	hub     *Hub
	userID  string
	members int // guarded by hub.mu

	mu       sync.Mutex
	sockets  map[string]*queue
	loaded   bool
	waits    bool     // the first list of sockets lets the call of the model go first
	backlog  [][]byte // frames that came before that list
	timer    *time.Timer
	closed   bool
	listed   time.Time // when the sockets were last listed
	lastLive time.Time // when a live socket was last among them; zero: never
	seeking  time.Time // until when a socket is waited for that is to come soon
}

// follow keeps the list of sockets fresh from now on. The first one comes a moment
// later, or with the model's first word: there is little to post before that, and
// the call of the model should not wait for it.
func (a *audience) follow() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.timer == nil && !a.closed {
		a.seeking = time.Now().Add(seekFor)
		a.waits = true
		a.timer = time.AfterFunc(headStart, a.refresh)
	}
}

func (a *audience) refresh() {
	ctx, cancel := context.WithTimeout(context.Background(), readTimeout)
	defer cancel()
	a.mu.Lock()
	first := !a.loaded
	a.waits = false
	a.mu.Unlock()
	// A failed read is repeated by the next refresh.
	_ = a.load(ctx, first)
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.closed {
		a.timer.Reset(a.nextRefresh())
	}
}

// nextRefresh is how long the list of sockets is good for. A user without a
// socket, or with one less, waits for his text; one with a further page does not.
func (a *audience) nextRefresh() time.Duration {
	if time.Now().Before(a.seeking) {
		return refreshEvery
	}
	return calmRefresh
}

// lost looks for the successor of a socket that is gone.
func (a *audience) lost() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.timer == nil || a.closed || time.Now().Before(a.seeking) {
		return
	}
	a.seeking = time.Now().Add(seekFor)
	a.timer.Reset(refreshEvery)
}

// load reads the user's connections and adds those that are new. A socket that
// is missing from the list stays until a post finds it gone: the list may be
// stale.
func (a *audience) load(ctx context.Context, consistent bool) error {
	list, err := a.hub.connections.Connections(ctx, a.userID, consistent)
	if err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	now := time.Now()
	for _, c := range list {
		if !c.ExpiresAt.IsZero() && !now.Before(c.ExpiresAt) {
			continue
		}
		q, known := a.sockets[c.ConnectionID]
		if !known {
			q = &queue{hub: a.hub, to: c, lost: a.lost}
			a.sockets[c.ConnectionID] = q
			a.seeking = time.Time{}
		}
		if !q.isGone() {
			a.lastLive = now
		}
	}
	a.loaded, a.listed = true, now
	for _, frame := range a.backlog {
		a.send(frame)
	}
	a.backlog = nil
	return nil
}

// broadcast queues frame for every socket.
func (a *audience) broadcast(frame []byte) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.loaded {
		a.send(frame)
		return
	}
	if a.waits && len(a.backlog) > 0 { // more than the start of one answer
		a.waits = false
		a.timer.Reset(0)
	}
	if len(a.backlog) == maxQueuedFrames {
		a.backlog = a.backlog[1:]
		a.hub.lost.Add(1)
	}
	a.backlog = append(a.backlog, frame)
}

func (a *audience) send(frame []byte) {
	for _, q := range a.sockets {
		q.push(frame, nil)
	}
}

func (a *audience) queues() []*queue {
	a.mu.Lock()
	defer a.mu.Unlock()
	list := make([]*queue, 0, len(a.sockets))
	for _, q := range a.sockets {
		list = append(list, q)
	}
	return list
}

// desertedFor is for how long the lists have held no live socket; 0 if there
// never was one.
func (a *audience) desertedFor() time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.lastLive.IsZero() {
		return 0
	}
	return a.listed.Sub(a.lastLive)
}

func (a *audience) close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.closed, a.waits = true, false
	if a.timer != nil {
		a.timer.Stop()
	}
}
