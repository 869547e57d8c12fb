package bedrock

import (
	"crypto/sha256"
	"fmt"
	"strings"
)

// echo tells what a request holds, a line a block: what a model was really asked.
func (r *request) echo() string {
	var lines []string
	for _, m := range r.Messages {
		for _, b := range m.Content {
			lines = append(lines, fmt.Sprintf("- %s: %s", m.Role, b.echo()))
		}
	}
	return strings.Join(lines, "\n")
}

func (b block) echo() string {
	text, isText := b.text()
	switch {
	case isText:
		return fmt.Sprintf("text %q", text)
	case b.Image != nil:
		return "image " + b.Image.echo()
	case b.Document != nil:
		return fmt.Sprintf("document %q %s", b.Document.Name, b.Document.echo())
	case b.ToolUse != nil:
		return fmt.Sprintf("use of %s %s", b.ToolUse.Name, b.ToolUse.Input)
	case b.ToolResult != nil:
		return b.ToolResult.echo()
	case b.Reasoning != nil && b.Reasoning.Redacted != nil:
		return fmt.Sprintf("redacted reasoning of %d bytes", len(b.Reasoning.Redacted))
	case b.Reasoning != nil:
		return fmt.Sprintf("reasoning %q sealed with %q", b.Reasoning.Text.Text, b.Reasoning.Text.Signature)
	case b.JSON != nil:
		return string(b.JSON)
	}
	return "cache point"
}

func (m media) echo() string {
	return fmt.Sprintf("%s of %d bytes %x", m.Format, len(m.Source.Bytes), sha256.Sum256(m.Source.Bytes))
}

func (r toolResult) echo() string {
	parts := make([]string, len(r.Content))
	for i, b := range r.Content {
		parts[i] = b.echo()
	}
	kind := "result"
	if r.Status == "error" {
		kind = "failure"
	}
	return fmt.Sprintf("%s %s", kind, strings.Join(parts, ", "))
}
