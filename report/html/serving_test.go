package html_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/llama-regress/llama-regress/fixtures/effort"
	"github.com/llama-regress/llama-regress/report"
	"github.com/llama-regress/llama-regress/report/reporttest"
)

// drawnCharts counts what is drawn of each kind.
const drawnCharts = `Object.entries([...document.querySelectorAll(".chart")].filter(e => e.querySelector("svg path")).reduce((n, e) => (n[e.dataset.kind] = (n[e.dataset.kind] ?? 0) + 1, n), {})).sort().join(" ")`

// The charts of serving draw in light, in the dark and on a phone, each of what
// the report says.
func TestServing(t *testing.T) {
	r := reporttest.Serving().Report()
	page, chromium := render(t, r), browser(t)
	for name, how := range map[string]look{"serving-light": {}, "serving-dark": {dark: true}, "serving-narrow": {width: 400, height: 800}} {
		p := open(t, chromium, page, how)
		p.wait(`document.querySelector("#serving .chart svg")`)
		if got, want := eval[string](p, drawnCharts), "capacity,1 outcomes,2 shift,2 ttft,2"; got != want {
			t.Errorf("%s: draws %q, want %q", name, got, want)
		}
		eval[int](p, `document.querySelectorAll(".served:not([open]), .served[open] .trial").forEach(d => d.open = true), 1`)
		p.wait(`document.querySelectorAll(".trial .chart svg").length >= 12`)
		if got, want := eval[string](p, drawnCharts), "capacity,1 machine,12 outcomes,3 shift,3 ttft,3"; got != want {
			t.Errorf("%s: opened, it draws %q, want %q", name, got, want)
		}
		if over := eval[int](p, tooWide); over > 0 {
			t.Errorf("%s: %d px too wide", name, over)
		}
		if name == "serving-light" {
			checkServing(p, r)
		}
		eval[int](p, `document.querySelectorAll(".served .trial").forEach((d, i) => d.open = i < 2), 1`)
		p.photograph(name)
		p.quiet()
		p.close()
	}
}

// checkServing compares the tables under the charts with the report.
func checkServing(p *tab, r report.Report) {
	cells := eval[[][]string](p, `[...document.querySelectorAll(".served")].map(d => [d.querySelector("summary b").textContent, ...[...d.querySelectorAll("table.data")[1].tBodies[0].rows].map(tr => [...tr.cells].slice(1, 4).map(td => td.textContent.trim()).join())])`)
	for _, cell := range cells {
		var arms []report.Serving
		for _, s := range r.Serving {
			if s.Label == report.AsForeign(cell[0]) {
				arms = append(arms, s)
			}
		}
		if len(arms) != 3 || len(cell) != 100 {
			p.Fatalf("%s: %d arms and %d percentiles", cell[0], len(arms), len(cell)-1)
		}
		for at := 1; at <= 99; at++ {
			for i, got := range strings.Split(cell[at], ",") {
				want := arms[i].TTFT.At(at)
				var x float64
				if want == nil && got == "failed" {
					continue
				}
				if _, err := fmt.Sscan(got, &x); err != nil || want == nil || math.Abs(x-1000**want) > 0.01 {
					p.Errorf("%s, %s, percentile %d: %s, want %v s", cell[0], arms[i].Arm, at, got, want)
				}
			}
		}
	}
	sums := eval[[]string](p, `[...document.querySelectorAll("[data-kind=outcomes] + .scroll tbody tr")].map(tr => tr.cells[0].textContent.trim() + " " + [...tr.cells].slice(1).map(td => Number(td.textContent)).reduce((a, b) => a + b))`)
	if len(sums) != len(r.Serving) {
		p.Errorf("%d rows of outcomes, want %d", len(sums), len(r.Serving))
	}
	for _, sum := range sums {
		if !strings.HasSuffix(sum, " 240") {
			p.Errorf("outcomes add up to %s, want 240", sum)
		}
	}
	marks := eval[int](p, `[...document.querySelectorAll(".trial table.data")].flatMap(t => [...t.tBodies[0].rows]).map(tr => Number(tr.cells[tr.cells.length - 1].textContent)).reduce((a, b) => a + b)`)
	want := eval[int](p, `[...document.querySelectorAll(".trial > summary .caveat")].map(e => parseInt(e.textContent.slice(2))).reduce((a, b) => a + b)`)
	if marks != want || want == 0 {
		p.Errorf("%d failures are marked in time, want %d", marks, want)
	}
}

// What a page shows of serving is bounded, and the rest is counted.
func TestServingIsBounded(t *testing.T) {
	t.Parallel()
	const budget = 4_000_000
	cells := effort.Size(60, 15)
	r := reporttest.ServingGrid(cells, 4).Report()
	page := string(render(t, r))
	if len(page) > budget {
		t.Errorf("%d bytes, budget %d", len(page), budget)
	}
	if n := strings.Count(page, `<details class="served"`); n != 12 {
		t.Errorf("%d cells have charts, want 12", n)
	}
	for _, want := range []string{fmt.Sprintf("%d more cells have no charts here", cells-12), "6 more trials of this cell are in run.json"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if n := strings.Count(page, "<tr><td>"); n > 60_000 {
		t.Errorf("%d rows of tables", n)
	}
}

// The table of serving has a column for failures when there are any, and all of
// it is to be seen on an ordinary screen.
func TestServingTableFits(t *testing.T) {
	quiet := reporttest.Serving().Report()
	for i := range quiet.Serving {
		quiet.Serving[i].Classes = nil
	}
	chromium := browser(t)
	for name, c := range map[string]struct {
		report report.Report
		column bool
	}{"failures": {reporttest.Serving().Report(), true}, "none": {quiet, false}} {
		p := open(t, chromium, render(t, c.report), look{width: 1280, height: 800})
		heads := eval[string](p, `document.querySelector("table.serving thead").innerText`)
		if got := strings.Contains(heads, "failed by class"); got != c.column {
			t.Errorf("%s: the column of classes is there: %t, want %t", name, got, c.column)
		}
		if over := eval[int](p, `(e => e.scrollWidth - e.clientWidth)(document.querySelector("table.serving").parentElement)`); over > 0 {
			t.Errorf("%s: %d px do not fit", name, over)
		}
		p.quiet()
		p.close()
	}
}
