package recovery_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/streaming-service/streaming-service/internal/localcloud/dynamodb"
	"github.com/streaming-service/streaming-service/lambdas/internal/dynamo/dynamotest"
	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/lambdas/internal/logging"
	"github.com/streaming-service/streaming-service/lambdas/internal/metrics"
	"github.com/streaming-service/streaming-service/lambdas/internal/queue"
	"github.com/streaming-service/streaming-service/lambdas/internal/recovery"
	"github.com/streaming-service/streaming-service/protocol"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// world is a recovery on a real store.
type world struct {
	*recovery.Service
	db      *dynamotest.Database
	mu      sync.Mutex
	clock   time.Time
	posted  []string
	sent    []life.Key
	hidden  map[string]time.Duration // by receipt
	metrics bytes.Buffer
	postErr error
}

func (w *world) Post(_ context.Context, _ string, frame []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.posted = append(w.posted, string(frame))
	return w.postErr
}

func (w *world) Send(_ context.Context, key life.Key) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sent = append(w.sent, key)
	return nil
}

func (w *world) ChangeVisibility(_ context.Context, receipt string, d time.Duration) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.hidden[receipt] = d
	return nil
}

func newWorld(t *testing.T, options ...dynamodb.Option) *world {
	t.Helper()
	w := &world{db: dynamotest.New(t, options...), clock: noon, hidden: map[string]time.Duration{}}
	now := func() time.Time { return w.clock }
	meter := metrics.New(&w.metrics, "n", "s")
	w.Service = &recovery.Service{
		Store:       w.db,
		Life:        &life.Service{Store: w.db, Queue: w, Poster: w, Meter: meter, Now: now, MaxAge: 15 * time.Minute},
		DeadLetters: w,
		Now:         now,
		Log:         logging.New(io.Discard, 0),
		Metrics:     meter,
	}
	return w
}

func (w *world) admit(t *testing.T, user string) life.Key {
	t.Helper()
	record := life.Record{
		Key: life.Key{UserID: user, RequestID: life.NewRequestID()}, Period: "2026-11", Estimate: 100, BodyHash: "h",
		Model: life.ModelParameters{ModelID: "m", MaxTokens: 60}, Status: protocol.StatusQueued, AttemptCap: life.AttemptCap, CreatedAt: w.clock, UpdatedAt: w.clock,
	}
	if err := w.db.Admit(t.Context(), life.Admission{Record: record, Now: w.clock}, life.Account{}); err != nil {
		t.Fatal(err)
	}
	return record.Key
}

func (w *world) claim(t *testing.T, key life.Key) life.Record {
	t.Helper()
	record, err := w.db.Claim(t.Context(), key, life.Claim{Owner: life.NewOwner(), Now: w.clock, Lease: life.DefaultLease})
	if err != nil {
		t.Fatal(err)
	}
	return record
}

