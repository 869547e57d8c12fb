package processor_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/streaming-service/streaming-service/lambdas/internal/attempt"
	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/lambdas/internal/metrics"
	"github.com/streaming-service/streaming-service/lambdas/internal/model"
	"github.com/streaming-service/streaming-service/lambdas/internal/processor"
	"github.com/streaming-service/streaming-service/lambdas/internal/queue"
	"github.com/streaming-service/streaming-service/lambdas/internal/relay"
	"github.com/streaming-service/streaming-service/protocol"
)

var (
	errBroken = errors.New("broken")
	errDead   = errors.New("the process was killed")
)

// queueTimeout is how long the queue itself hides a message.
const queueTimeout = 90 * time.Second

// world is everything outside the processes: records, logs, the queue, the
// model and the sockets of one user. It acts as those do, in memory.
type world struct {
	t        *testing.T
	maxAge   time.Duration
	onModel  func(ctx context.Context, call int, write func(string)) (model.Answer, error)
	produce  func(ctx context.Context, call int, take func(model.Delta)) (model.Answer, error) // instead of onModel
	deserter bool                                                                              // end requests that nobody listens to

	mu          sync.Mutex
	records     map[life.Key]life.Record
	chunks      map[string][]life.Chunk // by owner
	settled     map[life.Key]int
	visible     map[string]time.Time // by receipt: when the message comes back
	fresh       []events.SQSMessage  // that processes sent
	deleted     map[string]time.Time // by receipt: when a process deleted the message
	sockets     []life.Connection
	frames      map[string][]frame
	calls       int
	claims      []time.Time
	absent      bool              // the input is not there
	content     []protocol.Block  // of the input; nil: the prompt
	uploads     map[string][]byte // of the user
	uploadBytes int64             // that a request refers to
	asked       string            // with the last call of the model
	finished    []life.Record
	logs        bytes.Buffer
}

// Write takes a line of the processes' logs, or of their metrics.
func (w *world) Write(line []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.logs.Write(line)
}

type frame struct {
	protocol.Frame
	raw string
	at  time.Time
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{
		t: t, maxAge: 15 * time.Minute,
		records: map[life.Key]life.Record{}, chunks: map[string][]life.Chunk{}, settled: map[life.Key]int{},
		visible: map[string]time.Time{}, deleted: map[string]time.Time{}, frames: map[string][]frame{},
	}
	w.connect("a")
	return w
}

func (w *world) connect(ids ...string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sockets = nil
	for _, id := range ids {
		w.sockets = append(w.sockets, life.Connection{
			UserID: "user", ConnectionID: id, ConnectedAt: time.Now().Add(-time.Hour), ExpiresAt: time.Now().Add(24 * time.Hour),
		})
	}
}

// admit stores a queued request and returns its message.
func (w *world) admit(change func(*life.Record)) events.SQSMessage {
	r := life.Record{
		Key: life.Key{UserID: "user", RequestID: life.NewRequestID()}, Status: protocol.StatusQueued,
		AttemptCap: life.AttemptCap, Estimate: 150, BodyHash: "hash", Model: life.ModelParameters{ModelID: "model", MaxTokens: 100},
		CreatedAt: time.Now(), UpdatedAt: time.Now(),
	}
	if change != nil {
		change(&r)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.records[r.Key] = r
	return w.message(r.Key)
}

func (w *world) message(key life.Key) events.SQSMessage {
	return events.SQSMessage{
		MessageId: "message-" + key.RequestID, ReceiptHandle: receipt(key), Body: queue.Encode(key),
		Attributes: map[string]string{"SentTimestamp": strconv.FormatInt(time.Now().UnixMilli(), 10)},
	}
}

func receipt(key life.Key) string { return "receipt-" + key.RequestID }

func (w *world) record(m events.SQSMessage) life.Record {
	key, err := queue.Decode(m.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.records[key]
}

// update changes a record behind the processes' back.
func (w *world) update(m events.SQSMessage, change func(*life.Record)) {
	key, _ := queue.Decode(m.Body)
	w.mu.Lock()
	defer w.mu.Unlock()
	r := w.records[key]
	change(&r)
	w.records[key] = r
}

func (w *world) framesOf(id string) []frame {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.frames[id])
}

func (w *world) modelCalls() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.calls
}

