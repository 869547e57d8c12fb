package processor_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/lambdas/internal/model"
	"github.com/streaming-service/streaming-service/lambdas/internal/processor"
	"github.com/streaming-service/streaming-service/lambdas/internal/queue"
	"github.com/streaming-service/streaming-service/lambdas/internal/relay"
	"github.com/streaming-service/streaming-service/protocol"
)

// Load of the benchmark.
const (
	loadStreams = 1000
	loadTokens  = 500
	loadEvery   = 20 * time.Millisecond // 50 tokens a second
	loadPost    = 5 * time.Millisecond  // how long API Gateway takes for a post
	loadToken   = "%06d "
)

// load fakes the outside for many streams at once, each of a user with one
// socket. Its model says numbered tokens at a fixed rate.
type load struct {
	processor.Store // methods that the load does not need

	mu        sync.Mutex
	followers map[string]*follower // by user
	finished  atomic.Int64
	settled   atomic.Int64
}

// follower is the client of one stream.
type follower struct {
	begun     time.Time
	next      int // seq
	tokens    int
	lost      int
	reordered int
	ended     bool
	delays    []time.Duration // of the first token of each frame: the one that waited longest
}

func (l *load) follower(userID string) *follower {
	l.mu.Lock()
	defer l.mu.Unlock()
	f, ok := l.followers[userID]
	if !ok {
		f = &follower{}
		l.followers[userID] = f
	}
	return f
}

func (l *load) Claim(_ context.Context, key life.Key, c life.Claim) (life.Record, error) {
	return life.Record{
		Key: key, Status: protocol.StatusStreaming, Attempt: 1, AttemptCap: life.AttemptCap, Owner: c.Owner,
		LeaseUntil: c.Now.Add(c.Lease), FirstClaimAt: c.Now, Model: life.ModelParameters{ModelID: "model"},
	}, nil
}

func (l *load) Finish(_ context.Context, a life.Attempt, end life.End, _ time.Time) (life.Record, error) {
	l.finished.Add(1)
	return life.Record{
		Key: a.Key, Status: end.Status, Attempt: a.Number, EndSeq: end.EndSeq, StopReason: end.StopReason, Usage: end.Usage, ErrorCode: end.ErrorCode,
	}, nil
}

func (l *load) CountCall(context.Context, life.Attempt) (bool, error) { return true, nil }

func (l *load) Renew(context.Context, life.Attempt, time.Time) error { return nil }

func (l *load) Records(context.Context, []life.Key) (map[life.Key]life.Record, error) {
	return nil, nil
}

func (l *load) Input(context.Context, string, string) (life.Input, error) { return life.Input{}, nil }

func (l *load) PutChunk(context.Context, string, string, life.Chunk, time.Time) error {
	time.Sleep(loadPost)
	return nil
}

func (l *load) SendAfter(context.Context, life.Key, time.Duration) error { return nil }

func (l *load) Delete(context.Context, string) error                          { return nil }
func (l *load) ChangeVisibility(context.Context, string, time.Duration) error { return nil }

func (l *load) Connections(_ context.Context, userID string, _ bool) ([]life.Connection, error) {
	return []life.Connection{{UserID: userID, ConnectionID: userID + "=", ConnectedAt: time.Now().Add(-time.Hour)}}, nil
}

func (l *load) Conclude(context.Context, life.Record) error {
	panic("replaced by the life of the request")
}

func (l *load) Stream(_ context.Context, r life.Record, _ life.Input, listener model.Listener) (model.Answer, error) {
	f := l.follower(r.UserID)
	f.begun = time.Now()
	for i := range loadTokens {
		time.Sleep(time.Until(f.begun.Add(time.Duration(i) * loadEvery)))
		listener.Take(model.Delta{Kind: model.KindText, Text: fmt.Sprintf(loadToken, i)})
	}
	return model.Answer{StopReason: "end_turn", Usage: &protocol.TokenUsage{OutputTokens: loadTokens}}, nil
}

