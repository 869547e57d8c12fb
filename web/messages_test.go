package web_test

import (
	"strconv"
	"testing"

	"github.com/streaming-service/streaming-service/protocol"
)

func itoa(n int) string { return strconv.Itoa(n) }

// TestARefusedMessageIsKept has every refusal keep its message, to be edited or
// sent again.
func TestARefusedMessageIsKept(t *testing.T) {
	t.Parallel()
	f := newFakeService(t)
	p := openPage(t, f)
	p.signIn()
	for code, status := range map[protocol.Code]int{protocol.CodeQuotaExceeded: 429, protocol.CodePayloadTooLarge: 413, protocol.CodeBlocked: 403, protocol.CodeInvalidRequest: 400} {
		p.click("#new-chat")
		limit := int64(100)
		f.refuse = &protocol.Problem{Type: "t", Title: "No", Status: status, Code: code, Quota: "tokens", Limit: &limit, Used: &limit, ResetsAt: "2026-12-01T00:00:00Z"}
		p.send("My long message")
		p.waitFor("refused")
		if got := p.eval(`document.querySelector(".question .text").textContent`); got != "My long message" {
			t.Errorf("after %s the message is %q", code, got)
		}
		f.refuse = nil
		p.click(".answer .action.retry")
		p.wait("an answer", answerState+` === "done" && `+answerText+` === "My long message" && document.querySelectorAll(".variants").length === 0`)

		f.refuse = &protocol.Problem{Type: "t", Title: "No", Status: status, Code: code, ResetsAt: "2026-12-01T00:00:00Z"}
		p.send("Too long")
		p.waitFor("refused")
		f.refuse = nil
		p.click("[data-role=assistant]:last-child .action.pencil")
		p.wait("its text in the editor", `document.querySelector(".editor")?.value === "Too long" && document.activeElement === document.querySelector(".editor")`)
		p.enter(".editor", "er")
		p.wait("an answer to the edited message", answerText+` === "Too longer" && document.querySelectorAll("[data-role=user]").length === 2 && document.querySelectorAll(".variants").length === 0`)
	}
}

func TestAnEmptyAnswerSaysSo(t *testing.T) {
	t.Parallel()
	f := newFakeService(t)
	p := openPage(t, f)
	p.signIn()
	p.send("nothing")
	p.waitFor("done")
	p.waitSaying("The answer is empty.")
	p.eval(`(window.before = document.querySelector("[data-role=assistant]").dataset.message)`)
	p.click(".answer .action.retry")
	p.wait("another answer in its place", `document.querySelector("[data-role=assistant]")?.dataset.message !== window.before && `+answerState+` === "done"`)
	if got := len(f.submitted()); got != 2 {
		t.Errorf("%d submissions", got)
	}
}

func TestACutAnswerCanGoOn(t *testing.T) {
	t.Parallel()
	f := newFakeService(t)
	p := openPage(t, f)
	p.signIn()
	p.send("cut")
	p.waitFor("done")
	p.waitSaying("Cut off at the longest length allowed")
	p.click(".answer .action.play")
	p.wait("more", `document.querySelectorAll("[data-role=assistant][data-state=done]").length === 2`)
	last := f.submitted()[1].Messages
	if len(last) != 3 || last[1].Role != protocol.RoleAssistant {
		t.Errorf("submitted %+v", last)
	}
}

func TestEditingAndRegeneratingKeepWhatWas(t *testing.T) {
	t.Parallel()
	f := newFakeService(t)
	p := openPage(t, f)
	p.signIn()
	p.send("First")
	p.waitFor("done")
	p.send("Second")
	p.wait("two answers", `document.querySelectorAll("[data-role=assistant][data-state=done]").length === 2`)

	p.click(".question .edit")
	p.enter(".editor", " edited")
	p.wait("another branch", answerText+` === "First edited" && document.querySelectorAll("[data-role=assistant]").length === 1`)
	p.click(`.question .variants button:first-child`)
	p.wait("the earlier branch", answerText+` === "Second" && document.querySelectorAll("[data-role=assistant]").length === 2`)

	p.click(`[data-role=assistant]:last-child .regenerate`)
	p.wait("another answer", answerState+` === "done" && document.querySelector("[data-role=assistant]:last-child .variants")?.innerText.includes("2 / 2")`)
	p.reload()
	p.wait("it still", `document.querySelector("[data-role=assistant]:last-child .variants")?.innerText.includes("2 / 2")`)
	if got := len(f.submitted()); got != 4 {
		t.Errorf("%d submissions", got)
	}
}

func TestAMessageIsQueuedWhileAnAnswerIsWritten(t *testing.T) {
	t.Parallel()
	f := newFakeService(t)
	p := openPage(t, f)
	p.signIn()
	p.send("hold")
	p.wait("some words", answerText+` === "It goes on"`)
	p.send("And then")
	p.wait("a queued message", answerState+` === "queued"`)
	p.send("Never mind")
	p.wait("another", `document.querySelectorAll("[data-state=queued]").length === 2`)
	p.click("[data-state=queued]:last-child .action.trash")
	p.wait("one", `document.querySelectorAll("[data-state=queued]").length === 1`)
	close(f.released)
	p.wait("both answers", `document.querySelectorAll("[data-role=assistant][data-state=done]").length === 2`)
	bodies := f.submitted()
	if len(bodies) != 2 || len(bodies[1].Messages) != 3 {
		t.Errorf("submitted %+v", bodies)
	}
}

