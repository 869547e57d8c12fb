package requests_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/streaming-service/streaming-service/lambdas/internal/dynamo/dynamotest"
	"github.com/streaming-service/streaming-service/lambdas/internal/httpapi"
	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/lambdas/internal/logging"
	"github.com/streaming-service/streaming-service/lambdas/internal/requests"
	"github.com/streaming-service/streaming-service/protocol"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// world is the API of the requests function on a real store.
type world struct {
	api    *httpapi.API
	db     *dynamotest.Database
	clock  time.Time
	posted []string
	sent   []life.Key
	down   error // of the sockets
}

func (w *world) Post(_ context.Context, _ string, frame []byte) error {
	w.posted = append(w.posted, string(frame))
	return w.down
}

func (w *world) Send(_ context.Context, key life.Key) error {
	w.sent = append(w.sent, key)
	return nil
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{db: dynamotest.New(t), clock: noon}
	lives := &life.Service{Store: w.db, Queue: w, Poster: w, Now: func() time.Time { return w.clock }, MaxAge: 15 * time.Minute}
	log := logging.New(io.Discard, 0)
	service := &requests.Service{Store: w.db, Life: lives, Log: log}
	w.api = &httpapi.API{ClientID: "c", Log: log, Routes: map[httpapi.Route]httpapi.Handler{
		{Method: "GET", Resource: httpapi.ResourceRequest}:    service.Get,
		{Method: "DELETE", Resource: httpapi.ResourceRequest}: service.Delete,
	}}
	return w
}

func (w *world) call(t *testing.T, user, method, id string) (int, string) {
	t.Helper()
	event := events.APIGatewayProxyRequest{HTTPMethod: method, Resource: httpapi.ResourceRequest, PathParameters: map[string]string{"requestId": id}}
	event.RequestContext.Authorizer = map[string]any{"claims": map[string]any{"sub": user, "aud": "c"}}
	r, err := w.api.Serve(t.Context(), event)
	if err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, r.Body
}

func (w *world) state(t *testing.T, id string) protocol.RequestState {
	t.Helper()
	status, body := w.call(t, "u", "GET", id)
	var s protocol.RequestState
	if err := json.Unmarshal([]byte(body), &s); err != nil || status != 200 {
		t.Fatalf("GET: %d %s", status, body)
	}
	return s
}