// Deliver takes a frame as a client does.
func (l *load) Deliver(_ context.Context, to life.Connection, raw []byte) error {
	time.Sleep(loadPost)
	now := time.Now()
	var frame protocol.Frame
	if err := json.Unmarshal(raw, &frame); err != nil {
		return err
	}
	f := l.follower(to.UserID)
	switch {
	case *frame.Seq < f.next:
		f.reordered++
	case *frame.Seq > f.next:
		f.lost += *frame.Seq - f.next
	}
	f.next = *frame.Seq + 1
	f.ended = f.ended || frame.Type == protocol.FrameDone
	if frame.Text != "" {
		first, err := strconv.Atoi(frame.Text[:6])
		if err != nil {
			return err
		}
		f.tokens += len(frame.Text) / 7
		f.delays = append(f.delays, now.Sub(f.begun.Add(time.Duration(first)*loadEvery)))
	}
	return nil
}

// settles stands for the store of the life of a request.
type settles struct {
	life.Store
	load *load
}

func (s settles) Settle(context.Context, life.Record) (bool, error) {
	s.load.settled.Add(1)
	return true, nil
}

// BenchmarkThousandStreams runs 1,000 answers of 500 tokens at 50 tokens a
// second at once through one handler, against a model, sockets and tables that
// are fakes in the same process. Run it alone, once:
//
//	go test -run '^$' -bench ThousandStreams -benchtime 1x ./lambdas/internal/processor
//
// It reports frames that were lost or came out of order (both must be 0), what
// the relay added to the token of each frame that waited longest, and the peak
// of the resident memory of the whole test process.
func BenchmarkThousandStreams(b *testing.B) {
	for b.Loop() {
		l := &load{followers: map[string]*follower{}}
		hub := relay.NewHub(l, l)
		p := processor.New(processor.Deps{
			Store: l, Queue: l, Model: l, Hub: hub, Backoff: steady{}, Log: slog.New(slog.DiscardHandler),
			Life: &life.Service{Store: settles{load: l}, Poster: hub, Now: time.Now},
		}, processor.Options{})
		var batch events.SQSEvent
		for i := range loadStreams {
			key := life.Key{UserID: fmt.Sprintf("user-%d", i), RequestID: life.NewRequestID()}
			batch.Records = append(batch.Records, events.SQSMessage{MessageId: key.RequestID, ReceiptHandle: key.RequestID, Body: queue.Encode(key)})
		}
		response, err := p.Handle(b.Context(), batch)
		if err != nil || len(response.BatchItemFailures) > 0 {
			b.Fatalf("%d failures, %v", len(response.BatchItemFailures), err)
		}
		report(b, l)
	}
}

func report(b *testing.B, l *load) {
	b.Helper()
	var lost, reordered, frames int
	var delays []time.Duration
	for user, f := range l.followers {
		if !f.ended || f.tokens != loadTokens {
			b.Errorf("%s has %d of %d tokens, ended %v", user, f.tokens, loadTokens, f.ended)
		}
		lost += f.lost
		reordered += f.reordered
		frames += f.next
		delays = append(delays, f.delays...)
	}
	slices.Sort(delays)
	percentile := func(p float64) float64 {
		return float64(delays[int(p*float64(len(delays)-1))].Microseconds()) / 1000
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(lost), "lost")
	b.ReportMetric(float64(reordered), "reordered")
	b.ReportMetric(float64(frames)/loadStreams, "frames/stream")
	b.ReportMetric(percentile(0.5), "p50-added-ms")
	b.ReportMetric(percentile(0.99), "p99-added-ms")
	b.ReportMetric(percentile(1), "max-added-ms")
	b.ReportMetric(peakMemory(), "peak-MiB")
}

// peakMemory is the largest resident set of this process, in MiB; 0 where the
// kernel does not tell.
func peakMemory() float64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	fields := strings.Fields(rest)
	if len(fields) == 0 {
		return 0
	}
	kib, err := strconv.ParseFloat(fields[0], 64)
	if err != nil {
		return 0
	}
	return kib / 1024
}
