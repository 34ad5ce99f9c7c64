package html_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/llama-regress/llama-regress/fixtures/effort"
	"github.com/llama-regress/llama-regress/report"
	"github.com/llama-regress/llama-regress/report/reporttest"
)

// What the page shows, as JavaScript.
const (
	// aMark is an estimate: nothing else in the forest is round.
	aMark        = `#forest svg path[d*='A4.5']`
	forestMarks  = `document.querySelectorAll("` + aMark + `").length`
	shownRows    = `[...document.querySelectorAll("#comparisons tr.row")].filter(tr => tr.offsetHeight > 0).map(tr => tr.id).join()`
	shownDetails = `[...document.querySelectorAll("#comparisons tr.more")].filter(tr => tr.offsetHeight > 0).length`
	// tooWide is by how much one has to scroll sideways to read the page.
	tooWide = `document.documentElement.scrollWidth - innerWidth`
)

// Every page opens from a disk with no network, draws what it has and makes no
// noise.
func TestEveryCaseOpens(t *testing.T) {
	t.Parallel()
	chromium := browser(t)
	for _, c := range append(reporttest.Cases(), reporttest.Grid(effort.Size(500, 120), effort.Size(20, 6))) {
		t.Run(c.Name, func(t *testing.T) {
			r := c.Report()
			p := open(t, chromium, render(t, r), look{})
			if got, want := eval[int](p, `document.querySelectorAll("tr.row").length`), len(r.Rows)+len(r.Controls); got != want {
				t.Errorf("%d rows, want %d", got, want)
			}
			want := 0
			for _, row := range chartsOf(t, tables(t, r))[:len(r.Rows)] {
				if row.Gain != nil && want < 30 { // so many are seen at once
					want++
				}
			}
			if got := eval[int](p, forestMarks); got != want {
				t.Errorf("the forest has %d marks, want %d", got, want)
			}
			if got := eval[string](p, `document.querySelector("h1").textContent`); !strings.HasSuffix(got, r.Status) {
				t.Errorf("the heading is %q, want %q", got, r.Status)
			}
			if over := eval[int](p, tooWide); over > 0 {
				t.Errorf("the page is %d px too wide", over)
			}
			p.photograph(c.Name)
			p.quiet()
		})
	}
}

// Names that would be markup, script or links are shown as they are.
func TestHostileStaysText(t *testing.T) {
	r := reporttest.Hostile().Report()
	p := open(t, browser(t), render(t, r), look{})
	eval[int](p, `document.querySelectorAll("details").forEach(d => d.open = true), 1`)
	strips := fmt.Sprint(len(r.Rows) + len(r.Controls))
	p.wait(`document.querySelectorAll(".strip svg").length === ` + strips)
	for what, n := range map[string]int{
		"img, iframe, object, embed, video, audio, form, base": 0,
		"script": 3, "a[href^=javascript]": 0, "a[href^=http]": 0, "svg a": 0, "svg image": 0,
	} {
		if got := eval[int](p, `document.querySelectorAll("`+what+`").length`); got != n {
			t.Errorf("%d elements %s, want %d", got, what, n)
		}
	}
	text := eval[string](p, `document.body.innerText`)
	for _, name := range []string{"</b><b>bold & plain</b>", `{1: [2]}; /* 3 */ // 4`, "<img alt=x>", "{{.}} ${{ 1 }}"} {
		if !strings.Contains(text, name) {
			t.Errorf("the page does not show %q", name)
		}
	}
	if drawn := eval[string](p, `document.querySelector("#forest svg").textContent`); !strings.Contains(drawn, "</b><b>bold & plain</b>") {
		t.Error("the forest does not show the name with tags")
	}
	// Tooltips show names, too; no label of an axis says slower.
	for !eval[bool](p, `document.querySelector("#forest svg").textContent.includes("slower")`) { // the mark may move on while strips are drawn
		at := eval[struct{ X, Y float64 }](p, `(scrollTo(0, document.getElementById("forest").offsetTop), ({x, y}) => ({x: x + 4, y: y + 4}))(document.querySelector("`+aMark+`").getBoundingClientRect())`)
		p.do(chromedp.MouseEvent("mouseMoved", at.X-30, at.Y), chromedp.MouseEvent("mouseMoved", at.X, at.Y))
	}
	p.quiet()
}

