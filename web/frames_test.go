package web_test

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/performance"
	"github.com/chromedp/chromedp"
)

// How the long answer comes: 5,000 tokens in 100 deltas, ten a second, which is
// six times as fast as a usual model.
const (
	longDeltas = 100
	longEvery  = 100 * time.Millisecond
)

// longPieces is an answer of 5,000 tokens (4 characters each) with everything
// that costs work: lists, a table, code, formulas.
func longPieces() []string {
	section := "## Section %d\n\nA paragraph with **bold**, *slanted* and `code` words, a [link](https://example.com/) and a formula $x_%d^2 + 1$. " +
		strings.Repeat("Words follow each other as they do in any answer of some length. ", 5) + "\n\n" +
		"- one item of a list\n- another with `code`\n  - and one below it\n\n| a | b |\n|---|---|\n| 1 | 2 |\n| 3 | 4 |\n\n~~~go\nfunc add(a, b int) int {\n\treturn a + b // the sum\n}\n~~~\n\n"
	var text strings.Builder
	for n := 1; text.Len() < 20_000; n++ {
		fmt.Fprintf(&text, section, n, n)
	}
	return split(text.String()[:20_000], 20_000/longDeltas)
}

// BenchmarkALongAnswer streams an answer of 5,000 tokens into the page, and the
// same text into an element that only shows it, and reports what the browser
// says of its main thread: milliseconds of processor a delta (a frame of 60 a
// second has 16.7), their ratio, and frames that came late (after more than 1.5
// frames) in 10 s, which depends on what else the machine does.
//
//	go test ./web -run '^$' -bench ALongAnswer -benchtime 1x
func BenchmarkALongAnswer(b *testing.B) {
	var markdown, plain figures
	for b.Loop() {
		f := newFakeService(b)
		markdown = measured(openPage(b, f), func(p page) {
			p.signIn()
			p.wait("a connection", `document.getElementById("connection").dataset.state === "open"`)
		}, func(p page) {
			p.send("long")
			p.waitFor("done")
		})
		plain = measured(openPage(b, f), func(p page) { p.visible("#demo") }, func(p page) { p.showPlain(longPieces()) })
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(markdown.task/longDeltas, "ms/delta")
	b.ReportMetric(plain.task/longDeltas, "plain-ms/delta")
	b.ReportMetric(markdown.task/plain.task, "ratio")
	b.ReportMetric(markdown.late, "late-frames")
	b.ReportMetric(plain.late, "plain-late-frames")
}

// figures are what an action took: ms of the main thread and late frames.
type figures struct{ task, late float64 }

func measured(p page, prepare, action func(page)) figures {
	p.t.Helper()
	prepare(p)
	if _, err := chromedp.Call(p.ctx, performance.Enable, performance.EnableParams{TimeDomain: performance.EnableTimeDomainThreadTicks}); err != nil {
		p.t.Fatal(err)
	}
	p.eval(`(() => {
		window.late = 0;
		let last = performance.now();
		const frame = (now) => {
			if (now - last > 25) window.late++;
			last = now;
			requestAnimationFrame(frame);
		};
		requestAnimationFrame(frame);
	})()`)
	before := p.taskTime()
	action(p)
	late, err := strconv.ParseFloat(p.eval(`window.late`), 64)
	if err != nil {
		p.t.Fatal(err)
	}
	return figures{task: p.taskTime() - before, late: late}
}

// taskTime is how long the main thread of the page was busy, in ms.
func (p page) taskTime() float64 {
	p.t.Helper()
	result, err := chromedp.Call(p.ctx, performance.GetMetrics, cdp.Empty{})
	if err != nil {
		p.t.Fatal(err)
	}
	for _, metric := range result.Metrics {
		if metric.Name == "TaskDuration" {
			return metric.Value * 1_000
		}
	}
	p.t.Fatal("the browser has no TaskDuration")
	return 0
}

// showPlain has pieces of text appended to an element, as a page without
// Markdown would do, and waits for the last.
func (p page) showPlain(pieces []string) {
	p.t.Helper()
	literal, err := json.Marshal(pieces)
	if err != nil {
		p.t.Fatal(err)
	}
	p.eval(`(() => {
		const pieces = ` + string(literal) + `;
		const shown = document.createElement("p");
		shown.style.whiteSpace = "pre-wrap";
		shown.style.overflow = "auto";
		shown.style.height = "700px";
		document.body.replaceChildren(shown);
		window.timer = setInterval(() => {
			if (pieces.length === 0) return clearInterval(window.timer), (window.over = true);
			const piece = pieces.shift();
			requestAnimationFrame(() => (shown.append(piece), (shown.scrollTop = shown.scrollHeight)));
		}, ` + strconv.Itoa(int(longEvery.Milliseconds())) + `);
	})()`)
	p.wait("the end", `window.over === true`)
}
