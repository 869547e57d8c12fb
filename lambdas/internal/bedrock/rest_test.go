package bedrock_test

import (
	"context"
	"io"
	"net/http"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/streaming-service/streaming-service/lambdas/internal/bedrock"
	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/lambdas/internal/model"
)

// steps are what a listener and the socket of its model do, in order.
type steps []string

func (s *steps) Take(piece model.Delta) { *s = append(*s, "take "+piece.Text) }
func (s *steps) Rest(context.Context)   { *s = append(*s, "rest") }

// gathered is an answer of which each read takes what has gathered.
type gathered struct {
	reads [][]byte
	steps *steps
}

// Do implements aws.HTTPClient.
func (g *gathered) Do(*http.Request) (*http.Response, error) {
	header := http.Header{"Content-Type": {"application/vnd.amazon.eventstream"}}
	return &http.Response{StatusCode: http.StatusOK, Header: header, Body: io.NopCloser(g)}, nil
}

func (g *gathered) Read(p []byte) (int, error) {
	if len(g.reads) == 0 {
		return 0, io.EOF
	}
	*g.steps = append(*g.steps, "read")
	n := copy(p, g.reads[0])
	g.reads = g.reads[1:]
	return n, nil
}

// The listener rests before each read, and never while an event is there that
// nobody has taken yet.
func TestListenerRestsBeforeEachRead(t *testing.T) {
	t.Parallel()
	cut := delta("e")
	var got steps
	answer := &gathered{steps: &got, reads: [][]byte{
		append(slices.Clone(opening), delta("a")...),
		slices.Concat(delta("b"), delta("c"), delta("d"), cut[:20]),
		cut[20:],
		slices.Concat(stop("end_turn"), metadata),
	}}
	models := bedrock.New(aws.Config{
		Region: "eu-west-1", HTTPClient: answer,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "id", SecretAccessKey: "secret"}, nil
		}),
	}, bedrock.Options{})
	if _, err := models.Stream(t.Context(), record(), life.Input{}, &got); err != nil {
		t.Fatal(err)
	}
	want := steps{
		"rest", "read", "take a", "rest", "read", "take b", "take c", "take d", "rest", "read", "take e", "rest", "read", "rest",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}
