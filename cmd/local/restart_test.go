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

// TestAnAnswerOutlivesItsCloud ends a cloud in the middle of an answer and starts
// another on the same data: the message in flight comes back and the answer ends,
// by a second attempt and without a touch that sends it again, which would be a
// minute later.
//
//	go test ./cmd/local -run TestAnAnswerOutlivesItsCloud -lease 30
//
// does so under the lease of production.
func TestAnAnswerOutlivesItsCloud(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("waits for a lease to end")
	}
	for _, signal := range []syscall.Signal{syscall.SIGKILL, syscall.SIGINT} {
		t.Run(signal.String(), func(t *testing.T) {
			t.Parallel()
			data := filepath.Join(t.TempDir(), "data")
			lived := cutOff(t, data, signal)

			begun := time.Now()
			url := startLeased(t, data).url
			again := localcloudtest.Attach(t, url)
			if text := follow(t, url, lived.id); text != lived.want {
				t.Errorf("the answer said %q, the model %q", text, lived.want)
			}
			t.Logf("the answer ended %.1f s after the restart", time.Since(begun).Seconds())
			wantOnce(t, again, lived)
		})
	}
}

// follow reads an answer to its end as the client of the demo user does, which
// asks again for what it misses.
func follow(t *testing.T, url, id string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), nextWithin()+answerTime)
	defer cancel()
	config, err := client.FetchConfig(ctx, url+"/config.json")
	if err != nil {
		t.Fatal(err)
	}
	session, err := client.NewAuth(config, nil).SignIn(ctx, config.DemoUser, config.DemoPassword)
	if err != nil {
		t.Fatal(err)
	}
	c := client.New(config, session)
	defer c.Close()
	stream := c.Follow(id)
	for _, err := range stream.Events(ctx) {
		if err != nil {
			t.Fatal(err)
		}
	}
	if state, err := c.Get(ctx, id); err != nil || state.Attempt != 2 {
		t.Errorf("read attempt %d, %v; want the second", state.Attempt, err)
	}
	return stream.Text()
}

const (
	answerScript = "tokens=240 rate=40"
	answerTime   = 20 * time.Second // 6 s, on a busy machine
)

// life is a request whose cloud ended.
type life struct {
	token, id, want string
}

// cutOff submits a request to a cloud and ends it when the answer has begun and
// is on disk.
func cutOff(t *testing.T, data string, signal syscall.Signal) life {
	t.Helper()
	c := startLeased(t, data)
	h := localcloudtest.Attach(t, c.url)
	prompt := "Outlive " + signal.String()
	lived := life{token: h.Demo(t).IDToken, want: bedrock.ScriptedText(prompt, answerScript)}
	socket := h.Dial(t, lived.token)
	lived.id = h.Submit(t, lived.token, localcloudtest.Prompt(prompt, answerScript))
	for frame := socket.Next(t, answerTime); frame.Type != "delta" || frame.Seq < 5; frame = socket.Next(t, answerTime) {
		if frame.Ends() {
			t.Fatalf("the answer ended before its cloud: %+v", frame)
		}
	}
	localcloudtest.Eventually(t, answerTime, "the attempt on disk", func() bool {
		saved, err := os.ReadFile(filepath.Join(data, "dev", "tables.json"))
		return err == nil && bytes.Contains(saved, []byte(`"status":{"S":"streaming"}`))
	})
	functions := descendants(t, c.Process.Pid)
	if len(functions) == 0 {
		t.Fatal("no process of a function is running")
	}
	if err := c.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
	_ = c.Wait() // killed or not
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
