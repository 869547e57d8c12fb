package sockets_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/streaming-service/streaming-service/lambdas/internal/awsconfig"
	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/lambdas/internal/relay"
	"github.com/streaming-service/streaming-service/lambdas/internal/sockets"
)

// answer is what the callback API says once.
type answer struct {
	status int
	typed  string // x-amzn-ErrorType
}

var (
	ok      = answer{status: http.StatusOK}
	gone    = answer{http.StatusGone, "GoneException"}
	limited = answer{http.StatusTooManyRequests, "LimitExceededException"}
)

// gateway is a fake of the @connections API: it gives its answers in turn, the
// last one for ever.
type gateway struct {
	*httptest.Server
	mu      sync.Mutex
	answers []answer
	got     []string // METHOD path body
}

func newGateway(t *testing.T, answers ...answer) *gateway {
	t.Helper()
	g := &gateway{answers: answers}
	g.Server = httptest.NewServer(g)
	t.Cleanup(g.Close)
	return g
}

func (g *gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.got = append(g.got, r.Method+" "+r.URL.EscapedPath()+" "+string(body))
	a := g.answers[0]
	if len(g.answers) > 1 {
		g.answers = g.answers[1:]
	}
	if a.typed != "" {
		w.Header().Set("X-Amzn-Errortype", a.typed)
	}
	w.WriteHeader(a.status)
}

func (g *gateway) requests() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.got
}

// rows is a fake of the stored connections.
type rows struct{ deleted []string }

func (r *rows) DeleteConnection(_ context.Context, c life.Connection, before time.Time) error {
	if c.ConnectedAt.Before(before) {
		r.deleted = append(r.deleted, c.ConnectionID)
	}
	return nil
}

func newSockets(g *gateway, r *rows, p *sockets.Backoff) *sockets.Sockets {
	cfg := aws.Config{
		Region:     "eu-west-1",
		HTTPClient: awsconfig.HTTPClient(),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "id", SecretAccessKey: "secret"}, nil
		}),
	}
	return sockets.New(cfg, g.URL+"/v1", r, p)
}

func aged(age time.Duration) life.Connection {
	return life.Connection{UserID: "user", ConnectionID: "R1k=", ConnectedAt: time.Now().Add(-age)}
}

// TestDeliver guards rule 11 of docs/life.md.
func TestDeliver(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name        string
		age         time.Duration
		answers     []answer
		wantErr     error
		wantAnyErr  bool
		wantPosts   int
		wantDeleted bool
	}{
		{name: "delivered", age: time.Minute, answers: []answer{ok}, wantPosts: 1},
		{name: "refused once as one too many", age: time.Minute, answers: []answer{limited, ok}, wantPosts: 2},
		{name: "refused for ever as one too many", age: time.Minute, answers: []answer{limited}, wantErr: relay.ErrSlow, wantPosts: 6},
		{name: "failed once", age: time.Minute, answers: []answer{{status: 500}, {status: 503}, ok}, wantPosts: 3},
		{name: "failed for ever", age: time.Minute, answers: []answer{{status: 500}}, wantAnyErr: true, wantPosts: 6},
		{name: "forbidden", age: time.Minute, answers: []answer{{403, "ForbiddenException"}}, wantAnyErr: true, wantPosts: 1},
		{name: "too large", age: time.Minute, answers: []answer{{413, "PayloadTooLargeException"}}, wantAnyErr: true, wantPosts: 1},
		{name: "old and gone", age: 36 * time.Second, answers: []answer{gone}, wantErr: relay.ErrGone, wantPosts: 1, wantDeleted: true},
		{name: "gone without a type", age: time.Minute, answers: []answer{{status: 410}}, wantErr: relay.ErrGone, wantPosts: 1, wantDeleted: true},
		{name: "younger than the grace and gone", age: 30 * time.Second, answers: []answer{gone}, wantErr: relay.ErrGone, wantPosts: 1},
		{name: "still opening", age: 0, answers: []answer{gone, gone, ok}, wantPosts: 3},
		{name: "never opens", age: 0, answers: []answer{gone}, wantErr: relay.ErrGone, wantPosts: 4},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			g, r := newGateway(t, tt.answers...), &rows{}
			err := newSockets(g, r, nil).Deliver(t.Context(), aged(tt.age), []byte("frame"))
			if (err != nil) != (tt.wantErr != nil || tt.wantAnyErr) || (tt.wantErr != nil && !errors.Is(err, tt.wantErr)) {
				t.Errorf("got error %v", err)
			}
			got := g.requests()
			if len(got) != tt.wantPosts {
				t.Errorf("posted %d times, want %d", len(got), tt.wantPosts)
			}
			if want := "POST /v1/@connections/R1k%3D frame"; got[0] != want {
				t.Errorf("got %q, want %q", got[0], want)
			}
			if deleted := strings.Join(r.deleted, ","); (deleted == "R1k=") != tt.wantDeleted {
				t.Errorf("deleted rows %q", deleted)
			}
		})
	}
}