// Dark where the reader's system is, light on paper whatever it is; charts
// follow without being drawn anew.
func TestDarkAndPrint(t *testing.T) {
	r := reporttest.Regression().Report()
	p := open(t, browser(t), render(t, r), look{dark: true, fragment: r.Rows[0].ID})
	p.wait(`document.querySelector(".strip svg")`)
	const paper = `getComputedStyle(document.body).backgroundColor`
	const label = `getComputedStyle([...document.querySelectorAll("#forest svg text")].find(e => e.textContent.includes("success_rate"))).fill`
	if got := eval[string](p, paper) + eval[string](p, label); got != "rgb(20, 24, 29)rgb(255, 138, 128)" {
		t.Errorf("dark: paper and label are %s", got)
	}
	p.photograph("regression-dark")
	p.do(emulate(look{dark: true, print: true}))
	p.wait(paper + ` === "rgb(255, 255, 255)"`)
	if got := eval[string](p, label); got != "rgb(179, 38, 30)" {
		t.Errorf("print: a label is %s", got)
	}
	for what, shown := range map[string]bool{"#search": false, ".command button": false, "h1": true, ".command code": true, "#comparisons": true} {
		if got := eval[bool](p, `document.querySelector("`+what+`").offsetHeight > 0`); got != shown {
			t.Errorf("print: %s is shown: %v, want %v", what, got, shown)
		}
	}
	// A page of A4 is narrower than the window in which the charts were drawn.
	// The wait ends after the page's own for another width.
	p.do(chromedp.EmulateViewport(720, 1000))
	p.wait(`innerWidth === 720`)
	p.do(chromedp.Evaluate[chromedp.Void](`new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 200))))`, chromedp.EvalAwaitPromise))
	for _, chart := range []string{"#forest", ".strip.drawn"} {
		size := eval[struct{ Width, Height, Right float64 }](p, `(box => ({width: box.offsetWidth, height: box.offsetHeight, right: Math.max(...[...box.querySelectorAll("svg > g > *")].map(e => e.getBoundingClientRect().right))}))(document.querySelector("`+chart+`"))`)
		if size.Width < 600 || size.Height < 100 || size.Right < 500 || size.Right > 720 {
			t.Errorf("print: %s takes %.0f by %.0f px of 720, what it shows ends at %.0f", chart, size.Width, size.Height, size.Right)
		}
	}
	p.photograph("regression-print")
	pdf, err := chromedp.Run(p.ctx, chromedp.PrintToPDF())
	if err != nil || !bytes.HasPrefix(pdf, []byte("%PDF-")) {
		t.Errorf("printing: %v", err)
	}
	p.quiet()
}

// A phone shows every number without scrolling sideways.
func TestNarrow(t *testing.T) {
	chromium := browser(t)
	for _, c := range []reporttest.Case{reporttest.Regression(), reporttest.Candidates(), reporttest.Hostile()} {
		r := c.Report()
		p := open(t, chromium, render(t, r), look{width: 400, height: 800, fragment: r.Rows[0].ID})
		p.wait(`document.querySelector(".strip svg")`)
		if over := eval[int](p, tooWide); over > 0 {
			t.Errorf("%s: %d px too wide", c.Name, over)
		}
		if tall := eval[float64](p, `Math.max(...[...document.querySelectorAll(".strip.drawn + .trials tbody tr")].map(tr => tr.offsetHeight))`); tall > 60 {
			t.Errorf("%s: a trial is %.0f px tall", c.Name, tall)
		}
		for _, cell := range []string{"change", "margin", "base", "head"} {
			if right := eval[float64](p, `Math.max(...[...document.querySelectorAll("#comparisons .`+cell+`")].map(td => td.getBoundingClientRect().right))`); right > 400 {
				t.Errorf("%s: %s ends at %.0f px of 400", c.Name, cell, right)
			}
		}
		p.photograph(c.Name + "-narrow")
		p.quiet()
	}
}

// Without JavaScript everything but the charts can be read.
func TestWithoutScript(t *testing.T) {
	r := reporttest.Regression().Report()
	p := open(t, browser(t), render(t, r), look{noScript: true})
	if n := eval[int](p, `document.querySelectorAll("svg, th button, .command button").length`); n != 0 {
		t.Fatalf("%d things that only a script makes: scripts ran, so this shows nothing", n)
	}
	text := eval[string](p, `document.body.innerText`)
	for _, row := range r.Rows {
		for _, want := range []string{row.Label.Terminal(200), row.Figures.Baseline, report.Minus(row.Figures.Change), report.Minus(row.Figures.Interval())} {
			if !strings.Contains(text, want) {
				t.Errorf("%s: %q cannot be read", row.ID, want)
			}
		}
	}
	for _, hidden := range []string{".filters", "#forest", ".chartnote", ".strip"} {
		if eval[int](p, `document.querySelector("`+hidden+`").offsetHeight`) != 0 {
			t.Errorf("%s is shown and does nothing", hidden)
		}
	}
	p.do(chromedp.Click(chromedp.CSS(`#comparisons tr.more summary`)))
	trial := r.Rows[0].Comparison.Baseline.Trials[0].Trial.Terminal(200)
	p.wait(`document.body.innerText.includes("` + trial + `")`)
	p.photograph("regression-no-script")
	p.quiet()
}

// What quiet looks for is noticed: a page that does all of it.
func TestNoiseIsNoticed(t *testing.T) {
	page := string(render(t, reporttest.Pass().Report()))
	page = strings.Replace(page, "</main>", `<img src="https://example.invalid/x.png"><script>void 0</script><p id="x" onclick="void 0">x</p></main>`, 1)
	chromium := browser(t)
	p := open(t, chromium, []byte(page), look{})
	p.do(chromedp.Evaluate[chromedp.Void](`console.error("x"); setTimeout(() => { throw new Error("y") })`))
	for _, want := range []string{"script-src", "img-src", "console.error", "exception"} {
		heard := func() bool { return strings.Contains(strings.Join(p.noise(), "\n"), want) }
		for !heard() && p.ctx.Err() == nil {
			eval[int](p, "1")
		}
		if !heard() {
			t.Errorf("nothing is heard of %s", want)
		}
	}
	allowed := strings.Replace(page, "img-src data:", "img-src data: https:", 1)
	p = open(t, chromium, []byte(allowed), look{})
	for !strings.Contains(strings.Join(p.noise(), "\n"), "asked for https://example.invalid/x.png") && p.ctx.Err() == nil {
		eval[int](p, "1")
	}
	if p.ctx.Err() != nil {
		t.Error("nothing is heard of a request")
	}
}
