package client_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/streaming-service/streaming-service/client"
	"github.com/streaming-service/streaming-service/protocol"
)

func TestTheSocketIsPinged(t *testing.T) {
	t.Parallel()
	serve(t, func(t *testing.T, f *fakeService) {
		f.client().Connect()
		time.Sleep(13 * time.Minute)
		if got := len(f.framesOf(protocol.ActionPing)); got != 3 {
			t.Errorf("%d pings in 13 minutes", got)
		}
		if len(f.sockets) != 1 {
			t.Errorf("%d sockets", len(f.sockets))
		}
	})
}

// TestAVanishedNetworkIsNoticed has the network swallow everything amid an
// answer, without a word.
func TestAVanishedNetworkIsNoticed(t *testing.T) {
	t.Parallel()
	serve(t, func(t *testing.T, f *fakeService) {
		var mu sync.Mutex
		var lostAt time.Time
		c := f.client(client.WithConnectionHook(func(s client.Connection) {
			mu.Lock()
			defer mu.Unlock()
			if s == client.Waiting && lostAt.IsZero() {
				lostAt = time.Now()
			}
		}))
		submit(t, c)
		f.last().send(startFrame(), deltaFrame(1, "Hel"))
		f.last().mute.Store(true)
		vanished := time.Now()
		time.Sleep(30 * time.Second)
		mu.Lock()
		defer mu.Unlock()
		if took := lostAt.Sub(vanished); took <= 0 || took > 10*time.Second {
			t.Errorf("noticed after %v, want within 10 s", took)
		}
	})
}

func TestADeadSocketIsReplaced(t *testing.T) {
	t.Parallel()
	serve(t, func(t *testing.T, f *fakeService) {
		stream := submit(t, f.client())
		first := f.last()
		first.mute.Store(true)
		first.send(startFrame(), deltaFrame(1, "Hel"))
		f.onFrame(func(s *socket, frame protocol.ClientFrame) {
			if s != first && frame.Action == protocol.ActionResume {
				s.send(deltaFrame(2, "lo"), doneFrame(3))
			}
		})
		began := time.Now()
		wantHello(t, stream)
		if took := time.Since(began); took > time.Minute {
			t.Errorf("took %v", took)
		}
	})
}

func TestTheSocketIsNotOpenedAgainWithoutNeed(t *testing.T) {
	t.Parallel()
	serve(t, func(t *testing.T, f *fakeService) {
		var mu sync.Mutex
		var states []client.Connection
		c := f.client(client.WithConnectionHook(func(s client.Connection) {
			mu.Lock()
			defer mu.Unlock()
			states = append(states, s)
		}))
		stream := submit(t, c)
		f.last().send(startFrame(), deltaFrame(1, "Hello"), doneFrame(2))
		wantHello(t, stream)
		synctest.Wait()
		f.last().CloseNow()
		time.Sleep(time.Hour)
		if len(f.sockets) != 1 {
			t.Errorf("%d sockets", len(f.sockets))
		}
		mu.Lock()
		if want := []client.Connection{client.Idle, client.Connecting, client.Open, client.Idle}; !slices.Equal(states, want) {
			t.Errorf("states %v, want %v", states, want)
		}
		mu.Unlock()
		submit(t, c)
		synctest.Wait()
		if len(f.sockets) != 2 {
			t.Errorf("%d sockets after another submission", len(f.sockets))
		}
	})
}

func TestARefusedHandshakeRenewsTheToken(t *testing.T) {
	t.Parallel()
	serve(t, func(t *testing.T, f *fakeService) {
		f.handshake = func(w http.ResponseWriter, r *http.Request) bool {
			if r.Header.Get("Authorization") == "token-0" {
				w.WriteHeader(401)
				return false
			}
			return true
		}
		f.clientWithTokens(&countedTokens{}).Connect()
		f.last()
	})
}

func TestCancelEndsTheStream(t *testing.T) {
	t.Parallel()
	serve(t, func(t *testing.T, f *fakeService) {
		stream := submit(t, f.client())
		f.last().send(startFrame(), deltaFrame(1, "Hel"))
		cancelled := protocol.ErrorFrame(requestID, 1, 2, protocol.RequestError{Code: protocol.CodeCancelled, Message: "cancelled"})
		f.onFrame(func(s *socket, _ protocol.ClientFrame) { s.send(cancelled) }) // the first post was lost
		began := time.Now()
		if err := stream.Cancel(t.Context()); err != nil {
			t.Fatal(err)
		}
		text, err := stream.Wait(t.Context())
		var failed client.Failed
		if !errors.As(err, &failed) || failed.Code != protocol.CodeCancelled || text != "Hel" {
			t.Errorf("text %q, error %v", text, err)
		}
		if took := time.Since(began); took > 3*time.Second || f.count("DELETE", "/v1/requests/"+requestID) != 1 {
			t.Errorf("took %v", took)
		}
	})
}