func TestDeliverEndsWithItsContext(t *testing.T) {
	t.Parallel()
	g := newGateway(t, limited)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	before := time.Now()
	if err := newSockets(g, &rows{}, nil).Deliver(ctx, aged(time.Minute), []byte("frame")); !errors.Is(err, relay.ErrSlow) {
		t.Errorf("got %v, want ErrSlow", err)
	}
	if took := time.Since(before); took > time.Second {
		t.Errorf("took %v", took)
	}
}

func TestRefusalsStretchThePace(t *testing.T) {
	t.Parallel()
	p := &sockets.Backoff{}
	g := newGateway(t, limited, ok)
	if err := newSockets(g, &rows{}, p).Deliver(t.Context(), aged(time.Minute), []byte("frame")); err != nil {
		t.Fatal(err)
	}
	if got := p.Interval(time.Second); got < 1500*time.Millisecond {
		t.Errorf("interval %v after a refusal", got)
	}
	if got := p.TakeRefused(); got != 1 {
		t.Errorf("counted %d refusals, want 1", got)
	}
}

func TestPaceComesBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var p sockets.Backoff
		want := func(interval time.Duration) {
			t.Helper()
			if got := p.Interval(100 * time.Millisecond); got != interval {
				t.Errorf("interval %v, want %v", got, interval)
			}
		}
		want(100 * time.Millisecond)
		for range 100 {
			p.Refused() // of one moment
		}
		want(200 * time.Millisecond)
		time.Sleep(time.Second)
		want(150 * time.Millisecond)
		p.Refused()
		want(300 * time.Millisecond)
		for range 10 {
			time.Sleep(300 * time.Millisecond)
			p.Refused()
		}
		want(800 * time.Millisecond)
		time.Sleep(time.Minute)
		want(100 * time.Millisecond)
	})
}

func TestClose(t *testing.T) {
	t.Parallel()
	closed := answer{status: http.StatusNoContent}
	tests := []struct {
		name    string
		age     time.Duration
		answers []answer
		want    error
		calls   int
	}{
		{"closed", time.Hour, []answer{closed}, nil, 1},
		{"gone", time.Hour, []answer{gone}, relay.ErrGone, 1},
		{"opening", 0, []answer{gone, gone, closed}, nil, 3},
		{"never opened", 0, []answer{gone, gone, gone, gone, closed}, relay.ErrGone, 4},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			g := newGateway(t, tt.answers...)
			c := life.Connection{ConnectionID: "R1k=", ConnectedAt: time.Now().Add(-tt.age)}
			if err := newSockets(g, &rows{}, nil).Close(t.Context(), c); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
			got := g.requests()
			if len(got) != tt.calls || got[0] != "DELETE /v1/@connections/R1k%3D " {
				t.Errorf("requests %q, want %d", got, tt.calls)
			}
		})
	}
}

func TestCloseRefused(t *testing.T) {
	t.Parallel()
	g := newGateway(t, answer{403, "ForbiddenException"})
	err := newSockets(g, &rows{}, nil).Close(t.Context(), life.Connection{ConnectionID: "R1k="})
	if err == nil || errors.Is(err, relay.ErrGone) || len(g.requests()) != 1 {
		t.Errorf("got %v after %q", err, g.requests())
	}
}