func (w *world) record(t *testing.T, key life.Key) life.Record {
	t.Helper()
	record, err := w.db.Record(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	return record
}

// handle passes an event as Lambda would, and returns the answer as it would
// leave.
func (w *world) handle(t *testing.T, event any) (string, error) {
	t.Helper()
	raw, err := json.Marshal(event)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := w.Handle(t.Context(), raw)
	out, marshalErr := json.Marshal(answer)
	if marshalErr != nil {
		t.Fatal(marshalErr)
	}
	return string(out), err
}

func (w *world) batch(t *testing.T, messages ...events.SQSMessage) string {
	t.Helper()
	answer, err := w.handle(t, events.SQSEvent{Records: messages})
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

func message(id, body string, sent time.Time) events.SQSMessage {
	return events.SQSMessage{
		MessageId: id, ReceiptHandle: "receipt-" + id, Body: body,
		Attributes: map[string]string{"SentTimestamp": strconv.FormatInt(sent.UnixMilli(), 10)},
	}
}

const acknowledged = `{"batchItemFailures":[]}`

func TestDeadLetterIsEndedRefundedAndTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	key := w.admit(t, "u")
	m := message("1", queue.Encode(key), noon)
	for i := range 2 {
		if answer := w.batch(t, m); answer != acknowledged {
			t.Errorf("delivery %d: %s", i, answer)
		}
	}
	r := w.record(t, key)
	if r.Status != protocol.StatusFailed || r.ErrorCode != protocol.CodeDeadLettered || r.Attempt != 1 || r.EndSeq != 0 {
		t.Errorf("record %+v", r)
	}
	if len(w.posted) != 2 || w.posted[0] != w.posted[1] || !strings.Contains(w.posted[0], `"code":"dead_lettered"`) {
		t.Errorf("posted %q", w.posted)
	}
	account, err := w.db.Account(t.Context(), "u")
	if err != nil || account.InFlight != 0 || account.Months["2026-11"] != (life.Month{}) {
		t.Errorf("account %+v, %v", account, err)
	}
	if n := strings.Count(w.metrics.String(), `"DeadLettered":1`); n != 1 {
		t.Errorf("counted %d dead letters", n)
	}
}

func TestDeadLetterOfACancelledRequest(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	key := w.admit(t, "u")
	w.claim(t, key)
	if _, err := w.db.RequestCancel(t.Context(), key, w.clock); err != nil {
		t.Fatal(err)
	}
	w.clock = noon.Add(time.Minute)
	if answer := w.batch(t, message("1", queue.Encode(key), noon)); answer != acknowledged {
		t.Error(answer)
	}
	if r := w.record(t, key); r.Status != protocol.StatusCancelled || !r.Usage.Estimated {
		t.Errorf("record %+v", r)
	}
}

// TestMessagesSucceedAndFailAlone guards rule 1 of docs/life.md.
func TestMessagesSucceedAndFailAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	live, done := w.admit(t, "u"), w.admit(t, "v")
	w.claim(t, live)
	absent := queue.Encode(life.Key{UserID: "u", RequestID: life.NewRequestID()})
	w.clock = noon.Add(10 * time.Second)
	answer := w.batch(t,
		message("unreadable", "hello", noon),
		message("live", queue.Encode(live), noon),
		message("done", queue.Encode(done), noon),
		message("absent", absent, noon),
		message("long absent", absent, noon.Add(-5*time.Minute)),
	)
	for id, failed := range map[string]bool{"unreadable": false, "live": true, "done": false, "absent": true, "long absent": false} {
		if strings.Contains(answer, `"`+id+`"`) != failed {
			t.Errorf("%s: failed should be %v in %s", id, failed, answer)
		}
	}
	if w.hidden["receipt-live"] != 25*time.Second || len(w.hidden) != 1 {
		t.Errorf("hidden %v", w.hidden)
	}
	if r := w.record(t, live); r.Status != protocol.StatusStreaming {
		t.Errorf("a live attempt was ended: %+v", r)
	}
	if !strings.Contains(w.metrics.String(), `"Unreadable":1`) {
		t.Error("an unreadable message is not counted")
	}
}

// TestAcknowledgedOnlyWhenToldAndSettled guards rule 2 of docs/life.md.
func TestAcknowledgedOnlyWhenToldAndSettled(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := message("1", queue.Encode(w.admit(t, "u")), noon)
	w.postErr = errors.New("no sockets today")
	if answer := w.batch(t, m); answer == acknowledged {
		t.Error("acknowledged before the end was posted")
	}
	w.postErr = nil
	w.db.Inject(func(c dynamotest.Call) dynamotest.Fault {
		if c.Operation == "UpdateItem" {
			return dynamotest.Fault{Error: "InternalServerError"}
		}
		return dynamotest.Fault{}
	})
	if answer := w.batch(t, m); answer == acknowledged {
		t.Error("acknowledged before the settlement")
	}
	w.db.Inject(nil)
	if answer := w.batch(t, m); answer != acknowledged {
		t.Error(answer)
	}
}

