package web_test

import (
	"encoding/json"
	"strconv"
	"testing"

	"github.com/streaming-service/streaming-service/protocol"
)

func itoa(n int) string { return strconv.Itoa(n) }

// TestARefusedMessageIsKept has every refusal keep its message, to be edited or
// sent again.
func TestARefusedMessageIsKept(t *testing.T) {
	f := newFakeService(t)
	p := openPage(t, f)
	p.signIn()
	for code, status := range map[protocol.Code]int{protocol.CodeQuotaExceeded: 429, protocol.CodePayloadTooLarge: 413, protocol.CodeBlocked: 403, protocol.CodeInvalidRequest: 400} {
		p.click("#new-chat")
		limit := json.Number("100")
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
	f := newFakeService(t)
	p := openPage(t, f)
	p.signIn()
	p.send("nothing")
	p.waitFor("done")
	p.waitSaying("The answer is empty.")
	p.eval(`(window.before = document.querySelector("[data-role=assistant]").dataset.message)`)
	p.click(".answer .action.retry")
	p.wait("another answer in its place", `document.querySelector("[data-role=assistant]").dataset.message !== window.before && `+answerState+` === "done"`)
	if got := len(f.submitted()); got != 2 {
		t.Errorf("%d submissions", got)
	}
}

func TestACutAnswerCanGoOn(t *testing.T) {
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
	f := newFakeService(t)
	p := openPage(t, f)
	p.signIn()
	p.send("40 words")
	p.wait("some words", answerText+`.includes("word3 ")`)
	p.send("And then")
	p.wait("a queued message", answerState+` === "queued"`)
	p.send("Never mind")
	p.wait("another", `document.querySelectorAll("[data-state=queued]").length === 2`)
	p.click("[data-state=queued]:last-child .action.trash")
	p.wait("one", `document.querySelectorAll("[data-state=queued]").length === 1`)
	p.wait("both answers", `document.querySelectorAll("[data-role=assistant][data-state=done]").length === 2`)
	bodies := f.submitted()
	if len(bodies) != 2 || len(bodies[1].Messages) != 3 {
		t.Errorf("submitted %+v", bodies)
	}
}

func TestTheModelCanBeChosen(t *testing.T) {
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
