package export

import (
	"encoding/csv"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/stats"
)

var csvColumns = []string{
	"run", "host", "started", "arm", "commit", "build", "workload", "model", "cell",
	"metric", "unit", "better", "trial", "block", "order", "trial_started", "outcome", "failure",
	"value", "censored", "repetitions", "succeeded", "requests",
}

type csvWriter struct{ csv *csv.Writer }

// NewCSV writes a heading and one row for each trial and metric. The value is
// empty for a failed trial. Text that a spreadsheet would run as a formula is
// put behind an apostrophe.
func NewCSV(w io.Writer) Writer {
	c := csv.NewWriter(w)
	c.Write(csvColumns) // an error stays until Close
	return &csvWriter{c}
}

func (w *csvWriter) Add(run *record.Run) error {
	arms, cells := tables(run)
	for _, t := range run.Trials {
		arm, cell := arms[t.Arm], cells[t.Cell]
		for _, m := range cell.Metrics {
			measured, ok := t.Measurement(m.Name)
			if !ok && t.Counts() {
				continue
			}
			failure, value, censored, repetitions, succeeded, requests := "", "", "", "", "", ""
			if t.Outcome == record.Failed {
				failure = string(t.Failure.Class)
			}
			if t.Counts() {
				value = number(stats.Median(measured.Values))
				censored = strconv.FormatBool(measured.Censored)
				repetitions = strconv.Itoa(len(measured.Values))
				if c := measured.Count; c != nil {
					succeeded, requests = strconv.Itoa(c.Succeeded), strconv.Itoa(c.Total)
				}
			}
			w.csv.Write([]string{
				text(run.ID), text(run.Host.Name), stamp(run.Started), text(arm.Name), text(arm.Build.Commit), strconv.Itoa(arm.Build.Number),
				text(cell.Workload), text(cell.Model), text(cell.Key), text(m.Name), text(m.Unit), m.Better.String(),
				text(t.ID), strconv.Itoa(t.Block), strconv.Itoa(t.Order), stamp(t.Start), string(t.Outcome), text(failure),
				value, censored, repetitions, succeeded, requests,
			})
		}
	}
	return w.csv.Error()
}

func (w *csvWriter) Close() error {
	w.csv.Flush()
	return w.csv.Error()
}

// text keeps a name from being run as a formula (CWE-1236).
func text(s string) string {
	s = oneLine(s)
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}

func number(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
