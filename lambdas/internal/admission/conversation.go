package admission

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/streaming-service/streaming-service/lambdas/internal/jsonobject"
	"github.com/streaming-service/streaming-service/protocol"
)

// conversation checks what no block tells alone, as Converse does: which results
// answer which uses of tools, and how many images and documents there are.
func (p *problems) conversation(messages []protocol.Message) {
	var asked []string // ids of the uses of tools in the message before
	for i, m := range messages {
		field := fmt.Sprintf("messages[%d].content", i)
		if m.Role == protocol.RoleAssistant {
			asked = p.uses(field, m)
			p.spoken(field, m)
			continue
		}
		p.results(field, m, asked)
		p.documents(field, m)
		asked = nil
	}
	p.media(messages)
}

// uses returns the ids of a message's uses of tools, which must differ.
func (p *problems) uses(field string, m protocol.Message) []string {
	var ids []string
	for j, b := range m.Blocks {
		if b.Type != protocol.BlockToolUse || b.ToolUseID == "" {
			continue
		}
		if slices.Contains(ids, b.ToolUseID) {
			p.add(fmt.Sprintf("%s[%d].toolUseId", field, j), "must differ from that of another use in the message, got %s", jsonobject.Quote(b.ToolUseID))
		}
		ids = append(ids, b.ToolUseID)
	}
	return ids
}

// spoken checks that the assistant has said something: models take no message
// that is nothing but reasoning and blanks.
func (p *problems) spoken(field string, m protocol.Message) {
	said := func(b protocol.Block) bool {
		return b.Type == protocol.BlockToolUse || b.Type == protocol.BlockText && strings.TrimSpace(b.Text) != "" || b.Type == ""
	}
	if m.Blocks != nil && !slices.ContainsFunc(m.Blocks, said) {
		p.add(field, "must have a text that is not blank, or a use of a tool")
	}
}

// results checks that a message answers each use of the message before, once, and
// nothing else.
func (p *problems) results(field string, m protocol.Message, asked []string) {
	open := slices.Clone(asked)
	for j, b := range m.Blocks {
		if b.Type == protocol.BlockText && strings.TrimSpace(b.Text) == "" {
			p.add(fmt.Sprintf("%s[%d].text", field, j), "must not be blank")
		}
		if b.Type != protocol.BlockToolResult || b.ToolUseID == "" {
			continue
		}
		p.resultTexts(fmt.Sprintf("%s[%d].content", field, j), b)
		at := slices.Index(open, b.ToolUseID)
		if at < 0 {
			p.add(fmt.Sprintf("%s[%d].toolUseId", field, j), "must be that of a use in the message before, and come once, got %s", jsonobject.Quote(b.ToolUseID))
			continue
		}
		open = slices.Delete(open, at, at+1)
	}
	if len(open) > 0 {
		p.add(field, "must have a toolResult for each use of a tool in the message before, lacks that of %s", jsonobject.Quote(open[0]))
	}
}

func (p *problems) resultTexts(field string, result protocol.Block) {
	for k, part := range result.Content {
		if part.Type == protocol.BlockText && strings.TrimSpace(part.Text) == "" {
			p.add(fmt.Sprintf("%s[%d].text", field, k), "must not be blank")
		}
	}
}

// documents checks that a message with a document has a text, too.
func (p *problems) documents(field string, m protocol.Message) {
	has := func(kind protocol.BlockType) bool {
		return slices.ContainsFunc(m.Blocks, func(b protocol.Block) bool { return b.Type == kind })
	}
	if has(protocol.BlockDocument) && !has(protocol.BlockText) {
		p.add(field, "must have a text beside a document")
	}
}

// media counts the images and documents of all messages. Names of documents
// differ.
func (p *problems) media(messages []protocol.Message) {
	images, documents := 0, 0
	names := map[string]bool{}
	eachBlock(messages, func(field string, b protocol.Block) {
		switch b.Type {
		case protocol.BlockImage:
			images++
		case protocol.BlockDocument:
			documents++
			if name := strings.ToLower(b.Name); names[name] {
				p.add(field+".name", "must differ from that of another document, got %s", jsonobject.Quote(b.Name))
			} else {
				names[name] = true
			}
		}
	})
	if images > protocol.MaxImages {
		p.add("messages", "must hold at most %d images, got %d", protocol.MaxImages, images)
	}
	if documents > protocol.MaxDocuments {
		p.add("messages", "must hold at most %d documents, got %d", protocol.MaxDocuments, documents)
	}
}

// eachBlock visits the blocks of messages and of results of tools, with their
// fields.
func eachBlock(messages []protocol.Message, visit func(field string, b protocol.Block)) {
	for i, m := range messages {
		for j, b := range m.Blocks {
			field := fmt.Sprintf("messages[%d].content[%d]", i, j)
			visit(field, b)
			for k, part := range b.Content {
				visit(fmt.Sprintf("%s.content[%d]", field, k), part)
			}
		}
	}
}

// usesTools reports whether a conversation has uses of tools or results.
func usesTools(messages []protocol.Message) bool {
	found := false
	eachBlock(messages, func(_ string, b protocol.Block) {
		found = found || b.Type == protocol.BlockToolUse || b.Type == protocol.BlockToolResult
	})
	return found
}

// compact is JSON without white space between its tokens.
func compact(raw json.RawMessage) json.RawMessage {
	var b bytes.Buffer
	if json.Compact(&b, raw) != nil {
		return raw // it is valid: this cannot be
	}
	return b.Bytes()
}
