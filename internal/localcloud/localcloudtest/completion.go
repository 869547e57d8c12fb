package localcloudtest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

// Completion is an answer of the Chat Completions API as it is read.
type Completion struct {
	Status     int
	Header     http.Header
	Text       string
	Reason     string // finish_reason
	Usage      *CompletionUsage
	Error      *CompletionError
	Done       bool // the end of a stream, or a whole answer in one piece
	Heartbeats int
	Broken     error // how the connection ended, if not well

	body   io.ReadCloser
	events *bufio.Reader // nil: not streamed
}

// CompletionUsage is the usage of a completion.
type CompletionUsage struct {
	PromptTokens     int `json:"prompt_tokens"`
	CompletionTokens int `json:"completion_tokens"`
	TotalTokens      int `json:"total_tokens"`
}

// CompletionError is an error as OpenAI has it.
type CompletionError struct {
	Message, Type string
	Param, Code   *string
}

// Is reports whether the error has that code.
func (e *CompletionError) Is(code string) bool { return e != nil && e.Code != nil && *e.Code == code }

// Chat is a body of the Chat Completions API whose answer a script steers.
func Chat(prompt, script string, stream bool) map[string]any {
	return map[string]any{
		"model": "global.amazon.nova-2-lite-v1:0", "stream": stream,
		"messages": []map[string]string{{"role": "system", "content": "script: " + script}, {"role": "user", "content": prompt}},
	}
}

// streaming is a client whose answers have no time limit.
var streaming = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}

// Complete asks for a completion and returns when its answer begins.
func (h *Harness) Complete(tb testing.TB, credential string, body any, header ...string) *Completion {
	tb.Helper()
	encoded, ok := body.([]byte)
	if !ok {
		var err error
		if encoded, err = json.Marshal(body); err != nil {
			tb.Fatal(err)
		}
	}
	request, err := http.NewRequestWithContext(tb.Context(), http.MethodPost, h.Config.OpenAIURL+"/chat/completions", bytes.NewReader(encoded))
	if err != nil {
		tb.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+credential)
	request.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	response, err := streaming.Do(request)
	if err != nil {
		tb.Fatalf("asking for a completion: %v", err)
	}
	c := &Completion{Status: response.StatusCode, Header: response.Header, body: response.Body}
	if strings.HasPrefix(response.Header.Get("Content-Type"), "text/event-stream") {
		c.events = bufio.NewReader(response.Body)
	}
	return c
}

// ID is the id of the request.
func (c *Completion) ID() string { return c.Header.Get("X-Request-Id") }

// HangUp closes the connection.
func (c *Completion) HangUp() { _ = c.body.Close() }

// Read reads to the end, and returns the completion.
func (c *Completion) Read(tb testing.TB) *Completion {
	tb.Helper()
	defer c.HangUp()
	if c.events == nil {
		body, err := io.ReadAll(c.body)
		if c.Broken = err; err == nil {
			c.take(tb, body)
			c.Done = c.Error == nil
		}
		return c
	}
	for c.Next(tb) {
	}
	return c
}

// Next reads one event of a stream; false at its end.
func (c *Completion) Next(tb testing.TB) bool {
	tb.Helper()
	line, err := c.events.ReadString('\n')
	if err != nil {
		if !errors.Is(err, io.EOF) || line != "" {
			c.Broken = fmt.Errorf("after %q: %w", line, err)
		}
		return false
	}
	data, is := strings.CutPrefix(strings.TrimSpace(line), "data: ")
	switch {
	case strings.HasPrefix(line, ":"):
		c.Heartbeats++
	case line == "\n":
	case !is, c.Done, c.Error != nil:
		tb.Errorf("a stream has %q", line)
	case data == "[DONE]":
		c.Done = true
	default:
		c.take(tb, []byte(data))
	}
	return true
}

// take adds what one JSON value of an answer says.
func (c *Completion) take(tb testing.TB, data []byte) {
	tb.Helper()
	var value struct {
		Choices []struct {
			Delta, Message struct{ Content string }
			FinishReason   string `json:"finish_reason"`
		}
		Usage *CompletionUsage
		Error *CompletionError
	}
	if err := json.Unmarshal(data, &value); err != nil {
		tb.Errorf("a completion has %s: %v", data, err)
	}
	for _, choice := range value.Choices {
		c.Text += choice.Delta.Content + choice.Message.Content
		c.Reason = choice.FinishReason
	}
	if value.Usage != nil {
		c.Usage = value.Usage
	}
	c.Error = value.Error
}
