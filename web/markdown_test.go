package web_test

import (
	"encoding/json"
	"strings"
	"testing"
)

// write sends a text of several lines, which the service answers with itself.
func (p page) write(text string) {
	p.t.Helper()
	literal, err := json.Marshal(text)
	if err != nil {
		p.t.Fatal(err)
	}
	p.eval(`(document.getElementById("prompt").value = ` + string(literal) + `, document.getElementById("composer").requestSubmit())`)
}

// hostile is an answer that would do harm as markup.
const hostile = "# <img src=x onerror=alert(1)>\n\n<script>document.title = 'owned'</script>\n\n[a](javascript:alert(1)) ![b](http://foreign.example/x.png)\n" +
	"- **<svg onload=alert(1)>** and </code><script>alert(1)</script>\n\n<iframe srcdoc='<script>alert(1)</script>'></iframe>\n\n" +
	"~~~html\"><img src=x>\n</pre><script>alert(1)</script>\n~~~\n\n<a href=\"javascript:alert(1)\" onclick=alert(1)>x</a> $\\href{javascript:alert(1)}{x}$ <math><mtext></mtext><style>*{}</style></math> end 日本 👩‍🚀"

func TestModelOutputDoesNoHarm(t *testing.T) {
	t.Parallel()
	f := newFakeService(t)
	p := openPage(t, f)
	p.signIn()
	p.write(hostile)
	p.waitFor("done")
	for _, want := range []string{"<img src=x onerror=alert(1)>", "<script>document.title = 'owned'</script>", "<svg onload=alert(1)>", "</pre><script>alert(1)</script>", "end 日本 👩‍🚀"} {
		if got := p.eval(answerText); !strings.Contains(got, want) {
			t.Errorf("the answer does not show %s:\n%s", want, got)
		}
	}
	harmful := `document.querySelectorAll("#messages :is(img, script, iframe, style, svg:not(button svg), [onload], [onerror], [onclick], [srcdoc], a:not([href^='http']))").length`
	if got := p.eval(harmful); got != "0" || strings.Contains(p.eval("document.title"), "owned") {
		t.Errorf("%s harmful elements", got)
	}
	if got := p.eval(`[...document.querySelectorAll("#messages a")].map((a) => a.target + " " + a.rel + " " + a.href).join()`); got != "_blank noopener noreferrer nofollow http://foreign.example/x.png" {
		t.Errorf("links %q", got)
	}
}

const rich = "# Title\n\n### Leap\n\nA **bold** and *slanted* line, ~~gone~~, `code`, \\*star\\*, https://example.com.\nA second line.\n\n" +
	"1. one\n   - nested\n     - deeper\n2. two\n\n- [x] done\n- [ ] open\n\n> quoted\n> > twice\n\n---\n\n| a | b |\n|---|---:|\n| 1 | $x^2$ |\n\n" +
	"It costs $5 or $6.\n\n$$\\frac{1}{2}$$\n\n~~~js\nconst a = 1;\n~~~\n"

func TestMarkdown(t *testing.T) {
	t.Parallel()
	f := newFakeService(t)
	p := openPage(t, f)
	p.signIn()
	p.write(rich)
	p.waitFor("done")
	p.wait("colours of code", `document.querySelector(".answer .hljs-keyword")?.textContent === "const"`)
	p.wait("formulas", `document.querySelectorAll(".answer math").length === 2`)
	for css, want := range map[string]int{
		"h3": 1, "h4": 1, "h5": 0, "strong": 1, "em": 1, "del": 1, "p > code": 1, "a[href='https://example.com']": 1, "p > br": 1,
		"ol > li": 2, "ol > li > ul > li > ul > li": 1, ".task": 2, "blockquote blockquote": 1, "hr": 1, ".table td": 2, "td math": 1,
		".math[data-display=true] mfrac": 1, ".code .copy": 1, "pre": 1,
	} {
		if got := p.eval(`document.querySelectorAll(".answer > .text ` + strings.ReplaceAll(css, ", ", ", .answer > .text ") + `").length`); got != itoa(want) {
			t.Errorf("%s of %s, want %d", got, css, want)
		}
	}
	if text := p.eval(answerText); !strings.Contains(text, "It costs $5 or $6.") || !strings.Contains(text, "*star*") {
		t.Errorf("the answer reads\n%s", text)
	}
}

// TestOnlyTheLastBlockChanges has blocks that are complete keep their elements,
// with whatever is selected in them, while the answer grows.
func TestOnlyTheLastBlockChanges(t *testing.T) {
	t.Parallel()
	f := newFakeService(t)
	p := openPage(t, f)
	p.signIn()
	p.send("blocks")
	p.wait("two blocks", `document.querySelectorAll(".answer > .text > *").length >= 2`)
	p.eval(`(window.first = document.querySelector(".answer > .text > *"), window.list = document.querySelector(".answer ul li"))`)
	p.waitFor("done")
	if got := p.eval(`[window.first.isConnected, document.querySelectorAll(".answer > .text > *").length, document.querySelectorAll(".answer li").length].join()`); got != "true,4,40" {
		t.Errorf("kept, blocks and items: %s", got)
	}
}

func TestRightToLeft(t *testing.T) {
	t.Parallel()
	f := newFakeService(t)
	p := openPage(t, f)
	p.signIn()
	p.write("مرحبا بالعالم\n\n- واحد\n- اثنان\n\nEnglish")
	p.waitFor("done")
	direction := func(css string) string {
		return p.eval(`getComputedStyle(document.querySelector("` + css + `")).direction`)
	}
	for _, css := range []string{".question .text", ".answer > .text > p", ".answer ul", ".entry-title", "#title"} {
		if got := direction(css); got != "rtl" {
			t.Errorf("%s reads %s", css, got)
		}
	}
	if got := direction(".answer > .text > p:last-child"); got != "ltr" {
		t.Errorf("an English paragraph reads %s", got)
	}
	p.eval(`document.getElementById("prompt").value = "שלום"`)
	if got := direction("#prompt"); got != "rtl" {
		t.Errorf("the box reads %s", got)
	}
}
