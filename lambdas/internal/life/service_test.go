package life_test

import (
	"context"
	"errors"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/streaming-service/streaming-service/lambdas/internal/dynamo/dynamotest"
	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/protocol"
)

const month = "2026-11"

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// world is a service on a real store, with a clock and everything it does to
// the outside recorded.
type world struct {
	*life.Service
	db *dynamotest.Database

	mu      sync.Mutex
	clock   time.Time
	posted  []string
	sent    []life.Key
	settled int
	failed  int
	postErr error
	sendErr error
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{db: dynamotest.New(t), clock: noon}
	w.Service = &life.Service{Store: w.db, Queue: w, Poster: w, Meter: w, Now: w.now, MaxAge: 15 * time.Minute}
	return w
}

func (w *world) now() time.Time                       { return w.clock }
func (w *world) pass(d time.Duration)                 { w.clock = w.clock.Add(d) }
func (w *world) Resent(life.Record)                   {}
func (w *world) Settled(life.Record, life.Settlement) { w.settled++ }
func (w *world) SettleFailed(life.Record, error)      { w.failed++ }

func (w *world) Send(_ context.Context, key life.Key) error {
	w.sent = append(w.sent, key)
	return w.sendErr
}

func (w *world) Post(_ context.Context, userID string, frame []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.posted = append(w.posted, userID+" "+string(frame))
	return w.postErr
}

// admit returns a queued request of user u, with 40 tokens of input and 60 of
// answer reserved.
func (w *world) admit(t *testing.T) life.Record {
	t.Helper()
	record := life.Record{
		Key: life.Key{UserID: "u", RequestID: life.NewRequestID()}, Period: month, Estimate: 100, BodyHash: "h",
		Model: life.ModelParameters{ModelID: "m", MaxTokens: 60}, Status: protocol.StatusQueued, AttemptCap: life.AttemptCap, CreatedAt: w.clock, UpdatedAt: w.clock,
	}
	if err := w.db.Admit(t.Context(), life.Admission{Record: record, Now: w.clock, ResetsAt: w.clock.Add(time.Hour)}, life.Account{}); err != nil {
		t.Fatal(err)
	}
	return record
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

func (w *world) month(t *testing.T) life.Month {
	t.Helper()
	account, err := w.db.Account(t.Context(), "u")
	if err != nil {
		t.Fatal(err)
	}
	if account.InFlight != int64(len(account.Open)) {
		t.Errorf("in flight %d, open %v", account.InFlight, account.Open)
	}
	return account.Months[month]
}

func TestConcludeEveryTime(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	record := w.claim(t, w.admit(t).Key)
	record, err := w.db.Finish(t.Context(), record.Fence(), life.End{Status: protocol.StatusSucceeded, EndSeq: 1, Usage: &protocol.TokenUsage{InputTokens: 5}}, w.clock)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := w.Conclude(t.Context(), record); err != nil {
			t.Fatal(err)
		}
	}
	if w.settled != 1 || len(w.posted) != 3 || w.posted[0] != w.posted[2] {
		t.Errorf("settled %d times, posted %q", w.settled, w.posted)
	}
	if m := w.month(t); m != (life.Month{Used: 1, Tokens: 5, Held: 5}) {
		t.Errorf("month = %+v", m)
	}
}

func TestConcludePostsOnlyWhatIsSettled(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	record, err := w.db.EndUnowned(t.Context(), w.admit(t).Key, life.Ended(protocol.CodeExpired), w.clock)
	if err != nil {
		t.Fatal(err)
	}
	w.db.Inject(func(c dynamotest.Call) dynamotest.Fault { return dynamotest.Fault{Error: "AccessDeniedException"} })
	if err := w.Conclude(t.Context(), record); err == nil || len(w.posted) > 0 || w.failed != 1 {
		t.Errorf("Conclude = %v, posted %q, %d failures", err, w.posted, w.failed)
	}
	w.db.Inject(nil)
	w.postErr = errors.New("no sockets today")
	if err := w.Conclude(t.Context(), record); !errors.Is(err, w.postErr) {
		t.Errorf("Conclude = %v", err)
	}
}

