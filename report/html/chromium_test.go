package html_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"

	"github.com/llama-regress/llama-regress/report"
	"github.com/llama-regress/llama-regress/report/reporttest"
)

// What the page shows, as JavaScript.
const (
	// aMark is an estimate: nothing else in the forest is round.
	aMark       = `#forest svg path[d*='A4.5']`
	forestMarks = `document.querySelectorAll("` + aMark + `").length`
	shownRows   = `[...document.querySelectorAll("#comparisons tr.row")].filter(tr => tr.offsetHeight > 0).map(tr => tr.id).join()`
	// tooWide is by how much one has to scroll sideways to read the page.
	tooWide = `document.documentElement.scrollWidth - innerWidth`
)

// Every page opens from a disk with no network, draws what it has and makes no
// noise.
func TestEveryCaseOpens(t *testing.T) {
	chromium := browser(t)
	for _, c := range append(reporttest.Cases(), reporttest.Grid(500, 20)) {
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

// ids of the rows that a test keeps, as shownRows gives them.
func ids(rows []report.Row, keep func(report.Row) bool) string {
	var list []string
	for _, row := range rows {
		if keep(row) {
			list = append(list, row.ID)
		}
	}
	return strings.Join(list, ",")
}

// One reader works through a page: filter, search, sort, details, links, keys.
func TestReading(t *testing.T) {
	r := reporttest.Regression().Report()
	p := open(t, browser(t), render(t, r), look{})
	all := ids(r.Rows, func(report.Row) bool { return true })
	shows := func(when, want string) {
		t.Helper()
		if got := eval[string](p, shownRows); got != want {
			t.Errorf("%s: shows %s, want %s", when, got, want)
		}
	}
	shows("at first", all)

	p.do(chromedp.Click(chromedp.CSS(`[data-filter=equivalent]`)))
	shows("without the equivalent", ids(r.Rows, func(row report.Row) bool { return row.Class != report.Equivalent }))
	if got, want := eval[int](p, forestMarks), 9; got != want {
		t.Errorf("without the equivalent the forest has %d marks, want %d", got, want)
	}
	if got := eval[string](p, `document.getElementById("shown").textContent`); got != "13 of 16 shown" {
		t.Errorf("says %q", got)
	}
	p.do(chromedp.Click(chromedp.CSS(`[data-filter=equivalent]`)))
	shows("with them again", all)

	p.do(press("/"), chromedp.KeyEvent("TTFT conc"))
	shows("search by the key /", ids(r.Rows, func(row report.Row) bool { return strings.HasPrefix(row.Comparison.Metric.Name, "ttft") }))
	p.do(chromedp.KeyEvent("\x1b"))
	shows("after escape", all)
	if got := eval[string](p, `document.activeElement.tagName`); got != "BODY" {
		t.Errorf("after escape the focus is on %s", got)
	}

	for _, order := range []string{"ascending", "descending"} {
		p.do(chromedp.Click(chromedp.CSS(`#comparisons th:nth-child(5) button`)))
		if got := eval[string](p, `document.querySelector("#comparisons th:nth-child(5)").ariaSort`); got != order {
			t.Errorf("sorted %s, want %s", got, order)
		}
		gains := eval[[]float64](p, `[...document.querySelectorAll("#comparisons tr.row")].map(tr => parseFloat(tr.cells[4].dataset.sort || "99"))`)
		for i := 1; i < len(gains); i++ { // the unknown, 99, are last either way
			if order == "ascending" && gains[i-1] > gains[i] || order == "descending" && gains[i-1] < gains[i] && gains[i] != 99 {
				t.Errorf("sorted %s: %v", order, gains)
				break
			}
		}
	}
	if paired := eval[bool](p, `[...document.querySelectorAll("#comparisons tr.row")].every(tr => tr.nextElementSibling.className === "more")`); !paired {
		t.Error("sorting parted rows from their details")
	}

	// A link to a row that a filter hides shows, opens and draws it.
	last := r.Rows[len(r.Rows)-1]
	p.do(chromedp.Click(chromedp.CSS(`[data-filter=equivalent]`)))
	eval[string](p, `location.hash = "#`+last.ID+`"`)
	detail := `document.getElementById("` + last.ID + `").nextElementSibling.querySelector("details")`
	p.wait(detail + `.open && ` + detail + `.querySelector(".strip svg")`)
	inside(t, p, last.ID)
	checkStrip(t, p, detail, last)
	p.photograph("regression-details")

	// So does one into the folded null control.
	eval[string](p, `location.hash = "#`+r.Controls[3].ID+`"`)
	p.wait(`document.querySelector("#controls .strip svg")`)
	inside(t, p, r.Controls[3].ID)

	// A click on a mark of the forest leads to its row.
	p.do(chromedp.Evaluate[chromedp.Void](`scrollTo(0, document.getElementById("forest").offsetTop - 100)`))
	at := eval[struct{ X, Y float64 }](p, `(({x, y, width, height}) => ({x: x + width / 2, y: y + height / 2}))(document.querySelector("`+aMark+`").getBoundingClientRect())`)
	p.do(chromedp.MouseClickXY(at.X, at.Y))
	p.wait(`document.querySelector("tr.here") && document.querySelector("tr.here").id === document.querySelector("#comparisons tr.row:not([hidden])").id`)

	p.quiet()
}

// press is a key as a keyboard has it: what the page prevents does not happen.
func press(key string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, input.DispatchKeyEvent, input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeKeyDown, Key: key, Text: key})
		if err != nil {
			return err
		}
		_, err = cdp.Call(ctx, t, input.DispatchKeyEvent, input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeKeyUp, Key: key})
		return err
	})
}

