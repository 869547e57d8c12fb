package web_test

import (
	"encoding/json"
	"testing"

	"github.com/chromedp/chromedp"
)

// titles are the names of the conversations in the list.
const titles = `[...document.querySelectorAll(".entry-title")].map((e) => e.textContent).join()`

func TestTwoTabsLoseNothing(t *testing.T) {
	t.Parallel()
	f := newFakeService(t)
	a := openPage(t, f)
	a.signIn()
	b := a.openTab(f)

	a.send("60 words")
	a.wait("some words", answerText+`.includes("word3 ")`)
	b.wait("the conversation", titles+` === "60 words"`)
	b.click(".entry")
	b.wait("the answer as it comes", answerText+`.includes("word9 ") && `+answerState+` === "open"`)
	b.eval(`document.querySelector(".conversation").querySelectorAll("button")[1].click()`)
	b.visible("#rename-name")
	b.run(chromedp.SetValue(chromedp.CSS("#rename-name"), "Renamed"))
	b.enter("#rename-name", "")
	a.wait("the new name", titles+` === "Renamed"`)
	b.waitFor("done")
	wantWords(t, b, 60)

	b.send("Something else")
	b.wait("a second answer", `document.querySelectorAll("[data-role=assistant][data-state=done]").length === 2`)
	a.wait("the second answer", `document.querySelectorAll("[data-role=assistant][data-state=done]").length === 2`)
	for _, tab := range []page{a, b} {
		tab.reload()
		tab.wait("everything", titles+` === "Renamed" && document.querySelectorAll("[data-role=assistant][data-state=done]").length === 2`)
		if got := tab.eval(answerText); got != "Something else" {
			t.Errorf("answer %q", got)
		}
	}
	if got := len(f.submitted()); got != 2 {
		t.Errorf("%d submissions", got)
	}
}

func TestAnotherTabGoesOnWhenOneIsClosed(t *testing.T) {
	t.Parallel()
	f := newFakeService(t)
	b := openPage(t, f)
	b.signIn()
	a := b.openTab(f)
	a.send("60 words")
	a.wait("some words", answerText+`.includes("word9 ")`)
	a.run(chromedp.Navigate("about:blank"))
	b.wait("the conversation", titles+` === "60 words"`)
	b.click(".entry")
	b.waitFor("done")
	wantWords(t, b, 60)
	if got := len(f.submitted()); got != 1 {
		t.Errorf("%d submissions", got)
	}
}

func TestStopInAnotherTab(t *testing.T) {
	t.Parallel()
	f := newFakeService(t)
	a := openPage(t, f)
	a.signIn()
	b := a.openTab(f)
	a.send("1000 words")
	b.wait("the conversation", titles+` === "1000 words"`)
	b.click(".entry")
	b.visible("#stop")
	b.click("#stop")
	for _, tab := range []page{a, b} {
		tab.waitFor("stopped")
	}
}

// TestConversationsOfOlderVersionsAreKept has the page find what versions
// before the database left behind.
func TestConversationsOfOlderVersionsAreKept(t *testing.T) {
	t.Parallel()
	f := newFakeService(t)
	p := openPage(t, f)
	p.visible("#demo")
	const user = "sub-demo@example.com"
	old, _ := json.Marshal(map[string]any{
		"id": "c1", "title": "An old one", "instructions": "Be brief.", "updatedAt": 1_700_000_000_000,
		"turns": []any{
			map[string]any{"id": "t1", "prompt": "First", "at": 1_600_000_000_000, "answer": map[string]any{"state": "done", "text": "One", "key": "k1"}},
			map[string]any{"id": "t2", "prompt": "Second", "at": 1_600_000_000_001, "answer": map[string]any{"state": "sending", "text": "", "key": "k2"}},
		},
	})
	p.eval(`localStorage.setItem("streaming.conversation.` + user + `.c1", ` + quote(string(old)) + `)`)
	p.signIn()
	p.wait("what was kept", titles+` === "An old one" && document.querySelectorAll("[data-role=assistant][data-state=done]").length === 2`)
	if got := p.eval(answerText); got != "Second" {
		t.Errorf("the turn that was open has the answer %q", got)
	}
	if body := f.submitted()[0]; len(body.Messages) != 3 || body.System != "Be brief." {
		t.Errorf("it was submitted as %+v", body)
	}
	if left := p.eval(`Object.keys(localStorage).filter((name) => name.startsWith("streaming.conversation")).length`); left != "0" {
		t.Errorf("%s conversations are left in the old place", left)
	}
}

