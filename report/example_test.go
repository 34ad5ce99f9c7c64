package report_test

import (
	"fmt"
	"io"
	"strings"

	"github.com/llama-regress/llama-regress/report"
	"github.com/llama-regress/llama-regress/report/html"
	"github.com/llama-regress/llama-regress/report/json"
	"github.com/llama-regress/llama-regress/report/junit"
	"github.com/llama-regress/llama-regress/report/markdown"
	"github.com/llama-regress/llama-regress/report/reporttest"
	"github.com/llama-regress/llama-regress/report/text"
)

// From a result of compare.Run, and the run behind it, to words.
func ExampleNew() {
	bad := reporttest.Regression() // a simulated pull request that makes some cells slower
	r := report.New(bad.Result, bad.Source)
	fmt.Println(r.Outcome, "-", r.Status)
	worst := r.Rows[0].Comparison
	fmt.Println(worst.Metric.Name.Terminal(40), worst.Verdict)
	// Output:
	// regression - Regression
	// pp512 regression
}

// One report, five formats.
func Example_write() {
	pass := reporttest.Pass()
	r := report.New(pass.Result, pass.Source)
	for name, write := range map[string]func(io.Writer, report.Report) error{
		"html":     func(w io.Writer, r report.Report) error { return html.Write(w, r, html.Options{}) },
		"json":     json.Write,
		"junit":    junit.Write,
		"markdown": func(w io.Writer, r report.Report) error { return markdown.Write(w, r, markdown.Options{}) },
		"text":     func(w io.Writer, r report.Report) error { return text.Write(w, r, text.Options{Width: 80}) },
	} {
		var b strings.Builder
		if err := write(&b, r); err != nil || b.Len() == 0 {
			panic(fmt.Sprint(name, err))
		}
		if name == "junit" {
			fmt.Println(strings.SplitN(b.String(), "\n", 2)[0])
		}
	}
	// Output:
	// <?xml version="1.0" encoding="UTF-8"?>
}

// Text from outside is bounded and kept to one line; each writer escapes it for
// its medium.
func ExampleLine() {
	fmt.Println(report.Line("two\nlines of <b>a program</b>", 24))
	// Output:
	// two lines of <b>a progr…
}
