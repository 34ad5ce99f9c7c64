package report

import (
	"math"

	"github.com/llama-regress/llama-regress/compare"
)

// doubtTexts says, for each doubt about the session, what was seen, what it means for
// the verdicts, and what to do.
func doubtTexts(list []compare.Doubt) (texts []Text) {
	for _, d := range list {
		over := "over " + plural(d.Cells, "cell") + " together"
		var seen Text
		var means, remedy string
		switch d.Code {
		case compare.ResemblingBlocks:
			seen = concat(say("Neighbouring blocks resemble each other in the differences of "), quote(d.Candidate),
				say(" to the baseline (autocorrelation %.2f, %s).", d.Number, over))
			means = ", regressions and equivalence alike, because the blocks tell less than so many independent ones would."
			remedy = "Repeat the run in another session, and believe what both say."
		case compare.OneSidedSpikes:
			slow, other := say("The baseline"), quote(d.Candidate)
			means = ": a regression may be none, where too few blocks caught the baseline's slow trials."
			if d.Number < 0 {
				slow, other = quote(d.Candidate), say("the baseline")
				means = ": a build that is slow now and then may be called equivalent, where too few blocks caught its slow trials."
			}
			seen = concat(slow, say(" was slow now and then, and "), other, say(" was not (skewness of the differences %.2f, %s).", math.Abs(d.Number), over))
			remedy = "Look at the slow trials, and measure again with more blocks."
		case compare.SeparateModes:
			seen = concat(say("The differences of "), quote(d.Candidate), say(" to the baseline lie in separate groups, as if each process started in one of two states (kurtosis %.2f below that of normal noise, %s).", d.Number, over))
			means = ": of many cells, one is called a regression somewhat too often."
			remedy = "Look for what differs from start to start, such as the cores or the memory that a process gets, fix it, and measure again."
		}
		texts = append(texts, concat(seen, say(" Verdicts of this session can be wrong more often than promised%s %s", means, remedy)))
	}
	return texts
}