func TestCancel(t *testing.T) {
	t.Parallel()
	text := life.Chunk{FirstSeq: 1, Lengths: []int{2}, Text: "ab", OutputTokens: 7}
	tests := []struct {
		name   string
		before func(*testing.T, *world, life.Key)
		status protocol.Status
		flag   bool
		posts  int
		want   life.Month
	}{
		{"queued", func(*testing.T, *world, life.Key) {}, protocol.StatusCancelled, false, 1, life.Month{}},
		{"streaming", func(t *testing.T, w *world, k life.Key) { w.claim(t, k) }, protocol.StatusStreaming, true, 0, life.Month{Used: 1, Held: 100}},
		{"dead", func(t *testing.T, w *world, k life.Key) {
			if err := w.db.PutChunk(t.Context(), k.RequestID, w.claim(t, k).Owner, text, w.clock); err != nil {
				t.Fatal(err)
			}
			w.pass(time.Minute)
		}, protocol.StatusCancelled, false, 1, life.Month{Used: 1, Tokens: 47, Held: 47}},
		{"between attempts", func(t *testing.T, w *world, k life.Key) {
			if err := w.db.Release(t.Context(), w.claim(t, k).Fence(), w.clock); err != nil {
				t.Fatal(err)
			}
		}, protocol.StatusCancelled, false, 1, life.Month{Used: 1, Tokens: 40, Held: 40}},
		{"ended", func(t *testing.T, w *world, k life.Key) {
			if _, err := w.End(t.Context(), w.record(t, k), protocol.CodeExpired); err != nil {
				t.Fatal(err)
			}
		}, protocol.StatusFailed, false, 2, life.Month{}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			key := w.admit(t).Key
			test.before(t, w, key)
			got, err := w.Cancel(t.Context(), key)
			if err != nil || got.Status != test.status || got.Cancel != test.flag {
				t.Fatalf("Cancel = %+v, %v", got, err)
			}
			if len(w.posted) != test.posts {
				t.Errorf("posted %q", w.posted)
			}
			if m := w.month(t); m != test.want {
				t.Errorf("month = %+v, want %+v", m, test.want)
			}
		})
	}
}

func TestCancelOfNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	key := w.admit(t).Key
	key.UserID = "v"
	if _, err := w.Cancel(t.Context(), key); !errors.Is(err, life.ErrNotFound) {
		t.Errorf("Cancel of another user's request = %v", err)
	}
}

// TestDiagnose guards rule 5 of docs/life.md.
func TestDiagnose(t *testing.T) {
	t.Parallel()
	const maxAge = 15 * time.Minute
	queued := life.Record{Status: protocol.StatusQueued, AttemptCap: 4, CreatedAt: noon, UpdatedAt: noon}
	streaming := life.Record{Status: protocol.StatusStreaming, Attempt: 1, AttemptCap: 4, CreatedAt: noon, UpdatedAt: noon, LeaseUntil: noon.Add(10 * time.Minute)}
	with := func(r life.Record, change func(*life.Record)) life.Record { change(&r); return r }
	tests := []struct {
		name   string
		record life.Record
		after  time.Duration
		want   life.Remedy
		code   protocol.Code
	}{
		{"fresh", queued, 59 * time.Second, life.RemedyNone, ""},
		{"stands still", queued, time.Minute, life.RemedyResend, ""},
		{"too old", queued, maxAge + 1, life.RemedyEnd, protocol.CodeExpired},
		{"live, however old", with(streaming, func(r *life.Record) { r.LeaseUntil = noon.Add(time.Hour) }), 30 * time.Minute, life.RemedyNone, ""},
		{"dead", streaming, 10*time.Minute + 6*time.Second, life.RemedyNone, ""},
		{"dead for a minute", streaming, 11 * time.Minute, life.RemedyResend, ""},
		{"cancelled and dead", with(streaming, func(r *life.Record) { r.Cancel = true }), 11 * time.Minute, life.RemedyEnd, protocol.CodeCancelled},
		{"cancelled and live", with(streaming, func(r *life.Record) { r.Cancel = true }), time.Minute, life.RemedyNone, ""},
		{"attempts used up", with(queued, func(r *life.Record) { r.Attempt = 4 }), time.Second, life.RemedyEnd, protocol.CodeDeadLettered},
		{"just ended", life.Record{Status: protocol.StatusSucceeded, UpdatedAt: noon}, 9 * time.Second, life.RemedyNone, ""},
		{"ended", life.Record{Status: protocol.StatusSucceeded, UpdatedAt: noon}, 10 * time.Second, life.RemedyConclude, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got, code := life.Diagnose(test.record, noon.Add(test.after), maxAge); got != test.want || code != test.code {
				t.Errorf("Diagnose = %v, %q", got, code)
			}
		})
	}
}

