package html_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/llama-regress/llama-regress/compare/history"
	"github.com/llama-regress/llama-regress/compare/history/historytest"
	"github.com/llama-regress/llama-regress/report"
	"github.com/llama-regress/llama-regress/report/html"
	"github.com/llama-regress/llama-regress/report/reporttest"
)

func renderNightly(t testing.TB, n report.Nightly) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := html.WriteNightly(&b, n, html.Options{}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestNightlyGolden(t *testing.T) {
	t.Parallel()
	for _, n := range reporttest.Nights(t) {
		if n.Name == "year" {
			continue // opened below
		}
		t.Run(n.Name, func(t *testing.T) {
			var b bytes.Buffer
			if err := html.WriteNightly(&b, n.Nightly, html.Options{WithoutCharts: true}); err != nil {
				t.Fatal(err)
			}
			page := b.String() // up to the data and scripts, which are as long as the rest
			reporttest.Golden(t, "nightly-"+n.Name+".html", page[strings.Index(page, "<body>"):strings.Index(page, "<footer")])
		})
	}
}

// What the page shows, as JavaScript.
const (
	drawnTrends = `document.querySelectorAll("[data-trend].drawn svg").length`
	// aNight is the dot of one: a circle, which nothing else of a trend is.
	nightsDrawn = `(id => document.querySelectorAll("#" + id + " [data-trend] svg path[d*='A']").length)`
)

// The page of a year opens from a disk with no network, draws what is open,
// and says the same as the report.
func TestNightlyOpens(t *testing.T) {
	chromium := browser(t)
	n := reporttest.YearOfNights(t)
	m := n.Machines[0]
	p := open(t, chromium, renderNightly(t, n), look{})
	p.wait(drawnTrends + ` > 0`)
	if got := eval[int](p, `document.querySelectorAll("main > section > article.point").length`); got != 4 {
		t.Errorf("%d open regressions, want 4", got)
	}
	if got := eval[string](p, `document.querySelector("h1").textContent`); !strings.HasSuffix(got, n.Status) {
		t.Errorf("the heading is %q", got)
	}
	if over := eval[int](p, tooWide); over > 0 {
		t.Errorf("the page is %d px too wide", over)
	}
	text := eval[string](p, `document.body.innerText`)
	for _, c := range m.ChangePoints[:3] {
		for _, want := range []string{report.Minus(c.Rows[0].Figures.Change), c.FirstBad.Started.Format("2006-01-02")} {
			if !strings.Contains(text, want) {
				t.Errorf("%q is not to be seen", want)
			}
		}
	}
	// A trend opens by its link, drawn with its break, its change and every night.
	id := eval[string](p, `document.querySelectorAll("article.point .moves a")[2].hash.slice(1)`)
	p.do(chromedp.Evaluate[chromedp.Void](`location.hash = "#` + id + `"`))
	p.wait(`document.querySelector("#` + id + ` [data-trend] svg")`)
	if got := eval[string](p, `document.querySelector("#`+id+` svg").textContent`); !strings.Contains(got, "break: differs in kernel") || !strings.Contains(got, m.ChangePoints[2].FirstBad.Started.Format("2006-01-02")) {
		t.Errorf("the trend says %q", got)
	}
	if got, want := eval[int](p, nightsDrawn+`("`+id+`")`), len(m.Trends[0].Nights); got < want || got > want+3 {
		t.Errorf("%d dots for %d nights", got, want)
	}
	p.photograph("nightly")
	// The search narrows the list, and finds again what it hid.
	p.do(chromedp.Evaluate[chromedp.Void](`document.getElementById("search").value = "calm"; document.getElementById("search").dispatchEvent(new Event("input"))`))
	if got := eval[int](p, `[...document.querySelectorAll("details.trend")].filter(d => d.offsetHeight > 0).length`); got != 1 {
		t.Errorf("%d trends of calm, want 1", got)
	}
	p.do(chromedp.Evaluate[chromedp.Void](`location.hash = ""; location.hash = "#` + id + `"`))
	p.wait(`document.getElementById("` + id + `").offsetHeight > 0`)
	p.quiet()
}

// In the dark, on paper, on a phone and without JavaScript the page says the
// same.
func TestNightlyLooks(t *testing.T) {
	chromium := browser(t)
	n := reporttest.YearOfNights(t)
	page := renderNightly(t, n)
	for name, how := range map[string]look{"dark": {dark: true}, "narrow": {width: 400, height: 800}, "no-script": {noScript: true}} {
		p := open(t, chromium, page, how)
		if !how.noScript {
			p.wait(drawnTrends + ` > 0`)
		}
		if over := eval[int](p, tooWide); over > 0 {
			t.Errorf("%s: %d px too wide", name, over)
		}
		text := eval[string](p, `document.body.innerText`)
		for _, row := range n.Machines[0].ChangePoints[0].Rows {
			for _, want := range []string{row.Figures.Baseline, report.Minus(row.Figures.Change), n.Headline} {
				if !strings.Contains(text, want) {
					t.Errorf("%s: %q cannot be read", name, want)
				}
			}
		}
		if shown := eval[bool](p, `document.getElementById("search").offsetHeight > 0`); shown != !how.noScript {
			t.Errorf("%s: the search is shown: %v", name, shown)
		}
		p.photograph("nightly-" + name)
		p.quiet()
	}
}

// Paper has the charts too, also those that nobody scrolled to, in ink.
func TestNightlyPrint(t *testing.T) {
	p := open(t, browser(t), renderNightly(t, reporttest.YearOfNights(t)), look{dark: true})
	eval[int](p, `dispatchEvent(new Event("beforeprint")), 1`)
	p.do(emulate(look{dark: true, print: true}))
	p.wait(`getComputedStyle(document.body).backgroundColor === "rgb(255, 255, 255)"`)
	if got := eval[int](p, `[...document.querySelectorAll("article.point > .chart svg")].filter(svg => svg.getBoundingClientRect().height > 100).length`); got != 4 {
		t.Errorf("%d charts of open regressions on paper, want 4", got)
	}
	if eval[bool](p, `document.getElementById("search").offsetHeight > 0`) {
		t.Error("the search is on paper")
	}
	p.photograph("nightly-print")
	p.quiet()
}

// Names that would be markup, script or links are shown as they are.
func TestNightlyHostile(t *testing.T) {
	p := open(t, browser(t), renderNightly(t, reporttest.HostileNights(t)), look{})
	eval[int](p, `document.querySelectorAll("details").forEach(d => d.open = true), 1`)
	p.wait(drawnTrends + ` > 0`)
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
	if over := eval[int](p, tooWide); over > 0 {
		t.Errorf("%d px too wide", over)
	}
	p.photograph("nightly-hostile")
	p.quiet()
}

// BenchmarkWriteNightly writes the page of 100 cells of 1 000 nights, a step in
// each. Budget: 1 s and 4 MB, of which ECharts has 1.1.
func BenchmarkWriteNightly(b *testing.B) {
	s := historytest.Story{Machine: "bench-01", Nights: 1000, Noise: 0.01, Seed: 4}
	for i := range 100 {
		s.Cells = append(s.Cells, historytest.Cell{Model: fmt.Sprintf("m%03d", i), Test: "tg128", Level: 100, Steps: map[int]float64{150 + 7*i: 0.93}})
	}
	_, c := historytest.Store(b, s.Runs())
	n := report.NewNightly(history.Analyze(c, history.TrendOptions{}), report.NightlySource{})
	var page bytes.Buffer
	for b.Loop() {
		page.Reset()
		if err := html.WriteNightly(&page, n, html.Options{}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(page.Len())/1e6, "MB/page")
}
