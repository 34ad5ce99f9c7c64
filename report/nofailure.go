package report

import (
	"fmt"
	"math"

	"github.com/llama-regress/llama-regress/compare"
)

// withoutFailure says what is known where no request failed on either side: of
// trials, which is true whatever makes requests fail, and of requests, which
// is what more of them can show if each fails by itself.
func withoutFailure(r Row) (why, remedy Text) {
	c := r.c
	trials, requests := min(len(c.Baseline.Trials), len(c.Candidate.Trials)), min(requestsOf(c.Baseline), requestsOf(c.Candidate))
	if trials == 0 || requests == 0 {
		return say("no request failed on either side"), nil
	}
	const level = 0.05 // of both bounds, one-sided
	most := func(n int) string { return fmt.Sprintf("%.2g%%", 100*-math.Expm1(math.Log(level)/float64(n))) }
	why = say("no failure on either side, in %s of %s each: a crash in up to %s of trials would not show, nor a loss of up to %s of requests if each fails by itself",
		plural(requests, "request"), plural(trials, "trial"), most(trials), most(requests))
	if c.Margin == nil || !(c.Margin.High > 0 && c.Margin.High < 1) {
		return why, nil
	}
	if need := int(math.Ceil(math.Log(level) / math.Log1p(-c.Margin.High))); need > requests {
		remedy = say("%s without a failure would show a loss within the margin of %s, if each fails by itself", plural(need, "request"), r.Figures.Margin)
	}
	return why, remedy
}

func requestsOf(s compare.Side) int {
	n := 0
	for _, p := range s.Trials {
		if p.Count != nil {
			n += p.Count.Total
		}
	}
	return n
}
