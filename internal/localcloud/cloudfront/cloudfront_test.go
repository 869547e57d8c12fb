package cloudfront_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/streaming-service/streaming-service/internal/localcloud/cloudfront"
)

func TestServe(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	index := w.put(t, "index.html", "text/html; charset=utf-8", "<p>page")
	w.put(t, "a b.txt", "text/plain", "0123456789")
	const cacheable = "The distribution supports only cachable requests."
	for _, test := range []struct {
		name, method, path, body string
		header                   []string
		status                   int
		want                     string
		wantHeader               map[string]string
	}{
		{"root", "GET", "/", "", nil, 200, "<p>page", map[string]string{
			"Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-cache", "Etag": `"` + index.ETag + `"`, "X-Cache": "Miss from cloudfront", "Content-Length": "7",
		}},
		{"name", "GET", "/index.html", "", nil, 200, "<p>page", nil},
		{"decoded name", "GET", "/a b.txt", "", nil, 200, "0123456789", nil},
		{"HEAD", "HEAD", "/", "", nil, 200, "", map[string]string{"Content-Length": "7"}},
		{"unchanged", "GET", "/", "", []string{"If-None-Match", `"` + index.ETag + `"`}, 304, "", map[string]string{"Cache-Control": "no-cache"}},
		{"unchanged, compressed before", "GET", "/", "", []string{"If-None-Match", `W/"` + index.ETag + `"`}, 304, "", nil},
		{"changed", "GET", "/", "", []string{"If-None-Match", `"0"`}, 200, "<p>page", nil},
		{"part", "GET", "/a b.txt", "", []string{"Range", "bytes=2-4"}, 206, "234", map[string]string{"Content-Range": "bytes 2-4/10"}},
		{"no part", "GET", "/a b.txt", "", []string{"Range", "bytes=20-"}, 416, "", nil},
		{"missing", "GET", "/none", "", nil, 403, "<Code>AccessDenied</Code><Message>Access Denied</Message>", map[string]string{"Content-Type": "application/xml", "X-Cache": "Error from cloudfront"}},
		{"directory", "GET", "//", "", nil, 403, "AccessDenied", nil},
		{"missing HEAD", "HEAD", "/none", "", nil, 403, "", nil},
		{"POST", "POST", "/", "x", nil, 403, cacheable, map[string]string{"Server": "CloudFront"}},
		{"PUT", "PUT", "/index.html", "x", nil, 403, cacheable, nil},
		{"DELETE", "DELETE", "/index.html", "", nil, 403, cacheable, nil},
		{"OPTIONS", "OPTIONS", "/", "", nil, 403, cacheable, nil},
		{"GET with a body", "GET", "/", "x", nil, 403, "Bad request", nil},
	} {
		wants(t, test.name, w.send(test.method, test.path, test.body, test.header...), test.status, test.want, test.wantHeader)
	}
	if got := w.send("HEAD", "/", ""); got.Body.Len() != 0 {
		t.Errorf("HEAD has the body %q", got.Body)
	}
}

