package protocol

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// BlockType says what a block of a message or of an answer is.
type BlockType string

// The blocks. Text is for everybody; images, documents and tool results are the
// user's; reasoning and tool uses are the assistant's; JSON is part of a tool
// result only.
const (
	BlockText       BlockType = "text"
	BlockImage      BlockType = "image"
	BlockDocument   BlockType = "document"
	BlockToolUse    BlockType = "toolUse"
	BlockReasoning  BlockType = "reasoning"
	BlockToolResult BlockType = "toolResult"
	BlockJSON       BlockType = "json"
)

// Block is one part of a message or of an answer. Which fields are present
// depends on Type.
type Block struct {
	Type BlockType `json:"type"`
	// Text is that of a text or of reasoning, which may have none beside its
	// signature.
	Text string `json:"text,omitempty"`
	// Signature is the model's seal on its reasoning. It must be given back as it
	// is, with the reasoning that it seals.
	Signature string `json:"signature,omitempty"`
	// Redacted is reasoning that the model keeps to itself, in place of Text. It
	// must be given back as it is.
	Redacted []byte `json:"redacted,omitempty"`
	// ToolUseID ties the result of a tool to the use that asks for it.
	ToolUseID string `json:"toolUseId,omitempty"`
	// Format is that of an image (ImageFormats) or a document (DocumentFormats),
	// whose bytes are Data or those of the upload UploadID.
	Format string `json:"format,omitempty"`
	// Name is that of a document or of a tool that is used.
	Name     string `json:"name,omitempty"`
	Data     []byte `json:"data,omitempty"`
	UploadID string `json:"uploadId,omitempty"`
	// Input is what a tool is used with, a JSON object.
	Input json.RawMessage `json:"input,omitempty"`
	// Status is that of a tool result: ToolSuccess, which is the default, or
	// ToolError.
	Status string `json:"status,omitempty"`
	// Content is that of a tool result: texts, images and JSON.
	Content []Block         `json:"content,omitempty"`
	JSON    json.RawMessage `json:"json,omitempty"`
}

// MarshalJSON implements json.Marshaler: a text is there even if it is empty.
func (b Block) MarshalJSON() ([]byte, error) {
	type plain Block
	if b.Type != BlockText && (b.Type != BlockReasoning || b.Redacted != nil) {
		return marshal(plain(b))
	}
	return marshal(struct {
		Type BlockType `json:"type"`
		Text string    `json:"text"`
		plain
	}{b.Type, b.Text, plain(b)})
}

// Statuses of a tool result.
const (
	ToolSuccess = "success"
	ToolError   = "error"
)

// Formats of images and documents, as Converse has them.
var (
	ImageFormats    = []string{"png", "jpeg", "gif", "webp"}
	DocumentFormats = []string{"pdf", "csv", "doc", "docx", "xls", "xlsx", "html", "txt", "md"}
)

// TextBlock is a block of text.
func TextBlock(text string) Block { return Block{Type: BlockText, Text: text} }

// Message is one turn of a conversation. Content is one that is text and nothing
// else, a string on the wire; otherwise it is Blocks, an array there.
type Message struct {
	Role    string  `json:"role"`
	Content string  `json:"content"`
	Blocks  []Block `json:"-"`
}

// MarshalJSON implements json.Marshaler.
func (m Message) MarshalJSON() ([]byte, error) {
	type plain Message
	if m.Blocks == nil {
		return marshal(plain(m))
	}
	return marshal(struct {
		Role    string  `json:"role"`
		Content []Block `json:"content"`
	}{m.Role, m.Blocks})
}

// UnmarshalJSON implements json.Unmarshaler.
func (m *Message) UnmarshalJSON(data []byte) error {
	var raw struct {
		Role    string          `json:"role"`
		Content json.RawMessage `json:"content"`
	}
	if err := unmarshalKnown(data, &raw); err != nil {
		return err
	}
	*m = Message{Role: raw.Role}
	if bytes.HasPrefix(raw.Content, []byte("[")) {
		return unmarshalKnown(raw.Content, &m.Blocks)
	}
	if raw.Content == nil {
		return nil
	}
	return json.Unmarshal(raw.Content, &m.Content)
}

// All returns the content as blocks, whichever way it was given.
func (m Message) All() []Block {
	if m.Blocks != nil || m.Content == "" {
		return m.Blocks
	}
	return []Block{TextBlock(m.Content)}
}

// Tool is what a model may use, and whose caller runs it.
type Tool struct {
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
	// InputSchema is the JSON Schema of an object.
	InputSchema json.RawMessage `json:"inputSchema"`
}

// The ways to choose a tool that name none.
const (
	ToolChoiceAuto = "auto" // the model decides whether it uses one
	ToolChoiceAny  = "any"  // it must use one
)

// ToolChoice says whether the model must use a tool, and which. On the wire it
// is the string Mode or an object with the name of the tool.
type ToolChoice struct {
	Mode string `json:"-"`              // ToolChoiceAuto or ToolChoiceAny; "" with a Name
	Name string `json:"name,omitempty"` // of the tool that must be used
}

// MarshalJSON implements json.Marshaler.
func (c ToolChoice) MarshalJSON() ([]byte, error) {
	type plain ToolChoice
	if c.Name == "" {
		return marshal(c.Mode)
	}
	return marshal(plain(c))
}

// UnmarshalJSON implements json.Unmarshaler.
func (c *ToolChoice) UnmarshalJSON(data []byte) error {
	type plain ToolChoice
	*c = ToolChoice{}
	if bytes.HasPrefix(data, []byte(`"`)) {
		return json.Unmarshal(data, &c.Mode)
	}
	if err := unmarshalKnown(data, (*plain)(c)); err != nil {
		return err
	}
	if c.Name == "" {
		return errors.New("a toolChoice is a string or names a tool")
	}
	return nil
}

// Efforts of reasoning.
const (
	EffortLow    = "low"
	EffortMedium = "medium"
	EffortHigh   = "high"
)

// Reasoning asks the model to reason before it answers.
type Reasoning struct {
	Effort string `json:"effort"`
}

// marshal encodes without escaping of HTML characters.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return bytes.TrimRight(b.Bytes(), "\n"), err
}

// unmarshalKnown decodes what has no other fields than v has: a decoder that
// refuses unknown ones does not look into a json.Unmarshaler.
func unmarshalKnown(data []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return fmt.Errorf("decoding: %w", err)
	}
	return nil
}
