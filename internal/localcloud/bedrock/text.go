package bedrock

import (
	"hash/fnv"
	"math/rand/v2"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Reply is what the scripted model answers when nothing strikes.
type Reply struct {
	Reasoning  []string // comes first, likewise one contentBlockDelta each
	Tokens     []string // in order; each is one contentBlockDelta
	Calls      []Call   // come last
	StopReason string
}

// Text joins the tokens.
func (r Reply) Text() string { return strings.Join(r.Tokens, "") }

// ScriptedText returns the whole text that the model answers to a prompt (the
// text of the last message) under a script, before maxTokens and stop sequences
// cut it. It is "" when the script is not valid.
func ScriptedText(prompt, script string) string {
	s, err := ParseScript(script)
	if err != nil {
		return ""
	}
	return Answer(prompt, s, 0, nil).Text()
}

// wordsBeforeTools is how many tokens of text stand before a use of a tool where
// the script does not say.
const wordsBeforeTools = 8

// Answer returns the reply to a prompt with uses of tools, cut at most tokens
// (0: no limit), of which reasoning takes its share, and before the first stop
// sequence.
func Answer(prompt string, s Script, most int, stopSequences []string, calls ...Call) Reply {
	if len(calls) > 0 && s.Tokens < 0 {
		s.Tokens = wordsBeforeTools
	}
	reply := Reply{Reasoning: s.reasoning(prompt), Tokens: s.tokens(prompt), Calls: calls, StopReason: s.StopReason}
	if len(calls) > 0 && s.StopReason == "end_turn" {
		reply.StopReason = "tool_use"
	}
	if most > 0 {
		reply.cut(most)
	}
	if tokens, cut := cutBefore(reply.Tokens, stopSequences); cut {
		reply.Tokens, reply.Calls, reply.StopReason = tokens, nil, "stop_sequence"
	}
	return reply
}

// cut leaves so many tokens of the reply.
func (r *Reply) cut(most int) {
	left := most
	take := func(tokens []string) []string {
		if len(tokens) > left {
			tokens, r.StopReason = tokens[:left], "max_tokens"
		}
		left -= len(tokens)
		return tokens
	}
	r.Reasoning, r.Tokens = take(r.Reasoning), take(r.Tokens)
	calls := r.Calls
	r.Calls = nil
	for _, c := range calls {
		if left == 0 {
			r.StopReason = "max_tokens"
			return
		}
		c.Input = take(c.Input)
		r.Calls = append(r.Calls, c)
	}
}

// cutBefore cuts tokens before the first of the sequences.
func cutBefore(tokens, sequences []string) ([]string, bool) {
	text, first := strings.Join(tokens, ""), -1
	for _, sequence := range sequences {
		if at := strings.Index(text, sequence); at >= 0 && (first < 0 || at < first) {
			first = at
		}
	}
	if first < 0 {
		return tokens, false
	}
	for i, token := range tokens {
		if first == 0 {
			return tokens[:i], true
		}
		if first < len(token) {
			return append(tokens[:i:i], token[:first]), true
		}
		first -= len(token)
	}
	return tokens, true
}

// reasoning is another text than the answer's.
func (s Script) reasoning(prompt string) []string {
	return generate(prompt, max(0, s.Reasoning), rand.New(rand.NewPCG(s.Seed, uint64(len(prompt)))))
}

func (s Script) tokens(prompt string) []string {
	if s.Empty {
		return []string{}
	}
	if s.Text != nil {
		return split(*s.Text)
	}
	hash := fnv.New64a()
	_, _ = hash.Write([]byte(prompt)) // never fails
	random := rand.New(rand.NewPCG(hash.Sum64(), s.Seed))
	want := s.Tokens
	if want < 0 {
		want = 120 + random.IntN(131)
	}
	return generate(prompt, want, random)
}

// generate writes exactly that many tokens of an answer that ends well.
func generate(prompt string, want int, random *rand.Rand) []string {
	if want == 0 {
		return []string{}
	}
	tokens := split(opening(prompt, random))
	for order := random.Perm(len(sentences)); len(tokens) < want; order = random.Perm(len(sentences)) {
		tokens = append(tokens, section(order, random)...)
	}
	tokens = tokens[:want]
	if last := strings.TrimRight(tokens[want-1], " \n"); want > 1 && !strings.HasSuffix(last, ".") {
		tokens[want-1] = "."
	}
	return tokens
}

// section is a paragraph, or a heading with a list.
func section(order []int, random *rand.Rand) []string {
	var text strings.Builder
	if random.IntN(3) > 0 {
		for i, n := range order[:2+random.IntN(3)] {
			if i > 0 {
				text.WriteByte(' ')
			}
			text.WriteString(sentences[n])
		}
		return split(text.String() + "\n\n")
	}
	text.WriteString("## " + headings[random.IntN(len(headings))] + "\n\n")
	for _, n := range order[:3] {
		text.WriteString("- **" + terms[random.IntN(len(terms))] + "** — " + sentences[n] + "\n")
	}
	return split(text.String() + "\n")
}

// opening repeats the first words of the prompt, as models like to.
func opening(prompt string, random *rand.Rand) string {
	words := strings.FieldsFunc(prompt, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) })
	quote := strings.Join(words[:min(len(words), 6)], " ")
	if short := []rune(quote); len(short) > 48 {
		quote = string(short[:48])
	}
	if len(words) > 6 || quote == "" {
		quote += "…"
	}
	return openings[random.IntN(len(openings))] + "“" + quote + "”.\n\n"
}

// longToken is the number of characters from which a word is two tokens.
const longToken = 8

// split cuts text into tokens as models do, roughly: a word with the space
// before it, long words in two.
func split(text string) []string {
	tokens := []string{}
	for text != "" {
		end := wordEnd(text)
		word := text[:end]
		if n := utf8.RuneCountInString(word); n > longToken {
			half := len(string([]rune(word)[:n/2]))
			if utf8.ValidString(word) {
				tokens = append(tokens, word[:half])
				word = word[half:]
			}
		}
		tokens, text = append(tokens, word), text[end:]
	}
	return tokens
}

// wordEnd is where the first word of a text ends: after leading spaces, before
// the next ones.
func wordEnd(text string) int {
	inWord := false
	for i, r := range text {
		if unicode.IsSpace(r) {
			if inWord {
				return i
			}
		} else {
			inWord = true
		}
	}
	return len(text)
}