func TestADraftSurvivesAReload(t *testing.T) {
	t.Parallel()
	f := newFakeService(t)
	p := openPage(t, f)
	p.signIn()
	p.send("The first one")
	p.waitFor("done")
	p.run(chromedp.SendKeys(chromedp.CSS("#prompt"), "of the first"))
	p.click("#new-chat")
	p.wait("an empty box", `document.getElementById("prompt").value.trim() === ""`)
	p.run(chromedp.SendKeys(chromedp.CSS("#prompt"), "of the new one"))
	p.reload()
	p.wait("the draft", `document.getElementById("prompt").value.trim() === "of the first"`)
	p.click("#new-chat")
	p.wait("the other draft", `document.getElementById("prompt").value.trim() === "of the new one"`)
}

func TestRenamingKeepsTheFocus(t *testing.T) {
	t.Parallel()
	f := newFakeService(t)
	p := openPage(t, f)
	p.signIn()
	p.send("Hello")
	p.waitFor("done")
	p.eval(`document.querySelector(".conversation").querySelectorAll("button")[1].focus()`)
	p.run(chromedp.KeyEvent("\r"))
	p.visible("#rename-name")
	p.enter("#rename-name", " again")
	p.wait("the focus on the button", `document.activeElement.getAttribute("aria-label")?.startsWith("Rename ") === true`)
}

func TestSearchExportAndImport(t *testing.T) {
	t.Parallel()
	f := newFakeService(t)
	p := openPage(t, f)
	p.signIn()
	p.send("About whales")
	p.waitFor("done")
	p.click("#new-chat")
	p.send("About trees")
	p.waitFor("done")
	p.run(chromedp.SendKeys(chromedp.CSS("#search"), "WHALES"))
	p.wait("one found", titles+` === "About whales"`)
	p.eval(`(document.getElementById("search").value = "", document.getElementById("search").dispatchEvent(new Event("input")))`)
	p.wait("all again", titles+` === "About trees,About whales"`)

	p.eval(`(window.saved = null, URL.createObjectURL = (blob) => (blob.text().then((text) => (window.saved = text)), "#"))`)
	p.click("#export-all")
	p.wait("a file", `window.saved !== null`)
	p.click("#remove-all")
	p.visible("#delete-confirm")
	p.click("#delete-confirm")
	p.wait("none", titles+` === ""`)
	p.eval(`(() => {
		const files = new DataTransfer();
		files.items.add(new File([window.saved], "conversations.json"));
		document.getElementById("import-file").files = files.files;
		document.getElementById("import-file").dispatchEvent(new Event("change"));
	})()`)
	p.wait("them again", titles+` === "About trees,About whales"`)
	p.click(".entry")
	p.wait("the answer", answerText+` === "About trees"`)
}

// TestTypingGoesOnAfterADialog: a dialog that is opened while the message box has
// the focus gives it back with the caret.
func TestTypingGoesOnAfterADialog(t *testing.T) {
	t.Parallel()
	f := newFakeService(t)
	p := openPage(t, f)
	p.signIn()
	for _, closing := range []string{"#instructions-form .primary", "#instructions-form [data-close]"} {
		p.wait("the focus", `document.activeElement.id === "prompt"`)
		p.eval(`document.getElementById("instructions").click()`)
		p.run(chromedp.SendKeys(chromedp.CSS("#instructions-text"), "Be brief."))
		p.click(closing)
		p.wait("a closed dialog", `!document.getElementById("instructions-dialog").open && document.activeElement.id === "prompt"`)
		p.run(chromedp.KeyEvent("x"))
	}
	p.wait("what was typed", `document.getElementById("prompt").value === "xx"`)
}
