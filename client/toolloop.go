package client

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"

	"github.com/streaming-service/streaming-service/protocol"
)

// DefaultMaxRequests is after how many requests a ToolLoop ends anyway, unless
// it says otherwise.
const DefaultMaxRequests = 10

// ToolFunc runs a tool. What it returns is the result: a string, blocks of a
// result (text, JSON, image), or a value that encodes as JSON. An error is told to
// the model, as the result. ctx ends with that of the loop, and with its Cancel.
type ToolFunc func(ctx context.Context, use ToolUse) (any, error)

// ToolLoop is a conversation in which the model uses tools: it submits a request,
// has the tools run that the answer uses, and submits their results, until an
// answer uses none. Its fields are set before Events is called, once.
type ToolLoop struct {
	Client  *Client
	Request protocol.SubmitRequest // with Tools
	Run     ToolFunc               // tools of one answer run at the same time
	// MaxRequests is after how many requests the loop ends anyway. Default:
	// DefaultMaxRequests.
	MaxRequests int
	// Key is the idempotency key of the first request, from which those of the
	// others are derived: the same loop begun again finds the same requests, as
	// long as its tools say the same. 1 to 120 visible ASCII characters. Default: a
	// random key.
	Key string

	mu       sync.Mutex
	messages []protocol.Message
	stream   *Stream
	tools    context.CancelFunc
	stopped  bool
}

// Asked says that a request of a ToolLoop was submitted.
type Asked struct {
	RequestID string
	Quota     protocol.Usage
}

// Answered says that an answer of a ToolLoop is complete, and its tools are run
// now.
type Answered struct{ Done }

// ToolResult is what a tool was told to the model to have said.
type ToolResult struct {
	Use    ToolUse
	Result protocol.Block
}

func (Asked) event()      {}
func (ToolResult) event() {}

// Messages is the conversation: at the end with all answers and results, so that
// it can be gone on with.
func (l *ToolLoop) Messages() []protocol.Message {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.messages)
}

// Cancel stops the answer, or the tools that run. The loop then ends with Failed
// and the code cancelled.
func (l *ToolLoop) Cancel(ctx context.Context) error {
	l.mu.Lock()
	l.stopped = true
	stream, tools := l.stream, l.tools
	l.mu.Unlock()
	if tools != nil {
		tools()
		return nil
	}
	if stream != nil {
		return stream.Cancel(ctx)
	}
	return nil
}

// Events ranges over the events of all requests, with Asked, Answered and
// ToolResult between them. The last is Done or Failed; an error is the last pair.
// Restarted voids what came since the last Asked.
func (l *ToolLoop) Events(ctx context.Context) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		l.begin()
		for n := 1; ; n++ {
			done, goOn := l.answer(ctx, n, yield)
			if !goOn {
				return
			}
			uses := l.usesAfter(done)
			if len(uses) == 0 || n >= l.most() {
				yield(done, nil)
				return
			}
			if !yield(Answered{done}, nil) || !l.results(ctx, uses, yield) {
				return
			}
		}
	}
}

func (l *ToolLoop) begin() {
	l.messages = slices.Clone(l.Request.Messages)
	if l.Request.Prompt != "" {
		l.messages = []protocol.Message{{Role: protocol.RoleUser, Content: l.Request.Prompt}}
	}
	if l.Key == "" {
		l.Key = newKey()
	}
}

func (l *ToolLoop) most() int {
	if l.MaxRequests > 0 {
		return l.MaxRequests
	}
	return DefaultMaxRequests
}

// answer submits the nth request and hands its events on. It reports false if
// the loop is over.
func (l *ToolLoop) answer(ctx context.Context, n int, yield func(Event, error) bool) (Done, bool) {
	stream, err := l.ask(ctx, n)
	if err != nil {
		yield(nil, err)
		return Done{}, false
	}
	if !yield(Asked{stream.RequestID(), *stream.Quota()}, nil) {
		return Done{}, false
	}
	for event, err := range stream.Events(ctx) {
		done, isDone := event.(Done)
		if isDone {
			l.keep(protocol.RoleAssistant, spoken(stream.Content()))
			return done, true
		}
		if !yield(event, err) || err != nil {
			return Done{}, false
		}
	}
	return Done{}, false // it failed, and said so
}