// TestHealLostMessage guards rule 5 of docs/life.md.
func TestHealLostMessage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	key := w.admit(t).Key
	heal := func(want int) {
		t.Helper()
		if released, err := w.Heal(t.Context(), w.record(t, key)); err != nil || released {
			t.Errorf("Heal = %v, %v", released, err)
		}
		if len(w.sent) != want {
			t.Errorf("sent %d times at %v, want %d", len(w.sent), w.clock.Sub(noon), want)
		}
	}
	heal(0)
	w.pass(time.Minute)
	heal(1)
	heal(1) // backs off
	w.pass(61 * time.Second)
	heal(2)
	if !reflect.DeepEqual(w.sent, []life.Key{key, key}) {
		t.Errorf("sent %v", w.sent)
	}
	w.pass(15 * time.Minute)
	if released, err := w.Heal(t.Context(), w.record(t, key)); err != nil || !released {
		t.Errorf("Heal of old work = %v, %v", released, err)
	}
	if r := w.record(t, key); r.ErrorCode != protocol.CodeExpired || w.month(t) != (life.Month{}) || len(w.posted) != 1 {
		t.Errorf("record %+v, posted %q", r, w.posted)
	}
}

func TestHealEndsBetweenCommitAndSettlement(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	key := w.admit(t).Key
	if _, err := w.db.Finish(t.Context(), w.claim(t, key).Fence(), life.End{Status: protocol.StatusFailed, EndSeq: 1, ErrorCode: protocol.CodeModelError}, w.clock); err != nil {
		t.Fatal(err)
	}
	w.pass(time.Minute)
	for i := range 2 {
		if released, err := w.Heal(t.Context(), w.record(t, key)); err != nil || released != (i == 0) {
			t.Errorf("Heal %d = %v, %v", i, released, err)
		}
	}
	if len(w.posted) != 1 || w.month(t) != (life.Month{}) {
		t.Errorf("posted %q", w.posted)
	}
}

func TestHealDoesNotHideAFailedSend(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	record := w.admit(t)
	w.pass(2 * time.Minute)
	w.sendErr = errors.New("queue is down")
	if _, err := w.Heal(t.Context(), record); !errors.Is(err, w.sendErr) {
		t.Errorf("Heal = %v", err)
	}
}

func TestDecline(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	refusal := func(key life.Key) *life.ClaimRefused {
		t.Helper()
		_, err := w.db.Claim(t.Context(), key, life.Claim{Owner: "late", Now: w.clock, Lease: life.DefaultLease, MaxAge: 15 * time.Minute})
		refused, ok := errors.AsType[*life.ClaimRefused](err)
		if !ok {
			t.Fatalf("Claim = %v", err)
		}
		return refused
	}
	live, old := w.admit(t).Key, w.admit(t).Key
	w.claim(t, live)
	w.pass(10 * time.Second)
	if wait, err := w.Decline(t.Context(), refusal(live)); err != nil || wait != 25*time.Second {
		t.Errorf("live: %v, %v", wait, err)
	}
	if _, err := w.db.RequestCancel(t.Context(), live, w.clock); err != nil {
		t.Fatal(err)
	}
	w.pass(16 * time.Minute)
	for key, code := range map[life.Key]protocol.Code{live: protocol.CodeCancelled, old: protocol.CodeExpired} {
		for range 2 { // the second finds the end of the first
			if wait, err := w.Decline(t.Context(), refusal(key)); err != nil || wait != 0 {
				t.Errorf("%s: %v, %v", code, wait, err)
			}
		}
		if r := w.record(t, key); r.ErrorCode != code {
			t.Errorf("ended with %s, want %s", r.ErrorCode, code)
		}
	}
	if w.settled != 2 || len(w.posted) != 4 {
		t.Errorf("settled %d, posted %d", w.settled, len(w.posted))
	}
}
