package openai

import (
	"encoding/json"
	"time"

	"github.com/streaming-service/streaming-service/protocol"
)

// Lines of a stream beside its chunks.
const (
	// Done is the last event of a stream that came to its end.
	Done = "data: [DONE]\n\n"
	// Heartbeat is a comment, which keeps a silent connection open.
	Heartbeat = ": still working\n\n"
)

// Answer is what all chunks of one completion repeat.
type Answer struct {
	RequestID    string
	Created      time.Time
	Model        string
	IncludeUsage bool // as asked for
}

// ID is the id of a completion.
func (a Answer) ID() string { return "chatcmpl-" + a.RequestID }

// Delta is what one chunk adds to the message.
type Delta struct {
	Role      string          `json:"role,omitempty"`
	Content   *string         `json:"content,omitempty"`
	Reasoning string          `json:"reasoning_content,omitempty"`
	Thoughts  []Thought       `json:"thinking_blocks,omitempty"`
	ToolCalls []deltaToolCall `json:"tool_calls,omitempty"`
}

// deltaToolCall is a call at its place among those of the message.
type deltaToolCall struct {
	Index int `json:"index"`
	toolCall
}

type toolCall struct {
	ID       string         `json:"id"`
	Type     string         `json:"type"` // always typeFunction
	Function calledFunction `json:"function"`
}

type calledFunction struct {
	Name      string `json:"name"`
	Arguments string `json:"arguments"` // JSON
}

func toolCallOf(use protocol.Block) toolCall {
	return toolCall{ID: use.ToolUseID, Type: typeFunction, Function: calledFunction{Name: use.Name, Arguments: string(use.Input)}}
}

type chunk struct {
	ID      string        `json:"id"`
	Object  string        `json:"object"`
	Created int64         `json:"created"`
	Model   string        `json:"model"`
	Choices []chunkChoice `json:"choices"`
	// Usage is null on all chunks but the last if usage was asked for, and not
	// there if it was not.
	Usage json.RawMessage `json:"usage,omitempty"`
}

type chunkChoice struct {
	Index        int     `json:"index"`
	Delta        Delta   `json:"delta"`
	FinishReason *string `json:"finish_reason"`
}

// Start is the first chunk.
func (a Answer) Start() []byte {
	return a.choice(chunkChoice{Delta: Delta{Role: protocol.RoleAssistant, Content: new(string)}})
}

// Content is a chunk with the next piece of the text.
func (a Answer) Content(text string) []byte {
	return a.choice(chunkChoice{Delta: Delta{Content: &text}})
}

// Reasoning is a chunk with the next piece of the reasoning.
func (a Answer) Reasoning(text string) []byte {
	return a.choice(chunkChoice{Delta: Delta{Reasoning: text}})
}

// Thoughts is a chunk with sealed reasoning, which is whole.
func (a Answer) Thoughts(sealed []Thought) []byte {
	return a.choice(chunkChoice{Delta: Delta{Thoughts: sealed}})
}

// ToolCall is a chunk with a use of a tool, the index-th of the message from 0,
// which is whole.
func (a Answer) ToolCall(index int, use protocol.Block) []byte {
	return a.choice(chunkChoice{Delta: Delta{ToolCalls: []deltaToolCall{{Index: index, toolCall: toolCallOf(use)}}}})
}

// Finish is the last chunk with a choice.
func (a Answer) Finish(reason string) []byte {
	return a.choice(chunkChoice{FinishReason: &reason})
}

// Usage is the chunk that follows Finish if usage was asked for, and nothing if
// it was not.
func (a Answer) Usage(spent protocol.TokenUsage) []byte {
	if !a.IncludeUsage {
		return nil
	}
	c := a.chunk()
	c.Usage = protocol.Encode(usageOf(spent))
	return event(c)
}

func (a Answer) choice(choice chunkChoice) []byte {
	c := a.chunk()
	c.Choices = append(c.Choices, choice)
	if a.IncludeUsage {
		c.Usage = json.RawMessage("null")
	}
	return event(c)
}

func (a Answer) chunk() chunk {
	return chunk{ID: a.ID(), Object: "chat.completion.chunk", Created: a.Created.Unix(), Model: a.Model, Choices: []chunkChoice{}}
}

type completion struct {
	ID      string   `json:"id"`
	Object  string   `json:"object"`
	Created int64    `json:"created"`
	Model   string   `json:"model"`
	Choices []choice `json:"choices"`
	Usage   usage    `json:"usage"`
}

type choice struct {
	Index        int     `json:"index"`
	Message      message `json:"message"`
	Logprobs     *string `json:"logprobs"` // always null
	FinishReason string  `json:"finish_reason"`
}

type message struct {
	Role      string     `json:"role"`
	Content   *string    `json:"content"` // null: nothing was said beside tool_calls
	Refusal   *string    `json:"refusal"` // always null
	Reasoning string     `json:"reasoning_content,omitempty"`
	Thoughts  []Thought  `json:"thinking_blocks,omitempty"`
	ToolCalls []toolCall `json:"tool_calls,omitempty"`
}

// Whole is the body of a completion that is not streamed.
func (a Answer) Whole(said *protocol.Answer, finishReason string, spent protocol.TokenUsage) []byte {
	return protocol.Encode(completion{
		ID: a.ID(), Object: "chat.completion", Created: a.Created.Unix(), Model: a.Model,
		Choices: []choice{{Message: messageOf(said), FinishReason: finishReason}},
		Usage:   usageOf(spent),
	})
}

func messageOf(said *protocol.Answer) message {
	m := message{Role: protocol.RoleAssistant, Reasoning: said.Reasoning(), Thoughts: ThoughtsOf(said.Content())}
	for _, use := range said.ToolUses() {
		m.ToolCalls = append(m.ToolCalls, toolCallOf(use))
	}
	if text := said.Text(); text != "" || len(m.ToolCalls) == 0 {
		m.Content = &text
	}
	return m
}

type usage struct {
	PromptTokens        int64        `json:"prompt_tokens"`
	CompletionTokens    int64        `json:"completion_tokens"`
	TotalTokens         int64        `json:"total_tokens"`
	PromptTokensDetails promptTokens `json:"prompt_tokens_details"`
}

type promptTokens struct {
	CachedTokens int64 `json:"cached_tokens"`
}

func usageOf(spent protocol.TokenUsage) usage {
	return usage{
		PromptTokens:        spent.InputTokens,
		CompletionTokens:    spent.OutputTokens,
		TotalTokens:         spent.InputTokens + spent.OutputTokens,
		PromptTokensDetails: promptTokens{CachedTokens: spent.CacheReadTokens},
	}
}

// event is one server-sent event. JSON has no line break that would end it.
func event(v any) []byte {
	return append(append([]byte("data: "), protocol.Encode(v)...), "\n\n"...)
}
