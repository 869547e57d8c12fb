package expression

import (
	_ "embed"
	"strings"
	"sync"
)

//go:embed reserved.txt
var reservedText string

// reservedWords are the words of reserved.txt, which says where they are from.
var reservedWords = sync.OnceValue(func() map[string]bool {
	words := map[string]bool{}
	for line := range strings.Lines(reservedText) {
		if word := strings.TrimSpace(line); word != "" && word[0] != '#' {
			words[word] = true
		}
	}
	return words
})

// IsReserved tells whether a word, in any case, may not stand for an attribute's
// name.
func IsReserved(word string) bool { return reservedWords()[strings.ToUpper(word)] }
