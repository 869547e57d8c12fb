// Command function is a function with a streamed response, for tests of the
// local cloud: the body of its request tells it what to stream, and when.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"

	"github.com/streaming-service/streaming-service/lambdas/internal/responsestreaming"
)

// script is the body of a request. Each step is a word and what it concerns:
//
//	say TEXT     writes it
//	fill N       writes N bytes
//	await URL    goes on when the URL has answered
//	fail TEXT    breaks off with that error
//	exit CODE    ends the process
type script struct {
	Refuse     string              `json:"refuse"` // fails before the response begins
	Raw        bool                `json:"raw"`    // what is said is the whole response, without a prelude
	StatusCode int                 `json:"statusCode"`
	Headers    map[string]string   `json:"headers"`
	Multi      map[string][]string `json:"multiValueHeaders"`
	Cookies    []string            `json:"cookies"`
	Steps      []string            `json:"steps"`
}

func main() {
	if os.Getenv("WITHOUT_MODE") != "" { // as a function without our package
		lambda.Start(handle)
	}
	responsestreaming.Start(handle)
}

func handle(ctx context.Context, request events.APIGatewayProxyRequest) (io.Reader, error) {
	var s script
	if err := json.Unmarshal([]byte(request.Body), &s); err != nil {
		return nil, err
	}
	if s.Refuse != "" {
		return nil, errors.New(s.Refuse)
	}
	reader, writer := io.Pipe()
	go func() { _ = writer.CloseWithError(s.play(ctx, writer)) }()
	if s.Raw {
		return raw{reader}, nil
	}
	return &events.APIGatewayProxyStreamingResponse{StatusCode: s.StatusCode, Headers: s.Headers, MultiValueHeaders: s.Multi, Cookies: s.Cookies, Body: reader}, nil
}

// raw is a response with the content type of a streamed one.
type raw struct{ *io.PipeReader }

func (raw) ContentType() string {
	return (*events.APIGatewayProxyStreamingResponse)(nil).ContentType()
}

func (raw) MarshalJSON() ([]byte, error) { return nil, errors.New("not JSON") }

func (s script) play(ctx context.Context, w io.Writer) error {
	for _, step := range s.Steps {
		word, rest, _ := strings.Cut(step, " ")
		if err := play(ctx, w, word, rest); err != nil {
			return err
		}
	}
	return nil
}

func play(ctx context.Context, w io.Writer, word, rest string) error {
	switch word {
	case "say":
		_, err := io.WriteString(w, rest)
		return err
	case "fill":
		n, err := strconv.Atoi(rest)
		if err != nil {
			return err
		}
		_, err = io.WriteString(w, strings.Repeat("x", n))
		return err
	case "await":
		return await(ctx, rest)
	case "fail":
		return errors.New(rest)
	case "exit":
		code, err := strconv.Atoi(rest)
		if err != nil {
			return err
		}
		os.Exit(code)
	}
	return fmt.Errorf("no such step: %s", word)
}

// await does not end at the function's deadline: that is for Lambda to see to.
func await(ctx context.Context, url string) error {
	request, err := http.NewRequestWithContext(context.WithoutCancel(ctx), http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	return response.Body.Close()
}
