package client

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/streaming-service/streaming-service/protocol"
)

// maxDocumentName is in characters.
const maxDocumentName = 200

var notInNames = regexp.MustCompile(`[^A-Za-z0-9()\[\]-]+`)

// documentName is a file's name as Converse takes it: without its ending, and of
// letters, digits, single spaces, hyphens and brackets.
func documentName(file string) string {
	words := notInNames.ReplaceAllString(strings.TrimSuffix(path.Base(file), path.Ext(file)), " ")
	if words = strings.TrimSpace(words[:min(len(words), maxDocumentName)]); words == "" {
		return "document"
	}
	return words
}

// withOwnNames numbers documents of one name, which must differ in a request. What
// it was given stays as it is.
func withOwnNames(messages []protocol.Message) []protocol.Message {
	taken := map[string]bool{}
	list := slices.Clone(messages)
	for i, m := range list {
		list[i].Blocks = slices.Clone(m.Blocks)
		for j, b := range list[i].Blocks {
			if b.Type == protocol.BlockDocument {
				list[i].Blocks[j].Name = ownName(b.Name, taken)
			}
		}
	}
	return list
}

func ownName(name string, taken map[string]bool) string {
	own := name
	for n := 2; taken[strings.ToLower(own)]; n++ {
		number := fmt.Sprintf(" %d", n)
		own = strings.TrimSpace(name[:min(len(name), maxDocumentName-len(number))]) + number
	}
	taken[strings.ToLower(own)] = true
	return own
}
