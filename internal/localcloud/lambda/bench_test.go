package lambda_test

import (
	"context"
	"testing"
	"time"

	"github.com/streaming-service/streaming-service/internal/localcloud/lambda"
)

// BenchmarkInvokeWarm is the overhead of an invocation: two HTTP exchanges with
// the process.
func BenchmarkInvokeWarm(b *testing.B) {
	s := newService(b)
	newFunction(b, s)
	invoke(b, s, `{"do":"echo"}`)
	for b.Loop() {
		invoke(b, s, `{"do":"echo"}`)
	}
}

// BenchmarkInvokeCold is the start of a process up to its first event, and reports
// the part until it asks for it.
func BenchmarkInvokeCold(b *testing.B) {
	var init time.Duration
	done := make(chan struct{}, 1)
	s := newService(b, func(o *lambda.Options) {
		o.IdleTimeout = time.Nanosecond
		o.Meter = func(i lambda.Invocation) { init += i.Init; done <- struct{}{} }
	})
	newFunction(b, s)
	for b.Loop() {
		if _, err := s.Invoke(context.Background(), "f", []byte(`{"do":"echo"}`)); err != nil {
			b.Fatal(err)
		}
		<-done
		time.Sleep(5 * time.Millisecond) // until the idle environment is gone
	}
	b.ReportMetric(float64(init.Milliseconds())/float64(b.N), "init-ms/op")
}
