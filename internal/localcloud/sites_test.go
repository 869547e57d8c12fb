package localcloud

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
	"github.com/streaming-service/streaming-service/internal/localcloud/cloudfront"
	"github.com/streaming-service/streaming-service/internal/localcloud/gateway/rawheader"
	"github.com/streaming-service/streaming-service/internal/localcloud/iam"
	"github.com/streaming-service/streaming-service/internal/localcloud/provision"
	"github.com/streaming-service/streaming-service/internal/localcloud/s3"
)

// hosting is a cloud at 127.0.0.1:8080 with buckets and distributions alone.
type hosting struct {
	*Cloud
	t *testing.T
}

func newHosting(t *testing.T) hosting {
	t.Helper()
	c := &Cloud{
		options: Options{Addr: "127.0.0.1:8080"}, graph: &provision.Graph{}, demo: demoUser{"demo@example.com", demoPassword},
		services: &services{roles: iam.New()},
	}
	c.services.buckets = s3.New(s3.Deps{Guard: awsapi.Open{}, Keys: c.services.roles})
	c.services.sites = cloudfront.New(cloudfront.Deps{Buckets: siteObjects{c.services.buckets, c.localize}, Policies: c.services.roles})
	return hosting{c, t}
}

// host makes a distribution of a bucket in which each file holds the bucket's
// name, but for config.json.
func (h hosting) host(name, config string, aliases ...string) cloudfront.Distribution {
	h.t.Helper()
	check := func(err error) {
		if err != nil {
			h.t.Helper()
			h.t.Fatal(err)
		}
	}
	check(h.services.buckets.CreateBucket(name))
	control, err := h.services.sites.PutOriginAccessControl(cloudfront.OriginAccessControl{Name: name, OriginType: "s3", SigningBehavior: "always", SigningProtocol: "sigv4"})
	check(err)
	policy, err := h.services.sites.PutResponseHeadersPolicy(cloudfront.ResponseHeadersPolicy{Name: name, Security: []cloudfront.ResponseHeader{{
		Name: "Content-Security-Policy", Value: "default-src 'none'; connect-src 'self' https://a.execute-api.us-east-1.amazonaws.com wss://b.execute-api.us-east-1.amazonaws.com; base-uri 'none'",
	}}})
	check(err)
	read := []string{"GET", "HEAD"}
	d := cloudfront.Distribution{
		Resource: name, Enabled: true, Aliases: aliases, DefaultRootObject: "index.html", Certificate: cloudfront.ViewerCertificate{Default: true},
		Origins: []cloudfront.Origin{{ID: "page", DomainName: s3.DomainName(name), AccessControlID: control.ID}},
		Behavior: cloudfront.Behavior{
			TargetOriginID: "page", ViewerProtocolPolicy: "redirect-to-https", AllowedMethods: read, CachedMethods: read,
			CachePolicyID: "658327ea-f89d-4fab-a63d-7e88639e58f6", ResponseHeadersPolicyID: policy.ID,
		},
	}
	if len(aliases) > 0 {
		d.Certificate = cloudfront.ViewerCertificate{ACMARN: "arn:aws:acm:us-east-1:000000000000:certificate/1", SupportMethod: "sni-only"}
	}
	d, err = h.services.sites.PutDistribution(d)
	check(err)
	check(h.services.roles.PutResourcePolicy(s3.BucketARN(name), `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"cloudfront.amazonaws.com"},
		"Action":"s3:GetObject","Resource":"`+s3.BucketARN(name)+`/*","Condition":{"StringEquals":{"AWS:SourceArn":"`+cloudfront.ARN("distribution/"+d.ID)+`"}}}]}`))
	for key, content := range map[string]string{"index.html": name, configFile: config} {
		if content != "" {
			_, err := h.services.buckets.PutObject(name, key, s3.Object{Body: []byte(content), ContentType: "application/json", CacheControl: "no-cache"})
			check(err)
		}
	}
	return d
}

func (h hosting) get(host, path string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, "http://127.0.0.1:8080"+path, nil)
	r.Host = host
	w := httptest.NewRecorder()
	h.front(named("the program's page")).ServeHTTP(w, r)
	return w
}