// TestOnlyThePolicyLetsRead: what a role or a mistake in a policy breaks on AWS
// breaks here.
func TestOnlyThePolicyLetsRead(t *testing.T) {
	t.Parallel()
	control := func(behavior string) func(*testing.T, *world) {
		return func(t *testing.T, w *world) {
			t.Helper()
			_, err := w.PutOriginAccessControl(cloudfront.OriginAccessControl{ID: w.d.Origins[0].AccessControlID, Name: "site", OriginType: "s3", SigningBehavior: behavior, SigningProtocol: "sigv4"})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, test := range []struct {
		name           string
		change         func(*testing.T, *world)
		there, missing int
	}{
		{"as declared", func(*testing.T, *world) {}, 200, 403},
		{"no policy", func(_ *testing.T, w *world) { w.roles.DeleteResourcePolicy("arn:aws:s3:::" + bucket) }, 403, 403},
		{"policy for another distribution", func(t *testing.T, w *world) { t.Helper(); w.allow(t, "E0", "s3:GetObject", "/*") }, 403, 403},
		{"policy for another object", func(t *testing.T, w *world) { t.Helper(); w.allow(t, w.d.ID, "s3:GetObject", "/other.html") }, 403, 403},
		{"policy to list alone", func(t *testing.T, w *world) { t.Helper(); w.allow(t, w.d.ID, "s3:ListBucket", "") }, 403, 403},
		{"policy to read and list", func(t *testing.T, w *world) { t.Helper(); w.allow(t, w.d.ID, "s3:*", "*") }, 200, 404},
		{"unsigned", control("never"), 403, 403},
		{"signed unless the viewer does", control("no-override"), 200, 403},
		{"no origin access control", func(t *testing.T, w *world) {
			t.Helper()
			d := w.d
			d.Origins = []cloudfront.Origin{{ID: "page", DomainName: d.Origins[0].DomainName}}
			var err error
			if w.d, err = w.PutDistribution(d); err != nil {
				t.Fatal(err)
			}
		}, 403, 403},
	} {
		w := newWorld(t)
		w.put(t, "index.html", "text/html", "page")
		test.change(t, w)
		if there, missing := w.get("/").Code, w.get("/none").Code; there != test.there || missing != test.missing {
			t.Errorf("%s: %d, and %d for what is missing, want %d and %d", test.name, there, missing, test.there, test.missing)
		}
	}
}

func TestOriginPath(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(d *cloudfront.Distribution) { d.Origins[0].Path = "/v2" })
	w.put(t, "v2/index.html", "text/html", "second")
	w.put(t, "index.html", "text/html", "first")
	wants(t, "root", w.get("/"), 200, "second", nil)
	wants(t, "name", w.get("/index.html"), 200, "second", nil)
}

// TestResponseHeaders: a header replaces that of the object only if it says so.
func TestResponseHeaders(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.put(t, "index.html", "text/html", "page")
	policy, err := w.PutResponseHeadersPolicy(cloudfront.ResponseHeadersPolicy{
		Name:     "site",
		Security: []cloudfront.ResponseHeader{{Name: "X-Frame-Options", Value: "DENY", Override: true}},
		Custom: []cloudfront.ResponseHeader{
			{Name: "cache-control", Value: "no-store", Override: false}, {Name: "Content-Type", Value: "text/plain", Override: true}, {Name: "X-Mine", Value: "1"},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	w.d.Behavior.ResponseHeadersPolicyID = policy.ID
	if w.d, err = w.PutDistribution(w.d); err != nil {
		t.Fatal(err)
	}
	wants(t, "object", w.get("/"), 200, "page", map[string]string{"X-Frame-Options": "DENY", "Cache-Control": "no-cache", "Content-Type": "text/plain", "X-Mine": "1"})
	wants(t, "error of the bucket", w.get("/none"), 403, "AccessDenied", map[string]string{"X-Frame-Options": "DENY", "Cache-Control": "no-store", "X-Mine": "1"})
	wants(t, "error of CloudFront", w.send("POST", "/", "x"), 403, "", map[string]string{"X-Frame-Options": ""})
}

func TestCompression(t *testing.T) {
	t.Parallel()
	type change = func(*cloudfront.Distribution)
	text := strings.Repeat("a", 1000)
	for _, test := range []struct {
		name, contentType, body string
		change                  change
		header                  []string
		compressed              bool
	}{
		{"text", "text/javascript; charset=utf-8", text, nil, []string{"Accept-Encoding", "gzip, deflate, br"}, true},
		{"type in capitals", "Text/HTML", text, nil, []string{"Accept-Encoding", "gzip"}, true},
		{"weight", "text/html", text, nil, []string{"Accept-Encoding", "br;q=1.0, GZIP ; q=0.5"}, true},
		{"largest", "text/html", strings.Repeat("a", 10_000_000), nil, []string{"Accept-Encoding", "gzip"}, true},
		{"larger", "text/html", strings.Repeat("a", 10_000_001), nil, []string{"Accept-Encoding", "gzip"}, false},
		{"smaller", "text/html", text[1:], nil, []string{"Accept-Encoding", "gzip"}, false},
		{"picture", "image/png", text, nil, []string{"Accept-Encoding", "gzip"}, false},
		{"no header", "text/html", text, nil, nil, false},
		{"Brotli alone", "text/html", text, nil, []string{"Accept-Encoding", "br"}, false},
		{"refused", "text/html", text, nil, []string{"Accept-Encoding", "gzip;q=0.000"}, false},
		{"part", "text/html", text, nil, []string{"Accept-Encoding", "gzip", "Range", "bytes=0-9"}, false},
		{"off", "text/html", text, func(d *cloudfront.Distribution) { d.Behavior.Compress = false }, []string{"Accept-Encoding", "gzip"}, false},
		{"policy without", "text/html", text, func(d *cloudfront.Distribution) { d.Behavior.CachePolicyID = cachingDisabled }, []string{"Accept-Encoding", "gzip"}, false},
	} {
		var changes []change
		if test.change != nil {
			changes = append(changes, test.change)
		}
		w := newWorld(t, changes...)
		o := w.put(t, "file", test.contentType, test.body)
		got := w.get("/file", test.header...)
		if encoding := got.Header().Get("Content-Encoding"); (encoding == "gzip") != test.compressed {
			t.Errorf("%s: Content-Encoding is %q, want compression: %t", test.name, encoding, test.compressed)
			continue
		}
		want := `"` + o.ETag + `"`
		body := got.Body.String()
		if test.compressed {
			want, body = "W/"+want, unzipped(t, got.Body)
		}
		if tag := got.Header().Get("Etag"); tag != want || !strings.HasPrefix(test.body, body) || body == "" {
			t.Errorf("%s: ETag %s with %d bytes, want %s", test.name, tag, len(body), want)
		}
	}
}

func unzipped(t *testing.T, body io.Reader) string {
	t.Helper()
	reader, err := gzip.NewReader(body)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(reader)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestCompressionSaysWhatItDependsOn, to caches, also when this viewer takes none.
func TestCompressionSaysWhatItDependsOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.put(t, "file", "text/html", strings.Repeat("a", 1000))
	wants(t, "plain", w.get("/file"), 200, "", map[string]string{"Vary": "Accept-Encoding", "Content-Encoding": ""})
}

func TestErrorPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(d *cloudfront.Distribution) {
		d.Errors = []cloudfront.CustomErrorResponse{{ErrorCode: 404}, {ErrorCode: 403, ResponseCode: 404, PagePath: "/404.html"}}
	})
	wants(t, "no page", w.get("/none"), 403, "AccessDenied", nil)
	w.put(t, "404.html", "text/html", "gone")
	wants(t, "page", w.get("/none"), 404, "gone", map[string]string{"Content-Type": "text/html", "X-Cache": "Error from cloudfront"})
	w.d.Errors[1].ResponseCode = 200
	wants(t, "page that is no error", w.get("/none"), 200, "gone", nil)
}

func TestDisabledDistributions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if err := w.DeleteDistribution(w.d.ID); err == nil || !strings.Contains(err.Error(), "DistributionNotDisabled: ") {
		t.Errorf("an enabled distribution was deleted: %v", err)
	}
	w.DisableDistribution(w.d.ID)
	if served := w.Enabled(); len(served) != 0 {
		t.Errorf("disabled, %v are served", served)
	}
	if err := w.DeleteDistribution(w.d.ID); err != nil || len(w.Declared()) != 1 {
		t.Errorf("a disabled distribution: %v; there are %v, want the origin access control", err, w.Declared())
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	own := cloudfront.Distribution{DomainName: "d1.cloudfront.net"}
	aliased := cloudfront.Distribution{DomainName: "d2.cloudfront.net", Aliases: []string{"Chat.example.com", "*.chat.example.com"}}
	for _, test := range []struct {
		d    cloudfront.Distribution
		host string
		want bool
	}{
		{own, "D1.cloudfront.net", true},
		{own, "d2.cloudfront.net", false},
		{aliased, "d2.cloudfront.net", true},
		{aliased, "chat.example.com", true},
		{aliased, "eu.chat.example.com", true},
		{aliased, "a.eu.chat.example.com", false},
		{aliased, "example.com", false},
	} {
		if got := test.d.HasName(test.host); got != test.want {
			t.Errorf("%s has the name %s: %t, want %t", test.d.DomainName, test.host, got, test.want)
		}
	}
	if got := own.Origin() + " " + aliased.Origin(); got != "https://d1.cloudfront.net https://chat.example.com" {
		t.Errorf("origins %s", got)
	}
}

// FuzzServe: whatever a viewer asks, he gets what is in the bucket, or a refusal.
func FuzzServe(f *testing.F) {
	w := newWorld(f)
	w.put(f, "index.html", "text/html", strings.Repeat("page", 300))
	if err := w.objects.CreateBucket("other"); err != nil {
		f.Fatal(err)
	}
	f.Add("/", "gzip", "", `W/"0"`)
	f.Add("/../other/a", "gzip;q=0", "bytes=0-1,5-9", "*")
	f.Add("", ";;,", "bytes=-", "")
	f.Fuzz(func(t *testing.T, path, encoding, part, match string) {
		got := w.get(path, "Accept-Encoding", encoding, "Range", part, "If-None-Match", match)
		switch got.Code {
		case http.StatusOK, http.StatusPartialContent, http.StatusNotModified, http.StatusRequestedRangeNotSatisfiable:
			if path != "/" && path != "/index.html" && path != "index.html" {
				t.Errorf("%q: %d", path, got.Code)
			}
		case http.StatusForbidden:
		default:
			t.Errorf("%q: %d", path, got.Code)
		}
	})
}
