package web_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/tracing"
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
// same text into an element that only shows it, and reports what the browser's
// own trace says: milliseconds of processor that the main thread takes for a
// delta and in its longest task (a frame of 60 a second has 16.7), and the
// frames drawn and dropped in the 10 s, which depend on what else the machine does.
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
	for unit, of := range map[string]figures{"": markdown, "plain-": plain} {
		b.ReportMetric(of.task/longDeltas, unit+"ms/delta")
		b.ReportMetric(of.longest, unit+"longest-ms")
		b.ReportMetric(of.drawn, unit+"drawn")
		b.ReportMetric(of.dropped, unit+"dropped")
	}
	b.ReportMetric(markdown.task/plain.task, "ratio")
}

// figures are what the browser's trace says of an action.
type figures struct {
	task    float64 // ms of processor that the main thread took
	longest float64 // of those ms, in one task
	drawn   float64 // frames
	dropped float64 // frames
}

func measured(p page, prepare, action func(page)) figures {
	p.t.Helper()
	prepare(p)
	return p.traced(func() { action(p) }).figures(p.t)
}

// traceEvent is an event of Chromium's trace; times are in µs.
type traceEvent struct {
	Name     string  `json:"name"`
	Process  int     `json:"pid"`
	Thread   int     `json:"tid"`
	Duration float64 `json:"dur"`
	CPU      float64 `json:"tdur"`
	Args     struct {
		Name string `json:"name"` // of a thread
	} `json:"args"`
}

type trace []traceEvent

// traced has the browser trace an action.
func (p page) traced(action func()) trace {
	p.t.Helper()
	var mu sync.Mutex
	var events trace
	done := make(chan struct{})
	ctx, stop := context.WithCancel(p.ctx)
	defer stop()
	err := chromedp.ListenBrowser(ctx, func(event any) {
		switch e := event.(type) {
		case *tracing.EventDataCollected:
			mu.Lock()
			defer mu.Unlock()
			for _, value := range e.Value {
				var one traceEvent
				if json.Unmarshal(value, &one) == nil {
					events = append(events, one)
				}
			}
		case *tracing.EventTracingComplete:
			close(done)
		}
	})
	if err != nil {
		p.t.Fatal(err)
	}
	categories := []string{"disabled-by-default-devtools.timeline", "devtools.timeline.frame", "disabled-by-default-devtools.timeline.frame", "__metadata"}
	if _, err := chromedp.CallBrowser(p.ctx, tracing.Start, tracing.StartParams{TraceConfig: &tracing.TraceConfig{IncludedCategories: categories}}); err != nil {
		p.t.Fatal(err)
	}
	action()
	if _, err := chromedp.CallBrowser(p.ctx, tracing.End, cdp.Empty{}); err != nil {
		p.t.Fatal(err)
	}
	select {
	case <-done:
	case <-p.ctx.Done():
		p.t.Fatal("the trace does not end")
	}
	mu.Lock()
	defer mu.Unlock()
	return events
}

// figures are those of the page, the only one that draws.
func (t trace) figures(tb testing.TB) (f figures) {
	tb.Helper()
	drawn := map[int]float64{} // by process
	for _, e := range t {
		if e.Name == "DrawFrame" {
			drawn[e.Process]++
		}
	}
	process := 0
	for p, frames := range drawn {
		if frames > drawn[process] {
			process = p
		}
	}
	if process == 0 {
		tb.Fatalf("no frame is drawn in the %d events of the trace", len(t))
	}
	f.drawn = drawn[process]
	main := 0
	for _, e := range t {
		if e.Process == process && e.Name == "thread_name" && e.Args.Name == "CrRendererMain" {
			main = e.Thread
		}
	}
	for _, e := range t {
		switch {
		case e.Process != process:
		case e.Name == "RunTask" && e.Thread == main:
			f.task += e.CPU / 1000
			f.longest = max(f.longest, e.CPU/1000)
		case e.Name == "DroppedFrame":
			f.dropped++
		}
	}
	return f
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