// TestSites: the first distribution is at the cloud's address, and each under its
// own name.
func TestSites(t *testing.T) {
	t.Parallel()
	h := newHosting(t)
	if got := h.get("127.0.0.1:8080", "/"); got.Body.String() != "the program's page" {
		t.Errorf("without a distribution: %s", got.Body)
	}
	second := h.host("second", "", "chat.example.com")
	first := h.host("first", "")
	for host, want := range map[string]string{
		"127.0.0.1:8080": "first", "localhost:8080": "first", localName(first) + ":8080": "first", first.DomainName: "first",
		localName(second) + ":8080": "second", second.DomainName: "second", "CHAT.example.com:8080": "second",
	} {
		if got := h.get(host, "/"); got.Code != http.StatusOK || got.Body.String() != want {
			t.Errorf("at %s: %d %s, want the page of %s", host, got.Code, got.Body, want)
		}
	}
	if got := h.get("127.0.0.1:8080", "/none"); got.Code != http.StatusForbidden {
		t.Errorf("what is not there: %d, want 403", got.Code)
	}
	sites := h.sites(nil)
	if got, want := sites.urls(), []string{"http://127.0.0.1:8080", "http://" + localName(second) + ":8080"}; !slices.Equal(got, want) {
		t.Errorf("the addresses are %q, want %q", got, want)
	}
	for address, want := range map[string]string{
		first.Origin(): "http://127.0.0.1:8080", second.Origin() + "/": "http://" + localName(second) + ":8080",
		"https://" + second.DomainName + "/a": "http://" + localName(second) + ":8080/a",
		"https://example.com":                 "https://example.com", "first": "first",
	} {
		if got := sites.local(address); got != want {
			t.Errorf("%s is here %s, want %s", address, got, want)
		}
	}
	h.services.sites.DisableDistribution(first.ID)
	if got := h.get("127.0.0.1:8080", "/"); got.Body.String() != "second" {
		t.Errorf("with the first disabled: %s", got.Body)
	}
}

// TestConfigurationOfASite: what the program declares for a site, its addresses
// those of this machine, and what is local.
func TestConfigurationOfASite(t *testing.T) {
	t.Parallel()
	h := newHosting(t)
	site := h.host("site", `{"signIn":{"mfa":"OFF"},"restUrl":"http://127.0.0.1:8080/rest"}`)
	other := h.host("without", "")
	got := h.get("127.0.0.1:8080", "/config.json")
	var config map[string]any
	if err := json.Unmarshal(got.Body.Bytes(), &config); err != nil {
		t.Fatalf("%d %s: %v", got.Code, got.Body, err)
	}
	for name, want := range map[string]any{"restUrl": "http://127.0.0.1:8080/rest", "cognitoEndpoint": "http://127.0.0.1:8080", "demoUser": "demo@example.com", "demoPassword": demoPassword} {
		if config[name] != want {
			t.Errorf("%s is %v, want %v", name, config[name], want)
		}
	}
	if signIn, ok := config["signIn"].(map[string]any); !ok || signIn["mfa"] != "OFF" || len(config) != 5 {
		t.Errorf("got %s", got.Body)
	}
	if got.Header().Get("Cache-Control") != "no-cache" || !strings.Contains(got.Header().Get("Content-Security-Policy"), "default-src") {
		t.Errorf("its header is %v, want that of the object and of the policy", got.Header())
	}
	declared, _ := h.services.buckets.GetObject("site", configFile)
	if etag := got.Header().Get("Etag"); etag == `"`+declared.ETag+`"` || etag == "" {
		t.Errorf("the ETag is %q, that of another content", etag)
	}
	if got := h.get(localName(other)+":8080", "/config.json"); got.Code != http.StatusForbidden {
		t.Errorf("a site without the object: %d %s, want 403 as on AWS", got.Code, got.Body)
	}
	if got := h.get("evil.example:8080", "/config.json"); got.Code != http.StatusForbidden || !strings.Contains(got.Body.String(), "host name") {
		t.Errorf("under a rebound name: %d %s", got.Code, got.Body)
	}
	h.services.buckets.DeleteObject("site", configFile)
	if got := h.get(site.DomainName, "/"); got.Code != http.StatusOK {
		t.Errorf("the page without the object: %d", got.Code)
	}
}

