package report_test

import (
	"io"
	"testing"

	"github.com/llama-regress/llama-regress/report"
	"github.com/llama-regress/llama-regress/report/json"
	"github.com/llama-regress/llama-regress/report/junit"
	"github.com/llama-regress/llama-regress/report/markdown"
	"github.com/llama-regress/llama-regress/report/reporttest"
	"github.com/llama-regress/llama-regress/report/text"
)

// writers are the reports of one run. Together with New they have half a
// second for 500 cells of 20 blocks and 2 arms.
var writers = []struct {
	name  string
	write func(io.Writer, report.Report) error
}{
	{"text", func(w io.Writer, r report.Report) error { return text.Write(w, r, text.Options{}) }},
	{"markdown", func(w io.Writer, r report.Report) error { return markdown.Write(w, r, markdown.Options{}) }},
	{"junit", junit.Write},
	{"json", json.Write},
}

func BenchmarkReport(b *testing.B) {
	for _, size := range []struct {
		name  string
		cells int
	}{{"500 cells", 500}, {"5000 cells", 5000}} {
		c := reporttest.Grid(size.cells, 20)
		r := c.Report()
		b.Run(size.name+"/new", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				report.New(c.Result, c.Source)
			}
		})
		for _, w := range writers {
			b.Run(size.name+"/"+w.name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if err := w.write(io.Discard, r); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
