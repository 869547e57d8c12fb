package bedrock

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf16"
)

// answerBlock is a content block of an answer.
type answerBlock struct {
	index  int
	start  string   // what it begins with; "": it is not announced
	delta  string   // of a piece, with %s for its JSON string
	pieces []string // a token each
	seal   string   // a last delta of no token; "": none
	split  bool     // pieces come in two halves where they can
}

// blocksOf are the blocks of a reply: reasoning if there is any, text, and uses
// of tools. An answer without any still has one.
func blocksOf(reply Reply, script Script) []answerBlock {
	var blocks []answerBlock
	add := func(b answerBlock) {
		b.index, b.split = len(blocks), script.Split
		blocks = append(blocks, b)
	}
	switch {
	case len(reply.Reasoning) > 0 && script.Redacted:
		add(answerBlock{delta: `{"reasoningContent":{"redactedContent":%s}}`, pieces: sealed(reply.Reasoning)})
	case len(reply.Reasoning) > 0:
		add(answerBlock{delta: `{"reasoningContent":{"text":%s}}`, pieces: reply.Reasoning, seal: `{"reasoningContent":{"signature":"c2lnbmVk"}}`})
	}
	if len(reply.Tokens) > 0 || len(blocks)+len(reply.Calls) == 0 {
		add(answerBlock{delta: `{"text":%s}`, pieces: reply.Tokens})
	}
	for _, c := range reply.Calls {
		add(answerBlock{
			start: fmt.Sprintf(`{"toolUse":{"toolUseId":%q,"name":%q}}`, c.ID, c.Name),
			delta: `{"toolUse":{"input":%s}}`, pieces: c.Input,
		})
	}
	return blocks
}

// sealed are tokens that nobody can read.
func sealed(tokens []string) []string {
	list := make([]string, len(tokens))
	for i, token := range tokens {
		list[i] = base64.StdEncoding.EncodeToString([]byte(token))
	}
	return list
}

// open announces a block, if its kind is announced.
func (s *stream) open(b answerBlock) error {
	if b.start == "" {
		return nil
	}
	return s.event(contentBlockStart, fmt.Sprintf(`{"contentBlockIndex":%d,"start":%s`, b.index, b.start))
}

// piece sends one token of a block.
func (s *stream) piece(b answerBlock, text string) error {
	literals := []string{quote(text)}
	if b.split {
		literals = halves(text)
	}
	for _, literal := range literals {
		if err := s.delta(b.index, fmt.Sprintf(b.delta, literal)); err != nil {
			return err
		}
	}
	s.sent++
	if s.sent == 1 || s.buffer.Len() >= flushBytes {
		return s.flush()
	}
	return nil
}

// close ends a block.
func (s *stream) close(b answerBlock) error {
	if b.seal != "" {
		if err := s.delta(b.index, b.seal); err != nil {
			return err
		}
	}
	return s.event(contentBlockStop, fmt.Sprintf(`{"contentBlockIndex":%d`, b.index))
}

func (s *stream) delta(index int, delta string) error {
	return s.event(contentBlockDelta, fmt.Sprintf(`{"contentBlockIndex":%d,"delta":%s`, index, delta))
}

// unknown sends what no client knows yet.
func (s *stream) unknown() error {
	if err := s.event(eventHeaders("somethingNew"), `{"novelty":1`); err != nil {
		return err
	}
	return s.delta(0, `{"somethingNew":{"novelty":1}}`)
}

// quote is text as a JSON string.
func quote(text string) string {
	quoted, err := json.Marshal(text)
	if err != nil {
		return `""` // a string has no reason to fail
	}
	return string(quoted)
}

// halves is text as JSON strings, cut in the middle of each character beyond
// U+FFFF: the first ends with the escape of a high surrogate, the next begins
// with that of the low one.
func halves(text string) []string {
	var literals []string
	rest := `"`
	for _, r := range text {
		high, low := utf16.EncodeRune(r)
		if r < 0x10000 {
			quoted := quote(string(r))
			rest += quoted[1 : len(quoted)-1]
			continue
		}
		literals = append(literals, fmt.Sprintf(`%s\u%04x"`, rest, high))
		rest = fmt.Sprintf(`"\u%04x`, low)
	}
	return append(literals, rest+`"`)
}

// inputTokens are those of a request.
type inputTokens struct{ fresh, read, written int }

// accounts are the members usage of the metadata events, each with its comma.
func (u usageReport) accounts(in inputTokens, output int) []string {
	account := func(input, output, total int) string {
		return fmt.Sprintf(`,"usage":{"inputTokens":%d,"outputTokens":%d,"totalTokens":%d}`, input, output, total)
	}
	input := in.fresh
	whole := account(input, output, input+in.read+in.written+output)
	if in.read+in.written > 0 {
		whole = fmt.Sprintf(`%s,"cacheReadInputTokens":%d,"cacheWriteInputTokens":%d}`, strings.TrimSuffix(whole, "}"), in.read, in.written)
	}
	switch u {
	case usageNone:
		return []string{""}
	case usageZero:
		return []string{account(0, 0, 0)}
	case usageZeroAfter:
		return []string{whole, account(0, 0, 0)}
	case usageInput:
		return []string{fmt.Sprintf(`,"usage":{"inputTokens":%d}`, input)}
	case usageNegative:
		return []string{account(-1, -1, -1)}
	}
	return []string{whole}
}
