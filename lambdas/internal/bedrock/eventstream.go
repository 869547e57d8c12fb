package bedrock

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/schemas"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/aws/smithy-go/transport/http/protocol/restjson1"

	"github.com/streaming-service/streaming-service/lambdas/internal/model"
)

// Sizes of events, in bytes. Whatever is larger than the buffer is read into
// memory of its own.
const (
	eventBuffer = 4 << 10
	leastEvent  = 16 // an event without headers and payload
	mostEvent   = 24 << 20
)

// eventStream reads the events of one answer of ConverseStream. Pieces of text,
// which are nearly all of them, it reads itself: the SDK takes two goroutines and
// ten times the time for each. Everything else is decoded by the SDK.
type eventStream struct {
	body     io.ReadCloser
	buffer   *bufio.Reader
	peeked   int    // bytes of the last event that are still in the buffer
	large    []byte // the last event, if it was larger than the buffer
	halves   halves
	protocol *restjson1.Protocol // of this stream alone: it holds a decoder, and those of two streams race
}

// converse asks a model. The caller closes the stream.
func (m *Models) converse(ctx context.Context, request *bedrockruntime.ConverseStreamInput, listener model.Listener) (*eventStream, error) {
	answer := &answerBody{}
	if _, err := m.client.ConverseStream(ctx, request, answer.take); err != nil {
		return nil, err
	}
	rested := restedReader{answer.body, func() { listener.Rest(ctx) }}
	return &eventStream{
		body: answer.body, buffer: bufio.NewReaderSize(rested, eventBuffer),
		protocol: restjson1.New(schemas.AmazonBedrockFrontendService),
	}, nil
}

// restedReader reads when its listener has rested: one read then takes many
// events, where each of them would wake the process as it comes.
type restedReader struct {
	io.Reader
	rest func()
}

func (r restedReader) Read(p []byte) (int, error) {
	r.rest()
	return r.Reader.Read(p)
}

func (s *eventStream) close() { _ = s.body.Close() } // what it said has been read

// next has the transcript hear one event. The error is io.EOF when there is no
// further one, also if the last one broke off.
func (s *eventStream) next(t *transcript) error {
	event, err := s.read()
	if err != nil {
		return err
	}
	if s.halves.none() {
		if text, ok := textOf(event); ok {
			t.text(text)
			return nil
		}
	}
	decoded, err := s.decode(s.halves.join(event))
	if err != nil {
		return err
	}
	t.hear(decoded)
	return nil
}

func (s *eventStream) decode(event []byte) (smithy.Deserializable, error) {
	return s.protocol.DeserializeEventMessage(schemas.ConverseStreamOutput, bedrockruntime.TypeRegistry, bytes.NewReader(event))
}

// read returns the next event as it is on the wire, until it is called again.
func (s *eventStream) read() ([]byte, error) {
	_, _ = s.buffer.Discard(s.peeked) // they are there
	s.peeked, s.large = 0, nil
	prefix, err := s.buffer.Peek(4)
	if err != nil {
		return nil, err
	}
	size := int(binary.BigEndian.Uint32(prefix))
	switch {
	case size < leastEvent, size > mostEvent:
		return nil, fmt.Errorf("reading the model's events: one has %d bytes; between %d and %d are possible", size, leastEvent, mostEvent)
	case size > s.buffer.Size():
		s.large = make([]byte, size)
		if _, err := io.ReadFull(s.buffer, s.large); err != nil {
			return nil, brokenOff(err)
		}
		return s.large, nil
	}
	event, err := s.buffer.Peek(size)
	if err != nil {
		return nil, err
	}
	s.peeked = size
	return event, nil
}

// brokenOff is io.EOF for a stream that ends within an event.
func brokenOff(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return io.EOF
	}
	return err
}

// answerBody stands where the SDK would begin to read the events of an answer.
type answerBody struct{ body io.ReadCloser }

func (b *answerBody) take(o *bedrockruntime.Options) {
	o.APIOptions = append(slices.Clip(o.APIOptions), func(stack *middleware.Stack) error {
		_, err := stack.Deserialize.Swap(b.ID(), b)
		return err
	})
}

// ID implements middleware.DeserializeMiddleware; it is that of the SDK's own.
func (*answerBody) ID() string { return "OperationEventStreamDeserializer" }

// HandleDeserialize implements middleware.DeserializeMiddleware.
func (b *answerBody) HandleDeserialize(
	ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler,
) (middleware.DeserializeOutput, middleware.Metadata, error) {
	out, metadata, err := next.HandleDeserialize(ctx, in)
	if err != nil {
		return out, metadata, err
	}
	response, ok := out.RawResponse.(*smithyhttp.Response)
	if !ok {
		return out, metadata, fmt.Errorf("reading the model's answer: it came as %T", out.RawResponse)
	}
	b.body = response.Body
	return out, metadata, nil
}
