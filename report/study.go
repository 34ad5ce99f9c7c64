package report

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/compare"
)

// A Study sets the schedulers of one cell side by side.
type Study struct {
	ID       string                      `json:"id"` // [a-z0-9-]+, unique in the report
	Cell     Foreign                     `json:"cell"`
	Workload Foreign                     `json:"workload"`
	Arms     []Foreign                   `json:"arms"`     // baseline first, then in the run's order
	Rankings Unworded[[]compare.Ranking] `json:"rankings"` // worded by Rows and Findings
	Label    Foreign                     `json:"label"`    // as Row.Label

	Columns  []StudyColumn `json:"columns"`  // of the table, by which its rows have figures
	Rows     []StudyRow    `json:"rows"`     // an arm each, baseline first
	Findings []Text        `json:"findings"` // what of the order is decided and what is not, a sentence a metric
}

// A StudyColumn is one metric of the table.
type StudyColumn struct {
	Title  Foreign `json:"title"` // "TTFT mean", or a test's name
	Metric Foreign `json:"metric"`
}

// A StudyRow is one scheduler.
type StudyRow struct {
	Arm   Foreign       `json:"arm"`
	Cells []StudyFigure `json:"cells"` // by column
}

// A StudyFigure is an arm's level of one metric in words; all "" when it has none.
type StudyFigure struct {
	Estimate string `json:"level"` // "812 tok/s"
	Low      string `json:"low"`   // bounds of its interval, "" without one
	High     string `json:"high"`
	Rank     string `json:"rank"` // "1", or "1 to 3" where the order is not decided
}

// Interval is "804 to 820 tok/s", "" without one.
func (f StudyFigure) Interval() string { return Figures{Low: f.Low, High: f.High}.Interval() }

// StudyRule says what a study's numbers are.
var StudyRule = fmt.Sprintf("Level of each scheduler over its trials with its %s interval. Rank: the places that a scheduler may have, going by which differences within blocks are more than chance at %s (Holm over all pairs of a metric). Where it is a range, the order is not decided.",
	shortPercent(compare.StudyConfidence), shortPercent(1-compare.StudyConfidence))

// studyTitles are the columns of a served cell; a benchmark's tests stand under
// their own names.
var studyTitles = []StudyColumn{
	{Foreign{"TTFT mean"}, Foreign{compare.TTFTMean}}, {Foreign{"TTFT p99"}, Foreign{compare.TTFTp99}},
	{Foreign{"TTFT median"}, Foreign{record.TTFTp50}}, {Foreign{"TTFT p95"}, Foreign{record.TTFTp95}},
	{Foreign{"tokens/s"}, Foreign{record.OutputTPS}}, {Foreign{"success"}, Foreign{record.SuccessRate}},
}

// newStudies words the studies of a run that is compared with itself.
func newStudies(src Source, labels map[string]string) []Study {
	if src.Base == nil || src.Base != src.Head && (src.Head == nil || src.Base.ID != src.Head.ID) {
		return nil
	}
	var list []Study
	for _, s := range compare.Studies(src.Head, src.requests(src.Head)) {
		list = append(list, newStudy(s, "y-"+hashed(6, "study", s.Cell), cmp.Or(labels[s.Cell], s.Cell)))
	}
	return list
}

func newStudy(s compare.Study, id, label string) Study {
	v := Study{ID: id, Cell: Foreign{s.Cell}, Workload: Foreign{s.Workload}, Arms: foreigners(s.Arms), Rankings: Unworded[[]compare.Ranking]{s.Rankings}, Label: Foreign{label}, Columns: studyColumns(s)}
	for _, arm := range s.Arms {
		row := StudyRow{Arm: Foreign{arm}}
		for _, c := range v.Columns {
			row.Cells = append(row.Cells, studyFigure(s, c.Metric.text, arm))
		}
		v.Rows = append(v.Rows, row)
	}
	for _, c := range v.Columns {
		for _, r := range s.Rankings {
			if r.Metric.Name == c.Metric.text {
				v.Findings = append(v.Findings, ranked(c, r))
			}
		}
	}
	return v
}

// studyColumns chooses the columns for which there are metrics: of a benchmark
// all tests.
func studyColumns(s compare.Study) []StudyColumn {
	has := func(name string) bool {
		return slices.ContainsFunc(s.Rankings, func(r compare.Ranking) bool { return r.Metric.Name == name })
	}
	if s.Workload == record.BenchWorkload {
		var columns []StudyColumn
		for _, r := range s.Rankings {
			columns = append(columns, StudyColumn{Foreign{r.Metric.Name}, Foreign{r.Metric.Name}})
		}
		return columns
	}
	var columns []StudyColumn
	for _, c := range studyTitles {
		if has(compare.TTFTMean) && (c.Metric.text == record.TTFTp50 || c.Metric.text == record.TTFTp95) {
			continue // the rows of requests gave mean and p99
		}
		if has(c.Metric.text) {
			columns = append(columns, c)
		}
	}
	return columns
}

func studyFigure(s compare.Study, metric, arm string) StudyFigure {
	for _, r := range s.Rankings {
		if r.Metric.Name != metric {
			continue
		}
		u := unitFor(r.Metric.Unit, r.Places[0].Mean)
		for _, p := range r.Places {
			if p.Arm != arm {
				continue
			}
			decimals := decimalsFor(p.Mean * u.factor / 100)
			if p.High > p.Low { // but no level is nothing, however wide its interval
				decimals = max(decimalsFor((p.High-p.Low)/2*u.factor), decimalsFor(p.Mean*u.factor))
			}
			number := func(x float64) string { return fixed(x*u.factor, decimals) + u.suffix() }
			f := StudyFigure{Estimate: number(p.Mean), Rank: ranks(p)}
			if p.Trials > 1 {
				f.Low, f.High = number(p.Low), number(p.High)
			}
			return f
		}
	}
	return StudyFigure{}
}

func ranks(p compare.Place) string {
	if p.BestRank == p.WorstRank {
		return fmt.Sprint(p.BestRank)
	}
	return fmt.Sprintf("%d to %d", p.BestRank, p.WorstRank)
}

// mostPairs of arms are named in a sentence.
const mostPairs = 6

// ranked says what is decided of an order.
func ranked(c StudyColumn, r compare.Ranking) Text {
	n := len(r.Places)
	pairs := n * (n - 1) / 2
	title := concat(cite(c.Title), say(": "))
	if c.Title != c.Metric { // our own word
		title = say("%s: ", c.Title.text)
	}
	switch {
	case n < 2:
		return concat(title, say("only "), quote(r.Places[0].Arm), say(" was measured."))
	case len(r.Undecided) == 0:
		return concat(title, say("the order of all %d is decided, best first: ", n), join(", ", names(r.Places)...), say("."))
	case len(r.Undecided) == pairs:
		return concat(title, say("no order is decided: every difference among the %d may be chance.", n))
	}
	var open []Text
	for _, p := range r.Undecided[:min(mostPairs, len(r.Undecided))] {
		open = append(open, concat(quote(p[0]), say(" and "), quote(p[1])))
	}
	text := concat(title, say("not decided, of %d pairs, is the order of ", pairs), join("; ", open...))
	if more := len(r.Undecided) - mostPairs; more > 0 {
		text = concat(text, say("; and of %d more", more))
	}
	return concat(text, say("."))
}

func names(places []compare.Place) (list []Text) {
	for _, p := range places {
		list = append(list, quote(p.Arm))
	}
	return list
}
