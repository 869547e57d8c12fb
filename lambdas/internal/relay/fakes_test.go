package relay_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/lambdas/internal/relay"
	"github.com/streaming-service/streaming-service/protocol"
)

// received is a frame as it reached a socket.
type received struct {
	raw   string
	frame protocol.Frame
	after time.Duration // since the fake was made
}

// gateway is a fake of all sockets.
type gateway struct {
	begun   time.Time
	deliver func(ctx context.Context, to life.Connection, frame []byte) error // nil: succeeds

	mu  sync.Mutex
	got map[string][]received
}

func newGateway() *gateway { return &gateway{begun: time.Now(), got: map[string][]received{}} }

func (g *gateway) Deliver(ctx context.Context, to life.Connection, frame []byte) error {
	if g.deliver != nil {
		if err := g.deliver(ctx, to, frame); err != nil {
			return err
		}
	}
	var f protocol.Frame
	if err := json.Unmarshal(frame, &f); err != nil {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.got[to.ConnectionID] = append(g.got[to.ConnectionID], received{string(frame), f, time.Since(g.begun)})
	return nil
}

func (g *gateway) frames(id string) []received {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.got[id])
}

// directory is a fake of the stored connections.
type directory struct {
	mu   sync.Mutex
	list []life.Connection
	err  error
}

func (d *directory) Connections(context.Context, string, bool) ([]life.Connection, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.list), d.err
}

func (d *directory) set(err error, ids ...string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.err, d.list = err, nil
	for _, id := range ids {
		d.list = append(d.list, socket(id))
	}
}

// socket is a connection that is no longer young.
func socket(id string) life.Connection {
	return life.Connection{UserID: "user", ConnectionID: id, ConnectedAt: time.Now().Add(-time.Hour), ExpiresAt: time.Now().Add(time.Hour)}
}

func sockets(ids ...string) *directory {
	d := &directory{}
	d.set(nil, ids...)
	return d
}

// chunks is a fake of the stored log.
type chunks struct {
	put func(ctx context.Context, chunk life.Chunk) error // nil: succeeds

	mu     sync.Mutex
	stored []life.Chunk
	times  []time.Time
}

func (c *chunks) Put(ctx context.Context, chunk life.Chunk) error {
	if c.put != nil {
		if err := c.put(ctx, chunk); err != nil {
			return err
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stored = append(c.stored, chunk)
	c.times = append(c.times, time.Now())
	return nil
}

func (c *chunks) all() []life.Chunk {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.stored)
}

func record(requestID string) life.Record {
	return life.Record{
		Key: life.Key{UserID: "user", RequestID: requestID}, Attempt: 1, Owner: "owner",
		Model: life.ModelParameters{ModelID: "model"},
	}
}

func options(log *chunks) relay.Options {
	return relay.Options{Record: record("request"), Log: log.Put}
}

// end is the end frame with this seq.
func end(seq int) []byte {
	return protocol.DoneFrame("request", 1, seq, "end_turn", protocol.TokenUsage{}).Encode()
}

// finish closes the stream and posts its end frame, as an attempt does.
func finish(t *testing.T, hub *relay.Hub, s *relay.Stream) int {
	t.Helper()
	seq, err := s.Close(t.Context())
	if err != nil {
		t.Fatalf("closing the stream: %v", err)
	}
	if err := hub.Post(t.Context(), "user", end(seq)); err != nil {
		t.Fatalf("posting the end: %v", err)
	}
	s.Leave()
	return seq
}

// assertWhole checks that a socket got every frame of an attempt, once and in
// order, and that the deltas join to text.
func assertWhole(t *testing.T, got []received, text string) {
	t.Helper()
	var joined strings.Builder
	for i, r := range got {
		if r.frame.Seq == nil || *r.frame.Seq != i {
			t.Fatalf("frame %d is %.100s", i, r.raw)
		}
		joined.WriteString(r.frame.Text)
	}
	if len(got) < 2 || got[0].frame.Type != protocol.FrameStart || got[len(got)-1].frame.Type != protocol.FrameDone {
		t.Fatalf("%d frames without a start or an end", len(got))
	}
	if joined.String() != text {
		t.Errorf("deltas join to %d bytes %.100q, want %d bytes %.100q", joined.Len(), joined.String(), len(text), text)
	}
}

var errBroken = errors.New("broken")