// inside checks that a row can be seen without scrolling.
func inside(t *testing.T, p *tab, id string) {
	t.Helper()
	box := `document.getElementById("` + id + `").getBoundingClientRect()`
	p.wait(box + `.top >= 0 && ` + box + `.bottom <= innerHeight`)
}

// checkStrip checks that a strip has a mark for every trial, and one a side in
// its legend.
func checkStrip(t *testing.T, p *tab, detail string, row report.Row) {
	t.Helper()
	for tone, side := range map[string]int{"soft": len(row.Comparison.Baseline.Trials), "link": len(row.Comparison.Contender.Trials)} {
		if got := eval[int](p, detail+`.querySelectorAll(".strip svg path[fill='var(--`+tone+`)']").length`); got != side+1 {
			t.Errorf("the strip has %d marks of colour %s, want %d", got, tone, side+1)
		}
	}
	text := eval[string](p, detail+`.querySelector(".strip svg").textContent`)
	for _, want := range []string{"baseline base", "contender head", "tok/s", "trials in the order in which they ran"} {
		if !strings.Contains(text, want) {
			t.Errorf("the strip does not say %q: %s", want, text)
		}
	}
}

func TestLinkOpensRow(t *testing.T) {
	r := reporttest.Regression().Report()
	id := r.Rows[9].ID
	p := open(t, browser(t), render(t, r), look{fragment: id})
	p.wait(`document.querySelector("#` + id + `.here + .more details[open] .strip svg")`)
	inside(t, p, id)
	p.quiet()
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
	for _, name := range []string{"</script><script>alert(1)</script>", "__f__alert(2)__f__", "<img src=x onerror=alert(3)>", "{{.}} ${{ github.token }}"} {
		if !strings.Contains(text, name) {
			t.Errorf("the page does not show %q", name)
		}
	}
	if drawn := eval[string](p, `document.querySelector("#forest svg").textContent`); !strings.Contains(drawn, "</script><script>alert(1)</script>") {
		t.Error("the forest does not show the name of a script")
	}
	// Tooltips show names, too; no label of an axis says slower.
	at := eval[struct{ X, Y float64 }](p, `(scrollTo(0, document.getElementById("forest").offsetTop), ({x, y}) => ({x: x + 4, y: y + 4}))(document.querySelector("`+aMark+`").getBoundingClientRect())`)
	p.do(chromedp.MouseEvent("mouseMoved", at.X-30, at.Y), chromedp.MouseEvent("mouseMoved", at.X, at.Y))
	p.wait(`document.querySelector("#forest svg").textContent.includes("slower")`)
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
	for _, c := range []reporttest.Case{reporttest.Regression(), reporttest.Contenders(), reporttest.Hostile()} {
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
		for _, want := range []string{row.Label, row.Figures.Baseline, report.Minus(row.Figures.Change), report.Minus(row.Figures.Interval())} {
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
	trial := r.Rows[0].Comparison.Baseline.Trials[0].Trial
	p.wait(`document.body.innerText.includes("` + trial + `")`)
	p.photograph("regression-no-script")
	p.quiet()
}

// What quiet looks for is noticed: a page that does all of it.
func TestNoiseIsNoticed(t *testing.T) {
	page := string(render(t, reporttest.Pass().Report()))
	page = strings.Replace(page, "</main>", `<img src="https://example.invalid/x.png"><script>alert(1)</script><p id="x" onclick="alert(2)">x</p></main>`, 1)
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
