package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"path"
	"sync"
	"time"

	"github.com/streaming-service/streaming-service/protocol"
)

// gateway takes the place of the @connections API for streams of a metronome:
// it takes the frames and checks them as a client would.
type gateway struct {
	model  *metronome
	server *http.Server
	url    string

	mu       sync.Mutex
	received map[string]*reception // by connection
}

// reception is what one socket has got.
type reception struct {
	mu        sync.Mutex
	requestID string
	next      int // seq
	offset    int // bytes of text
	frames    int
	lost      int // frames that never came, or too late
	repeated  int // frames that came again, as posts may
	reordered int // frames that came after a later one
	wrong     int // frames whose text does not continue the answer
	ended     bool
	skipped   map[int]bool
	arrivals  []time.Time // of each token
}

func startGateway(ctx context.Context, model *metronome) (*gateway, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listening for posts: %w", err)
	}
	g := &gateway{model: model, url: "http://" + listener.Addr().String(), received: map[string]*reception{}}
	g.server = &http.Server{Handler: http.HandlerFunc(g.serve), ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = g.server.Serve(listener) }() // ends with close
	return g, nil
}

func (g *gateway) close() { _ = g.server.Close() }

// serve answers a call of PostToConnection.
func (g *gateway) serve(w http.ResponseWriter, r *http.Request) {
	at := time.Now()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the post is tried again
	}
	var frame protocol.Frame
	if err := json.Unmarshal(body, &frame); err != nil || frame.Seq == nil {
		http.Error(w, "not a frame", http.StatusBadRequest)
		return
	}
	g.socket(path.Base(r.URL.Path)).take(frame, at)
}

func (g *gateway) socket(connection string) *reception {
	g.mu.Lock()
	defer g.mu.Unlock()
	socket, ok := g.received[connection]
	if !ok {
		socket = &reception{skipped: map[int]bool{}, arrivals: make([]time.Time, 0, len(g.model.events))}
		g.received[connection] = socket
	}
	return socket
}

func (s *reception) take(frame protocol.Frame, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requestID = frame.RequestID
	s.frames++
	seq := *frame.Seq
	if seq < s.next {
		if s.skipped[seq] {
			s.reordered++
		} else {
			s.repeated++
		}
		return
	}
	for ; s.next < seq; s.next++ {
		s.skipped[s.next] = true
		s.lost++
	}
	s.next = seq + 1
	from, to, right := tokensOf(frame.Text, s.offset)
	if !right {
		s.wrong++
	}
	for range to - from {
		s.arrivals = append(s.arrivals, at)
	}
	s.offset += len(frame.Text)
	s.ended = s.ended || frame.Type == protocol.FrameDone
}

// tally is what all sockets have got.
type tally struct {
	whole                                    int
	frames, lost, repeated, reordered, wrong int
	delays                                   sample
	begun                                    []time.Time // when each stream's first text came
}

func (g *gateway) tally() tally {
	g.mu.Lock()
	defer g.mu.Unlock()
	var t tally
	for _, s := range g.received {
		t.frames += s.frames
		t.lost += s.lost
		t.repeated += s.repeated
		t.reordered += s.reordered
		t.wrong += s.wrong
		if len(s.arrivals) > 0 {
			t.begun = append(t.begun, s.arrivals[0])
		}
		said := g.model.times(s.requestID)
		if s.ended && len(s.arrivals) == len(g.model.events) && len(said) == len(s.arrivals) {
			t.whole++
		}
		for i := range min(len(said), len(s.arrivals)) {
			t.delays = append(t.delays, s.arrivals[i].Sub(said[i]))
		}
	}
	return t
}