func (w *world) admit(t *testing.T) life.Key {
	t.Helper()
	record := life.Record{
		Key: life.Key{UserID: "u", RequestID: life.NewRequestID()}, Period: "2026-11", Estimate: 100, BodyHash: "h",
		Model: life.ModelParameters{ModelID: "m", MaxTokens: 60}, Status: protocol.StatusQueued, AttemptCap: life.AttemptCap, CreatedAt: w.clock,
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

func TestGet(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	key := w.admit(t)
	if s := w.state(t, key.RequestID); s.Status != protocol.StatusQueued || s.Attempt != 0 || s.LastSeq != -1 || s.Model != "m" || s.CreatedAt != "2026-11-24T12:00:00.000Z" {
		t.Errorf("queued: %+v", s)
	}
	record := w.claim(t, key)
	if s := w.state(t, key.RequestID); s.Status != protocol.StatusStreaming || s.Attempt != 1 || s.LastSeq != 0 {
		t.Errorf("started: %+v", s)
	}
	for _, c := range []life.Chunk{{FirstSeq: 1, Lengths: []int{1, 2}, Text: "a<b"}, {FirstSeq: 4, Lengths: []int{1}, Text: "x"}} {
		if err := w.db.PutChunk(t.Context(), key.RequestID, record.Owner, c, noon); err != nil {
			t.Fatal(err)
		}
	}
	if s := w.state(t, key.RequestID); s.Text != "a<b" || s.LastSeq != 2 {
		t.Errorf("up to the gap: %+v", s)
	}
	end := life.End{Status: protocol.StatusSucceeded, EndSeq: 5, StopReason: "end_turn", Usage: &protocol.TokenUsage{InputTokens: 3, OutputTokens: 4}}
	if err := w.db.PutChunk(t.Context(), key.RequestID, record.Owner, life.Chunk{FirstSeq: 3, Lengths: []int{1}, Text: "c"}, noon); err != nil {
		t.Fatal(err)
	}
	if _, err := w.db.Finish(t.Context(), record.Fence(), end, w.clock); err != nil {
		t.Fatal(err)
	}
	s := w.state(t, key.RequestID)
	if s.Status != protocol.StatusSucceeded || s.Text != "a<bcx" || s.LastSeq != 4 || s.StopReason != "end_turn" || *s.Usage != *end.Usage || s.Error != nil {
		t.Errorf("succeeded: %+v", s)
	}
}

func TestNobodyReadsOrCancelsTheRequestsOfOthers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.admit(t).RequestID
	tests := []struct{ name, user, id string }{
		{"another user", "v", id},
		{"user id that reaches for the key", "u/r#" + id, id},
		{"unknown id", "u", life.NewRequestID()},
		{"no id", "u", ""},
		{"id that reaches for another item", "u", "../account"},
		{"id in upper case", "u", strings.ToUpper(id)},
	}
	for _, test := range tests {
		for _, method := range []string{"GET", "DELETE"} {
			status, body := w.call(t, test.user, method, test.id)
			if status != 404 || !strings.Contains(body, `"code":"not_found"`) {
				t.Errorf("%s: %s: %d %s", test.name, method, status, body)
			}
		}
	}
	if s := w.state(t, id); s.Status != protocol.StatusQueued {
		t.Errorf("request is %s", s.Status)
	}
}

func TestDelete(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	queued, streaming := w.admit(t), w.admit(t)
	w.claim(t, streaming)
	for range 2 {
		status, body := w.call(t, "u", "DELETE", queued.RequestID)
		if status != 202 || body != `{"requestId":"`+queued.RequestID+`","status":"cancelled"}` {
			t.Errorf("queued: %d %s", status, body)
		}
		status, body = w.call(t, "u", "DELETE", streaming.RequestID)
		if status != 202 || body != `{"requestId":"`+streaming.RequestID+`","status":"streaming"}` {
			t.Errorf("streaming: %d %s", status, body)
		}
	}
	if len(w.posted) != 2 || w.posted[0] != w.posted[1] || !strings.Contains(w.posted[0], `"code":"cancelled"`) {
		t.Errorf("posted %q", w.posted)
	}
	if s := w.state(t, queued.RequestID); s.Attempt != 1 || s.LastSeq != -1 || s.Error == nil || s.Error.Code != protocol.CodeCancelled {
		t.Errorf("cancelled: %+v", s)
	}
}

func TestCancelledIsCancelledEvenIfNobodyCanBeTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.down = errors.New("no sockets today")
	if status, body := w.call(t, "u", "DELETE", w.admit(t).RequestID); status != 202 || !strings.Contains(body, "cancelled") {
		t.Errorf("%d %s", status, body)
	}
}

// TestGetHeals guards rule 5 of docs/life.md.
func TestGetHeals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	key := w.admit(t)
	w.clock = noon.Add(2 * time.Minute)
	if s := w.state(t, key.RequestID); s.Status != protocol.StatusQueued || len(w.sent) != 1 {
		t.Errorf("lost message: %+v, sent %v", s, w.sent)
	}
	w.clock = noon.Add(16 * time.Minute)
	if s := w.state(t, key.RequestID); s.Status != protocol.StatusFailed || s.Error.Code != protocol.CodeExpired || len(w.posted) != 1 {
		t.Errorf("too old: %+v, posted %q", s, w.posted)
	}
	account, err := w.db.Account(t.Context(), "u")
	if err != nil || account.InFlight != 0 || account.Months["2026-11"] != (life.Month{}) {
		t.Errorf("not refunded: %+v, %v", account, err)
	}
}

func TestGetReadsOnWhenHealingFails(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	key := w.admit(t)
	w.clock = noon.Add(2 * time.Minute)
	w.db.Inject(func(c dynamotest.Call) dynamotest.Fault {
		if c.Operation == "UpdateItem" {
			return dynamotest.Fault{Error: "InternalServerError"}
		}
		return dynamotest.Fault{}
	})
	if s := w.state(t, key.RequestID); s.Status != protocol.StatusQueued {
		t.Errorf("state %+v", s)
	}
}
