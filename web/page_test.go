package web_test

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/streaming-service/streaming-service/protocol"
)

func TestTheModuleUnderNode(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("test/*.test.mjs")
	if err != nil || len(files) == 0 {
		t.Fatalf("no unit tests: %v", err)
	}
	command := exec.CommandContext(t.Context(), nodePath(t), append([]string{"--test"}, files...)...)
	if output, err := command.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, output)
	}
}

func TestAnAnswerStreamsIn(t *testing.T) {
	t.Parallel()
	f := newFakeService(t)
	p := openPage(t, f)
	p.signIn()
	p.wait("a connection", `document.getElementById("connection").dataset.state === "open"`)
	p.send("Hello <b>you</b>")
	p.waitFor("done")
	if got := p.eval(answerText); got != "Hello <b>you</b>" {
		t.Errorf("answer %q", got)
	}
	if got := p.eval(`document.querySelectorAll("#messages b").length`); got != "0" {
		t.Error("the answer was taken for markup")
	}
	p.wait("the usage", `document.getElementById("usage").innerText.includes("87 of 100 left")`)

	p.send("And again")
	p.wait("a second answer", `document.querySelectorAll("[data-role=assistant][data-state=done]").length === 2`)
	messages := f.submitted()[1].Messages
	if len(messages) != 3 || messages[1].Role != protocol.RoleAssistant || messages[1].Content != "Hello <b>you</b>" {
		t.Errorf("the second submission had messages %+v", messages)
	}
}

func TestStopKeepsWhatThereIs(t *testing.T) {
	t.Parallel()
	f := newFakeService(t)
	p := openPage(t, f)
	p.signIn()
	p.send("1000 words")
	p.wait("some words", answerText+`.includes("word3 ")`)
	p.click("#stop")
	p.waitFor("stopped")
	if got := p.eval(answerText); !strings.HasPrefix(got, "word1 word2 word3 ") {
		t.Errorf("answer %q", got)
	}
	p.wait("focus on the message box", `document.activeElement.id === "prompt"`)

	p.send("1000 words")
	p.wait("more words", answerState+` === "open" && `+answerText+`.includes("word3 ")`)
	p.run(chromedp.KeyEvent("\x1b"))
	p.waitFor("stopped")
}

func TestAReloadTakesUpTheAnswer(t *testing.T) {
	t.Parallel()
	f := newFakeService(t)
	p := openPage(t, f)
	p.signIn()
	p.send("60 words")
	p.wait("some words", answerText+`.includes("word9 ")`)
	p.reload()
	p.waitFor("done")
	wantWords(t, p, 60)
	if got := len(f.submitted()); got != 1 {
		t.Errorf("%d submissions", got)
	}
}

func TestALostSocketLosesNothing(t *testing.T) {
	t.Parallel()
	f := newFakeService(t)
	p := openPage(t, f)
	p.signIn()
	p.send("60 words")
	for _, word := range []string{"word9 ", "word20 ", "word30 "} {
		p.wait(word, answerText+`.includes("`+word+`")`)
		f.dropSockets()
	}
	p.waitFor("done")
	wantWords(t, p, 60)
}

func wantWords(t *testing.T, p page, words int) {
	t.Helper()
	var want strings.Builder
	for i := range words {
		fmt.Fprintf(&want, "word%d ", i+1)
	}
	if got, want := strings.TrimSpace(p.eval(answerText)), strings.TrimSpace(want.String()); got != want {
		t.Errorf("answer %q, want %q", got, want)
	}
}

func TestAnAnswerThatBeginsAnew(t *testing.T) {
	t.Parallel()
	f := newFakeService(t)
	p := openPage(t, f)
	p.signIn()
	p.send("restart")
	p.waitFor("done")
	if got := p.eval(answerText); got != "good" {
		t.Errorf("answer %q", got)
	}
}

func TestAFailureCanBeTriedAgain(t *testing.T) {
	t.Parallel()
	f := newFakeService(t)
	p := openPage(t, f)
	p.signIn()
	p.send("fail")
	p.waitFor("failed")
	if text := p.eval(`document.querySelector(".problem").innerText`); !strings.Contains(text, "The model is busy") {
		t.Errorf("problem %q", text)
	}
	p.click(".action.retry")
	p.wait("a second answer beside the first", `document.querySelector(".answer .variants")?.innerText.includes("2 / 2") && `+answerState+` === "failed"`)
	if got := f.submitted(); len(got) != 2 {
		t.Errorf("%d submissions", len(got))
	}
}

