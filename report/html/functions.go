package html

import (
	"fmt"
	"html/template"
	"strings"

	"github.com/llama-regress/llama-regress/compare"
	"github.com/llama-regress/llama-regress/report"
)

// functions are what the template needs beyond html/template's own escaping,
// which makes foreign text safe; they make it fit to be read.
var functions = template.FuncMap{
	"line":    func(s string) string { return report.Line(s, 200) },
	"lines":   func(s string) string { return report.Block(s, 8192) },
	"words":   words,
	"minus":   report.Minus,
	"symbol":  func(c report.Class) string { return classes[c].symbol },
	"class":   func(c report.Class) string { return classes[c].name },
	"outcome": func(o compare.Outcome) string { return outcomeSymbols[o] },
	"number":  func(v float64) string { return strings.TrimSuffix(fmt.Sprintf("%.6g", v), ".0") },
	"present": present,
	"trials":  trials,
	"facts":   func(fs []report.Fact, keys ...string) []report.Fact { return pick(fs, keys) },
	"several": func(n int) bool { return n > 1 },
}

// classes are told apart by symbol and word; colour only helps.
var classes = map[report.Class]struct{ symbol, name string }{
	report.Regression:   {"▼", "regression"},
	report.NotMeasured:  {"✕", "not measured"},
	report.Suspected:    {"▽", "suspected"},
	report.Improvement:  {"▲", "improvement"},
	report.Inconclusive: {"?", "inconclusive"},
	report.Unjudged:     {"–", "not judged"},
	report.Equivalent:   {"=", "equivalent"},
}

var outcomeSymbols = map[compare.Outcome]string{
	compare.Regressed:         "▼",
	compare.MeasurementFailed: "✕",
	compare.NothingCompared:   "✕",
	compare.Undecided:         "?",
	compare.Passed:            "✓",
}

// words renders a text of the report: our words as they are, names as code.
func words(t report.Text) template.HTML {
	return template.HTML(t.Render(
		func(s string) string { return template.HTMLEscapeString(report.Minus(s)) },
		func(s string) string { return "<code>" + template.HTMLEscapeString(report.Line(s, 200)) + "</code>" },
	))
}

// foreignText is a text as one line that a chart's tooltip may show as text.
func foreignText(t report.Text) string {
	return t.Render(report.Minus, func(s string) string { return report.Line(s, 120) })
}

// A classCount is how many rows one class has.
type classCount struct {
	Class report.Class
	N     int
}

// present counts the classes that have rows, in reading order.
func present(rows []report.Row) []classCount {
	n := make(map[report.Class]int)
	for _, r := range rows {
		n[r.Class]++
	}
	var cs []classCount
	for _, c := range report.Classes {
		if n[c] > 0 {
			cs = append(cs, classCount{c, n[c]})
		}
	}
	return cs
}

// A trialRow is one block of a comparison: the table under its strip.
type trialRow struct {
	Order, Block    int
	Arm             string
	Value           float64
	Trial           string
	Contender, Last bool
}

// trials merges both sides in measured order.
func trials(c compare.Comparison) []trialRow {
	var rows []trialRow
	b, h := c.Baseline.Trials, c.Contender.Trials
	for len(b)+len(h) > 0 {
		if len(h) == 0 || len(b) > 0 && b[0].Order <= h[0].Order {
			rows = append(rows, trialRow{Order: b[0].Order, Block: b[0].Block, Arm: c.Baseline.Arm, Value: b[0].Value, Trial: b[0].Trial})
			b = b[1:]
		} else {
			rows = append(rows, trialRow{Order: h[0].Order, Block: h[0].Block, Arm: c.Contender.Arm, Value: h[0].Value, Trial: h[0].Trial, Contender: true})
			h = h[1:]
		}
	}
	return rows
}

func pick(fs []report.Fact, keys []string) []report.Fact {
	var picked []report.Fact
	for _, key := range keys {
		for _, f := range fs {
			if f.Key == key {
				picked = append(picked, f)
			}
		}
	}
	return picked
}
