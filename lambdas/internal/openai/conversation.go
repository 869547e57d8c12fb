package openai

import (
	"fmt"
	"slices"
	"strings"

	"github.com/streaming-service/streaming-service/protocol"
)

// Texts that become one are kept apart by these.
const (
	betweenParts    = "\n"
	betweenMessages = "\n\n"
)

// conversation is the making of what the model takes: a system text, and
// messages of user and assistant that alternate and have the user at both ends.
type conversation struct {
	instructions []string
	messages     []spoken
	last         turn     // that became part of a message
	open         []placed // calls without a result
	documents    map[string]bool
}

// spoken is a protocol.Message in the making.
type spoken struct {
	role   string
	blocks []placed
}

// converse makes of the messages what the model takes.
func converse(turns []turn, names Names) (system string, messages []protocol.Message, e *Error) {
	c := conversation{documents: map[string]bool{}}
	for _, t := range turns {
		if e := c.take(t); e != nil {
			return "", nil, e
		}
	}
	if e := c.complete(); e != nil {
		return "", nil, e
	}
	for i, m := range c.messages {
		messages = append(messages, m.message(names, fmt.Sprintf("messages[%d]", i)))
	}
	return strings.Join(c.instructions, betweenMessages), messages, nil
}

func (c *conversation) take(t turn) *Error {
	switch t.role {
	case roleSystem, roleDeveloper:
		if said := joined(t.content, betweenParts); len(said) > 0 {
			c.instructions = append(c.instructions, said[0].Text)
		}
		return nil
	case roleTool:
		return c.answer(t)
	}
	if len(c.open) > 0 {
		return c.unanswered()
	}
	blocks := append(joined(t.content, betweenParts), t.calls...)
	if len(blocks) == 0 {
		return nil // nothing was said
	}
	if len(c.messages) == 0 && t.role == protocol.RoleAssistant {
		return outOfTurn(t, "begin")
	}
	for i := range blocks {
		c.rename(&blocks[i])
	}
	c.append(t, t.role, append(t.thoughts, blocks...))
	c.open = t.calls
	return nil
}

// answer takes the message of a tool, which is the user's to the model.
func (c *conversation) answer(t turn) *Error {
	i := slices.IndexFunc(c.open, func(call placed) bool { return call.ToolUseID == *t.callID })
	if i < 0 {
		return invalid(t.param+".tool_call_id", codeInvalidValue, "Invalid '%s.tool_call_id': messages with the role 'tool' must answer the 'tool_calls' of the message before them, each once; '%s' is none of them.", t.param, unquoted(*t.callID))
	}
	c.open = slices.Delete(slices.Clone(c.open), i, i+1)
	c.append(t, protocol.RoleUser, []placed{t.result()})
	return nil
}

func (c *conversation) append(t turn, role string, blocks []placed) {
	defer func() { c.last = t }()
	if n := len(c.messages); n > 0 && c.messages[n-1].role == role {
		c.messages[n-1].blocks = joined(append(c.messages[n-1].blocks, blocks...), betweenMessages)
		return
	}
	c.messages = append(c.messages, spoken{role, blocks})
}

// rename keeps the names of documents apart, as Converse wants them.
func (c *conversation) rename(b *placed) {
	if b.Type != protocol.BlockDocument {
		return
	}
	name := b.Name
	for n := 2; c.documents[strings.ToLower(b.Name)]; n++ {
		number := fmt.Sprintf(" %d", n)
		b.Name = strings.TrimSpace(name[:min(len(name), maxDocumentName-len(number))]) + number
	}
	c.documents[strings.ToLower(b.Name)] = true
}

func (c *conversation) complete() *Error {
	switch {
	case len(c.open) > 0:
		return c.unanswered()
	case len(c.messages) == 0:
		return invalid("messages", codeInvalidValue, "Invalid 'messages': there must be a message with the role 'user'.")
	case c.last.role == protocol.RoleAssistant:
		return outOfTurn(c.last, "end")
	}
	return nil
}

func (c *conversation) unanswered() *Error {
	param := c.open[0].param
	return invalid(param, codeInvalidValue, "Invalid '%s': an assistant message with 'tool_calls' must be followed by messages with the role 'tool' that answer each 'tool_call_id'; '%s' has no answer.", param, unquoted(c.open[0].ToolUseID))
}

func outOfTurn(t turn, where string) *Error {
	param := t.param + ".role"
	return invalid(param, codeUnsupportedValue, "Unsupported value: '%s' is '%s', but the conversation must %s with the role 'user'.", param, t.role, where)
}

// joined makes one of texts that follow each other.
func joined(blocks []placed, between string) []placed {
	var list []placed
	for _, b := range blocks {
		if n := len(list); n > 0 && b.Type == protocol.BlockText && list[n-1].Type == protocol.BlockText {
			list[n-1].Text += between + b.Text
			continue
		}
		list = append(list, b)
	}
	return list
}

// message is a text if it is nothing else.
func (m spoken) message(names Names, field string) protocol.Message {
	content := field + ".content"
	if len(m.blocks) == 1 && m.blocks[0].Type == protocol.BlockText {
		m.blocks[0].name(names, content)
		return protocol.Message{Role: m.role, Content: m.blocks[0].Text}
	}
	list := protocol.Message{Role: m.role}
	first := m.blocks[0].param
	names[field], names[content] = messageParam(first), messageParam(first)+".content"
	for j, b := range m.blocks {
		b.name(names, fmt.Sprintf("%s[%d]", content, j))
		list.Blocks = append(list.Blocks, b.Block)
	}
	return list
}

// messageParam is the message that a parameter is part of: messages[2].
func messageParam(param string) string {
	return param[:strings.IndexByte(param, ']')+1]
}
