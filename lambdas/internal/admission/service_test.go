package admission_test

import (
	"context"
	"io"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/streaming-service/streaming-service/internal/environment"
	"github.com/streaming-service/streaming-service/lambdas/internal/admission"
	"github.com/streaming-service/streaming-service/lambdas/internal/dynamo/dynamotest"
	"github.com/streaming-service/streaming-service/lambdas/internal/httpapi"
	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/lambdas/internal/logging"
	"github.com/streaming-service/streaming-service/protocol"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// world is an admission service on a real store, with a clock and a queue that
// may fail.
type world struct {
	*admission.Service
	db *dynamotest.Database

	mu      sync.Mutex
	clock   time.Time
	sent    []life.Key
	later   []time.Duration // delays of what was sent to arrive later
	sendErr error
	onSend  func(life.Key)
}

func newWorld(t *testing.T) *world {
	t.Helper()
	calendar, err := life.NewCalendar("UTC")
	if err != nil {
		t.Fatal(err)
	}
	w := &world{db: dynamotest.New(t), clock: noon}
	w.Service = &admission.Service{
		Store:    w.db,
		Queue:    w,
		Life:     &life.Service{Store: w.db, Queue: w, Now: w.now, MaxAge: 15 * time.Minute},
		Tiers:    environment.Tiers{Default: environment.Limits{MonthlyRequests: 10, MonthlyTokens: 10_000}, Groups: map[string]environment.Limits{"gold": {}}},
		Calendar: calendar,
		Cap:      5,
		Model:    admission.Model{ID: "m", Allowed: []string{"m", "n"}, MaxTokens: 100},
		InputTTL: time.Hour,
		Now:      w.now,
		Log:      logging.New(io.Discard, 0),
	}
	return w
}

func (w *world) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.clock
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.clock = w.clock.Add(d)
}

func (w *world) Send(_ context.Context, key life.Key) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sent = append(w.sent, key)
	if w.onSend != nil {
		w.onSend(key)
	}
	return w.sendErr
}

func (w *world) SendAfter(_ context.Context, key life.Key, d time.Duration) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.later = append(w.later, d)
	if w.onSend != nil {
		w.onSend(key)
	}
	return w.sendErr
}

// crowded is a store whose user has as many requests open as an item can name.
type crowded struct{ admission.Store }

func (s crowded) Account(ctx context.Context, userID string) (life.Account, error) {
	account, err := s.Store.Account(ctx, userID)
	account.InFlight = life.MaxOpen
	return account, err
}

// Without a cap of its own, a user's open set would grow until no write of the
// user's item could succeed, refunds included.
func TestOpenRequestsAreBoundedWithoutACap(t *testing.T) {
	t.Parallel()
	for _, configured := range []int64{0, life.MaxOpen + 1} {
		w := newWorld(t)
		w.Cap = configured
		if a := w.submit(t.Context(), "", hi); a.Status != 202 {
			t.Errorf("cap %d: %q", configured, a.code())
		}
		w.Store = crowded{w.db}
		if a := w.submit(t.Context(), "", hi); a.code() != protocol.CodeTooManyInFlight {
			t.Errorf("cap %d: %q with %d open", configured, a.code(), life.MaxOpen)
		}
	}
}

type answer struct {
	httpapi.Response
	refusal *httpapi.Error
}

func (a answer) id() string {
	if body, ok := a.Body.(protocol.SubmitResponse); ok {
		return body.RequestID
	}
	return ""
}

func (a answer) code() protocol.Code {
	if a.refusal == nil {
		return ""
	}
	return a.refusal.Problem.Code
}

// submit sends body for user u; key "" is none.
func (w *world) submit(ctx context.Context, key, body string, groups ...string) answer {
	header := map[string]string{}
	if key != "" {
		header["idempotency-key"] = key
	}
	response, err := w.Submit(ctx, httpapi.NewRequest("u", groups, header, []byte(body)))
	if err != nil {
		return answer{refusal: httpapi.AsError(err)}
	}
	return answer{Response: response}
}

