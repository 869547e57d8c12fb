package admission

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/streaming-service/streaming-service/lambdas/internal/jsonobject"
	"github.com/streaming-service/streaming-service/protocol"
)

// Limits of names, as Converse has them (Smithy model of bedrock-runtime in
// botocore 1.43.11; what a name of a document may hold is in its documentation).
const (
	maxToolName     = 64
	maxToolUseID    = 64
	maxDocumentName = 200
)

var (
	toolName     = regexp.MustCompile(`^[a-zA-Z0-9_-]+$`)
	toolUseID    = regexp.MustCompile(`^[a-zA-Z0-9_.:-]+$`)
	documentName = regexp.MustCompile(`^[A-Za-z0-9()\[\]-]+( [A-Za-z0-9()\[\]-]+)*$`)
)

// Which blocks may stand where.
var (
	userBlocks      = []protocol.BlockType{protocol.BlockText, protocol.BlockImage, protocol.BlockDocument, protocol.BlockToolResult}
	assistantBlocks = []protocol.BlockType{protocol.BlockText, protocol.BlockToolUse, protocol.BlockReasoning}
	resultBlocks    = []protocol.BlockType{protocol.BlockText, protocol.BlockJSON, protocol.BlockImage}
)

// blockMembers are the members of each block beside its type; those that end
// with ? may be left out. What else must be there is for the readers of blocks.
var blockMembers = map[protocol.BlockType][]string{
	protocol.BlockText:       {"text"},
	protocol.BlockImage:      {"format", "data?", "uploadId?"},
	protocol.BlockDocument:   {"format", "name", "data?", "uploadId?"},
	protocol.BlockToolUse:    {"toolUseId", "name", "input"},
	protocol.BlockReasoning:  {"text?", "signature?", "redacted?"},
	protocol.BlockToolResult: {"toolUseId", "status?", "content"},
	protocol.BlockJSON:       {"json"},
}

// blocks reads content that is an array.
func (p *problems) blocks(field string, raw json.RawMessage, allowed []protocol.BlockType) []protocol.Block {
	list, ok := p.array(field, raw)
	if !ok {
		return nil
	}
	if n := len(list); n < 1 || n > protocol.MaxBlocks {
		p.add(field, "must hold 1 to %d blocks, got %d", protocol.MaxBlocks, n)
		return nil
	}
	blocks := make([]protocol.Block, len(list))
	for i, raw := range list {
		blocks[i] = p.block(fmt.Sprintf("%s[%d]", field, i), raw, allowed)
	}
	return blocks
}

func (p *problems) block(field string, raw json.RawMessage, allowed []protocol.BlockType) (b protocol.Block) {
	list, err := jsonobject.Members(raw)
	if err != nil {
		p.add(field, "%v", err)
		return b
	}
	members := map[string]json.RawMessage{}
	for _, m := range list {
		members[m.Name] = m.Value
	}
	if !p.blockType(&b, field, members["type"], allowed) {
		return b
	}
	p.known(field, list, append([]string{"type"}, blockMembers[b.Type]...))
	for _, m := range list {
		p.member(&b, field+"."+m.Name, m)
	}
	p.complete(field, b, members)
	return b
}

func (p *problems) blockType(b *protocol.Block, field string, raw json.RawMessage, allowed []protocol.BlockType) bool {
	if raw == nil {
		p.add(field+".type", "must be given")
		return false
	}
	text, ok := p.text(field+".type", raw)
	if !ok {
		return false
	}
	b.Type = protocol.BlockType(text)
	if !slices.Contains(allowed, b.Type) {
		p.add(field+".type", "must be one of %v here, got %s", allowed, jsonobject.Quote(text))
		return false
	}
	return true
}

// known checks that an object has the members that it must have, and no other
// than those of names; one that ends with ? may be left out.
func (p *problems) known(field string, list []jsonobject.Member, names []string) {
	given := map[string]bool{}
	for _, m := range list {
		given[m.Name] = true
		if !slices.Contains(names, m.Name) && !slices.Contains(names, m.Name+"?") {
			p.add(field+"."+quoteField(m.Name), "is not a known field")
		}
	}
	for _, name := range names {
		if !strings.HasSuffix(name, "?") && !given[name] {
			p.add(field+"."+name, "must be given")
		}
	}
}

