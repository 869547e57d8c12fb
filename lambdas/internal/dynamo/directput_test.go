package dynamo_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/streaming-service/streaming-service/lambdas/internal/dynamo"
	"github.com/streaming-service/streaming-service/lambdas/internal/life"
)

// answers is an HTTP client that keeps the calls and answers them one by one: a
// status, or 0 for a connection that breaks.
type answers struct {
	statuses []int

	mu    sync.Mutex
	calls []*http.Request
	said  [][]byte
}

// Do implements aws.HTTPClient.
func (a *answers) Do(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	status := a.statuses[min(len(a.calls), len(a.statuses)-1)]
	a.calls, a.said = append(a.calls, r), append(a.said, body)
	if status == 0 {
		return nil, errors.New("broken")
	}
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("{}"))}, nil
}

var putter = aws.Credentials{AccessKeyID: "id", SecretAccessKey: "secret", SessionToken: "token"}

// putChunk puts a chunk by way of a.
func putChunk(t *testing.T, a *answers, change func(*dynamodb.Options)) error {
	t.Helper()
	client := dynamodb.New(dynamodb.Options{
		Region: "eu-west-1", HTTPClient: a, RetryMaxAttempts: 1,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return putter, nil }),
	}, func(o *dynamodb.Options) {
		if change != nil {
			change(o)
		}
	})
	store := dynamo.New(client, dynamo.Tables{Requests: "requests"})
	chunk := life.ChunkOf(7, []life.Piece{{Text: "é<\u2028\n\"", Kind: life.PieceText}, {Text: "b", Kind: life.PieceText}})
	return store.PutChunk(t.Context(), "request", "owner", chunk, time.Unix(1_800_000_000, 0))
}

// A put that fails is made by the SDK once more: it must be the same put, to the
// same place, as whom it may be.
func TestDirectPutIsThatOfTheSDK(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*dynamodb.Options){
		"in AWS":    nil,
		"elsewhere": func(o *dynamodb.Options) { o.BaseEndpoint = aws.String("http://127.0.0.1:4566/base") },
		"in China":  func(o *dynamodb.Options) { o.Region = "cn-north-1" },
	} {
		a := &answers{statuses: []int{0, http.StatusOK}}
		if err := putChunk(t, a, change); err != nil || len(a.calls) != 2 {
			t.Fatalf("%s: %d calls, %v", name, len(a.calls), err)
		}
		ours, sdks := a.calls[0], a.calls[1]
		if sdks.URL.Path == "" {
			sdks.URL.Path = "/"
		}
		if ours.Method != sdks.Method || ours.URL.String() != sdks.URL.String() || ours.ContentLength != int64(len(a.said[0])) {
			t.Errorf("%s: %s %s, %d bytes; the SDK's %s %s", name, ours.Method, ours.URL, ours.ContentLength, sdks.Method, sdks.URL)
		}
		for _, header := range []string{"X-Amz-Target", "Content-Type", "X-Amz-Security-Token"} {
			if got, want := ours.Header.Get(header), sdks.Header.Get(header); got != want {
				t.Errorf("%s: %s is %q, the SDK's %q", name, header, got, want)
			}
		}
		var got, want map[string]any
		if json.Unmarshal(a.said[0], &got) != nil || json.Unmarshal(a.said[1], &want) != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got  %s\nwant %s", name, a.said[0], a.said[1])
		}
		assertSigned(t, ours, a.said[0], sdks)
	}
}

// assertSigned checks a signature against the SDK's signer, for the scope that
// the SDK signed its own call for.
func assertSigned(t *testing.T, call *http.Request, body []byte, sdks *http.Request) {
	t.Helper()
	at, err := time.Parse("20060102T150405Z", call.Header.Get("X-Amz-Date"))
	if err != nil {
		t.Fatal(err)
	}
	scope := strings.Split(sdks.Header.Get("Authorization"), "/")
	signed, err := http.NewRequestWithContext(t.Context(), call.Method, call.URL.String(), bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	signed.Header = call.Header.Clone()
	signed.Header.Del("Authorization")
	signed.Header.Del("Idempotency-Key") // not sent
	hash := sha256.Sum256(body)
	if err := v4.NewSigner().SignHTTP(t.Context(), putter, signed, hex.EncodeToString(hash[:]), scope[3], scope[2], at); err != nil {
		t.Fatal(err)
	}
	if got, want := call.Header.Get("Authorization"), signed.Header.Get("Authorization"); got != want {
		t.Errorf("signed %s, want %s", got, want)
	}
}

func TestDirectPutThatFailsIsLeftToTheSDK(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		statuses []int
		calls    int
		fails    bool
	}{
		{[]int{200}, 1, false},
		{[]int{500, 200}, 2, false},
		{[]int{400, 200}, 2, false},
		{[]int{0, 200}, 2, false},
		{[]int{500}, 2, true},
	} {
		a := &answers{statuses: test.statuses}
		if err := putChunk(t, a, nil); (err != nil) != test.fails || len(a.calls) != test.calls {
			t.Errorf("%v: %d calls, want %d; %v", test.statuses, len(a.calls), test.calls, err)
		}
	}
}
