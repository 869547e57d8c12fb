// Package expression reads and evaluates DynamoDB's condition, key condition,
// update and projection expressions by AWS's grammar and rules: what AWS
// refuses is refused, with its words.
package expression

import (
	"fmt"
	"strings"
)

type tokenKind int

const (
	tokenEnd    tokenKind = iota
	tokenWord             // attribute name, function or keyword
	tokenName             // #name
	tokenValue            // :value
	tokenNumber           // list index
	tokenSymbol           // = <> < <= > >= ( ) [ ] . , + -
)

type token struct {
	kind     tokenKind
	text     string
	from, to int
}

// maxLength is DynamoDB's limit of an expression, in bytes.
const maxLength = 4096

func lex(text string) ([]token, error) {
	if len(text) > maxLength {
		return nil, fmt.Errorf("Expression size has exceeded the maximum allowed size; expression size: %d", len(text)) //nolint:staticcheck // AWS's words
	}
	tokens := make([]token, 0, len(text)/4) // about as many as there are
	for i := 0; i < len(text); {
		if strings.ContainsRune(" \t\r\n", rune(text[i])) {
			i++
			continue
		}
		next, err := lexOne(text, i)
		if err != nil {
			return nil, err
		}
		tokens = append(tokens, next)
		i = next.to
	}
	return append(tokens, token{kind: tokenEnd, text: "<EOF>", from: len(text), to: len(text)}), nil
}

func lexOne(text string, from int) (token, error) {
	c := text[from]
	switch {
	case c == '#' || c == ':':
		to := wordEnd(text, from+1)
		if to == from+1 {
			return token{}, syntaxError(text, token{text: string(c), from: from, to: to})
		}
		kind := tokenName
		if c == ':' {
			kind = tokenValue
		}
		return token{kind, text[from:to], from, to}, nil
	case isLetter(c):
		to := wordEnd(text, from)
		return token{tokenWord, text[from:to], from, to}, nil
	case isDigit(c):
		to := from
		for to < len(text) && isDigit(text[to]) {
			to++
		}
		return token{tokenNumber, text[from:to], from, to}, nil
	}
	for _, symbol := range []string{"<>", "<=", ">=", "=", "<", ">", "(", ")", "[", "]", ".", ",", "+", "-"} {
		if strings.HasPrefix(text[from:], symbol) {
			return token{tokenSymbol, symbol, from, from + len(symbol)}, nil
		}
	}
	return token{}, syntaxError(text, token{text: text[from : from+1], from: from, to: from + 1})
}

func wordEnd(text string, from int) int {
	for from < len(text) && (isLetter(text[from]) || isDigit(text[from])) {
		from++
	}
	return from
}

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' }
func isDigit(c byte) bool  { return c >= '0' && c <= '9' }

func syntaxError(text string, at token) error {
	near := text[max(0, at.from-8):min(len(text), at.to+8)]
	return fmt.Errorf("Syntax error; token: %q, near: %q", at.text, near) //nolint:staticcheck // AWS's words
}
