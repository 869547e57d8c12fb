package bedrock

import (
	"encoding/json"
	"fmt"
	"unicode/utf16"
)

// answerBlock is a content block of an answer.
type answerBlock struct {
	index  int
	delta  string   // of a piece, with %s for its JSON string
	pieces []string // a token each
	seal   string   // a last delta of no token; "": none
	split  bool     // pieces come in two halves where they can
}

// blocksOf are the blocks of a reply: reasoning if there is any, and text. An
// answer without either still has one.
func blocksOf(reply Reply, script Script) []answerBlock {
	var blocks []answerBlock
	if len(reply.Reasoning) > 0 {
		blocks = append(blocks, answerBlock{
			delta: `{"reasoningContent":{"text":%s}}`, pieces: reply.Reasoning, split: script.Split,
			seal: `{"reasoningContent":{"signature":"c2lnbmVk"}}`,
		})
	}
	if len(reply.Tokens) > 0 || len(blocks) == 0 {
		blocks = append(blocks, answerBlock{index: len(blocks), delta: `{"text":%s}`, pieces: reply.Tokens, split: script.Split})
	}
	return blocks
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

// accounts are the members usage of the metadata events, each with its comma.
func (u usageReport) accounts(input, output int) []string {
	account := func(input, output, total int) string {
		return fmt.Sprintf(`,"usage":{"inputTokens":%d,"outputTokens":%d,"totalTokens":%d}`, input, output, total)
	}
	whole := account(input, output, input+output)
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
