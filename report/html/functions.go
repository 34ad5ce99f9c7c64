package html

import (
	"html/template"
	"regexp"

	"github.com/llama-regress/llama-regress/compare"
	"github.com/llama-regress/llama-regress/report"
)

// functions are what the template needs beyond html/template's own escaping,
// which makes foreign text safe; they make it fit to be read.
var functions = template.FuncMap{
	"line":    func(f report.Foreign) template.HTML { return f.HTML(200) },
	"short":   func(f report.Foreign) template.HTML { return f.HTML(40) },
	"lines":   func(f report.Foreign) template.HTML { return f.HTMLBlock(8192) },
	"words":   words,
	"titles":  func() any { return report.Titles },
	"minus":   report.Minus,
	"rounded": rounded,
	"symbol":  func(c report.Class) string { return classes[c].symbol },
	"class":   func(c report.Class) string { return classes[c].name },
	"present": present,
	"from":    from,
	"dict":    dict,
}

// classes are told apart by symbol and word; colour only helps.
var classes = map[report.Class]struct{ symbol, name string }{
	report.Regression:   {"▼", "regression"},
	report.NotMeasured:  {"✕", "not measured"},
	report.Suspected:    {"▽", "suspected"},
	report.Improvement:  {"▲", "improvement"},
	report.Inconclusive: {"?", "inconclusive"},
	report.Unjudged:     {"–", "not judged"},
	report.NoFailure:    {"○", "no failure"},
	report.Equivalent:   {"=", "equivalent"},
}

// tone says how the verdict looks. A run that passes only because nothing was
// decided does not look like a pass.
func tone(r report.Report) (class, symbol string) {
	switch {
	case r.Outcome == compare.Regressed:
		return string(report.Regression), "▼"
	case r.Outcome == compare.MeasurementFailed, r.Outcome == compare.NothingCompared:
		return string(report.NotMeasured), "✕"
	case r.Outcome == compare.Passed && r.Status == "Pass":
		return string(report.Improvement), "✓"
	}
	return string(report.Inconclusive), "?"
}

// negative matches the hyphen of a number below zero, not that of a date.
var negative = regexp.MustCompile(`(^|[^0-9A-Za-z])-([0-9])`)

// words renders a text of the report: our words as they are, names as code.
func words(t report.Text) template.HTML {
	return template.HTML(t.Render(
		func(s string) string { return template.HTMLEscapeString(negative.ReplaceAllString(s, "$1−$2")) },
		func(f report.Foreign) string { return "<code>" + string(f.HTML(200)) + "</code>" },
	))
}

// A classCount is how many rows one class has.
type classCount struct {
	Class report.Class
	N     int
}

// present counts the classes that have rows, in reading order.
func present(rows []rowView) []classCount {
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

// from returns the texts from the i-th on.
func from(list []report.Text, i int) []report.Text {
	return list[min(i, len(list)):]
}

// dict passes several values to a template, names and values in turn.
func dict(pairs ...any) map[string]any {
	m := make(map[string]any, len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i].(string)] = pairs[i+1]
	}
	return m
}
