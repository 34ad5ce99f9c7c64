// Package export writes stored sessions as other programs read them: CSV for
// spreadsheets and data frames, the Go benchmark format for benchstat, and the
// SQLite table of llama-bench for compare-llama-bench.py.
//
// Every format has one row or line for each trial and metric, whose value is
// the median of the trial's repetitions: trials are what a reader may treat as
// independent of one another.
package export

import (
	"strings"
	"unicode"

	"github.com/llama-regress/llama-regress/ci/record"
)

// A Writer takes runs one after another, valid ones. Close ends the output,
// which is of no use before; it must be called also after an error.
type Writer interface {
	Add(run *record.Run) error
	Close() error
}

// tables finds the arms and cells of a run by the names its trials use.
func tables(run *record.Run) (arms map[string]record.Arm, cells map[string]record.Cell) {
	arms, cells = make(map[string]record.Arm), make(map[string]record.Cell)
	for _, a := range run.Arms {
		arms[a.Name] = a
	}
	for _, c := range run.Cells {
		cells[c.Key] = c
	}
	return arms, cells
}

// oneLine makes text of a record fit for a line of text.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
}
