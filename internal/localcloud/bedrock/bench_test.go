//go:build unix

package bedrock_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// BenchmarkThousandStreams plays 1,000 streams of 50 tokens a second for four
// seconds and reports how late they ended, the processor time that the server
// and a client that only reads took for each token, and the memory in use.
func BenchmarkThousandStreams(b *testing.B) {
	const streams, tokens, rate = 1000, 200, 50
	server := httptest.NewServer(newModel())
	defer server.Close()
	var late time.Duration
	var memory uint64
	before := cpu()
	for b.Loop() {
		begun := time.Now()
		var running sync.WaitGroup
		for i := range streams {
			running.Go(func() {
				drain(b, server.Listener.Addr().String(), fmt.Sprintf("script: rate=%d tokens=%d seed=%d", rate, tokens, i))
			})
		}
		time.Sleep(2 * time.Second)
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		memory = max(memory, m.HeapInuse+m.StackInuse)
		running.Wait()
		late += time.Since(begun) - (tokens-1)*time.Second/rate
	}
	b.ReportMetric(float64(late.Milliseconds())/float64(b.N), "late-ms")
	b.ReportMetric(float64((cpu()-before).Microseconds())/float64(b.N*streams*tokens), "cpu-µs/token")
	b.ReportMetric(float64(memory>>20), "MB")
}

// drain reads one stream with as little of a client as possible.
func drain(b *testing.B, address, script string) {
	b.Helper()
	connection, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", address)
	if err != nil {
		b.Error(err)
		return
	}
	defer connection.Close()
	body := `{"messages":[{"role":"user","content":[{"text":"x"}]}],"system":[{"text":"` + script + `"}]}`
	_, err = fmt.Fprintf(connection, "POST /model/amazon.nova-lite-v1%%3A0/converse-stream HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	if err != nil {
		b.Error(err)
		return
	}
	response, err := http.ReadResponse(bufio.NewReaderSize(connection, 512), nil)
	if err != nil {
		b.Error(err)
		return
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil || !strings.Contains(string(content), "outputTokens\":200") {
		b.Errorf("%d bytes, %v", len(content), err)
	}
}

func cpu() time.Duration {
	var usage syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &usage) != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