func TestCloseEndsEveryStream(t *testing.T) {
	t.Parallel()
	serve(t, func(t *testing.T, f *fakeService) {
		c := f.client()
		one, two := submit(t, c), c.Follow("bbbbbbbbbbbbbbbbbbbbbbbbbb")
		one.Close()
		if _, err := one.Next(t.Context()); !errors.Is(err, client.ErrClosed) {
			t.Errorf("closed stream: %v", err)
		}
		c.Close()
		if _, err := two.Next(t.Context()); !errors.Is(err, client.ErrClosed) {
			t.Errorf("stream of a closed client: %v", err)
		}
		if _, err := c.Follow(requestID).Next(t.Context()); !errors.Is(err, client.ErrClosed) {
			t.Errorf("stream after the close: %v", err)
		}
	})
}

func TestNextEndsWithItsContext(t *testing.T) {
	t.Parallel()
	serve(t, func(t *testing.T, f *fakeService) {
		stream := submit(t, f.client())
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := stream.Next(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v", err)
		}
		f.last().send(startFrame(), deltaFrame(1, "Hello"), doneFrame(2))
		wantHello(t, stream)
		if _, err := stream.Next(t.Context()); !errors.Is(err, io.EOF) {
			t.Errorf("after the end: %v", err)
		}
	})
}

func TestUsage(t *testing.T) {
	t.Parallel()
	serve(t, func(t *testing.T, f *fakeService) {
		usage, err := f.client().Usage(t.Context())
		if err != nil || usage.Period != "2026-11" {
			t.Errorf("%+v, %v", usage, err)
		}
	})
}

// TestAnswersSurviveABadNetwork loses, repeats and delays frames and drops
// sockets, for many requests over one client.
func TestAnswersSurviveABadNetwork(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			serve(t, func(t *testing.T, f *fakeService) { badNetwork(t, f, rand.New(rand.NewPCG(seed, 1))) })
		})
	}
}

func badNetwork(t *testing.T, f *fakeService, random *rand.Rand) {
	const requests = 10
	n := &lossyNetwork{f: f, random: random, logs: map[string][]protocol.Frame{}}
	submitted := 0
	f.submit = func(w http.ResponseWriter, _ *http.Request, _ []byte) {
		id := strings.Repeat(string(rune('a'+submitted)), 26)
		submitted++
		go n.produce(id, 40)
		accept(w, id)
	}
	f.get = n.get
	f.onFrame(n.received)
	c := f.client()
	var streams []*client.Stream
	for range requests {
		streams = append(streams, submit(t, c))
	}
	for _, s := range streams {
		text, err := s.Wait(t.Context())
		if want := n.text(s.RequestID()); err != nil || text != want {
			t.Errorf("%s: %q, %v; want %q", s.RequestID(), text, err, want)
		}
	}
	if f.count("GET", "/socket") < 2 {
		t.Error("no socket was dropped")
	}
}

// lossyNetwork is a service whose every frame may be lost, repeated or late.
type lossyNetwork struct {
	f      *fakeService
	mu     sync.Mutex
	random *rand.Rand
	logs   map[string][]protocol.Frame
}

func (n *lossyNetwork) produce(id string, deltas int) {
	n.post(id, protocol.StartFrame(id, 1, "m"))
	for seq := 1; seq <= deltas; seq++ {
		time.Sleep(200 * time.Millisecond)
		n.post(id, protocol.DeltaFrame(id, 1, seq, fmt.Sprintf("%d ", seq)))
	}
	n.post(id, protocol.DoneFrame(id, 1, deltas+1, "end_turn", protocol.TokenUsage{}))
}

func (n *lossyNetwork) post(id string, frame protocol.Frame) {
	n.mu.Lock()
	n.logs[id] = append(n.logs[id], frame)
	fate := n.random.IntN(100)
	n.mu.Unlock()
	n.f.mu.Lock()
	var s *socket
	if len(n.f.sockets) > 0 {
		s = n.f.sockets[len(n.f.sockets)-1]
	}
	n.f.mu.Unlock()
	switch {
	case s == nil || fate < 15: // lost
	case fate < 25:
		s.send(frame, frame)
	case fate < 35:
		time.AfterFunc(time.Second, func() { s.send(frame) })
	case fate < 38:
		s.CloseNow()
	default:
		s.send(frame)
	}
}

func (n *lossyNetwork) received(s *socket, frame protocol.ClientFrame) {
	if frame.Action == protocol.ActionPing {
		s.send(protocol.PongFrame())
		return
	}
	after := -1
	if frame.AfterSeq != nil {
		after = *frame.AfterSeq
	}
	n.mu.Lock()
	missing := slices.Clone(n.logs[frame.RequestID])
	prefix := n.random.IntN(20)
	n.mu.Unlock()
	missing = missing[min(after+1, len(missing)):]
	s.send(missing[:min(prefix, len(missing))]...)
}

func (n *lossyNetwork) get(w http.ResponseWriter, r *http.Request) {
	id := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
	n.mu.Lock()
	log := slices.Clone(n.logs[id])
	n.mu.Unlock()
	state := protocol.RequestState{RequestID: id, Status: protocol.StatusStreaming, Attempt: 1, LastSeq: len(log) - 1}
	for _, frame := range log {
		state.Text += frame.Text
		if frame.Ends() {
			state.Status, state.StopReason, state.Usage = protocol.StatusSucceeded, frame.StopReason, frame.Usage
		}
	}
	answer(w, 200, state)
}

func (n *lossyNetwork) text(id string) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	text := ""
	for _, frame := range n.logs[id] {
		text += frame.Text
	}
	return text
}
