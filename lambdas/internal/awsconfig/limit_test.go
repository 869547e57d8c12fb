package awsconfig_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/streaming-service/streaming-service/lambdas/internal/awsconfig"
)

// slowQueue answers every call after a second and counts those under way.
type slowQueue struct{ now, most, answered atomic.Int32 }

func (q *slowQueue) Do(*http.Request) (*http.Response, error) {
	q.most.Store(max(q.most.Load(), q.now.Add(1)))
	defer q.now.Add(-1)
	time.Sleep(time.Second)
	q.answered.Add(1)
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("{}"))}, nil
}

func TestCallsAreLimited(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		queue := &slowQueue{}
		client := sqs.NewFromConfig(awsconfig.Load(func(string) string { return "x" }), func(o *sqs.Options) {
			o.BaseEndpoint = nil
			o.HTTPClient = queue
		})
		url := "http://queue"
		call := func(ctx context.Context) error {
			_, err := client.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &url, ReceiptHandle: &url})
			return err
		}
		for range 1000 {
			go func() {
				if err := call(t.Context()); err != nil {
					t.Error(err)
				}
			}()
		}
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		if err := call(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a call that got no turn: %v", err)
		}
		time.Sleep(time.Minute)
		if most, answered := queue.most.Load(), queue.answered.Load(); most != 256 || answered != 1000 {
			t.Errorf("%d calls at once, want 256; %d answered", most, answered)
		}
	})
}