func (w *world) account(t *testing.T) life.Account {
	t.Helper()
	a, err := w.db.Account(t.Context(), "u")
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func (w *world) record(t *testing.T, id string) life.Record {
	t.Helper()
	r, err := w.db.Record(t.Context(), life.Key{UserID: "u", RequestID: id})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

const hi = `{"prompt":"hi"}`

func TestSubmit(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.submit(t.Context(), "", `{"prompt":"hello","model":"n","maxTokens":20,"system":"s","temperature":0.5}`)
	if a.code() != protocol.CodeInvalidRequest {
		t.Fatalf("a system text where none is allowed: %q", a.code())
	}
	w.Model.AllowSystem = true
	a = w.submit(t.Context(), "", `{"prompt":"hello","model":"n","maxTokens":20,"system":"s","temperature":0.5}`)
	if a.Status != 202 || !life.ValidRequestID(a.id()) {
		t.Fatalf("answer %+v, %q", a.Response, a.code())
	}
	const estimate = 20 + 10 + 9
	quota := a.Body.(protocol.SubmitResponse).Quota
	if quota.Period != "2026-11" || quota.ResetsAt != "2026-12-01T00:00:00Z" || quota.Requests.Used != 1 || *quota.Requests.Remaining != 9 ||
		quota.Tokens.Reserved != estimate || quota.InFlight != 1 || quota.Tier != "default" {
		t.Errorf("quota %+v", quota)
	}
	want := map[string]string{"RateLimit-Limit": "10", "RateLimit-Remaining": "9", "RateLimit-Reset": "561600"}
	for name, value := range want {
		if a.Header[name] != value {
			t.Errorf("%s = %q, want %q", name, a.Header[name], value)
		}
	}
	r := w.record(t, a.id())
	if r.Estimate != estimate || r.Model.ModelID != "n" || r.Model.MaxTokens != 20 || *r.Model.Temperature != 0.5 || r.Period != "2026-11" || r.Status != protocol.StatusQueued {
		t.Errorf("record %+v", r)
	}
	in, err := w.db.Input(t.Context(), r.RequestID, r.BodyHash)
	if err != nil || in.Messages[0].Content != "hello" || in.System[0] != "s" {
		t.Errorf("input %+v, %v", in, err)
	}
	if len(w.sent) != 1 || w.sent[0] != r.Key {
		t.Errorf("sent %v", w.sent)
	}
}

func TestSubmitAnswersAsTheAccountThenStands(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for range 3 {
		a := w.submit(t.Context(), "", hi)
		usage, err := w.Usage(t.Context(), httpapi.NewRequest("u", nil, nil, nil))
		if err != nil {
			t.Fatal(err)
		}
		if got, want := string(protocol.Encode(a.Body.(protocol.SubmitResponse).Quota)), string(protocol.Encode(usage.Body)); got != want {
			t.Errorf("202 says %s, GET /usage %s", got, want)
		}
	}
}

func TestUnlimitedHasNoRateLimitHeaders(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.submit(t.Context(), "", hi, "gold")
	if a.Status != 202 || len(a.Header) > 0 || a.Body.(protocol.SubmitResponse).Quota.Requests.Limit != nil {
		t.Errorf("answer %+v", a.Response)
	}
}

func TestSubmitRefusals(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		change func(*world)
		prior  int
		code   protocol.Code
		quota  string
		retry  string
	}{
		{"requests", func(w *world) { w.Tiers.Default.MonthlyRequests = 2 }, 2, protocol.CodeQuotaExceeded, "requests", "561600"},
		{"tokens", func(w *world) { w.Tiers.Default.MonthlyTokens = 300 }, 2, protocol.CodeQuotaExceeded, "tokens", "561600"},
		{"budget", func(w *world) {
			w.Prices = map[string]life.Price{"m": {Output: protocol.Dollar}} // a million tokens; 100 may be answered
			w.Tiers.Default.MonthlyBudget = 250 * protocol.Dollar / 1_000_000
		}, 2, protocol.CodeQuotaExceeded, "budget", "561600"},
		{"in flight", func(w *world) { w.Cap = 2 }, 2, protocol.CodeTooManyInFlight, "", "1"},
		{"rate", func(w *world) { w.Rate = life.NewRate(0.1, 2) }, 2, protocol.CodeRateLimited, "", "10"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			test.change(w)
			for range test.prior {
				if a := w.submit(t.Context(), "", hi); a.Status != 202 {
					t.Fatalf("prior request: %q", a.code())
				}
			}
			before := w.account(t)
			a := w.submit(t.Context(), "new-key", hi)
			if a.code() != test.code || a.refusal.Problem.Quota != test.quota || a.refusal.Header["Retry-After"] != test.retry {
				t.Fatalf("refusal %+v, %v", a.refusal.Problem, a.refusal.Header)
			}
			if a.refusal.Status() != 429 || a.refusal.Header["RateLimit-Limit"] == "" {
				t.Errorf("status %d, headers %v", a.refusal.Status(), a.refusal.Header)
			}
			if p := a.refusal.Problem; test.quota != "" && (p.ResetsAt != "2026-12-01T00:00:00Z" ||
				p.Limit == nil || p.Used == nil || (p.Budget == nil) == (test.quota == protocol.QuotaBudget)) {
				t.Errorf("problem %+v", p)
			}
			if p := a.refusal.Problem; test.quota == protocol.QuotaBudget && (*p.Limit != 250_000 || *p.Used != 0 || *p.Budget.Limit != 250_000) {
				t.Errorf("limit %d, used %d, budget %+v: all of them of one account", *p.Limit, *p.Used, p.Budget)
			}
			after := w.account(t)
			if before.InFlight != after.InFlight || before.Months["2026-11"] != after.Months["2026-11"] || len(w.sent) != test.prior {
				t.Errorf("a refusal changed the account: %+v, %+v", before, after)
			}
		})
	}
}

