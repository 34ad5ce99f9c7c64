package html

import (
	"math"
	"strconv"

	"github.com/llama-regress/llama-regress/report"
)

// mostWorks are the comparisons whose functions have a chart and a table.
const mostWorks = 24

// A workView is where the work of one comparison went: a bar a function, drawn from
// the table below it.
type workView struct {
	report.Work
	Lines []workLine // the functions and then all others
}

type workLine struct {
	report.WorkFunction
	Bar string // percent of the baseline's work
}

func newWorkViews(list []report.Work) (views []workView, more int) {
	for _, w := range list[:min(len(list), mostWorks)] {
		v := workView{Work: w}
		for _, f := range append(w.Functions[:len(w.Functions):len(w.Functions)], w.Rest) {
			v.Lines = append(v.Lines, workLine{f, barValue(w.Bar(f))})
		}
		views = append(views, v)
	}
	return views, len(list) - len(views)
}

// barValue is a length for a chart, without an exponent above 0: no bar is longer
// than a million times the whole work.
func barValue(percent float64) string {
	const longest = 1e8
	return strconv.FormatFloat(math.Max(-longest, math.Min(longest, rounded(percent))), 'f', -1, 64)
}