// TestSweep guards rule 5 of docs/life.md.
func TestSweep(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	old := w.admit(t, "old")
	w.clock = noon.Add(14 * time.Minute)
	lost, dead, live := w.admit(t, "lost"), w.admit(t, "dead"), w.admit(t, "live")
	unsettled := w.admit(t, "unsettled")
	w.claim(t, dead)
	if _, err := w.db.Finish(t.Context(), w.claim(t, unsettled).Fence(), life.End{Status: protocol.StatusSucceeded, EndSeq: 1, Usage: &protocol.TokenUsage{InputTokens: 9}}, w.clock); err != nil {
		t.Fatal(err)
	}
	w.clock = noon.Add(16 * time.Minute)
	w.claim(t, live)

	answer, err := w.handle(t, map[string]bool{"sweep": true})
	if err != nil || answer != `{"accounts":5,"requests":5,"released":2,"failed":0,"orphans":0,"left":0}` {
		t.Fatalf("%s, %v", answer, err)
	}
	if r := w.record(t, old); r.ErrorCode != protocol.CodeExpired {
		t.Errorf("old: %+v", r)
	}
	sent := map[life.Key]bool{}
	for _, key := range w.sent {
		sent[key] = true
	}
	if !sent[lost] || !sent[dead] || len(w.sent) != 2 {
		t.Errorf("sent %v", w.sent)
	}
	if account, err := w.db.Account(t.Context(), "unsettled"); err != nil || account.InFlight != 0 || account.Months["2026-11"].Tokens != 9 {
		t.Errorf("unsettled: %+v, %v", account, err)
	}
	if len(w.posted) != 2 {
		t.Errorf("posted %q", w.posted)
	}
	if answer, err = w.handle(t, map[string]bool{"sweep": true}); err != nil || len(w.sent) != 2 || len(w.posted) != 2 {
		t.Errorf("second sweep: %s, %v, sent %v, posted %q", answer, err, w.sent, w.posted)
	}
}

func TestSweepGoesOnAfterAFailure(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	bad, good := w.admit(t, "bad"), w.admit(t, "good")
	w.clock = noon.Add(16 * time.Minute)
	w.db.Inject(func(c dynamotest.Call) dynamotest.Fault {
		key, _ := json.Marshal(c.Body["Key"])
		if c.Operation == "GetItem" && strings.Contains(string(key), bad.RequestID) {
			return dynamotest.Fault{Error: "AccessDeniedException"}
		}
		return dynamotest.Fault{}
	})
	answer, err := w.handle(t, map[string]bool{"sweep": true})
	if err == nil || !strings.Contains(answer, `"failed":1`) {
		t.Errorf("%s, %v", answer, err)
	}
	w.db.Inject(nil)
	if r := w.record(t, good); !r.Status.Terminal() {
		t.Errorf("record %+v", r)
	}
}

func TestHandleRefusesOtherEvents(t *testing.T) {
	t.Parallel()
	for _, event := range []string{`{}`, `{"sweep":false}`, `{"Records":[]}`, `[]`, `"x"`, `{"Records":7}`} {
		if answer, err := newWorld(t).Handle(t.Context(), json.RawMessage(event)); err == nil {
			t.Errorf("%s: %v", event, answer)
		}
	}
}

// Whatever the body of a message, it is acknowledged or stays, and nothing
// breaks.
func FuzzMessage(f *testing.F) {
	f.Add("hello", "1")
	f.Add(queue.Encode(life.Key{UserID: "u", RequestID: life.NewRequestID()}), "x")
	f.Add(`{"v":1,"userId":"","requestId":null}`, "")
	s := &recovery.Service{Store: empty{}, Now: func() time.Time { return noon }, Log: logging.New(io.Discard, 0)}
	f.Fuzz(func(t *testing.T, body, sent string) {
		raw, err := json.Marshal(events.SQSEvent{Records: []events.SQSMessage{{MessageId: "m", Body: body, Attributes: map[string]string{"SentTimestamp": sent}}}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Handle(context.Background(), raw); err != nil {
			t.Error(err)
		}
	})
}

// empty is a store without requests.
type empty struct{ recovery.Store }

func (empty) Record(context.Context, life.Key) (life.Record, error) {
	return life.Record{}, life.ErrNotFound
}