// ask submits. A tool that must be used is asked for once: the loop would have no
// end.
func (l *ToolLoop) ask(ctx context.Context, n int) (*Stream, error) {
	request, key := l.Request, l.Key
	request.Prompt, request.Messages = "", l.messages
	if n > 1 {
		request.ToolChoice = nil
		key = fmt.Sprintf("%s.%d", key, n)
	}
	stream, err := l.Client.Submit(ctx, request, WithIdempotencyKey(key))
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	l.stream = stream
	stopped := l.stopped
	l.mu.Unlock()
	if stopped {
		return stream, stream.Cancel(ctx)
	}
	return stream, nil
}

func (l *ToolLoop) keep(role string, blocks []protocol.Block) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(blocks) > 0 {
		l.messages = append(l.messages, protocol.Message{Role: role, Blocks: blocks})
	}
}

// spoken are the blocks of an answer but for blank texts, which no model takes
// back.
func spoken(blocks []protocol.Block) []protocol.Block {
	return slices.DeleteFunc(blocks, func(b protocol.Block) bool {
		return b.Type == protocol.BlockText && strings.TrimSpace(b.Text) == ""
	})
}

// usesAfter are the uses of tools that an answer waits for.
func (l *ToolLoop) usesAfter(done Done) []ToolUse {
	if done.StopReason != protocol.StopReasonToolUse || len(l.messages) == 0 {
		return nil
	}
	var uses []ToolUse
	for _, b := range l.messages[len(l.messages)-1].Blocks {
		if b.Type == protocol.BlockToolUse {
			uses = append(uses, toolUseOf(b))
		}
	}
	return uses
}

// results runs the tools. It reports false if the loop is over.
func (l *ToolLoop) results(ctx context.Context, uses []ToolUse, yield func(Event, error) bool) bool {
	blocks := l.runAll(ctx, uses)
	if ctx.Err() != nil {
		yield(nil, ctx.Err())
		return false
	}
	l.mu.Lock()
	stopped := l.stopped
	l.mu.Unlock()
	if stopped {
		yield(Failed{Code: protocol.CodeCancelled, Message: "the request was cancelled", Retryable: true}, nil)
		return false
	}
	l.keep(protocol.RoleUser, blocks)
	for i, use := range uses {
		if !yield(ToolResult{use, blocks[i]}, nil) {
			return false
		}
	}
	return true
}

func (l *ToolLoop) runAll(ctx context.Context, uses []ToolUse) []protocol.Block {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	l.mu.Lock()
	l.tools = cancel
	stopped := l.stopped
	l.mu.Unlock()
	if stopped {
		cancel()
	}
	blocks := make([]protocol.Block, len(uses))
	var running sync.WaitGroup
	for i, use := range uses {
		running.Go(func() { blocks[i] = l.run(ctx, use) })
	}
	running.Wait()
	l.mu.Lock()
	l.tools = nil
	l.mu.Unlock()
	return blocks
}

func (l *ToolLoop) run(ctx context.Context, use ToolUse) protocol.Block {
	result := protocol.Block{Type: protocol.BlockToolResult, ToolUseID: use.ID}
	value, err := l.Run(ctx, use)
	if err == nil {
		result.Content, err = resultOf(value)
	}
	if err != nil {
		result.Status = protocol.ToolError
		result.Content, _ = resultOf(err.Error())
	}
	return result
}

// resultOf makes blocks of what a tool returned.
func resultOf(value any) ([]protocol.Block, error) {
	switch v := value.(type) {
	case []protocol.Block:
		if len(v) > 0 {
			return v, nil
		}
		value = nil
	case string:
		if strings.TrimSpace(v) != "" {
			return []protocol.Block{protocol.TextBlock(v)}, nil
		}
	}
	encoded, err := json.Marshal(value)
	if err != nil {
		return nil, fmt.Errorf("encoding the result of a tool: %w", err)
	}
	if !bytes.HasPrefix(encoded, []byte("{")) { // a result is an object
		encoded = protocol.Encode(map[string]json.RawMessage{"result": encoded})
	}
	return []protocol.Block{{Type: protocol.BlockJSON, JSON: encoded}}, nil
}