// member reads one member of a block. Those that the block does not have are
// told of elsewhere.
func (p *problems) member(b *protocol.Block, field string, m jsonobject.Member) {
	switch m.Name {
	case "text":
		b.Text, _ = p.text(field, m.Value)
	case "signature":
		b.Signature = p.filled(field, m.Value)
	case "redacted":
		b.Redacted = p.bytes(field, m.Value)
	case "format":
		b.Format = p.format(field, m.Value, b.Type)
	case "name":
		b.Name = p.blockName(field, m.Value, b.Type)
	case "data":
		b.Data = p.bytes(field, m.Value)
	case "uploadId":
		b.UploadID = p.filled(field, m.Value)
	case "toolUseId":
		b.ToolUseID = p.named(field, m.Value, toolUseID, maxToolUseID, "letters, digits, _, ., : and -")
	case "input":
		b.Input = p.object(field, m.Value)
	case "json":
		b.JSON = p.object(field, m.Value)
	case "status":
		if b.Status, _ = p.text(field, m.Value); b.Status != protocol.ToolSuccess && b.Status != protocol.ToolError {
			p.add(field, "must be %s or %s, got %s", protocol.ToolSuccess, protocol.ToolError, jsonobject.Show(m.Value))
		}
	case "content":
		if b.Type == protocol.BlockToolResult {
			b.Content = p.blocks(field, m.Value, resultBlocks)
		}
	}
}

// complete checks what no member tells alone.
func (p *problems) complete(field string, b protocol.Block, members map[string]json.RawMessage) {
	given := func(names ...string) (n int) {
		for _, name := range names {
			if members[name] != nil {
				n++
			}
		}
		return n
	}
	switch b.Type {
	case protocol.BlockImage, protocol.BlockDocument:
		if given("data", "uploadId") != 1 {
			p.add(field, "must have data or else uploadId")
			return
		}
		p.size(field+".data", b.Type, int64(len(b.Data)))
	case protocol.BlockReasoning:
		if given("text", "redacted") != 1 || given("signature", "redacted") == 2 {
			p.add(field, "must have text, and perhaps signature, or else redacted")
		} else if b.Redacted == nil && b.Text == "" && b.Signature == "" {
			p.add(field+".text", "must not be empty without a signature")
		}
	}
}

// size checks how large an image or a document is.
func (p *problems) size(field string, kind protocol.BlockType, bytes int64) {
	most, words := int64(protocol.MaxImageBytes), "3.75 MB"
	if kind == protocol.BlockDocument {
		most, words = protocol.MaxDocumentBytes, "4.5 MB"
	}
	if bytes > most {
		p.add(field, "must have at most %d bytes (%s), got %d", most, words, bytes)
	}
}

func (p *problems) format(field string, raw json.RawMessage, kind protocol.BlockType) string {
	formats := protocol.ImageFormats
	if kind == protocol.BlockDocument {
		formats = protocol.DocumentFormats
	}
	format, ok := p.text(field, raw)
	if ok && !slices.Contains(formats, format) {
		p.add(field, "must be one of %v, got %s", formats, jsonobject.Quote(format))
	}
	return format
}

func (p *problems) blockName(field string, raw json.RawMessage, kind protocol.BlockType) string {
	if kind == protocol.BlockDocument {
		return p.named(field, raw, documentName, maxDocumentName, "letters, digits, single spaces, hyphens, parentheses and square brackets")
	}
	return p.named(field, raw, toolName, maxToolName, "letters, digits, _ and -")
}

// named reads a name of a pattern and at most so many characters.
func (p *problems) named(field string, raw json.RawMessage, pattern *regexp.Regexp, most int, words string) string {
	name, ok := p.text(field, raw)
	switch n := len([]rune(name)); {
	case !ok:
	case n < 1 || n > most:
		p.add(field, "must have 1 to %d characters, got %d", most, n)
	case !pattern.MatchString(name):
		p.add(field, "must be of %s, got %s", words, jsonobject.Quote(name))
	}
	return name
}

// bytes reads base64 of at least one byte.
func (p *problems) bytes(field string, raw json.RawMessage) []byte {
	text, ok := p.text(field, raw)
	if !ok {
		return nil
	}
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(data) == 0 || strings.ContainsAny(text, "\r\n") {
		p.add(field, "must be base64 of at least one byte, with padding and without line breaks or a prefix")
		return nil
	}
	return data
}

// object reads a JSON object, which stays as it is but for white space.
func (p *problems) object(field string, raw json.RawMessage) json.RawMessage {
	if _, err := jsonobject.Members(raw); err != nil {
		p.add(field, "%v", err)
		return nil
	}
	return compact(raw)
}
