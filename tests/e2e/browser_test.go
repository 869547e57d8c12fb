package e2e_test

import (
	"context"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/chromedp/chromedp"

	"github.com/streaming-service/streaming-service/internal/localcloud/bedrock"
)

// TestThePageInABrowser drives the chat page as the local cloud serves it: sign
// in, an answer, a stop, a reload in the middle, and the end of the quota.
func TestThePageInABrowser(t *testing.T) {
	t.Parallel()
	tab := newTab(t)
	h := ownCloud(t, "quota.monthlyRequests=3")
	demo := &person{h, t, h.Config.DemoUser, h.Demo(t)}
	tab.do(chromedp.Navigate(h.Cloud.URL()), chromedp.Click(chromedp.CSS("#demo")), chromedp.WaitVisible(chromedp.CSS("#prompt")))
	tab.wait("a connection", `document.getElementById("connection").dataset.state === "open"`)

	const quick = "tokens=80 rate=200 seed=1"
	tab.instruct(quick)
	tab.send("What is a river?")
	tab.waitFor("done")
	tab.wantText(bedrock.ScriptedText("What is a river?", quick))
	tab.wait("the meter", `document.getElementById("usage").innerText.includes("2 of 3 left")`)

	tab.do(chromedp.Click(chromedp.CSS("#new-chat")))
	tab.instruct("tokens=3000 rate=40")
	tab.send("Never mind")
	tab.wait("some text", answerText+`.length > 20`)
	tab.do(chromedp.Click(chromedp.CSS("#stop")))
	tab.waitFor("stopped")
	demo.settled()

	const slow = "tokens=250 rate=60 seed=2"
	tab.do(chromedp.Click(chromedp.CSS("#new-chat")))
	tab.instruct(slow)
	tab.send("Tell me more")
	tab.wait("some text", answerText+`.length > 20`)
	tab.do(chromedp.Reload(), chromedp.WaitVisible(chromedp.CSS("#prompt")))
	tab.waitFor("done")
	tab.wantText(bedrock.ScriptedText("Tell me more", slow))
	tab.wait("the meter", `document.getElementById("usage").innerText.includes("0 of 3 left")`)

	tab.send("One too many")
	tab.waitFor("refused")
	if refusal := tab.eval(`[...document.querySelectorAll(".problem")].map((e) => e.innerText).join("")`); !strings.Contains(refusal, "This month's requests are used up") {
		t.Errorf("the page says %q", refusal)
	}
	if used := demo.settled(); used.Requests.Used != 3 {
		t.Errorf("usage %+v, want 3 requests", used)
	}
}

// Expressions for the newest answer of the page.
const (
	answerText  = `([...document.querySelectorAll("[data-role=assistant] .text")].at(-1)?.textContent ?? "")`
	answerState = `([...document.querySelectorAll("[data-role=assistant]")].at(-1)?.dataset.state ?? "")`
)

// tab is a page in a browser of its own.
type tab struct {
	t   *testing.T
	ctx context.Context
}

func newTab(t *testing.T) tab {
	t.Helper()
	if testing.Short() {
		t.Skip("starts a browser: skipped with -short")
	}
	path := findBrowser()
	if path == "" {
		t.Skip("no chromium on this machine: the page cannot be tried in a browser")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
	)
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(stop)
	ctx, cancel := chromedp.NewContext(allocator)
	t.Cleanup(cancel)
	ctx, expire := context.WithTimeout(ctx, 2*patience)
	t.Cleanup(expire)
	opened := tab{t, ctx}
	opened.do(chromedp.EmulateViewport(1280, 800))
	return opened
}

func findBrowser() string {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

func (p tab) do(actions ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	if err := chromedp.Do(p.ctx, actions...); err != nil {
		p.t.Fatal(err)
	}
}

// instruct steers the answers of the conversation by a script.
func (p tab) instruct(script string) {
	p.t.Helper()
	p.do(
		chromedp.Click(chromedp.CSS("#instructions")), chromedp.WaitVisible(chromedp.CSS("#instructions-text")),
		chromedp.SetValue(chromedp.CSS("#instructions-text"), "script: "+script), chromedp.Click(chromedp.CSS("#instructions-form .primary")),
	)
}

func (p tab) send(text string) {
	p.t.Helper()
	p.do(chromedp.SendKeys(chromedp.CSS("#prompt"), text+"\r"))
}

// eval returns what a JavaScript expression is, as a text.
func (p tab) eval(expression string) string {
	p.t.Helper()
	value, err := chromedp.Run(p.ctx, chromedp.Evaluate[string]("String("+expression+")"))
	if err != nil {
		p.t.Fatalf("evaluating %s: %v", expression, err)
	}
	return value
}

func (p tab) wait(what, expression string) {
	p.t.Helper()
	for deadline := time.Now().Add(patience); p.eval(expression) != "true"; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			p.t.Fatalf("waited for %s in vain; the page says:\n%s", what, p.eval("document.body.innerText"))
		}
	}
}

func (p tab) waitFor(state string) {
	p.t.Helper()
	p.wait("an answer that is "+state, answerState+" === "+strconv.Quote(state))
}

// wantText compares letters and digits: the page shows Markdown's marks and
// white space in ways of its own.
func (p tab) wantText(text string) {
	p.t.Helper()
	got := p.eval(answerText)
	if letters(got) != letters(text) {
		p.t.Errorf("the page shows\n%q\nthe model said\n%q", got, text)
	}
}

func letters(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsNumber(r) {
			return r
		}
		return -1
	}, text)
}
