// Package e2e_test runs the whole service on the local cloud, with its own
// program and its compiled functions, and speaks to it as any client would.
package e2e_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/streaming-service/streaming-service/internal/functionbuild"
	"github.com/streaming-service/streaming-service/internal/localcloud"
	"github.com/streaming-service/streaming-service/internal/localcloud/localcloudtest"
)

// patience is how long anything may take on a busy machine that takes a moment
// on an idle one.
const patience = time.Minute

// shared is the cloud of all tests that need no settings of their own.
var shared struct {
	once sync.Once
	h    *localcloudtest.Harness
	err  error
}

// atOnce is how many tests run at once: they wait more than they compute.
const atOnce = "4"

func TestMain(m *testing.M) {
	_ = flag.Set("test.parallel", atOnce) // -parallel still decides
	code := m.Run()
	if shared.h != nil {
		if err := shared.h.Cloud.Close(); err != nil {
			fmt.Fprintln(os.Stderr, "closing the shared cloud:", err)
			code = 1
		}
	}
	os.Exit(code)
}

// cloud returns the shared cloud. Its tests have users of their own, and change
// nothing that others see.
func cloud(t *testing.T) *localcloudtest.Harness {
	t.Helper()
	shared.once.Do(func() { shared.h, shared.err = localcloudtest.Open(context.Background(), options()) })
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.h
}

// ownCloud starts a cloud for one test, with overrides of the stack.
func ownCloud(t *testing.T, overrides ...string) *localcloudtest.Harness {
	t.Helper()
	return localcloudtest.Start(t, options(overrides...))
}

func options(overrides ...string) localcloud.Options {
	return localcloud.Options{Builder: functions, Overrides: overrides}
}

// functions builds each function once for all clouds.
var functions = &builtOnce{inner: functionbuild.New(functionbuild.ForHost(), functionbuild.WithSource("../.."))}

type builtOnce struct {
	inner localcloud.Builder
	built sync.Map // by function, of func() (string, error)
}

// Build implements localcloud.Builder.
func (b *builtOnce) Build(_ context.Context, function, architecture string) (string, error) {
	build, _ := b.built.LoadOrStore(function, sync.OnceValues(func() (string, error) {
		return b.inner.Build(context.Background(), function, architecture)
	}))
	return build.(func() (string, error))()
}

var people atomic.Int64

// newEmail is an address that nobody else has.
func newEmail(t *testing.T) string {
	t.Helper()
	name := strings.ToLower(strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return -1
	}, t.Name()))
	return fmt.Sprintf("%s-%d@example.com", name[:min(len(name), 40)], people.Add(1))
}

// person is a signed-in user of a cloud.
type person struct {
	*localcloudtest.Harness
	t      *testing.T
	email  string
	tokens localcloudtest.Tokens
}

// newPerson signs somebody up.
func newPerson(t *testing.T, h *localcloudtest.Harness) *person {
	t.Helper()
	email := newEmail(t)
	return &person{h, t, email, h.SignUp(t, email)}
}

// with is the person in a subtest.
func (p *person) with(t *testing.T) *person {
	t.Helper()
	in := *p
	in.t = t
	return &in
}

func (p *person) token() string { return p.tokens.IDToken }

// call calls the REST API.
func (p *person) call(method, path string, body any, header ...string) localcloudtest.Answer {
	p.t.Helper()
	return p.Rest(p.t, p.token(), method, path, body, header...)
}

// submit admits a request whose answer a script steers.
func (p *person) submit(text, script string, header ...string) (id string) {
	p.t.Helper()
	return p.Submit(p.t, p.token(), localcloudtest.Prompt(text, script), header...)
}

func (p *person) dial() *localcloudtest.Socket {
	p.t.Helper()
	return p.Dial(p.t, p.token())
}

// state is GET /requests/{requestId}.
type state struct {
	RequestID  string
	Status     string
	Attempt    int
	Text       string
	LastSeq    int
	StopReason string
	Model      string
	CreatedAt  string
	UpdatedAt  string
	Usage      *struct {
		InputTokens, OutputTokens int
		Estimated                 bool
	}
	Error *struct {
		Code, Message string
		Retryable     bool
	}
}

func (p *person) state(id string) state {
	p.t.Helper()
	answer := p.call("GET", "/requests/"+id, nil)
	if answer.Status != 200 {
		p.t.Fatalf("reading request %s: %d %s", id, answer.Status, answer.Body)
	}
	var s state
	answer.Decode(p.t, &s)
	return s
}

// await polls a request until it has a status.
func (p *person) await(id, status string) state {
	p.t.Helper()
	var s state
	localcloudtest.Eventually(p.t, patience, "request "+id+" "+status, func() bool {
		s = p.state(id)
		return s.Status == status
	})
	return s
}

// usage is GET /usage.
type usage struct {
	Period   string
	ResetsAt string
	Tier     string
	Requests struct {
		Limit, Remaining *int
		Used             int
	}
	Tokens struct {
		Limit, Remaining *int
		Used, Reserved   int
	}
	InFlight int
}

func (p *person) usage() usage {
	p.t.Helper()
	answer := p.call("GET", "/usage", nil)
	if answer.Status != 200 {
		p.t.Fatalf("reading usage: %d %s", answer.Status, answer.Body)
	}
	var u usage
	answer.Decode(p.t, &u)
	return u
}

// settled waits until nothing is open, which can be a moment after the end of
// the last request can be read, and returns the usage.
func (p *person) settled() usage {
	p.t.Helper()
	var u usage
	localcloudtest.Eventually(p.t, patience, "nothing in flight of "+p.email, func() bool {
		u = p.usage()
		return u.InFlight == 0
	})
	return u
}

// wantSettled expects usage at rest: exactly so many requests and tokens.
func (p *person) wantSettled(requests, tokens int) {
	p.t.Helper()
	if u := p.settled(); u.Requests.Used != requests || u.Tokens.Used != tokens || u.Tokens.Reserved != 0 {
		p.t.Errorf("usage of %s: %d requests, %d tokens, %d reserved; want %d, %d, 0",
			p.email, u.Requests.Used, u.Tokens.Used, u.Tokens.Reserved, requests, tokens)
	}
}

// together runs work n times at once. A failure that is fatal ends only its own.
func together(n int, work func(i int)) {
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { work(i) })
	}
	all.Wait()
}
