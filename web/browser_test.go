package web_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// chromium is the browser that all tests share, each in a tab of its own.
// Their pages are of different origins, so they share nothing else.
var chromium struct {
	start sync.Once
	ctx   context.Context
	err   error
	stop  func()
}

func TestMain(m *testing.M) {
	code := m.Run()
	if chromium.stop != nil {
		chromium.stop()
	}
	os.Exit(code)
}

func startChromium(path string) {
	dir, err := os.MkdirTemp("", "streaming-chromium-")
	if err != nil {
		chromium.err = err
		return
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.UserDataDir(dir), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
	)
	allocator, cancelAllocator := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, cancel := chromedp.NewContext(allocator)
	chromium.ctx, chromium.err = ctx, chromedp.Do(ctx)
	chromium.stop = func() {
		cancel()
		cancelAllocator()
		_ = os.RemoveAll(dir)
	}
}

// browser returns a tab of a headless Chromium, which fails the test if the
// page throws or its content security policy is violated.
func browser(t testing.TB, width, height int64) context.Context {
	t.Helper()
	if testing.Short() {
		t.Skip("starts a browser: skipped with -short")
	}
	path := findChromium()
	if path == "" {
		t.Skip("no chromium on this machine: the page cannot be tried in a browser")
	}
	chromium.start.Do(func() { startChromium(path) })
	if chromium.err != nil {
		t.Fatalf("starting %s: %v", path, chromium.err)
	}
	ctx, cancel := chromedp.NewContext(chromium.ctx)
	t.Cleanup(cancel)
	watchConsole(ctx, t)
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(width, height)); err != nil {
		t.Fatalf("opening a tab: %v", err)
	}
	ctx, cancel = context.WithTimeout(ctx, 90*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func findChromium() string {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// watchConsole fails the test for what the page complains about. That a call
// was refused is no complaint: some tests are about that.
func watchConsole(ctx context.Context, t testing.TB) {
	t.Helper()
	messages := chromedp.Console(ctx)
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		for message, err := range messages {
			if err != nil {
				return
			}
			if message.Source != "network" && (message.IsException() || message.Type == chromedp.ConsoleError) {
				t.Errorf("the page complains: %s", message)
			}
		}
	}()
	t.Cleanup(func() {
		_ = chromedp.Cancel(ctx)
		<-watched
	})
}

// page drives the page in a browser.
type page struct {
	t   testing.TB
	ctx context.Context
}

func openPage(t testing.TB, f *fakeService) page {
	t.Helper()
	p := page{t, browser(t, 1280, 800)}
	p.run(chromedp.Navigate(f.URL))
	return p
}

// openTab opens the page once more, in another tab of the same browser, and
// signs in there.
func (p page) openTab(f *fakeService) page {
	p.t.Helper()
	other := openPage(p.t, f)
	other.signIn()
	return other
}

func (p page) run(actions ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	if err := chromedp.Do(p.ctx, actions...); err != nil {
		p.t.Fatal(err)
	}
}

// signIn opens the workspace with the demo account.
func (p page) signIn() {
	p.t.Helper()
	p.click("#demo")
	p.visible("#prompt")
}

// signOut goes through the account's dialog, when that has its whole size.
func (p page) signOut() {
	p.t.Helper()
	p.click("#account")
	p.wait("what the dialog says of two-step sign-in", `document.getElementById("two-step").hidden || document.getElementById("two-step-state").innerText !== ""`)
	p.click("#sign-out")
	p.visible("#email")
}

func (p page) send(text string) {
	p.t.Helper()
	p.enter("#prompt", text)
}

// enter types a text into an element, and Enter after it.
func (p page) enter(css, text string) {
	p.t.Helper()
	p.run(chromedp.SendKeys(chromedp.CSS(css), text+"\r"))
}

func (p page) click(css string) {
	p.t.Helper()
	p.run(chromedp.Click(chromedp.CSS(css)))
}

func (p page) visible(css string) {
	p.t.Helper()
	p.run(chromedp.WaitVisible(chromedp.CSS(css)))
}

// offline has the browser believe that it has no network, or has it again.
func (p page) offline(is bool) {
	p.t.Helper()
	params := network.OverrideNetworkStateParams{Offline: is, DownloadThroughput: -1, UploadThroughput: -1}
	if _, err := chromedp.Call(p.ctx, network.OverrideNetworkState, params); err != nil {
		p.t.Fatal(err)
	}
}

// waitSaying waits until a text stands in or below the newest answer.
func (p page) waitSaying(text string) {
	p.t.Helper()
	p.wait(text, `[...document.querySelectorAll("[data-role=assistant]")].at(-1)?.innerText.includes(`+quote(text)+`)`)
}

func (p page) reload() {
	p.t.Helper()
	p.run(chromedp.Reload())
	p.visible("#prompt")
}

// eval returns what a JavaScript expression is as a string.
func (p page) eval(expression string) string {
	p.t.Helper()
	value, err := chromedp.Run(p.ctx, chromedp.Evaluate[string]("String("+expression+")"))
	if err != nil {
		p.t.Fatalf("evaluating %s: %v", expression, err)
	}
	return value
}

// wait fails unless an expression becomes true within 15 s.
func (p page) wait(what, expression string) {
	p.t.Helper()
	deadline := time.Now().Add(15 * time.Second)
	for p.eval(expression) != "true" {
		if time.Now().After(deadline) {
			p.t.Fatalf("waited for %s in vain; the page says:\n%s", what, p.eval("document.body.innerText"))
		}
		time.Sleep(30 * time.Millisecond)
	}
}

// answerText is the text of the newest answer, as it stands in the document.
const answerText = `([...document.querySelectorAll("[data-role=assistant] > .text")].at(-1)?.textContent ?? "")`

// answerState is the state of the newest answer.
const answerState = `([...document.querySelectorAll("[data-role=assistant]")].at(-1)?.dataset.state ?? "")`

func (p page) waitFor(state string) {
	p.t.Helper()
	p.wait("an answer that is "+state, answerState+` === "`+state+`"`)
}

func quote(text string) string { return "`" + strings.ReplaceAll(text, "`", "\\`") + "`" }

// nodePath returns Node's path, or skips.
func nodePath(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("node")
	if err != nil {
		if !errors.Is(err, exec.ErrNotFound) {
			t.Fatal(err)
		}
		t.Skip("no node on this machine: the unit tests of the browser client are skipped")
	}
	return path
}
