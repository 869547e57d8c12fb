package localcloud

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/config"
)

// FuzzHost expects that no name but localhost's and the cloud's own reaches
// what only this machine may use, however the Host header spells it.
func FuzzHost(f *testing.F) {
	for _, seed := range []string{"127.0.0.1:80", "[::1]", "localhost", "a.localhost.", "evil.example", "localhost.evil.example:80", "127.0.0.1.evil.example", "", ":80", "[evil.example]", "build.example"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, host string) {
		r := httptest.NewRequest(http.MethodPut, "/_local/faults", nil)
		r.Host = host
		w := httptest.NewRecorder()
		newFront().ServeHTTP(w, r)
		if w.Code != http.StatusOK {
			return
		}
		name := strings.ToLower(host)
		if strings.Contains(name, "evil.example") {
			t.Fatalf("host %q is served", host)
		}
		_, address := netip.ParseAddrPort(name)
		_, bare := netip.ParseAddr(strings.Trim(strings.TrimSuffix(name, "."), "[]"))
		if address != nil && bare != nil && !strings.Contains(name, "localhost") && !strings.Contains(name, "build.example") && !strings.Contains(name, ":") {
			t.Fatalf("host %q is neither an address nor a known name, but is served", host)
		}
	})
}

// FuzzOverride expects an override to be applied or refused, never to panic.
func FuzzOverride(f *testing.F) {
	for _, seed := range []string{"quota.monthlyRequests=10", "auth.allowedOrigins[0]=http://a", `tags["a.b"]=c`, "a=", "=", "a", "a[9]=1", "aws:region=x", "a..b=1", `a["=1`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, override string) {
		values := config.Map{}
		if err := apply(values, "p", override); err == nil && len(values) != 1 {
			t.Fatalf("override %q set %d values", override, len(values))
		}
	})
}
