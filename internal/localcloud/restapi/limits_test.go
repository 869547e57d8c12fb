package restapi_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/streaming-service/streaming-service/internal/localcloud/restapi"
)

func TestIntegrationTimeout(t *testing.T) {
	t.Parallel()
	c := newCloud(t, restapi.Deps{Timeout: 30 * time.Millisecond})
	c.method("GET", "/", "slow")
	c.deploy()
	release, finished := make(chan struct{}), make(chan struct{})
	c.functions.answer = func(string, map[string]any) (string, string, error) {
		<-release
		close(finished)
		return `{"statusCode":200}`, "", nil
	}
	response, body := c.do("GET", "/", "")
	c.expect(response, body, http.StatusGatewayTimeout, `{"message":"Endpoint request timed out"}`)
	close(release)
	<-finished // the function runs on
}

func TestThrottles(t *testing.T) {
	t.Parallel()
	c := newCloud(t, restapi.Deps{})
	c.method("GET", "/a", "a")
	c.method("ANY", "/b", "b")
	c.deploy()
	set := func(path string, rate float64, burst int) {
		c.must(c.service.PutMethodSettings(restapi.MethodSettings{APIID: c.api.ID, StageName: "v1", MethodPath: path, ThrottlingRateLimit: rate, ThrottlingBurstLimit: burst}))
	}
	set("*/*", 0.001, 3)
	set("b/GET", 0.001, 1)
	allowed := func(method, path string) (n int) {
		for range 5 {
			response, body := c.do(method, path, "")
			if response.StatusCode == http.StatusOK {
				n++
				continue
			}
			c.expect(response, body, http.StatusTooManyRequests, `{"message":"Too Many Requests"}`)
			if response.Header.Get("Retry-After") != "" || response.Header.Get("x-amzn-ErrorType") != "TooManyRequestsException" {
				t.Errorf("headers of a throttled request: %v", response.Header)
			}
		}
		return n
	}
	if got := allowed("GET", "/a"); got != 3 {
		t.Errorf("the stage's burst of 3 allowed %d", got)
	}
	if got := allowed("GET", "/b"); got != 1 {
		t.Errorf("the method's burst of 1 allowed %d", got)
	}
	if got := allowed("POST", "/b"); got != 3 {
		t.Errorf("another method of the resource was allowed %d times, want the stage's 3", got)
	}
	set("*/*", -1, -1)
	if got := allowed("GET", "/a"); got != 5 {
		t.Errorf("without a stage limit %d of 5 were allowed", got)
	}
}

type closedAccount struct{}

func (closedAccount) Allow() bool { return false }

func TestAccountThrottle(t *testing.T) {
	t.Parallel()
	c := newCloud(t, restapi.Deps{Account: closedAccount{}})
	c.method("GET", "/", "f")
	c.deploy()
	response, body := c.do("GET", "/", "")
	c.expect(response, body, http.StatusTooManyRequests, "")
}

func TestRequestLimits(t *testing.T) {
	t.Parallel()
	c := newCloud(t, restapi.Deps{})
	c.method("POST", "/", "f")
	c.deploy()
	response, body := c.do("POST", "/", strings.Repeat("x", restapi.MaxBodyBytes+1))
	c.expect(response, body, http.StatusRequestEntityTooLarge, "")
	response, body = c.do("POST", "/", "", "X-Large", strings.Repeat("x", restapi.MaxHeaderBytes))
	c.expect(response, body, http.StatusRequestHeaderFieldsTooLarge, "")
	if len(c.functions.calls) > 0 {
		t.Error("a request over the limits reached the function")
	}
}

func TestUnknownAPIAndStage(t *testing.T) {
	t.Parallel()
	c := newCloud(t, restapi.Deps{})
	c.method("GET", "/", "f")
	c.deploy()
	for _, path := range []string{"/_aws/rest/nope/v1/", "/_aws/rest/" + c.api.ID + "/v2/", "/_aws/rest/" + c.api.ID, "/_aws/rest/"} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, c.server.URL+path, nil)
		c.must(err)
		response, err := c.server.Client().Do(r)
		c.must(err)
		_ = response.Body.Close()
		if response.StatusCode != http.StatusForbidden {
			t.Errorf("%s: %d, want 403", path, response.StatusCode)
		}
	}
}
