package gateway_test

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"testing"
	"testing/synctest"
	"time"

	"github.com/streaming-service/streaming-service/internal/localcloud/gateway"
)

func TestFunctionARN(t *testing.T) {
	t.Parallel()
	const arn = "arn:aws:lambda:us-east-1:000000000000:function:quota"
	for _, test := range []struct {
		uri  string
		want string
	}{
		{"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/" + arn + "/invocations", arn},
		{arn, ""},
		{"", ""},
		{"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/" + arn, ""},
		{"https://example.com/2015-03-31/functions/x/invocations", ""},
	} {
		got, err := gateway.FunctionARN(test.uri)
		if got != test.want || (err != nil) != (test.want == "") {
			t.Errorf("FunctionARN(%q) = %q, %v; want %q", test.uri, got, err, test.want)
		}
	}
}

func TestThrottle(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var throttle gateway.Throttle
		take := func(key string, limits gateway.Limits, n int) (allowed int) {
			for range n {
				if throttle.Allow(key, limits) {
					allowed++
				}
			}
			return allowed
		}
		limits := gateway.Limits{Rate: 2, Burst: 3}
		if got := take("a", limits, 10); got != 3 {
			t.Errorf("a full bucket of 3 allowed %d", got)
		}
		if got := take("b", limits, 10); got != 3 {
			t.Errorf("another key's bucket allowed %d", got)
		}
		time.Sleep(time.Second)
		if got := take("a", limits, 10); got != 2 {
			t.Errorf("after a second at 2/s the bucket allowed %d", got)
		}
		if got := take("a", gateway.Limits{Rate: 2, Burst: 5}, 10); got != 5 {
			t.Errorf("a bucket with new limits allowed %d, want 5", got)
		}
		small := gateway.Limits{Rate: 100, Burst: 2} // a bucket smaller than what a second puts in
		if got := take("small", small, 10); got != 2 {
			t.Errorf("a full bucket of 2 allowed %d", got)
		}
		time.Sleep(10 * time.Millisecond)
		if got := take("small", small, 10); got != 1 {
			t.Errorf("after 10 ms at 100/s the bucket of 2 allowed %d", got)
		}
		time.Sleep(time.Second)
		if got := take("small", small, 10); got != 2 {
			t.Errorf("after a second at 100/s the bucket of 2 allowed %d", got)
		}
		if got := take("zero", gateway.Limits{}, 10); got != 0 {
			t.Errorf("limits of zero allowed %d", got)
		}
		if got := take("off", gateway.Limits{Rate: -1, Burst: -1}, 10); got != 10 {
			t.Errorf("limits of -1 allowed %d of 10", got)
		}
	})
}

func TestEventHeaders(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1:8080/", nil)
	r.Header.Set("Connection", "Upgrade")
	r.Header.Set("X-Forwarded-For", "10.0.0.1")
	r.Header.Set("Accept", "text/plain")
	headers := gateway.Single(gateway.EventHeaders(r, "Root=1"))
	for name, want := range map[string]string{
		"Accept": "text/plain", "X-Forwarded-For": "10.0.0.1, 192.0.2.1", "X-Forwarded-Port": "8080", "X-Forwarded-Proto": "http", "Connection": "",
		"X-Amzn-Trace-Id": "Root=1", "Host": "127.0.0.1:8080",
	} {
		if headers[name] != want {
			t.Errorf("%s = %q, want %q", name, headers[name], want)
		}
	}
}

func TestIDs(t *testing.T) {
	t.Parallel()
	if id := gateway.NewExtendedID(); !regexp.MustCompile(`^[A-Za-z0-9_-]{15}=$`).MatchString(id) {
		t.Errorf("extended id %q has not the shape of R1kmxc2VNjMCFIA=", id)
	}
	if id := gateway.NewID(10); !regexp.MustCompile(`^[a-z0-9]{10}$`).MatchString(id) {
		t.Errorf("API id %q", id)
	}
	if got := gateway.RequestTime(time.Unix(1705751708, 0)); got != "20/Jan/2024:11:55:08 +0000" {
		t.Errorf("request time %q", got)
	}
}
