package e2e_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/streaming-service/streaming-service/internal/localcloud/bedrock"
	"github.com/streaming-service/streaming-service/internal/localcloud/localcloudtest"
	page "github.com/streaming-service/streaming-service/web/build"
)

// hostedCloud hosts the page, and allows pages of another origin to call.
func hostedCloud(t *testing.T) *localcloudtest.Harness {
	t.Helper()
	return ownCloud(t, "site.enabled=true", "auth.allowedOrigins[0]=https://app.example.com")
}

// TestTheHostedPageInABrowser: the page from the declared bucket and distribution
// signs in and streams, under the declared security policy and from an origin that
// no list has.
func TestTheHostedPageInABrowser(t *testing.T) {
	t.Parallel()
	tab := newTab(t)
	h := hostedCloud(t)
	tab.do(chromedp.Navigate(h.URL), chromedp.Click(chromedp.CSS("#demo")), chromedp.WaitVisible(chromedp.CSS("#prompt")))
	tab.wait("a connection", `document.getElementById("connection").dataset.state === "open"`)
	const script = "tokens=80 rate=200 seed=1"
	tab.instruct(script)
	tab.send("What is a river?")
	tab.waitFor("done")
	tab.wantText(bedrock.ScriptedText("What is a river?", script))
}

// TestTheHostedPage: the files are those of the page, with the headers that the
// distribution adds; what is not there is forbidden.
func TestTheHostedPage(t *testing.T) {
	t.Parallel()
	h := hostedCloud(t)
	files, err := page.Page()
	if err != nil {
		t.Fatal(err)
	}
	for name, file := range files {
		answer := h.Do(t, "GET", h.URL+"/"+strings.TrimSuffix(name, page.Index), nil, nil)
		if answer.Status != http.StatusOK || string(answer.Body) != string(file.Content) {
			t.Errorf("%s: status %d, %d bytes, want %d", name, answer.Status, len(answer.Body), len(file.Content))
		}
		want := page.Headers()
		want["Content-Type"], want["Cache-Control"] = file.ContentType, file.CacheControl
		want["Strict-Transport-Security"] = "max-age=31536000"
		for header, value := range want {
			if got := answer.Header.Get(header); got != value {
				t.Errorf("%s has %s %q, want %q", name, header, got, value)
			}
		}
		policy := answer.Header.Get("Content-Security-Policy")
		for _, source := range []string{"connect-src 'self' https://", " wss://", " https://cognito-idp.", "script-src 'self';"} {
			if !strings.Contains(policy, source) {
				t.Errorf("%s has the policy %q, want %q in it", name, policy, source)
			}
		}
	}
	if answer := h.Do(t, "GET", h.URL+"/nothing.js", nil, nil); answer.Status != http.StatusForbidden {
		t.Errorf("a file that is not there: %d, want 403", answer.Status)
	}
}

// TestPagesBesideTheSite: the hosted page and those of the list may call, others
// may not.
func TestPagesBesideTheSite(t *testing.T) {
	t.Parallel()
	h := hostedCloud(t)
	p := newPerson(t, h)
	for origin, allowed := range map[string]bool{h.URL: true, "https://app.example.com": true, "https://evil.example.com": false} {
		want, status := "", http.StatusForbidden
		if allowed {
			want, status = origin, http.StatusSwitchingProtocols
		}
		if got := p.call("GET", "/usage", nil, "Origin", origin).Header.Get("Access-Control-Allow-Origin"); got != want {
			t.Errorf("a page of %s gets Access-Control-Allow-Origin %q, want %q", origin, got, want)
		}
		if got := handshake(t, h, "streaming.v1, "+p.token(), "Origin", origin); got != status {
			t.Errorf("a socket of a page of %s: %d, want %d", origin, got, status)
		}
	}
	without := ownCloud(t, "auth.allowedOrigins[0]=https://app.example.com")
	if got := handshake(t, without, "streaming.v1, "+newPerson(t, without).token(), "Origin", without.URL); got != http.StatusForbidden {
		t.Errorf("a socket of a page that is not hosted: %d, want 403", got)
	}
}
