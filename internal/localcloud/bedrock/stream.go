package bedrock

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"
)

// flushBytes is how much is collected before it is sent when tokens are due at once.
const flushBytes = 8 << 10

// padding is what the field p is cut from.
const padding = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

// errStream ends a stream on purpose.
var errStream = errors.New("the stream ends here")

// stream writes one answer as Bedrock's binary event stream.
type stream struct {
	w       http.ResponseWriter
	control *http.ResponseController
	encoder *eventstream.Encoder
	buffer  bytes.Buffer
	begun   time.Time
	started time.Time // of the first token
	sent    int       // tokens
}

func newStream(w http.ResponseWriter, begun time.Time) *stream {
	w.Header().Set("Content-Type", "application/vnd.amazon.eventstream")
	return &stream{w: w, control: http.NewResponseController(w), encoder: eventstream.NewEncoder(), begun: begun}
}

// run plays a reply: tokens at their times, strikes in between. An error means
// that the stream ended early, on purpose or because the client left.
func (s *stream) run(ctx context.Context, reply Reply, script Script, strikes []strike) error {
	if err := s.event(messageStart, `{"role":"assistant"`); err != nil {
		return err
	}
	if err := s.pause(ctx, script.Delay); err != nil {
		return err
	}
	if script.Unknown {
		if err := s.unknown(); err != nil {
			return err
		}
	}
	s.started = time.Now()
	for _, b := range blocksOf(reply, script) {
		if err := s.open(b); err != nil {
			return err
		}
		for _, p := range b.pieces {
			if err := s.strikes(ctx, strikes, s.sent); err != nil {
				return err
			}
			if err := s.await(ctx, s.sent, script.Rate); err != nil {
				return err
			}
			if err := s.piece(b, p); err != nil {
				return err
			}
		}
		if err := s.close(b); err != nil {
			return err
		}
	}
	return s.strikes(ctx, strikes, s.sent)
}

// await waits until the i-th token is due. Late tokens go out together.
func (s *stream) await(ctx context.Context, i int, rate float64) error {
	if rate == 0 {
		return nil
	}
	due := s.started.Add(time.Duration(float64(i) / rate * float64(time.Second)))
	return s.pause(ctx, time.Until(due))
}

// pause sends what is collected and waits.
func (s *stream) pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	if err := s.flush(); err != nil {
		return err
	}
	return pause(ctx, d)
}

// pause waits until d is over or the client has left.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// end sends what follows the blocks.
func (s *stream) end(stopReason string, input inputTokens, report usageReport) error {
	if err := s.event(messageStop, `{"stopReason":"`+stopReason+`"`); err != nil {
		return err
	}
	latency := strconv.FormatInt(time.Since(s.begun).Milliseconds(), 10)
	for _, usage := range report.accounts(input, s.sent) {
		if err := s.event(metadata, `{"metrics":{"latencyMs":`+latency+`}`+usage); err != nil {
			return err
		}
	}
	return s.flush()
}

// event collects one event; body lacks its closing brace, before which the
// padding goes.
func (s *stream) event(headers eventstream.Headers, body string) error {
	payload := make([]byte, 0, len(body)+len(padding)+8)
	payload = append(payload, body...)
	payload = append(payload, `,"p":"`...)
	payload = append(payload, padding[:1+rand.IntN(len(padding))]...)
	payload = append(payload, `"}`...)
	return s.encode(headers, payload)
}

func (s *stream) encode(headers eventstream.Headers, payload []byte) error {
	if err := s.encoder.Encode(&s.buffer, eventstream.Message{Headers: headers, Payload: payload}); err != nil {
		return fmt.Errorf("encoding event: %w", err)
	}
	return nil
}

func (s *stream) flush() error {
	if s.buffer.Len() == 0 {
		return nil
	}
	_, err := s.w.Write(s.buffer.Bytes())
	s.buffer.Reset()
	if err != nil {
		return err
	}
	return s.control.Flush()
}

// strikes lets happen what is due after so many tokens.
func (s *stream) strikes(ctx context.Context, strikes []strike, after int) error {
	for _, strike := range strikes {
		if strike.after != after {
			continue
		}
		if err := s.strike(ctx, strike); err != nil {
			return err
		}
	}
	return nil
}

func (s *stream) strike(ctx context.Context, strike strike) error {
	switch strike.kind {
	case strikeError:
		if err := s.exception(strike.name); err != nil {
			return err
		}
	case strikeBadCRC:
		if err := s.event(contentBlockDelta, `{"contentBlockIndex":0,"delta":{"text":"x"}`); err != nil {
			return err
		}
		s.buffer.Bytes()[s.buffer.Len()-1] ^= 0xff
	}
	if err := s.flush(); err != nil {
		return err
	}
	switch strike.kind {
	case strikeHang:
		<-ctx.Done()
		return ctx.Err()
	case strikeDrop:
		return errDropped
	}
	return errStream
}

// errDropped asks for the connection to be broken.
var errDropped = errors.New("the connection breaks here")

func (s *stream) exception(name string) error {
	members := map[string]any{"message": exceptions[name].message}
	maps.Copy(members, exceptions[name].members)
	payload, err := json.Marshal(members)
	if err != nil {
		return fmt.Errorf("encoding exception: %w", err)
	}
	return s.encode(eventstream.Headers{
		{Name: ":exception-type", Value: eventstream.StringValue(name)},
		{Name: ":content-type", Value: eventstream.StringValue("application/json")},
		{Name: ":message-type", Value: eventstream.StringValue("exception")},
	}, payload)
}

var (
	messageStart      = eventHeaders("messageStart")
	contentBlockStart = eventHeaders("contentBlockStart")
	contentBlockDelta = eventHeaders("contentBlockDelta")
	contentBlockStop  = eventHeaders("contentBlockStop")
	messageStop       = eventHeaders("messageStop")
	metadata          = eventHeaders("metadata")
)

func eventHeaders(kind string) eventstream.Headers {
	return eventstream.Headers{
		{Name: ":event-type", Value: eventstream.StringValue(kind)},
		{Name: ":content-type", Value: eventstream.StringValue("application/json")},
		{Name: ":message-type", Value: eventstream.StringValue("event")},
	}
}
