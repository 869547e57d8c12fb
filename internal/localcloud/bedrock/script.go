package bedrock

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// scriptPrefix begins a system text that is a script.
const scriptPrefix = "script:"

// Defaults of a script.
const (
	defaultRate = 80 // tokens per second, about that of a small model
	maxTokens   = 200_000
	maxRate     = 1e6
)

// Script steers one answer; the zero value is not the default, ParseScript("") is.
type Script struct {
	Tokens     int           // -1: by prompt
	Rate       float64       // tokens per second; 0: as fast as possible
	Seed       uint64        //
	Delay      time.Duration // before the first token
	Input      int           // reported input tokens; -1: an estimate
	StopReason string
	Text       *string  // instead of the generated one
	Reasoning  int      // tokens of reasoning before the text; -1: some if the request asks for it
	Redacted   bool     // reasoning is kept back
	Tools      []string // that are used after the text
	ToolInput  string   // of each of them; "": one that suits
	Rounds     int      // requests in a row that use tools; the next one is answered
	Cached     int      // reported tokens that were read from the cache; -1: those that were
	Written    int      // reported tokens that were written there; -1: those that were
	Echo       bool     // the text is what was asked
	Empty      bool     // no text at all, while Times lasts
	Split      bool     // characters beyond U+FFFF come in two halves
	Unknown    bool     // an event and a delta of no known kind come first
	Usage      usageReport
	Strikes    []strike // in no order
	Times      int      // attempts that Empty and the strikes befall; 0: all
}

// strike is what goes wrong after so many tokens.
type strike struct {
	kind  strikeKind
	name  string // of an error
	after int
}

type strikeKind string

const (
	strikeError    strikeKind = "error"
	strikeHang     strikeKind = "hang"
	strikeTruncate strikeKind = "truncate"
	strikeDrop     strikeKind = "drop"
	strikeBadCRC   strikeKind = "badcrc"
)

// usageReport is how the model reports what it used.
type usageReport string

const (
	usageTrue      usageReport = ""
	usageNone      usageReport = "none"       // metadata without usage
	usageZero      usageReport = "zero"       // all counts are 0
	usageZeroAfter usageReport = "zero-after" // as it was, then once more all 0
	usageInput     usageReport = "input"      // no output count
	usageNegative  usageReport = "negative"   // all counts are -1
)

var usageReports = []usageReport{usageNone, usageZero, usageZeroAfter, usageInput, usageNegative}

// stopReasons are those that a natural end can have (SDK, types.StopReason).
var stopReasons = []string{
	"end_turn", "max_tokens", "stop_sequence", "guardrail_intervened", "content_filtered",
	"malformed_model_output", "malformed_tool_use", "model_context_window_exceeded",
}

// ParseScript reads a script with or without its prefix.
func ParseScript(text string) (Script, error) {
	s := Script{Tokens: -1, Rounds: 1, Rate: defaultRate, Input: -1, Reasoning: -1, Cached: -1, Written: -1, StopReason: "end_turn"}
	rest := strings.TrimPrefix(strings.TrimSpace(text), scriptPrefix)
	for {
		rest = strings.TrimLeftFunc(rest, unicode.IsSpace)
		if rest == "" {
			return s, nil
		}
		if value, ok := strings.CutPrefix(rest, "text="); ok {
			var err error
			if rest, err = s.setText(value); err != nil {
				return Script{}, err
			}
			continue
		}
		if value, ok := strings.CutPrefix(rest, "toolInput={"); ok {
			var err error
			if rest, err = s.setToolInput("{" + value); err != nil {
				return Script{}, err
			}
			continue
		}
		end := strings.IndexFunc(rest, unicode.IsSpace)
		if end < 0 {
			end = len(rest)
		}
		if err := s.set(rest[:end]); err != nil {
			return Script{}, err
		}
		rest = rest[end:]
	}
}

// setText takes a string literal or all of the rest.
func (s *Script) setText(value string) (rest string, err error) {
	if !strings.HasPrefix(value, `"`) {
		s.Text = &value
		return "", nil
	}
	literal, err := strconv.QuotedPrefix(value)
	if err != nil {
		return "", errors.New("script: text is not a complete string literal")
	}
	text, err := strconv.Unquote(literal)
	if err != nil {
		return "", fmt.Errorf("script: reading text: %w", err)
	}
	s.Text = &text
	return value[len(literal):], nil
}