// text is what the log of the record's attempt holds.
func (w *world) text(r life.Record) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	answer, _ := life.Answer(w.chunks[r.Owner])
	text := answer.Text()
	return text
}

// process is one process of the function, which may be killed.
type process struct {
	*world
	*processor.Processor
	hub    *relay.Hub
	killed atomic.Bool
	// hook sees every call to the outside twice, before and after it acts; an
	// error makes the call fail.
	hook func(operation string, after bool) error
}

func (w *world) start() *process {
	p := &process{world: w}
	p.hub = relay.NewHub(p, p)
	p.Processor = processor.New(processor.Deps{
		Store: p, Queue: p, Model: p, Uploads: p, Hub: p.hub, Backoff: steady{},
		Life:    &life.Service{Store: p, Poster: p.hub, Now: time.Now, MaxAge: w.maxAge},
		Metrics: metrics.New(w, "namespace", "service"),
		Log:     slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}, processor.Options{MaxAge: w.maxAge, Options: attempt.Options{LogTTL: time.Hour, CancelOnDisconnect: w.deserter}})
	return p
}

// steady is a backoff that stretches nothing.
type steady struct{}

func (steady) Interval(base time.Duration) time.Duration { return base }
func (steady) TakeRefused() int64                        { return 0 }

// handle processes one message and reports whether it was deleted.
func (p *process) handle(m events.SQSMessage) bool { return p.handleUntil(p.t.Context(), m) }

func (p *process) handleUntil(ctx context.Context, m events.SQSMessage) bool {
	p.mu.Lock()
	p.visible[m.ReceiptHandle] = time.Now().Add(queueTimeout)
	p.mu.Unlock()
	response, err := p.Handle(ctx, events.SQSEvent{Records: []events.SQSMessage{m}})
	if err != nil {
		p.t.Fatal(err)
	}
	return len(response.BatchItemFailures) == 0 && !p.killed.Load()
}

// comesBack waits until the message is visible again, and says how long that
// took.
func (w *world) comesBack(m events.SQSMessage) time.Duration {
	begun := time.Now()
	w.mu.Lock()
	at := w.visible[m.ReceiptHandle]
	w.mu.Unlock()
	time.Sleep(time.Until(at))
	return time.Since(begun)
}

// finish delivers the message to new processes until it is deleted.
func (w *world) finish(m events.SQSMessage) {
	for range 20 {
		w.comesBack(m)
		if w.start().handle(m) {
			return
		}
	}
	w.t.Fatal("the message keeps coming back")
}

