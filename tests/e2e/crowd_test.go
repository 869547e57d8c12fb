package e2e_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/streaming-service/streaming-service/internal/localcloud/bedrock"
	"github.com/streaming-service/streaming-service/internal/localcloud/localcloudtest"
)

// Size of the crowd.
const (
	crowd         = 50
	crowdSockets  = 2
	crowdRequests = 3
)

// TestFiftyUsersAtOnce gives every user two sockets and three requests at the
// same time. No socket may lose, reorder or change a frame, and every token is
// on the bill of whoever asked for it.
func TestFiftyUsersAtOnce(t *testing.T) {
	t.Parallel()
	h := cloud(t)
	together(crowd, func(int) { newPerson(t, h).inACrowd() })
}

func (p *person) inACrowd() {
	var received [crowdSockets][]localcloudtest.Frame
	var ids [crowdRequests]string
	var reading sync.WaitGroup
	for i := range received {
		socket := p.dial()
		reading.Go(func() { received[i] = framesUntilEnds(p.t, socket, crowdRequests) })
	}
	for i := range ids {
		ids[i] = p.submit(crowdPrompt(p, i), crowdScript(i))
	}
	reading.Wait()
	tokens := 0
	for i, id := range ids {
		tokens += p.checkAnswer(id, crowdPrompt(p, i), crowdScript(i), received[:])
	}
	p.wantSettled(crowdRequests, tokens)
}

func crowdPrompt(p *person, i int) string { return fmt.Sprintf("Question %d of %s", i, p.email) }

func crowdScript(i int) string { return fmt.Sprintf("tokens=%d rate=100 seed=%d", 60+20*i, i) }

// framesUntilEnds reads a socket until so many requests have ended on it.
func framesUntilEnds(t *testing.T, s *localcloudtest.Socket, ends int) (frames []localcloudtest.Frame) {
	t.Helper()
	for ends > 0 {
		frame := s.Next(t, patience)
		frames = append(frames, frame)
		if frame.Ends() {
			ends--
		}
	}
	return frames
}

// checkAnswer expects each socket to have the whole answer to a request, in
// order and in the same bytes, and returns the tokens that it cost.
func (p *person) checkAnswer(id, prompt, script string, sockets [][]localcloudtest.Frame) (tokens int) {
	p.t.Helper()
	want := bedrock.ScriptedText(prompt, script)
	var first []string
	for i, frames := range sockets {
		var text strings.Builder
		var raw []string
		for _, frame := range frames {
			if frame.RequestID != id {
				continue
			}
			if frame.Seq < len(raw) && raw[frame.Seq] == frame.Raw {
				continue // a post that came twice
			}
			if frame.Seq != len(raw) || frame.Attempt != 1 {
				p.t.Errorf("%s socket %d: %s is frame %d of its request", p.email, i, frame.Raw, len(raw))
			}
			raw = append(raw, frame.Raw)
			text.WriteString(frame.Text)
			if frame.Type == "done" && i == 0 {
				tokens = frame.Usage.InputTokens + frame.Usage.OutputTokens
			}
		}
		if text.String() != want {
			p.t.Errorf("%s socket %d: %q, the model said %q", p.email, i, text.String(), want)
		}
		if i == 0 {
			first = raw
		} else if strings.Join(first, "\n") != strings.Join(raw, "\n") {
			p.t.Errorf("%s: sockets differ for request %s", p.email, id)
		}
	}
	if got := p.state(id); got.Text != want || got.Status != "succeeded" {
		p.t.Errorf("%s: read %s %q, want %q", p.email, got.Status, got.Text, want)
	}
	return tokens
}
