package e2e_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"github.com/streaming-service/streaming-service/internal/localcloud/bedrock"
)

// withSite hosts the page beside an API that pages of one other origin may call.
var withSite = []string{"site.enabled=true", "auth.allowedOrigins[0]=https://app.example.com"}

// TestWithoutAPieceNothingIsHosted: CloudFront reads what the bucket lets it read,
// and the functions allow the page's origin only where a stage names it.
func TestWithoutAPieceNothingIsHosted(t *testing.T) {
	t.Parallel()
	distribution := func(edit func(in resource.PropertyMap)) mutation { return change("site-distribution", edit) }
	for _, test := range []struct {
		name   string
		broken mutation
		path   string
	}{
		{"policy of the bucket", drop("site-policy"), "/"},
		{"origin access control of the origin", distribution(func(in resource.PropertyMap) {
			delete(in["origins"].ArrayValue()[0].ObjectValue(), "originAccessControlId")
		}), "/"},
		{"name of the page", distribution(func(in resource.PropertyMap) { delete(in, "defaultRootObject") }), "/"},
		{"page", drop("site-file-index.html"), "/"},
		{"configuration of the page", drop("site-file-config.json"), "/config.json"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			h := brokenCloud(t, test.broken, withSite...)
			if got := h.Do(t, "GET", h.URL+test.path, nil, nil); got.Status != http.StatusForbidden || !strings.Contains(string(got.Body), "<Code>AccessDenied</Code>") {
				t.Errorf("%d %s, want 403 AccessDenied", got.Status, got.Body)
			}
		})
	}
	t.Run("variable of the REST stage", func(t *testing.T) {
		t.Parallel()
		p := newPerson(t, brokenCloud(t, change("rest-stage", func(in resource.PropertyMap) { delete(in, "variables") }), withSite...))
		if got := p.call("GET", "/usage", nil, "Origin", p.URL).Header.Get("Access-Control-Allow-Origin"); got != "" {
			t.Errorf("the page is told that %s may read", got)
		}
	})
	t.Run("variable of the WebSocket stage", func(t *testing.T) {
		t.Parallel()
		h := brokenCloud(t, change("websocket-stage", func(in resource.PropertyMap) { delete(in, "stageVariables") }), withSite...)
		if got := handshake(t, h, "streaming.v1, "+h.Demo(t).IDToken, "Origin", h.URL); got != http.StatusForbidden {
			t.Errorf("a socket of the page: %d, want 403", got)
		}
	})
}

// TestTheHostedPageUnderAnotherName of this machine, where the endpoints are
// those of another origin, streams as well: the declared rules about origins and
// the declared security policy hold for the page wherever it is opened.
func TestTheHostedPageUnderAnotherName(t *testing.T) {
	t.Parallel()
	tab := newTab(t)
	h := ownCloud(t, withSite...)
	tab.do(chromedp.Navigate(strings.Replace(h.URL, "127.0.0.1", "localhost", 1)), chromedp.Click(chromedp.CSS("#demo")), chromedp.WaitVisible(chromedp.CSS("#prompt")))
	tab.wait("a connection", `document.getElementById("connection").dataset.state === "open"`)
	const script = "tokens=40 rate=200 seed=2"
	tab.instruct(script)
	tab.send("What is a lake?")
	tab.waitFor("done")
	tab.wantText(bedrock.ScriptedText("What is a lake?", script))
}