// call runs one call to the outside: nothing reaches it from a dead process.
func (p *process) call(ctx context.Context, operation string, act func() error) error {
	for _, after := range []bool{false, true} {
		if p.killed.Load() {
			return errDead
		}
		if p.hook != nil {
			if err := p.hook(operation, after); err != nil {
				return err
			}
		}
		if p.killed.Load() {
			return errDead
		}
		if after {
			break
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		p.mu.Lock()
		err := act()
		p.mu.Unlock()
		if err != nil {
			return err
		}
	}
	return nil
}

func (p *process) Claim(ctx context.Context, key life.Key, c life.Claim) (r life.Record, err error) {
	err = p.call(ctx, "claim", func() error {
		var ok bool
		if r, ok = p.records[key]; !ok {
			return life.ErrNotFound
		}
		free := r.Status == protocol.StatusQueued || (r.Status == protocol.StatusStreaming && !r.Live(c.Now))
		if !free || r.Cancel || r.Attempt >= r.AttemptCap || r.CreatedAt.Before(c.Now.Add(-c.MaxAge)) {
			return &life.ClaimRefused{Record: r, Reason: life.WhyRefused(r, c)}
		}
		r.Status, r.Owner, r.LeaseUntil, r.UpdatedAt = protocol.StatusStreaming, c.Owner, c.Now.Add(c.Lease), c.Now
		r.Attempt++
		r.Calls++
		if r.FirstClaimAt.IsZero() {
			r.FirstClaimAt = c.Now
		}
		p.records[key] = r
		p.claims = append(p.claims, time.Now())
		return nil
	})
	return r, err
}

func (p *process) owned(ctx context.Context, operation string, a life.Attempt, change func(*life.Record)) (r life.Record, err error) {
	err = p.call(ctx, operation, func() error {
		r = p.records[a.Key]
		if r.Status != protocol.StatusStreaming || r.Attempt != a.Number || r.Owner != a.Owner {
			return life.ErrFenced
		}
		change(&r)
		p.records[a.Key] = r
		return nil
	})
	return r, err
}

func (p *process) CountCall(ctx context.Context, a life.Attempt) (again bool, err error) {
	_, err = p.owned(ctx, "count", a, func(r *life.Record) {
		if again = r.Calls < r.AttemptCap; again {
			r.Calls++
		}
	})
	return again, err
}

func (p *process) Renew(ctx context.Context, a life.Attempt, until time.Time) error {
	_, err := p.owned(ctx, "renew", a, func(r *life.Record) { r.LeaseUntil = until })
	return err
}

func (p *process) Release(ctx context.Context, a life.Attempt, now time.Time) error {
	_, err := p.owned(ctx, "release", a, func(r *life.Record) {
		r.Status, r.LeaseUntil, r.UpdatedAt = protocol.StatusQueued, time.Time{}, now
	})
	return err
}

func (p *process) Finish(ctx context.Context, a life.Attempt, end life.End, now time.Time) (life.Record, error) {
	r, err := p.owned(ctx, "finish", a, func(r *life.Record) {
		terminate(r, end, now)
		r.EndSeq = end.EndSeq
		p.finished = append(p.finished, *r)
	})
	if errors.Is(err, life.ErrFenced) && r.Status.Terminal() && r.Attempt == a.Number && r.Owner == a.Owner {
		return r, nil
	}
	return r, err
}

func terminate(r *life.Record, end life.End, now time.Time) {
	r.Status, r.StopReason, r.Usage, r.ErrorCode, r.Final = end.Status, end.StopReason, end.Usage, end.ErrorCode, end.Final
	r.LeaseUntil, r.UpdatedAt, r.EndSeq = time.Time{}, now, 0
}

func (p *process) EndUnowned(ctx context.Context, key life.Key, end life.End, now time.Time) (r life.Record, err error) {
	err = p.call(ctx, "end", func() error {
		r = p.records[key]
		switch {
		case r.Status.Terminal():
			return nil
		case r.Live(now):
			return life.ErrLive
		}
		terminate(&r, end, now)
		r.Attempt++
		p.records[key] = r
		return nil
	})
	return r, err
}

func (p *process) Settle(ctx context.Context, r life.Record) (settled bool, err error) {
	err = p.call(ctx, "settle", func() error {
		if !p.records[r.Key].Status.Terminal() {
			p.t.Error("settled a request that has not ended")
		}
		if settled = p.settled[r.Key] == 0; settled {
			p.settled[r.Key]++
		}
		return nil
	})
	return settled, err
}

func (p *process) Record(ctx context.Context, key life.Key) (r life.Record, err error) {
	err = p.call(ctx, "record", func() error { r = p.records[key]; return nil })
	return r, err
}

func (p *process) Records(ctx context.Context, keys []life.Key) (found map[life.Key]life.Record, err error) {
	err = p.call(ctx, "records", func() error {
		found = map[life.Key]life.Record{}
		for _, key := range keys {
			found[key] = p.records[key]
		}
		return nil
	})
	return found, err
}

func (p *process) RequestCancel(context.Context, life.Key, time.Time) (life.Record, error) {
	panic("a processor cancels nothing")
}

func (p *process) MarkResend(context.Context, life.Key, time.Time, time.Time) (bool, error) {
	panic("a processor sends nothing again")
}

func (p *process) Input(ctx context.Context, _, hash string) (in life.Input, err error) {
	err = p.call(ctx, "input", func() error {
		if p.absent || hash != "hash" {
			return life.ErrNotFound
		}
		in.Messages = []protocol.Message{{Role: protocol.RoleUser, Content: prompt}}
		if p.content != nil {
			in.Messages = []protocol.Message{{Role: protocol.RoleUser, Blocks: slices.Clone(p.content)}}
			in.UploadBytes = p.uploadBytes
		}
		return nil
	})
	return in, err
}

func (p *process) Fetch(ctx context.Context, userID, uploadID string) (data []byte, err error) {
	err = p.call(ctx, "upload", func() error {
		var ok bool
		if data, ok = p.uploads[uploadID]; !ok || userID != "user" {
			return life.ErrNotFound
		}
		return nil
	})
	return data, err
}

func (p *process) PutChunk(ctx context.Context, _, owner string, c life.Chunk, expires time.Time) error {
	return p.call(ctx, "chunk", func() error {
		if expires.Before(time.Now().Add(59 * time.Minute)) {
			p.t.Errorf("chunk expires at %v", expires)
		}
		p.chunks[owner] = append(p.chunks[owner], c)
		return nil
	})
}

func (p *process) Chunks(ctx context.Context, _, owner string, _ int) (list []life.Chunk, err error) {
	err = p.call(ctx, "chunks", func() error { list = slices.Clone(p.chunks[owner]); return nil })
	return list, err
}

func (p *process) Connections(ctx context.Context, _ string, _ bool) (list []life.Connection, err error) {
	err = p.call(ctx, "connections", func() error { list = slices.Clone(p.sockets); return nil })
	return list, err
}

func (p *process) ChangeVisibility(ctx context.Context, receipt string, d time.Duration) error {
	return p.call(ctx, "visibility", func() error { p.visible[receipt] = time.Now().Add(d); return nil })
}

func (p *process) SendAfter(ctx context.Context, key life.Key, d time.Duration) error {
	return p.call(ctx, "send", func() error {
		m := p.message(key)
		m.ReceiptHandle += "-" + strconv.Itoa(len(p.fresh))
		p.fresh = append(p.fresh, m)
		p.visible[m.ReceiptHandle] = time.Now().Add(d)
		return nil
	})
}

func (p *process) Delete(ctx context.Context, receipt string) error {
	return p.call(ctx, "delete", func() error { p.deleted[receipt] = time.Now(); return nil })
}

func (p *process) Deliver(ctx context.Context, to life.Connection, raw []byte) error {
	return p.call(ctx, "post", func() error {
		f := frame{raw: string(raw), at: time.Now()}
		if err := json.Unmarshal(raw, &f.Frame); err != nil {
			p.t.Errorf("posted %q: %v", raw, err)
		}
		if end := f.Type == protocol.FrameDone || f.Type == protocol.FrameError; end {
			if r := p.records[life.Key{UserID: "user", RequestID: f.RequestID}]; !r.Status.Terminal() {
				p.t.Errorf("an end frame before the end was committed: %s", raw)
			}
		}
		p.frames[to.ConnectionID] = append(p.frames[to.ConnectionID], f)
		return nil
	})
}

// Stream is the model: by default it says a hundred words in five seconds.
func (p *process) Stream(ctx context.Context, _ life.Record, in life.Input, listener model.Listener) (model.Answer, error) {
	err := p.call(ctx, "model", func() error {
		p.calls++
		p.asked = string(protocol.Encode(in))
		return nil
	})
	if err != nil {
		return model.Answer{}, err
	}
	if len(in.Messages) != 1 {
		p.t.Errorf("the model was asked %+v", in)
	}
	alive := func(d model.Delta) {
		if !p.killed.Load() {
			listener.Take(d)
		}
	}
	if p.produce != nil {
		return p.produce(ctx, p.modelCalls(), alive)
	}
	say := p.onModel
	if say == nil {
		say = speak
	}
	return say(ctx, p.modelCalls(), func(text string) { alive(model.Delta{Kind: model.KindText, Text: text}) })
}

const prompt = "a secret prompt"

var (
	answerText = strings.Repeat("word ", 100)
	reported   = protocol.TokenUsage{InputTokens: 11, OutputTokens: 100}
)

// speak is a model without fault.
func speak(ctx context.Context, _ int, write func(string)) (model.Answer, error) {
	if err := say(ctx, write, 100); err != nil {
		return model.Answer{}, err
	}
	return model.Answer{StopReason: "end_turn", Usage: new(reported)}, nil
}

func say(ctx context.Context, write func(string), words int) error {
	for range words {
		write("word ")
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}
