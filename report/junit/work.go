package junit

import (
	"strings"

	"github.com/llama-regress/llama-regress/report"
)

// mostWorked are the functions of a test that are told.
const mostWorked = 10

// worked says in which functions the counted instructions of a row changed, in
// lines; "" where that is not known.
func worked(row report.Row, r report.Report) string {
	var b strings.Builder
	for _, w := range r.WorkOf(row) {
		b.WriteString(report.Titles.Works + ": " + message(w.Summary) + "\n")
		for i, f := range w.Functions {
			if i == mostWorked {
				break
			}
			b.WriteString("  " + message(w.Finding(f)) + "\n")
		}
		if len(w.Functions) <= mostWorked {
			b.WriteString("  " + message(w.Finding(w.Rest)) + "\n")
		}
		for _, n := range w.Notes {
			b.WriteString("  " + message(n) + "\n")
		}
	}
	return b.String()
}