// overtaken is a store on which other requests are admitted right after the
// first reading of the account.
type overtaken struct {
	admission.Store
	overtake func()
}

func (o *overtaken) Account(ctx context.Context, userID string) (life.Account, error) {
	account, err := o.Store.Account(ctx, userID)
	if overtake := o.overtake; overtake != nil {
		o.overtake = nil
		overtake()
	}
	return account, err
}

func TestRefusalOfAnOvertakenSubmissionTellsWhatIsLeft(t *testing.T) {
	t.Parallel()
	w, others := newWorld(t), newWorld(t)
	w.Tiers.Default.MonthlyRequests, others.db, others.Store = 2, w.db, w.db
	w.Store = &overtaken{w.db, func() {
		for range 2 {
			if a := others.submit(t.Context(), "", hi); a.Status != 202 {
				t.Errorf("other request: %q", a.code())
			}
		}
	}}
	a := w.submit(t.Context(), "", hi)
	if a.code() != protocol.CodeQuotaExceeded || *a.refusal.Problem.Used != 2 || a.refusal.Header["RateLimit-Remaining"] != "0" {
		t.Errorf("refusal %+v, %v", a.refusal.Problem, a.refusal.Header)
	}
}

func TestRefusedUserIsHealedFirst(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Cap = 1
	stuck := w.submit(t.Context(), "", hi).id()
	if a := w.submit(t.Context(), "", hi); a.code() != protocol.CodeTooManyInFlight {
		t.Fatalf("second: %q", a.code())
	}
	w.pass(16 * time.Minute) // nobody ever worked on it
	if a := w.submit(t.Context(), "", hi); a.Status != 202 {
		t.Fatalf("the user is locked out by a request that is dead: %q", a.code())
	}
	if r := w.record(t, stuck); r.ErrorCode != protocol.CodeExpired {
		t.Errorf("stuck request %+v", r)
	}
	if a := w.account(t); a.InFlight != 1 || a.Months["2026-11"].Used != 1 {
		t.Errorf("account %+v", a)
	}
}

