package websocket

import (
	"context"
	"encoding/json"
	"sync"

	"github.com/coder/websocket"
)

// dispatch starts the route of a message. It waits only while as many
// invocations of this socket are in progress as may be. It reports false when
// the route is throttled.
func (s *Service) dispatch(ctx context.Context, k *socket, message []byte) bool {
	d, stage, ok := s.view(k.key.apiID, k.key.stage)
	if !ok {
		return true
	}
	route, found := d.routeFor(message)
	if !s.allow(stage, route.RouteKey) {
		return false
	}
	if !found {
		k.send(notice("Forbidden", k.context(routeDefault, "MESSAGE")))
		return true
	}
	select {
	case k.slots <- struct{}{}:
	case <-k.done:
		return true
	}
	go func() {
		defer func() { <-k.slots }()
		s.handle(ctx, k, d, route, k.messageEvent(route.RouteKey, message, stage.Variables))
	}()
	return true
}

// handle runs the route's integration. Only a two-way route answers the client.
func (s *Service) handle(ctx context.Context, k *socket, d definition, r Route, e event) {
	result, err := s.integrate(ctx, d, r, k.key, e)
	if err != nil {
		k.send(notice("Internal server error", e.RequestContext))
		return
	}
	if !d.returnsResponse(r) {
		return
	}
	var p proxyResponse
	if json.Unmarshal(result, &p) != nil || p.StatusCode == nil {
		k.send(notice("Internal server error", e.RequestContext))
		return
	}
	if p.Body != "" {
		k.send([]byte(p.Body))
	}
}

// disconnect runs the $disconnect route once a socket is gone: best effort, no
// retry, and not at all when the service closes.
func (s *Service) disconnect(k *socket) {
	select {
	case <-s.closing:
		return
	default:
	}
	d, stage, ok := s.view(k.key.apiID, k.key.stage)
	if !ok || s.deps.Faults.LoseDisconnect() {
		return
	}
	route, ok := d.route("$disconnect")
	if !ok {
		return
	}
	_, _ = s.integrate(context.Background(), d, route, k.key, k.disconnectEvent(int(k.code), k.reason, stage.Variables))
}

// closeSockets closes the sockets whose key is chosen, all at once.
func (s *Service) closeSockets(chosen func(connKey) bool) {
	s.mu.RLock()
	var sockets []*socket
	for key, sock := range s.conns {
		if chosen(key) {
			sockets = append(sockets, sock)
		}
	}
	s.mu.RUnlock()
	var closing sync.WaitGroup
	for _, sock := range sockets {
		closing.Go(func() { sock.close(websocket.StatusGoingAway, "Going away") })
	}
	closing.Wait()
}

// Close closes all sockets with 1001 and waits until they are gone or ctx ends;
// then it cuts them. $disconnect is not called any more.
func (s *Service) Close(ctx context.Context) {
	s.mu.Lock()
	select {
	case <-s.closing:
	default:
		close(s.closing)
	}
	open := make([]*socket, 0, len(s.conns))
	for _, sock := range s.conns {
		open = append(open, sock)
	}
	s.mu.Unlock()

	gone := make(chan struct{})
	go func() {
		for _, sock := range open {
			go sock.close(websocket.StatusGoingAway, "Going away")
		}
		s.sockets.Wait()
		close(gone)
	}()
	select {
	case <-gone:
	case <-ctx.Done():
		for _, sock := range open {
			sock.drop()
		}
	}
}
