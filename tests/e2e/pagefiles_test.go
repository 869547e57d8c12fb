package e2e_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// picture is a real one, and larger than what goes into a body.
func picture(t *testing.T) []byte {
	t.Helper()
	picture := image.NewRGBA(image.Rect(0, 0, 160, 160))
	for i := range 160 * 160 {
		x, y := i%160, i/160
		picture.Set(x, y, color.RGBA{uint8(x * y), uint8(x*x + y), uint8(x ^ y*7), 255}) //nolint:gosec // any colours
	}
	var encoded bytes.Buffer
	if err := png.Encode(&encoded, picture); err != nil {
		t.Fatal(err)
	}
	return encoded.Bytes()
}

// give has a file arrive by an event of the page: paste at the message box, or drop
// on the stage.
func (p tab) give(event, target, name, mediaType string, data []byte) {
	p.t.Helper()
	carrier := map[string]string{"paste": `new ClipboardEvent("paste", { clipboardData: files, bubbles: true, cancelable: true })`, "drop": `new DragEvent("drop", { dataTransfer: files, bubbles: true, cancelable: true })`}[event]
	p.eval(fmt.Sprintf(`(() => {
		const files = new DataTransfer();
		files.items.add(new File([Uint8Array.from(atob(%q), (c) => c.charCodeAt(0))], %q, { type: %q }));
		document.getElementById(%q).dispatchEvent(%s);
	})()`, base64.StdEncoding.EncodeToString(data), name, mediaType, target, carrier))
}

// TestThePageSendsFiles: chosen, pasted and dropped, they reach the model byte by
// byte, are shown with their message, also after a reload, and what cannot be sent
// says why and leaves the text alone.
func TestThePageSendsFiles(t *testing.T) {
	t.Parallel()
	tab := newTab(t)
	h := cloud(t)
	demo := &person{h, t, h.Config.DemoUser, h.Demo(t)}
	tab.do(chromedp.Navigate(h.Cloud.URL()), chromedp.Click(chromedp.CSS("#demo")), chromedp.WaitVisible(chromedp.CSS("#prompt")))
	tab.wait("a connection", `document.getElementById("connection").dataset.state === "open"`)
	tab.instruct("echo rate=0 reasoning=40")

	photo, note, table := picture(t), []byte("# Notes"), []byte("city,celsius\nKöln,7.5\n")
	path := filepath.Join(t.TempDir(), "photo.png")
	if err := os.WriteFile(path, photo, 0o600); err != nil {
		t.Fatal(err)
	}
	tab.do(chromedp.SendKeys(chromedp.CSS("#prompt"), "Compare them."), chromedp.SetUploadFiles(chromedp.CSS("#file"), []string{path}))
	tab.give("paste", "prompt", "notes.md", "", note)
	tab.give("drop", "stage", "table.csv", "text/csv", table)
	tab.give("drop", "stage", "app.exe", "application/octet-stream", []byte("MZ"))
	tab.wait("a refusal that leaves the rest", `document.getElementById("notice").innerText === "app.exe is of no type that a model takes." &&
		document.getElementById("prompt").value === "Compare them." && document.querySelectorAll("#files .file").length === 3`)
	tab.send("")
	tab.waitFor("done")
	for _, want := range []string{ofSize("image png", photo), `document "notes" ` + ofSize("md", note), `document "table" ` + ofSize("csv", table), `text "Compare them."`} {
		if told := tab.eval(answerText); !strings.Contains(letters(told), letters(want)) {
			t.Errorf("the model was asked\n%s\nwithout %s", told, want)
		}
	}
	const shown = `document.querySelectorAll(".question .file").length === 3 && document.querySelectorAll(".question .file img").length === 1 &&
		document.querySelector(".reasoning:not([hidden])")?.open === false && document.querySelector(".reasoning p").textContent.length > 50 && ` + answerState + ` === "done"`
	tab.wait("files and folded reasoning", shown)
	tab.do(chromedp.Reload(), chromedp.WaitVisible(chromedp.CSS("#prompt")))
	tab.wait("them after a reload", shown+` && document.querySelector(".question .text").textContent === "Compare them."`)

	// A document alone: Converse wants words beside it.
	tab.give("drop", "stage", "alone.txt", "text/plain", []byte("words"))
	tab.send("")
	tab.wait("an answer to a document alone", `document.querySelectorAll("[data-role=assistant][data-state=done]").length === 2`)
	if told := tab.eval(answerText); !strings.Contains(letters(told), letters(`text "alone.txt"`)) {
		t.Errorf("the model was asked %s", told)
	}

	// More documents than a message may have are refused by the service; the message
	// stays, and goes without one of them.
	for i := range 4 {
		tab.give("drop", "stage", fmt.Sprintf("page %d.txt", i), "text/plain", []byte("words"))
	}
	tab.send("And these?")
	tab.waitFor("refused")
	if problem := tab.eval(`document.querySelector(".problem:not([hidden])").innerText`); !strings.Contains(problem, "5 documents") {
		t.Errorf("the page says %q", problem)
	}
	tab.do(chromedp.Click(chromedp.CSS("[data-role=assistant]:last-child .action.pencil")))
	tab.wait("the message in the editor", `document.querySelector(".editor").value === "And these?" && document.querySelectorAll(".editing .file button").length === 4`)
	for range 3 {
		tab.do(chromedp.Click(chromedp.CSS(".editing .file:last-child button")))
	}
	tab.do(chromedp.SendKeys(chromedp.CSS(".editor"), "\r"))
	tab.wait("an answer without them", `document.querySelectorAll("[data-role=assistant][data-state=done]").length === 3 && document.querySelectorAll(".question .file").length === `+strconv.Itoa(3+1+1))
	demo.settled()
}
