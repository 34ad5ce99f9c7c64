package html_test

import (
	"context"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"

	"github.com/llama-regress/llama-regress/report"
	"github.com/llama-regress/llama-regress/report/reporttest"
)

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
		if got, want := eval[int](p, shownDetails), 1+strings.Count(want, ","); got != want {
			t.Errorf("%s: %d details, want %d", when, got, want)
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
	shows("search by the key /", ids(r.Rows, func(row report.Row) bool { return strings.HasPrefix(row.Comparison.Metric.Name.Terminal(80), "ttft") }))
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
	for tone, side := range map[string]int{"soft": len(row.Comparison.Baseline.Trials), "link": len(row.Comparison.Candidate.Trials)} {
		if got := eval[int](p, detail+`.querySelectorAll(".strip svg path[fill='var(--`+tone+`)']").length`); got != side+1 {
			t.Errorf("the strip has %d marks of colour %s, want %d", got, tone, side+1)
		}
	}
	text := eval[string](p, detail+`.querySelector(".strip svg").textContent`)
	for _, want := range []string{"baseline base", "candidate head", "tok/s", "trials in the order in which they ran"} {
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