// TestAdmissionHealsOtherRequests guards rule 5 of docs/life.md.
func TestAdmissionHealsOtherRequests(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	lost := w.submit(t.Context(), "", hi).id()
	w.pass(2 * time.Minute)
	w.submit(t.Context(), "", hi)
	sent := map[string]int{}
	for _, key := range w.sent {
		sent[key.RequestID]++
	}
	if sent[lost] != 2 {
		t.Errorf("sent %v, want %s twice", sent, lost)
	}
}

func TestNewMonth(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Tiers.Default.MonthlyRequests = 1
	w.submit(t.Context(), "", hi)
	if a := w.submit(t.Context(), "", hi); a.code() != protocol.CodeQuotaExceeded {
		t.Fatalf("second in the month: %q", a.code())
	}
	w.pass(7 * 24 * time.Hour)
	if a := w.submit(t.Context(), "", hi); a.Status != 202 || a.Body.(protocol.SubmitResponse).Quota.Period != "2026-12" {
		t.Errorf("first in the next month: %q", a.code())
	}
}

func TestUsageOfAnUnknownUser(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	response, err := w.Usage(t.Context(), httpapi.NewRequest("nobody", []string{"gold"}, nil, nil))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"period":"2026-11","resetsAt":"2026-12-01T00:00:00Z","tier":"gold","requests":{"limit":null,"used":0,"remaining":null},"tokens":{"limit":null,"used":0,"reserved":0,"remaining":null},"budget":null,"inFlight":0}`
	if got := string(protocol.Encode(response.Body)); got != want {
		t.Errorf("usage %s", got)
	}
}

// An account remembers a year: its item must not grow for ever, or every write
// of it costs more from year to year.
func TestMonthsLongAgoAreForgotten(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		months int
		oldest life.Month
		want   []string
	}{
		{"a year", 13, life.Month{Used: 1, Tokens: 5, Held: 5}, nil},
		{"more", 14, life.Month{Used: 1, Tokens: 5, Held: 5}, []string{"2025-10"}},
		{"more, with open requests", 14, life.Month{Used: 1, Tokens: 5, Held: 6}, nil},
	} {
		w := newWorld(t)
		old := &oldStore{Store: w.db, months: map[string]life.Month{}}
		for n := range test.months {
			old.months[noon.AddDate(0, -n, -20).Format("2006-01")] = test.oldest
		}
		w.Store = old
		if a := w.submit(t.Context(), "", hi); a.Status != 202 {
			t.Fatalf("%s: %q", test.name, a.code())
		}
		if !slices.Equal(old.forgotten, test.want) {
			t.Errorf("%s: forgot %v, want %v", test.name, old.forgotten, test.want)
		}
	}
}

// oldStore is a store whose user has been there for long.
type oldStore struct {
	admission.Store
	months    map[string]life.Month
	forgotten []string
}

func (s *oldStore) Account(ctx context.Context, userID string) (life.Account, error) {
	account, err := s.Store.Account(ctx, userID)
	maps.Copy(account.Months, s.months)
	return account, err
}

func (s *oldStore) ForgetMonth(_ context.Context, _, period string) error {
	s.forgotten = append(s.forgotten, period)
	return nil
}

// How many answers without a word are refunded is counted by user and month, and
// fixed for each request at its admission.
func TestRefundsOfUnansweredRequestsAreCounted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Tiers.Default.MonthlyRequests = 0
	for n := range life.UnansweredRefunds + 2 {
		w.pass(time.Minute)
		record := w.record(t, w.submit(t.Context(), "", `{"prompt":"say nothing"}`).id())
		if spent := n >= life.UnansweredRefunds; record.RefundsSpent != spent {
			t.Fatalf("request %d: refunds spent %v, want %v", n+1, record.RefundsSpent, spent)
		}
		end := life.End{Status: protocol.StatusFailed, ErrorCode: protocol.CodeModelError, StopReason: "end_turn"}
		ended, err := w.db.EndUnowned(t.Context(), record.Key, end, w.now())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.db.Settle(t.Context(), ended); err != nil {
			t.Fatal(err)
		}
	}
	if month := w.account(t).Months["2026-11"]; month.Used != 2 || month.Unanswered != life.UnansweredRefunds {
		t.Errorf("spent %+v", month)
	}
}