// setToolInput takes a JSON object, which may hold spaces.
func (s *Script) setToolInput(value string) (rest string, err error) {
	decoder := json.NewDecoder(strings.NewReader(value))
	var object json.RawMessage
	if err := decoder.Decode(&object); err != nil {
		return "", errors.New("script: toolInput is not a complete JSON object")
	}
	s.ToolInput = string(object)
	return value[decoder.InputOffset():], nil
}

func (s *Script) set(word string) error {
	key, value, assigned := strings.Cut(word, "=")
	if !assigned {
		return s.setWord(word)
	}
	switch key {
	case "tokens":
		return setInt(&s.Tokens, key, value)
	case "input":
		return setInt(&s.Input, key, value)
	case "reasoning":
		return setInt(&s.Reasoning, key, value)
	case "cached":
		return setInt(&s.Cached, key, value)
	case "written":
		return setInt(&s.Written, key, value)
	case "tool":
		if !toolName.MatchString(value) {
			return fmt.Errorf("script: tool must be 1 to 64 letters, digits, _ and -, got %q", value)
		}
		s.Tools = append(s.Tools, value)
	case "rounds":
		return setInt(&s.Rounds, key, value)
	case "usage":
		if !slices.Contains(usageReports, usageReport(value)) {
			return fmt.Errorf("script: usage must be one of %v, got %q", usageReports, value)
		}
		s.Usage = usageReport(value)
	case "times":
		return setInt(&s.Times, key, value)
	case "delay":
		var ms int
		err := setInt(&ms, key, value)
		s.Delay = time.Duration(ms) * time.Millisecond
		return err
	case "rate":
		rate, err := strconv.ParseFloat(value, 64)
		if err != nil || !(rate >= 0 && rate <= maxRate) {
			return fmt.Errorf("script: rate must be 0 to %g, got %q", maxRate, value)
		}
		s.Rate = rate
	case "seed":
		seed, err := strconv.ParseUint(value, 10, 64)
		if err != nil {
			return fmt.Errorf("script: seed must be a natural number, got %q", value)
		}
		s.Seed = seed
	case "stop":
		if !slices.Contains(stopReasons, value) {
			return fmt.Errorf("script: stop must be one of %s, got %q", strings.Join(stopReasons, ", "), value)
		}
		s.StopReason = value
	case "error":
		return s.addStrike("error@"+afterOf(value), nameOf(value))
	default:
		return fmt.Errorf("script: unknown key %q", key)
	}
	return nil
}

// setWord reads a word without a value.
func (s *Script) setWord(word string) error {
	switch word {
	case "empty":
		s.Empty = true
	case "echo":
		s.Echo = true
	case "split":
		s.Split = true
	case "unknown":
		s.Unknown = true
	case "redacted":
		s.Redacted = true
	default:
		return s.addStrike(word, "")
	}
	return nil
}

func nameOf(value string) string {
	name, _, _ := strings.Cut(value, "@")
	return name
}

func afterOf(value string) string {
	if _, after, found := strings.Cut(value, "@"); found {
		return after
	}
	return "0"
}

func (s *Script) addStrike(word, name string) error {
	kind, position, _ := strings.Cut(word, "@")
	if !slices.Contains([]strikeKind{strikeError, strikeHang, strikeTruncate, strikeDrop, strikeBadCRC}, strikeKind(kind)) {
		return fmt.Errorf("script: unknown word %q", word)
	}
	if strikeKind(kind) == strikeError {
		if _, known := exceptions[canonical(name)]; !known {
			return fmt.Errorf("script: unknown error %q", name)
		}
	}
	after := 0
	if err := setInt(&after, kind, position); err != nil {
		return err
	}
	s.Strikes = append(s.Strikes, strike{strikeKind(kind), canonical(name), after})
	return nil
}

func setInt(target *int, key, value string) error {
	n, err := strconv.Atoi(value)
	if err != nil || n < 0 || n > maxTokens {
		return fmt.Errorf("script: %s must be 0 to %d, got %q", key, maxTokens, value)
	}
	*target = n
	return nil
}
