package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"
)

// metronome is a model that says numbered tokens at a steady rate and remembers
// when it said each. Its events are encoded beforehand, so that a thousand of
// its streams cost this machine little.
type metronome struct {
	every  time.Duration
	events [][]byte // one token each
	begin  []byte
	end    []byte
	server *http.Server
	url    string

	mu   sync.Mutex
	said map[string][]time.Time // by request
}

// tokenFormat makes a token; all have the same length.
const tokenFormat = "%04d "

const tokenBytes = 5

// beforeFirst is the least that the scripted model waits, too.
const beforeFirst = 5 * time.Millisecond

func startMetronome(ctx context.Context, tokens int, rate float64) (*metronome, error) {
	m := &metronome{every: time.Duration(float64(time.Second) / rate), said: map[string][]time.Time{}}
	if err := m.encode(tokens); err != nil {
		return nil, err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listening for the model: %w", err)
	}
	m.url = "http://" + listener.Addr().String()
	m.server = &http.Server{Handler: http.HandlerFunc(m.serve), ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = m.server.Serve(listener) }() // ends with close
	return m, nil
}

func (m *metronome) close() { _ = m.server.Close() }

// encode makes the events of Bedrock's binary stream.
func (m *metronome) encode(tokens int) error {
	var err error
	event := func(kind, payload string) []byte {
		var encoded bytes.Buffer
		message := eventstream.Message{Payload: []byte(payload), Headers: eventstream.Headers{
			{Name: ":event-type", Value: eventstream.StringValue(kind)},
			{Name: ":content-type", Value: eventstream.StringValue("application/json")},
			{Name: ":message-type", Value: eventstream.StringValue("event")},
		}}
		if failure := eventstream.NewEncoder().Encode(&encoded, message); failure != nil {
			err = fmt.Errorf("encoding the model's events: %w", failure)
		}
		return encoded.Bytes()
	}
	m.begin = event("messageStart", `{"role":"assistant"}`)
	for i := range tokens {
		m.events = append(m.events, event("contentBlockDelta", fmt.Sprintf(`{"contentBlockIndex":0,"delta":{"text":"`+tokenFormat+`"}}`, i)))
	}
	m.end = append(event("messageStop", `{"stopReason":"end_turn"}`),
		event("metadata", fmt.Sprintf(`{"usage":{"inputTokens":1,"outputTokens":%d,"totalTokens":%d},"metrics":{"latencyMs":1}}`, tokens, tokens+1))...)
	return err
}

// serve answers a call of ConverseStream.
func (m *metronome) serve(w http.ResponseWriter, r *http.Request) {
	var call struct {
		RequestMetadata struct {
			RequestID string `json:"requestId"`
		} `json:"requestMetadata"`
	}
	body, err := io.ReadAll(r.Body)
	if err == nil {
		err = json.Unmarshal(body, &call)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	time.Sleep(beforeFirst)
	w.Header().Set("Content-Type", "application/vnd.amazon.eventstream")
	said, err := m.speak(r.Context(), w)
	if err != nil {
		return // the caller has left, which shows as tokens that are missing
	}
	m.mu.Lock()
	m.said[call.RequestMetadata.RequestID] = said
	m.mu.Unlock()
	_, _ = w.Write(m.end) // as above
}

// speak says the tokens, each at its time, and returns when it said them.
func (m *metronome) speak(ctx context.Context, w http.ResponseWriter) ([]time.Time, error) {
	control := http.NewResponseController(w)
	said := make([]time.Time, len(m.events))
	if _, err := w.Write(m.begin); err != nil {
		return nil, err
	}
	begun := time.Now()
	for i, event := range m.events {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		time.Sleep(time.Until(begun.Add(time.Duration(i) * m.every)))
		said[i] = time.Now()
		if _, err := w.Write(event); err != nil {
			return nil, err
		}
		if err := control.Flush(); err != nil {
			return nil, err
		}
	}
	return said, nil
}

// times returns when the tokens of a request were said.
func (m *metronome) times(requestID string) []time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.said[requestID]
}

// tokensOf returns the numbers of the first token of a text that begins at an
// offset of the answer and of the one after its last, and whether the text is
// what was said there.
func tokensOf(text string, offset int) (from, to int, right bool) {
	from, to = offset/tokenBytes, (offset+len(text))/tokenBytes
	if offset%tokenBytes != 0 || len(text)%tokenBytes != 0 {
		return from, to, false
	}
	for i := from; i < to; i++ {
		at := i*tokenBytes - offset
		if text[at:at+tokenBytes] != fmt.Sprintf(tokenFormat, i) {
			return from, to, false
		}
	}
	return from, to, true
}