func TestTheModelCanBeChosen(t *testing.T) {
	t.Parallel()
	f := newFakeService(t)
	f.models = []map[string]string{{"id": "small"}, {"id": "large"}}
	p := openPage(t, f)
	p.signIn()
	p.visible("#model")
	p.eval(`(document.getElementById("model").value = "large", document.getElementById("model").dispatchEvent(new Event("change")))`)
	p.send("Hello")
	p.waitFor("done")
	p.reload()
	p.wait("the choice", `document.getElementById("model").value === "large"`)
	if got := f.submitted()[0].Model; got != "large" {
		t.Errorf("model %q", got)
	}
}

func TestTheMeterUsesOneUnit(t *testing.T) {
	t.Parallel()
	f := newFakeService(t)
	limit, left := int64(50_000_000), int64(49_990_383)
	f.usage.Tokens = protocol.TokensUsage{Limit: &limit, Used: limit - left, Remaining: &left}
	p := openPage(t, f)
	p.signIn()
	p.wait("the meter", `document.getElementById("usage").innerText.includes("49.99M of 50M left")`)
	more, moreLeft := int64(60_000_000), int64(59_990_383)
	f.mu.Lock()
	f.usage.Tokens = protocol.TokensUsage{Limit: &more, Used: limit - left, Remaining: &moreLeft}
	f.mu.Unlock()
	p.eval(`document.dispatchEvent(new Event("visibilitychange"))`)
	p.wait("the grant", `document.getElementById("usage").innerText.includes("59.99M of 60M left")`)
}

func TestReasoningAndToolsAreFolded(t *testing.T) {
	t.Parallel()
	f := newFakeService(t)
	p := openPage(t, f)
	p.signIn()
	p.send("think")
	p.waitFor("done")
	p.wait("folded reasoning", `document.querySelector(".reasoning")?.open === false && !document.querySelector(".reasoning").hidden`)
	if got := p.eval(`document.querySelector(".reasoning p").textContent + "|" + document.querySelector(".tool summary").textContent + "|" + document.querySelector(".tool pre").textContent.replace(/\s/g, "")`); got != `First I weigh it. |Called get_weather|{"city":"Zürich"}` {
		t.Errorf("the answer has %s", got)
	}
	if got := p.eval(answerText); got != "Then I say it." {
		t.Errorf("answer %q", got)
	}
	p.reload()
	p.wait("all again", `document.querySelectorAll(".tool").length === 1 && document.querySelector(".reasoning p").textContent !== ""`)
}

func TestFilesGoWithAMessage(t *testing.T) {
	t.Parallel()
	f := newFakeService(t)
	p := openPage(t, f)
	p.signIn()
	dropped := func(name, mediaType, content string) {
		p.eval(`(() => {
			const dataTransfer = new DataTransfer();
			dataTransfer.items.add(new File([` + content + `], "` + name + `", { type: "` + mediaType + `" }));
			document.getElementById("stage").dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true }));
		})()`)
	}
	dropped("notes.txt", "text/plain", `"Some notes"`)
	dropped("dot.png", "image/png", `Uint8Array.from(atob("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="), (c) => c.charCodeAt(0))`)
	dropped("app.exe", "application/octet-stream", `"MZ"`)
	p.wait("a refusal", `document.getElementById("notice").innerText === "app.exe is of no type that a model takes."`)
	dropped("extra.csv", "text/csv", `"a,b"`)
	p.wait("three files", `document.querySelectorAll("#files .file").length === 3`)
	p.click("#files .file:last-child button")
	p.send("What is this?")
	p.waitFor("done")
	message := f.submitted()[0].Messages[0]
	if len(message.Blocks) != 3 || message.Blocks[0].Type != protocol.BlockDocument || message.Blocks[1].Type != protocol.BlockImage || message.Blocks[2].Text != "What is this?" {
		t.Errorf("submitted %+v", message)
	}
	p.wait("them with the message", `document.querySelectorAll(".question .file").length === 2 && document.querySelectorAll(".question .file img").length === 1`)
	p.reload()
	p.wait("them after a reload", `document.querySelectorAll(".question .file").length === 2`)

	p.send("And now?")
	p.wait("another answer", `document.querySelectorAll("[data-role=assistant][data-state=done]").length === 2`)
	if first := f.submitted()[1].Messages[0]; len(first.Blocks) != 3 {
		t.Errorf("the files are not in the history: %+v", first)
	}

	p.click("[data-role=user]:first-child .edit")
	p.wait("the files in the editor", `document.querySelectorAll(".editing .file button").length === 2`)
	p.click(".editing .file:last-child button")
	p.enter(".editor", "s")
	p.wait("an answer without the picture", `document.querySelectorAll(".question .file").length === 1 && `+answerState+` === "done"`)
	if edited := f.submitted()[2].Messages[0]; len(edited.Blocks) != 2 || edited.Blocks[0].Type != protocol.BlockDocument {
		t.Errorf("edited %+v", edited)
	}
}
