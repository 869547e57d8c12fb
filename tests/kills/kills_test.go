package kills_test

import (
	"flag"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/streaming-service/streaming-service/internal/functionbuild"
	"github.com/streaming-service/streaming-service/internal/localcloud"
	"github.com/streaming-service/streaming-service/internal/localcloud/bedrock"
	"github.com/streaming-service/streaming-service/internal/localcloud/localcloudtest"
	"github.com/streaming-service/streaming-service/protocol"
)

var (
	killsFlag = flag.Int("kills", 15, "processes that TestKills kills")
	leaseFlag = flag.Float64("lease", 3, "seconds that an attempt's lease holds in TestKills; production: 30")
)

// Load, and what a kill may cost.
const (
	streams    = 12 // at a time
	killRate   = 0.25
	script     = "tokens=150 rate=60" // 2.5 s
	clockSkew  = 5 * time.Second      // allowed by the service before it takes a lease over
	longestEnd = 5 * time.Minute      // of a request whose message was lost with its process
)

// nextWithin is how soon another attempt follows a killed one: when the message
// is visible again, or when the lease can be taken over, and the message's next
// delivery then.
func nextWithin(lease time.Duration) time.Duration {
	if lease >= 30*time.Second {
		return 50 * time.Second
	}
	return 2*(lease+lease/2) + 2*clockSkew
}

func TestKills(t *testing.T) { killUnderLoad(t, "processor", (*user).live) }

// A completion outlives the process that answers it: the processor takes it
// over, and a call with the same key has the whole answer.
func TestKillsOfCompletions(t *testing.T) { killUnderLoad(t, "completions", (*user).complete) }

// killUnderLoad kills processes of a function while many ask for answers.
func killUnderLoad(t *testing.T, function string, ask func(*user)) {
	t.Helper()
	if testing.Short() {
		t.Skip("kills processes for half a minute")
	}
	lease := time.Duration(*leaseFlag * float64(time.Second))
	h := localcloudtest.Start(t, localcloud.Options{
		Builder:     functionbuild.New(functionbuild.ForHost(), functionbuild.WithSource("../..")),
		FunctionEnv: map[string]string{"LEASE_SECONDS": strconv.FormatFloat(*leaseFlag, 'f', -1, 64)},
		Overrides:   []string{"queue.batchSize=1", "functions.timeout=30", "queue.sweepIntervalMinutes=1", "queue.maxReceiveCount=50"},
	})
	u := &user{Harness: h, t: t, victim: function, token: h.Demo(t).IDToken, said: map[string]*answer{}, ends: map[string]int{}}
	go u.listen(h.Dial(t, u.token))

	h.SetFaults(t, map[string]any{"function": function, "kill": killRate})
	var load sync.WaitGroup
	for range streams {
		load.Go(func() {
			for u.kills() < *killsFlag && !t.Failed() {
				ask(u)
			}
		})
	}
	load.Wait()
	kills := u.kills()
	h.SetFaults(t)

	u.wantNothingOpen()
	t.Logf("%d processes killed, %d requests: %v; longest from a kill to the next attempt %.1f s",
		kills, len(u.said), u.ends, u.longest().Seconds())
	if most := nextWithin(lease); u.longest() > most {
		t.Errorf("an attempt came %v after its predecessor was killed, want at most %v", u.longest(), most)
	}
}

// user submits requests and hears their answers on one socket.
type user struct {
	*localcloudtest.Harness
	t      *testing.T
	victim string // function whose processes are killed
	token  string
	count  atomic.Int64

	mu   sync.Mutex
	said map[string]*answer // by request
	ends map[string]int
	used int
}

// answer is what the socket brought of a request.
type answer struct {
	protocol.Assembler
	last time.Time     // of the last frame
	gap  time.Duration // longest between the last frame of an attempt and the first of the next
}

func (u *user) kills() int {
	var state struct{ Injected map[string]int }
	u.Get(u.t, "/_local/faults", &state)
	return state.Injected["function."+u.victim+".kill"]
}

// listen reads the socket until it closes with the test, and asks for what it
// missed.
func (u *user) listen(s *localcloudtest.Socket) {
	for {
		raw, err := s.TryNext(u.t.Context(), time.Hour)
		if err != nil {
			return
		}
		frame, err := protocol.DecodeFrame([]byte(raw.Raw))
		if err != nil {
			u.t.Errorf("reading %s: %v", raw.Raw, err)
		}
		if frame.RequestID != "" && u.hear(frame) {
			s.Send(u.t, map[string]any{"action": "resume", "requestId": frame.RequestID})
		}
	}
}

// hear takes a frame and reports whether some before it are missing.
func (u *user) hear(f protocol.Frame) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	a := u.said[f.RequestID]
	if a == nil {
		a = &answer{last: time.Now()}
		u.said[f.RequestID] = a
	}
	if a.End() == nil && a.Attempt() > 0 && f.Attempt > a.Attempt() {
		a.gap = max(a.gap, time.Since(a.last))
	}
	a.last = time.Now()
	return a.Apply(f).Gap
}

