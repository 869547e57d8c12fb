package web_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// TestNoFaultsToSee looks at the page in both sizes and both themes: no
// violation that axe-core finds, no shift of what stands already, no request to
// anybody else, no violation of the content security policy (which fails every
// test: see watchConsole).
func TestNoFaultsToSee(t *testing.T) {
	axe, err := os.ReadFile("testdata/axe.min.js")
	if err != nil {
		t.Fatal(err)
	}
	for name, size := range map[string][2]int64{"desktop": {1280, 800}, "phone": {390, 844}} {
		for _, theme := range []string{"light", "dark"} {
			t.Run(name+", "+theme, func(t *testing.T) {
				f := newFakeService(t)
				f.models = []map[string]string{{"id": "small"}, {"id": "large"}}
				p := page{t, browser(t, size[0], size[1])}
				p.prefer(theme)
				p.run(chromedp.Navigate(f.URL))
				p.watchShifts()
				p.visible("#demo")
				p.wantNoViolations(axe, "signing in")
				p.signIn()
				p.wantNoViolations(axe, "an empty conversation")
				p.write(rich)
				p.waitFor("done")
				p.wait("colours and formulas", `document.querySelector(".hljs-keyword") !== null && document.querySelectorAll(".answer math").length === 2`)
				p.send("fail")
				p.waitFor("failed")
				p.wantNoViolations(axe, "answers")
				p.wantNoShift()
				p.wantNothingForeign(f)
				p.keepScreenshot(name + "-" + theme)
			})
		}
	}
}

func (p page) prefer(theme string) {
	p.t.Helper()
	params := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: theme}}}
	if _, err := chromedp.Call(p.ctx, emulation.SetEmulatedMedia, params); err != nil {
		p.t.Fatal(err)
	}
}

// wantNoViolations runs axe-core with the rules of WCAG 2.2 AA and its best
// practices.
func (p page) wantNoViolations(axe []byte, when string) {
	p.t.Helper()
	p.eval(`(() => {` + string(axe) + `; window.found = null; axe.run(document).then(({ violations }) => (window.found = JSON.stringify(
		violations.map(({ id, help, nodes }) => ({ id, help, where: nodes.map(({ html }) => html.slice(0, 150)) }))))); })()`)
	p.wait("axe-core", `window.found !== null`)
	var violations []struct {
		ID, Help string
		Where    []string
	}
	if err := json.Unmarshal([]byte(p.eval(`window.found`)), &violations); err != nil {
		p.t.Fatal(err)
	}
	for _, violation := range violations {
		p.t.Errorf("%s: %s (%s):\n%s", when, violation.ID, violation.Help, strings.Join(violation.Where, "\n"))
	}
}

// watchShifts notes every shift but those within a table, whose columns find
// their widths as rows come.
func (p page) watchShifts() {
	p.t.Helper()
	p.eval(`(() => {
		window.shifts = [];
		const counts = (e) => !e.hadRecentInput && e.sources.some(({ node }) => !node?.parentElement?.closest(".table"));
		new PerformanceObserver((list) => list.getEntries().filter(counts).forEach((e) => window.shifts.push(
			e.value.toFixed(4) + " " + e.sources.map(({ node }) => node?.id || node?.className || node?.nodeName).join("+"))))
			.observe({ type: "layout-shift", buffered: true });
	})()`)
}

func (p page) wantNoShift() {
	p.t.Helper()
	if shifts := p.eval(`window.shifts.join("; ")`); shifts != "" {
		p.t.Errorf("the layout shifts: %s", shifts)
	}
}

func (p page) wantNothingForeign(f *fakeService) {
	p.t.Helper()
	foreign := `performance.getEntriesByType("resource").map(({ name }) => name).filter((name) => !name.startsWith("` + f.URL + `")).join()`
	if got := p.eval(foreign); got != "" {
		p.t.Errorf("the page has asked %s", got)
	}
}

// keepScreenshot writes what is seen into the folder SCREENSHOTS, if it is set.
func (p page) keepScreenshot(name string) {
	p.t.Helper()
	folder := os.Getenv("SCREENSHOTS")
	if folder == "" {
		return
	}
	png, err := chromedp.Run(p.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(folder+"/"+name+".png", png, 0o600); err != nil {
		p.t.Fatal(err)
	}
}
