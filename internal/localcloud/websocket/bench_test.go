package websocket_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/streaming-service/streaming-service/internal/localcloud/websocket"
)

// BenchmarkPost posts 200-byte frames to 200 sockets over HTTP, as a processor
// does, and reports how many arrive a second.
func BenchmarkPost(b *testing.B) {
	targets := openSockets(b, 200)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	frame := fmt.Sprintf(`{"type":"delta","text":%q}`, strings.Repeat("x", 170))
	var next atomic.Int64
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			target := targets[int(next.Add(1))%len(targets)]
			r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, target, strings.NewReader(frame))
			if err != nil {
				b.Error(err)
				return
			}
			r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKID/x")
			response, err := client.Do(r)
			if err != nil {
				b.Error(err)
				return
			}
			_ = response.Body.Close()
			if response.StatusCode != http.StatusOK {
				b.Errorf("post answered %d", response.StatusCode)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "posts/s")
}

type everything struct{}

func (everything) Allow() bool { return true }

// openSockets opens n sockets that read and drop everything, and returns the
// URLs under which they are posted to.
func openSockets(b *testing.B, n int) []string {
	b.Helper()
	c := newCloud(b, websocket.Deps{Account: everything{}})
	targets := make([]string, n)
	for i := range targets {
		conn, id := c.dial()
		targets[i] = c.server.URL + websocket.Path(c.api.ID) + "/v1/@connections/" + url.PathEscape(id)
		go func() {
			for {
				if _, _, err := conn.Read(context.Background()); err != nil {
					return
				}
			}
		}()
	}
	return targets
}
