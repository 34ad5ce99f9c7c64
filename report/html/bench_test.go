package html_test

import (
	"bytes"
	"fmt"
	"runtime"
	"testing"

	"github.com/llama-regress/llama-regress/fixtures/effort"
	"github.com/llama-regress/llama-regress/report/html"
	"github.com/llama-regress/llama-regress/report/reporttest"
)

// A page of 500 cells, 20 blocks and 2 arms stays small enough to be mailed.
// Where fewer cells are written, all that grew with them is counted for 500.
func TestSize(t *testing.T) {
	t.Parallel()
	const budget, all = 4_000_000, 500
	cells := effort.Size(all, 60)
	empty, n := len(render(t, reporttest.Pass().Report())), len(render(t, reporttest.Grid(cells, 20).Report()))
	if n += (n - empty) * (all - cells) / cells; n > budget {
		t.Errorf("%d bytes, budget %d", n, budget)
	}
}

// BenchmarkWrite writes pages of many cells, each of 20 blocks and 2 arms.
// Budgets: 500 cells in 0.5 s; 5 000 cells in 5 s and 400 MB of live memory,
// the report's own included.
func BenchmarkWrite(b *testing.B) {
	for _, cells := range []int{500, 5000} {
		b.Run(fmt.Sprint(cells), func(b *testing.B) {
			r := reporttest.Grid(cells, 20).Report()
			var page bytes.Buffer
			b.ReportAllocs()
			for b.Loop() {
				page.Reset()
				if err := html.Write(&page, r, html.Options{}); err != nil {
					b.Fatal(err)
				}
			}
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			b.ReportMetric(float64(page.Len())/1e6, "MB/page")
			b.ReportMetric(float64(m.HeapSys)/1e6, "MB-heap")
			runtime.KeepAlive(r)
		})
	}
}

// BenchmarkOpen opens the page of 500 cells, 20 blocks and 2 arms in Chromium,
// from asking for it until its charts are drawn. Budget: 2 s on an idle
// machine.
func BenchmarkOpen(b *testing.B) {
	page := render(b, reporttest.Grid(500, 20).Report())
	chromium := browser(b)
	total := 0.0
	for b.Loop() {
		p := open(b, chromium, page, look{})
		p.wait(forestMarks + " === 30 && performance.timing.loadEventEnd > 0")
		total += eval[float64](p, "performance.timing.loadEventEnd - performance.timing.navigationStart")
		p.close()
	}
	b.ReportMetric(total/float64(b.N), "ms-until-loaded/op")
}
