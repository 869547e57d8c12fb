//go:build linux

package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/streaming-service/streaming-service/client"
	"github.com/streaming-service/streaming-service/internal/localcloud/bedrock"
	"github.com/streaming-service/streaming-service/internal/localcloud/localcloudtest"
)

var leaseFlag = flag.Int("lease", 3, "seconds that an attempt's lease holds in TestAnAnswerOutlivesItsCloud; production: 30")

// nextWithin is how soon another attempt follows one that a restart cut off:
// when its message is visible again, after one and a half leases, and if the
// lease cannot be taken over then, at the message's next delivery.
func nextWithin() time.Duration {
	lease := time.Duration(*leaseFlag) * time.Second
	if lease >= 30*time.Second {
		return 50 * time.Second
	}
	return 3*lease + 10*time.Second
}

// cut is how an answer loses its cloud.
type cut struct {
	signal     syscall.Signal
	renewed    bool // after its lease was renewed, else when it has hardly begun
	completion bool // an answer that was begun without the queue
}

func (c cut) name() string {
	name := c.signal.String()
	if c.renewed {
		name += ", renewed"
	}
	if c.completion {
		name += ", completion"
	}
	return name
}

// after is how long the answer runs before.
func (c cut) after() time.Duration {
	if !c.renewed {
		return 0
	}
	return time.Duration(*leaseFlag) * time.Second * 2 / 3 // a lease is renewed when half of it is over
}

// script makes an answer that lasts for six seconds more.
func (c cut) script() string {
	return fmt.Sprintf("tokens=%d rate=40", int(40*(c.after()+6*time.Second).Seconds()))
}

// TestAnAnswerOutlivesItsCloud ends a cloud in the middle of an answer and starts
// another on the same data: the message in flight comes back and the answer ends,
// by a second attempt and without a touch that sends it again, which would be a
// minute later.
//
//	go test ./cmd/local -run TestAnAnswerOutlivesItsCloud -lease 30 -v
//
// does so under the lease of production, and tells how long the answer stood
// still.
func TestAnAnswerOutlivesItsCloud(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("waits for a lease to end")
	}
	for _, c := range []cut{
		{signal: syscall.SIGKILL}, {signal: syscall.SIGINT},
		{signal: syscall.SIGKILL, renewed: true}, {signal: syscall.SIGINT, renewed: true},
		{signal: syscall.SIGKILL, completion: true}, {signal: syscall.SIGINT, completion: true},
	} {
		t.Run(c.name(), func(t *testing.T) {
			t.Parallel()
			data := filepath.Join(t.TempDir(), "data")
			lived := c.off(t, data)

			url := startLeased(t, data).url
			again := localcloudtest.Attach(t, url)
			if text := c.follow(t, url, lived); text != lived.want {
				t.Errorf("the answer said %q, the model %q", text, lived.want)
			}
			wantOnce(t, again, lived)
		})
	}
}

// follow reads an answer to its end as the client of the demo user does, which
// asks again for what it misses.
func (c cut) follow(t *testing.T, url string, lived life) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), nextWithin()+c.after()+answerTime)
	defer cancel()
	config, err := client.FetchConfig(ctx, url+"/config.json")
	if err != nil {
		t.Fatal(err)
	}
	session, err := client.NewAuth(config, nil).SignIn(ctx, config.DemoUser, config.DemoPassword)
	if err != nil {
		t.Fatal(err)
	}
	user := client.New(config, session)
	defer user.Close()
	stream := user.Follow(lived.id)
	for event, err := range stream.Events(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		if begun, ok := event.(client.Restarted); ok && begun.Attempt == 2 {
			t.Logf("the second attempt began %.1f s after the end of the cloud", time.Since(lived.cutAt).Seconds())
		}
	}
	if state, err := user.Get(ctx, lived.id); err != nil || state.Attempt != 2 {
		t.Errorf("read attempt %d, %v; want the second", state.Attempt, err)
	}
	return stream.Text()
}

const answerTime = 20 * time.Second // 6 s, on a busy machine

// life is a request whose cloud ended.
type life struct {
	token, id, want string
	cutAt           time.Time
}

// begin asks for an answer and returns its id.
func (c cut) begin(t *testing.T, h *localcloudtest.Harness, token, prompt string) (id string) {
	t.Helper()
	if !c.completion {
		return h.Submit(t, token, localcloudtest.Prompt(prompt, c.script()))
	}
	answer := h.Complete(t, token, localcloudtest.Chat(prompt, c.script(), true))
	t.Cleanup(answer.HangUp)
	return answer.ID()
}

// off asks a cloud for an answer and ends the cloud when the answer has begun
// and is on disk.
func (c cut) off(t *testing.T, data string) life {
	t.Helper()
	cloud := startLeased(t, data)
	h := localcloudtest.Attach(t, cloud.url)
	prompt := "Outlive " + c.name()
	lived := life{token: h.Demo(t).IDToken, want: bedrock.ScriptedText(prompt, c.script())}
	socket := h.Dial(t, lived.token)
	begun := time.Now()
	lived.id = c.begin(t, h, lived.token, prompt)
	for frame := socket.Next(t, answerTime); frame.Type != "delta" || frame.Seq < 5 || time.Since(begun) < c.after(); frame = socket.Next(t, answerTime) {
		if frame.Ends() {
			t.Fatalf("the answer ended before its cloud: %+v", frame)
		}
	}
	localcloudtest.Eventually(t, answerTime, "the attempt on disk", func() bool {
		saved, err := os.ReadFile(filepath.Join(data, "dev", "tables.json"))
		return err == nil && bytes.Contains(saved, []byte(`"status":{"S":"streaming"}`))
	})
	functions := descendants(t, cloud.Process.Pid)
	if len(functions) == 0 {
		t.Fatal("no process of a function is running")
	}
	lived.cutAt = time.Now()
	if err := cloud.Process.Signal(c.signal); err != nil {
		t.Fatal(err)
	}
	_ = cloud.Wait() // killed or not
	localcloudtest.Eventually(t, 5*time.Second, "the end of the functions", func() bool {
		for _, pid := range functions {
			if commandOf(pid) != "" {
				return false
			}
		}
		return true
	})
	return lived
}

func startLeased(t *testing.T, data string) *command {
	t.Helper()
	return startCommandWith(t, []string{fmt.Sprintf("%s=%d", leaseSeconds, *leaseFlag)}, "-data", data)
}

// wantOnce expects one charge and one call of the model in the second run.
func wantOnce(t *testing.T, h *localcloudtest.Harness, lived life) {
	t.Helper()
	var state struct{ Status, Text string }
	h.Rest(t, lived.token, http.MethodGet, "/requests/"+lived.id, nil).Decode(t, &state)
	if state.Status != "succeeded" || state.Text != lived.want {
		t.Errorf("read %+v, want the text of the model %q", state, lived.want)
	}
	var usage struct {
		Requests struct{ Used int }
		Tokens   struct{ Reserved int }
		InFlight int
	}
	h.Rest(t, lived.token, http.MethodGet, "/usage", nil).Decode(t, &usage)
	if usage.Requests.Used != 1 || usage.Tokens.Reserved != 0 || usage.InFlight != 0 {
		t.Errorf("usage %+v, want one request and nothing open", usage)
	}
	var report struct {
		Requests map[string]struct{ Calls map[string]map[string]int }
	}
	h.Get(t, "/_local/usage?requests", &report)
	if calls := report.Requests[lived.id].Calls["bedrock-runtime"]["ConverseStream"]; calls != 1 {
		t.Errorf("%d model calls in the second run, want 1", calls)
	}
}
