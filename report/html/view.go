package html

import (
	"html/template"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/llama-regress/llama-regress/compare"
	"github.com/llama-regress/llama-regress/report"
)

// A view is a report as the template reads it: with what has to be gathered
// from several rows before the first can be written.
type view struct {
	report.Report
	Tone       string // class whose colour the verdict has
	Mark       string // symbol of the verdict
	Confidence string // of the intervals: "90%"
	Candidates bool   // there is more than one, so rows name theirs
	Count      string // what replicates are: "blocks"
	Undrawn    int    // rows that the forest has no place for
	Rows       []rowView
	Reasons    []reasonView // that several rows have, said once above them
	Controls   []rowView
	Maps       []heatMap
	Failures   []failure
	Served     []served // cells with charts
	MoreServed int      // cells without
	Lines      []report.Serving
	MoreLines  int
	Failing    bool // a request of these failed
	Sweeps     []sweep
	Rule       string // behind the sweeps' findings
	StudyRule  string // what the schedulers' numbers are
	Grids      []gridView
	GridRule   string // what their numbers are
	Works      []workView
	MoreWorks  int    // without a chart
	WorkRule   string // what their numbers are
}

func newView(r report.Report) view {
	v := view{Report: r, Confidence: confidence(r.Rows), Candidates: report.SeveralCandidates(r.Rows), Count: "trials", Maps: heatMaps(r.Rows), Failures: failures(r.Failures)}
	v.Tone, v.Mark = tone(r)
	switch r.Method {
	case compare.Paired:
		v.Count = "blocks"
	case compare.Historical:
		v.Count = "sessions"
	}
	v.Rows, v.Controls = newRowViews(r.Rows), newRowViews(r.Controls)
	said := report.Repeated(r.Rows)
	for i, t := range said.Sentences(len(r.Rows)) {
		v.Reasons = append(v.Reasons, reasonView{t, report.MetricNames(said[i].Rows)})
	}
	for i := range v.Rows {
		v.Rows[i].Said = said.Tell(r.Rows[i])
	}
	for _, row := range r.Rows {
		if !drawn(row) {
			v.Undrawn++
		}
	}
	v.Served, v.MoreServed = newServed(r.Serving)
	v.Lines = r.Serving[:min(len(r.Serving), mostLines)]
	v.MoreLines = len(r.Serving) - len(v.Lines)
	v.Failing = slices.ContainsFunc(v.Lines, func(s report.Serving) bool { return len(s.Classes) > 0 })
	v.Sweeps, v.Rule = newSweeps(r.Capacity), report.CapacityRule
	v.StudyRule = report.StudyRule
	v.Grids, v.GridRule = newGridViews(r.Grids), report.GridRule
	v.Works, v.MoreWorks = newWorkViews(r.Works)
	v.WorkRule = report.WorkRule
	return v
}

// A reasonView is a reason that several rows have, and the metrics of these.
type reasonView struct{ Why, Metrics report.Text }

// A rowView is a comparison with its trials.
type rowView struct {
	report.Row
	Said   bool   // its reason stands above the table
	Sort   string // the gain, so that sorting by it puts the worst first; "" when not known
	Unit   string
	Trials template.HTML // rows of order, block, baseline, candidate, trial; "" when there is none
}

func newRowViews(rows []report.Row) []rowView {
	views := make([]rowView, len(rows))
	for i, row := range rows {
		unit, factor := row.Unit()
		views[i] = rowView{Row: row, Unit: unit, Trials: trials(row, factor)}
		if c := row.Comparison.Change; c != nil {
			views[i].Sort = strconv.FormatFloat(row.Gain(*c), 'g', 6, 64)
		}
	}
	return views
}

// trials lists both sides' trials in measured order, a side a column: the
// table from which the strip is drawn. It is most of a large page, so it is
// written without what HTML lets one omit.
func trials(row report.Row, factor float64) template.HTML {
	base, head := row.Comparison.Baseline.Trials, row.Comparison.Candidate.Trials
	largest := 0.0
	for _, p := range slices.Concat(base, head) {
		largest = math.Max(largest, math.Abs(p.Value*factor))
	}
	var b strings.Builder
	for len(base)+len(head) > 0 {
		candidate := len(base) == 0 || len(head) > 0 && head[0].Order < base[0].Order
		side := &base
		if candidate {
			side = &head
		}
		p := (*side)[0]
		*side = (*side)[1:]
		b.WriteString("<tr><td>" + strconv.Itoa(p.Order) + "<td>")
		if p.Block >= 0 {
			b.WriteString(strconv.Itoa(p.Block))
		}
		b.WriteString("<td>")
		if candidate {
			b.WriteString("<td>")
		}
		b.WriteString(sixDigits(p.Value*factor, largest))
		if !candidate {
			b.WriteString("<td>")
		}
		b.WriteString("<td>" + string(p.Trial.HTML(60)) + "\n")
	}
	return template.HTML(b.String())
}

// sixDigits prints x with as many decimals as show six significant digits of
// the largest of its column: more than any trial repeats.
func sixDigits(x, largest float64) string {
	if largest >= 1e12 || largest < 1e-6 {
		return strconv.FormatFloat(math.Max(-math.MaxFloat64, math.Min(math.MaxFloat64, x)), 'g', 6, 64)
	}
	decimals := max(0, 5-int(math.Floor(math.Log10(largest))))
	return strconv.FormatFloat(x, 'f', decimals, 64)
}

// confidence of the rows' intervals, "90%" or "90% or 95%"; "" without any.
func confidence(rows []report.Row) string {
	var levels []string
	for _, row := range rows {
		if c := row.Figures.Confidence; c != "" && !slices.Contains(levels, c) {
			levels = append(levels, c)
		}
	}
	return strings.Join(levels, " or ")
}

// A failure is trials that failed alike, shown once.
type failure struct {
	report.FailureGroup
	Output report.Foreign // what the first of them wrote last; empty when an earlier one wrote the same
}

// mostOutputs bounds how many failures show what the program wrote.
const mostOutputs = 50

func failures(list []report.Failure) []failure {
	var shown []failure
	said := make(map[report.Foreign]bool)
	for _, g := range report.GroupFailures(list) {
		f := failure{FailureGroup: g}
		if text := g.Cause.Stderr(); !text.IsEmpty() && !said[text] && len(said) < mostOutputs {
			said[text] = true
			f.Output = text
		}
		shown = append(shown, f)
	}
	return shown
}
