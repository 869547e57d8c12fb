package lives_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/protocol"
)

// completion is how a life asks for its answer over the Chat Completions API.
type completion struct {
	streamed bool
	hangUp   time.Duration // after the call; 0: never

	mu    sync.Mutex
	once  sync.Once
	heard []heard
}

// body is the life's request in OpenAI's words.
func (c *completion) body(prompt, script string, maxTokens int) string {
	return encode(map[string]any{
		"model": modelID, "stream": c.streamed, "max_tokens": maxTokens,
		"messages": []map[string]string{{"role": "system", "content": script}, {"role": "user", "content": prompt}},
	})
}

// complete asks until it is known how the request ends, as far as that is safe.
func (w *world) complete(l *life1) {
	c := l.completion
	for wait := 500 * time.Millisecond; ; wait = min(2*wait, 20*time.Second) {
		h := w.gateway.complete(l.user, l.body, l.key, c.hangUp, func(id string) { w.begun(l, id) })
		c.note(h)
		switch {
		case h.failed && h.id == "" && h.status < http.StatusInternalServerError:
			w.mu.Lock()
			w.refused["completions "+h.code]++
			w.mu.Unlock()
			return
		case h.id == "":
			l.mu.Lock()
			l.unknown++
			l.mu.Unlock()
		}
		if !h.goesOn() || l.key == "" || c.hangUp > 0 {
			return
		}
		time.Sleep(wait)
	}
}

func (c *completion) note(h heard) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.heard = append(c.heard, h)
}

// begun does what the plan says with a request whose answer has begun.
func (w *world) begun(l *life1, id string) {
	w.accept(id)
	l.mu.Lock()
	l.accepted[id] = true
	l.mu.Unlock()
	for _, d := range w.devices[l.user] {
		d.do(func() { d.follow(id) })
	}
	l.completion.once.Do(func() { w.clients.Go(func() { w.visit(l, id, w.devices[l.user][0]) }) })
}

// completeAgain is part of invariant 2 for completions: a replay is the answer of
// the first request; another body under its key is a conflict.
func (w *world) completeAgain(l *life1, id string) {
	h := w.gateway.complete(l.user, l.body, l.key, 0, func(string) {})
	l.completion.note(h)
	if h.id != "" && h.id != id || h.id == "" && h.failed && h.status < http.StatusInternalServerError {
		w.violate(2, "replay of %s: %+v", id, h)
	}
	h = w.gateway.complete(l.user, strings.Replace(l.body, "life", "other life", 1), l.key, 0, func(string) {})
	if h.whole && h.status < http.StatusInternalServerError && h.code != string(protocol.CodeIdempotencyConflict) {
		w.violate(2, "another body under the key of %s: %+v", id, h)
	}
}

// whatWasReadHolds is invariant 13: what a client read of a completion is a
// prefix of one attempt's text; if it read the end, the request succeeded and
// the text is GET's; if it read an error, the request ended with that one,
// unless it was told that the response is interrupted and the request goes on.
func (w *world) whatWasReadHolds(l *life1) {
	if l.completion == nil {
		return
	}
	said := w.model.said()
	for _, h := range l.completion.heard {
		if h.strange != "" || h.whole && !h.done && !h.failed {
			w.violate(13, "life %d read no end, or what it cannot read: %+v", l.number, h)
		}
		if h.id == "" {
			if h.done || h.text != "" {
				w.violate(13, "life %d read an answer without an id: %+v", l.number, h)
			}
			continue
		}
		r := w.ledger.record(l.user, h.id)
		if !isPrefixOfOne(h.text, said[h.id], false) && h.text != "" {
			w.violate(13, "%s: read %q, which no attempt said: %q", h.id, h.text, said[h.id])
		}
		if problem := w.judge(h, r); problem != "" {
			w.violate(13, "%s %s %s: %s: %+v", h.id, r.Status, r.ErrorCode, problem, h)
		}
	}
}

// judge says what is wrong with what was read of a request that ended as r.
func (w *world) judge(h heard, r life.Record) string {
	answered := r.Status == protocol.StatusSucceeded || r.ErrorCode == protocol.CodeContentFiltered
	switch {
	case h.done && !answered:
		return "the end of an answer was read"
	case h.done && h.reason == "":
		return "no reason was read"
	case h.failed && h.code != string(protocol.CodeUnavailable) && h.code != string(r.ErrorCode):
		return "another error was read"
	case !h.done:
		return ""
	}
	var state protocol.RequestState
	answer := w.gateway.rest(r.UserID, http.MethodGet, r.RequestID, "", "")
	if !answer.into(&state) || state.Text != h.text {
		return fmt.Sprintf("GET's text is %q", state.Text)
	}
	return ""
}