func (u *user) ended(id string) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.said[id] != nil && u.said[id].End() != nil
}

// live submits a request and follows it to its end.
func (u *user) live() {
	prompt := fmt.Sprintf("life %d", u.count.Add(1))
	id := u.submit(prompt)
	var state struct{ Status, Text string }
	deadline := time.Now().Add(longestEnd)
	for state.Status == "" || state.Status == "queued" || state.Status == "streaming" {
		if time.Now().After(deadline) {
			u.t.Errorf("request %s is %s after %v", id, state.Status, longestEnd)
			return
		}
		time.Sleep(500 * time.Millisecond)
		u.Rest(u.t, u.token, "GET", "/requests/"+id, nil).Decode(u.t, &state)
	}
	u.judge(id, prompt, state.Status, state.Text)
}

// complete asks for a completion until it has read one to its end. Each call with
// the key follows the request of the first.
func (u *user) complete() {
	prompt := fmt.Sprintf("completion %d", u.count.Add(1))
	want := bedrock.ScriptedText(prompt, script)
	for deadline := time.Now().Add(longestEnd); time.Now().Before(deadline); {
		c := u.Complete(u.t, u.token, localcloudtest.Chat(prompt, script, true), "Idempotency-Key", strings.ReplaceAll(prompt, " ", "-")).Read(u.t)
		if c.Done && c.Text != want || !strings.HasPrefix(want, c.Text) {
			u.t.Errorf("read %q, the model said %q", c.Text, want)
		}
		if c.Done {
			u.judge(c.ID(), prompt, "succeeded", c.Text)
			return
		}
		if c.Error != nil && c.Status < http.StatusInternalServerError && !c.Error.Is("unavailable") {
			u.t.Errorf("%s: %d %s", prompt, c.Status, c.Error.Message)
		}
		time.Sleep(500 * time.Millisecond)
	}
	u.t.Errorf("%s had no end after %v", prompt, longestEnd)
}

// submit posts a request until its outcome is known, as the protocol says: the
// same key is safe to send again.
func (u *user) submit(prompt string) (id string) {
	var accepted struct{ RequestID string }
	localcloudtest.Eventually(u.t, longestEnd, "submitting "+prompt, func() bool {
		answer := u.Rest(u.t, u.token, "POST", "/requests", localcloudtest.Prompt(prompt, script), "Idempotency-Key", strings.ReplaceAll(prompt, " ", "-"))
		if answer.Status != http.StatusAccepted {
			u.t.Logf("submitting %s: %d %s\n%s", prompt, answer.Status, answer.Body, u.Logs(u.t, "quota"))
			return false
		}
		answer.Decode(u.t, &accepted)
		return true
	})
	return accepted.RequestID
}

// judge compares the end of a request with what the socket and the model said. A
// request that was killed as often as it may be has failed, and costs nothing.
func (u *user) judge(id, prompt, status, text string) {
	want := bedrock.ScriptedText(prompt, script)
	if status == "succeeded" && text != want || !strings.HasPrefix(want, text) {
		u.t.Errorf("request %s %s: %q, the model said %q", id, status, text, want)
	}
	for end := time.Now().Add(10 * time.Second); !u.ended(id) && time.Now().Before(end); {
		time.Sleep(50 * time.Millisecond)
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.ends[status]++
	switch a := u.said[id]; {
	case a == nil || a.End() == nil:
		u.t.Errorf("request %s %s: its end never came over the socket", id, status)
	case status == "succeeded" && (a.End().Type != protocol.FrameDone || a.Text() != want):
		u.t.Errorf("request %s: the socket ended with %+v and said %q, the model %q", id, a.End(), a.Text(), want)
	case status == "succeeded":
		u.used++
	}
}

func (u *user) longest() time.Duration {
	u.mu.Lock()
	defer u.mu.Unlock()
	gaps := []time.Duration{0}
	for a := range maps.Values(u.said) {
		gaps = append(gaps, a.gap)
	}
	return slices.Max(gaps)
}

// wantNothingOpen expects the account at rest.
func (u *user) wantNothingOpen() {
	var usage struct {
		Requests struct{ Used int }
		Tokens   struct{ Reserved int }
		InFlight int
	}
	localcloudtest.Eventually(u.t, longestEnd, "nothing in flight", func() bool {
		u.Rest(u.t, u.token, "GET", "/usage", nil).Decode(u.t, &usage)
		return usage.InFlight == 0
	})
	if usage.Tokens.Reserved != 0 || usage.Requests.Used != u.used {
		u.t.Errorf("usage at rest %+v, want %d requests and nothing reserved", usage, u.used)
	}
}