// TestOutputsAreLocal: those that name a site name it here.
func TestOutputsAreLocal(t *testing.T) {
	t.Parallel()
	h := newHosting(t)
	d := h.host("site", "", "chat.example.com")
	outputs := h.localize(map[string]any{"siteUrl": d.Origin(), "siteDomainTarget": d.DomainName, "limit": 3})
	if outputs["siteUrl"] != "http://127.0.0.1:8080" || outputs["siteDomainTarget"] != d.DomainName || outputs["limit"] != 3 {
		t.Errorf("got %v", outputs)
	}
	if got := h.Welcome(); !strings.Contains(got, "open      http://127.0.0.1:8080\n") {
		t.Errorf("the welcome is %s", got)
	}
	if got := h.get("127.0.0.1:8080", "/_local/outputs"); got.Code != http.StatusOK || !strings.Contains(got.Body.String(), "cognitoEndpoint") {
		t.Errorf("the outputs beside a site: %d %s", got.Code, got.Body)
	}
}

// TestPagesOfASiteAreThoseOfAWS: what serves their calls sees the origin that
// they have on AWS, and they the one that they have here.
func TestPagesOfASiteAreThoseOfAWS(t *testing.T) {
	t.Parallel()
	h := newHosting(t)
	first, second := h.host("first", ""), h.host("second", "", "chat.example.com")
	echo := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fields := rawheader.Fields(r)
		i := slices.IndexFunc(fields, func(f rawheader.Field) bool { return f.Name == "Origin" })
		w.Header().Set("Access-Control-Allow-Origin", fields[i].Value)
		_, _ = w.Write([]byte(r.Header.Get("Origin")))
	})
	for _, test := range []struct{ host, origin, want string }{
		{"127.0.0.1:8080", "http://127.0.0.1:8080", first.Origin()},
		{"127.0.0.1:8080", "http://localhost:8080", first.Origin()},
		{"127.0.0.1:8080", "http://" + localName(second) + ":8080", "https://chat.example.com"},
		{"localhost:9000", "http://localhost:9000", first.Origin()}, // a forwarded port
		{"127.0.0.1:8080", "http://localhost:3000", "http://localhost:3000"},
		{"127.0.0.1:8080", "https://127.0.0.1:8080", "https://127.0.0.1:8080"},
		{"127.0.0.1:8080", "https://app.example.com", "https://app.example.com"},
		{"evil.example:8080", "http://evil.example:8080", "http://evil.example:8080"},
		{"127.0.0.1:8080", "null", "null"},
	} {
		r := httptest.NewRequest(http.MethodGet, "http://127.0.0.1:8080/_aws/rest/a/v1/usage", nil)
		r.Host = test.host
		r.Header.Set("Origin", test.origin)
		w := httptest.NewRecorder()
		h.sites(nil).asDeployed(echo).ServeHTTP(w, r)
		if got := w.Body.String(); got != test.want {
			t.Errorf("a page of %s is one of %s, want %s", test.origin, got, test.want)
		}
		if got := w.Header().Get("Access-Control-Allow-Origin"); got != test.origin {
			t.Errorf("a page of %s is told that %s may read", test.origin, got)
		}
	}
}

// TestAPolicyOfASiteReachesThisMachine, for the schemes that it names, and is
// else the declared one.
func TestAPolicyOfASiteReachesThisMachine(t *testing.T) {
	t.Parallel()
	s := newHosting(t).sites(nil)
	for policy, want := range map[string]string{
		"": "",
		"default-src 'none'; connect-src 'self' https://a.example; base-uri 'none'": "default-src 'none'; connect-src 'self' https://a.example http://127.0.0.1:8080; base-uri 'none'",
		"connect-src wss://a.example https://a.example https://b.example":           "connect-src wss://a.example https://a.example https://b.example http://127.0.0.1:8080 ws://127.0.0.1:8080",
		"img-src https://a.example; connect-src 'self'":                             "img-src https://a.example; connect-src 'self'",
	} {
		h := http.Header{}
		if policy != "" {
			h.Set("Content-Security-Policy", policy)
		}
		s.openToThisMachine(h)
		if got := h.Get("Content-Security-Policy"); got != want {
			t.Errorf("%q becomes %q, want %q", policy, got, want)
		}
	}
}