func TestMoneyShowsWhereThereIsABudget(t *testing.T) {
	t.Parallel()
	f := newFakeService(t)
	f.usage.Budget = &protocol.BudgetUsage{
		Currency: protocol.Currency, Limit: new(5 * protocol.Dollar), Used: 1_250_000_000, Reserved: 250_000_000, Remaining: new(protocol.USD(3_500_000_000)),
	}
	p := openPage(t, f)
	p.signIn()
	p.wait("the budget", `document.getElementById("usage").innerText.includes("$3.50 of $5.00 left")`)
	f.refuse = &protocol.Problem{
		Type: "t", Title: "Quota exceeded", Status: 429, Code: protocol.CodeQuotaExceeded, Quota: protocol.QuotaBudget,
		Limit: new(int64(5_000_000_000)), Used: new(int64(4_997_500_000)),
		Budget:   &protocol.BudgetUsage{Currency: protocol.Currency, Limit: new(5 * protocol.Dollar), Used: 4_997_500_000},
		ResetsAt: "2026-12-01T00:00:00Z",
	}
	p.send("Hello")
	p.waitFor("refused")
	text := p.eval(`document.querySelector(".problem").innerText`)
	for _, want := range []string{"This month's budget is used up", "$4.9975 of $5.00", "1 December"} {
		if !strings.Contains(text, want) {
			t.Errorf("problem %q, want %q", text, want)
		}
	}
}

func TestARefusalNamesTheLimit(t *testing.T) {
	t.Parallel()
	f := newFakeService(t)
	limit := int64(100)
	f.refuse = &protocol.Problem{Type: "t", Title: "Quota exceeded", Status: 429, Code: protocol.CodeQuotaExceeded, Quota: "requests", Limit: &limit, Used: &limit, ResetsAt: "2026-12-01T00:00:00Z"}
	p := openPage(t, f)
	p.signIn()
	p.send("Hello")
	p.waitFor("refused")
	text := p.eval(`document.querySelector(".problem").innerText`)
	for _, want := range []string{"This month's requests are used up", "100 of 100", "1 December"} {
		if !strings.Contains(text, want) {
			t.Errorf("problem %q, want %q", text, want)
		}
	}
}

func TestConversationsAreTheUsersOwn(t *testing.T) {
	t.Parallel()
	f := newFakeService(t)
	p := openPage(t, f)
	p.signIn()
	p.send("The first one")
	p.waitFor("done")
	p.click("#new-chat")
	p.send("The second one")
	p.waitFor("done")
	list := `[...document.querySelectorAll(".entry-title")].map((e) => e.textContent).join()`
	if got := p.eval(list); got != "The second one,The first one" {
		t.Errorf("conversations %q", got)
	}
	p.eval(`document.querySelectorAll(".conversation")[1].querySelectorAll("button")[1].click()`)
	p.visible("#rename-name")
	p.run(chromedp.SetValue(chromedp.CSS("#rename-name"), "Renamed"))
	p.enter("#rename-name", "")
	p.wait("the new name", list+` === "The second one,Renamed"`)
	p.eval(`document.querySelectorAll(".conversation")[0].querySelectorAll("button")[2].click()`)
	p.visible("#delete-confirm")
	p.click("#delete-confirm")
	p.wait("one conversation", list+` === "Renamed"`)
	p.reload()
	p.wait("the conversation", list+` === "Renamed" && `+answerText+` === "The first one"`)

	p.signOut()
	if got := p.eval(`sessionStorage.length + document.querySelectorAll("#messages li").length`); got != "0" {
		t.Error("signing out left something behind")
	}
	f.cognito.passwords["other@example.com"], f.cognito.confirmed["other@example.com"] = "pw", true
	p.run(chromedp.SendKeys(chromedp.CSS("#email"), "other@example.com"))
	p.enter("#password", "pw")
	p.visible("#prompt")
	if got := p.eval(list); got != "" {
		t.Errorf("another user sees %q", got)
	}
	for _, url := range f.urls {
		if strings.Contains(url, "h.ey") || strings.Contains(url, "refresh-") {
			t.Errorf("a token in the URL %s", url)
		}
	}
}

func TestInstructionsAreSent(t *testing.T) {
	t.Parallel()
	f := newFakeService(t)
	p := openPage(t, f)
	p.signIn()
	p.click("#instructions")
	p.visible("#instructions-text")
	p.run(chromedp.SendKeys(chromedp.CSS("#instructions-text"), "Be brief."))
	p.click("#instructions-form .primary")
	p.send("Hello")
	p.waitFor("done")
	if got := f.submitted()[0].System; got != "Be brief." {
		t.Errorf("system %q", got)
	}
}

func TestKeysAndFocus(t *testing.T) {
	t.Parallel()
	f := newFakeService(t)
	p := openPage(t, f)
	p.signIn()
	p.wait("focus on the message box", `document.activeElement.id === "prompt"`)
	p.eval(`document.getElementById("prompt").dispatchEvent(new KeyboardEvent("keydown", {key: "Enter", shiftKey: true, cancelable: true}))`)
	p.send("   ")
	if got := len(f.submitted()); got != 0 {
		t.Errorf("%d submissions of a blank message", got)
	}
	unnamed := `[...document.querySelectorAll("button, input, textarea")].filter((e) => e.checkVisibility() && !(e.innerText.trim() || e.ariaLabel || e.labels?.length)).length`
	if got := p.eval(unnamed); got != "0" {
		t.Errorf("%s controls without a name", got)
	}
}
