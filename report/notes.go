package report

import (
	"math"
	"slices"
	"strings"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/compare"
)

// patterns says what holds for many comparisons at once, so that a reader need
// not find it in the rows.
func patterns(res *compare.Result) []Text {
	var list []Text
	for _, f := range res.Reliability {
		chance := "which may be chance"
		if f.P <= reliabilityAlpha {
			chance = "too many more to be chance"
		}
		list = append(list, concat(quote(f.Candidate), say(" failed in %d of %s, the baseline in %d of %d: %s.",
			f.Failed, plural(f.Trials, "trial"), f.BaselineFailed, f.BaselineTrials, chance)))
	}
	for _, g := range res.Groups {
		metric := groupMetric(res, g)
		worst := fixed(100*math.Abs(g.Change), decimalsFor(math.Abs(g.Change)*100))
		list = append(list, concat(say("%s of ", plural(len(g.Cells), "cell")), quote(g.Model), say(" moved together in "), quote(g.Metric),
			say(" with "), quote(g.Candidate), say(": about %s%% %s.", worst, comparative(metric, g.Change))))
	}
	for _, arm := range res.Suspects {
		list = append(list, concat(say("Nearly everything measured with "), quote(arm),
			say(" moved the same way, and it was not measured in turns with the baseline. Suspect the machine before the build.")))
	}
	return list
}

// reliabilityAlpha is the p up to which failures are blamed on the candidate.
const reliabilityAlpha = 0.05

func groupMetric(res *compare.Result, g compare.Group) record.Metric {
	for _, c := range res.Comparisons {
		if c.Metric.Name == g.Metric && c.Model == g.Model {
			return c.Metric
		}
	}
	return record.Metric{}
}

// newNotes collects what a reader should know about the whole.
func newNotes(r Report, res *compare.Result, src Source) []Text {
	var notes []Text
	if why := src.interrupted(); why != "" {
		notes = append(notes, concat(say("The run stopped early: "), quote(why), say(". What had been measured until then is reported.")))
	}
	switch res.Method {
	case compare.Unpaired:
		notes = append(notes, say("These trials belong to no block, so the two sides were compared without pairing; slow changes of the machine count as noise. Measuring both in one session tells more."))
	case compare.Historical:
		notes = append(notes, say("History mode: one session was compared with stored ones, by prediction intervals. What changed since then is not the build alone, so by itself this can raise a suspicion and give no verdict of regression."))
		if c := res.Confirmation; c != nil {
			notes = append(notes, say("History suspected %s, for which the baseline's build and this one were then measured in turns, in %s. Regressions of the build among them: %d.",
				plural(c.Asked, "comparison"), plural(c.Blocks, "block"), c.Regressions))
		}
	case compare.Sessions:
		notes = append(notes, say("Two sessions were compared. How much sessions differ by themselves is not known, so a difference here is a hint and no proof."))
	}
	if res.Method == compare.Historical && r.Status != Learning {
		notes = append(notes, learningNote(r.Rows)...)
	}
	notes = append(notes, r.Sentinel.notes()...)
	notes = append(notes, memoryNotes(src.Memory)...)
	for _, note := range res.Notes {
		if note != "" && !(res.Busy.Mostly() && strings.Contains(note, " ran while something else disturbed the machine")) { // said above
			notes = append(notes, quote(note))
		}
	}
	return notes
}

// definitions explains the terms that this report uses, and no others.
func definitions(r Report, res *compare.Result) []Definition {
	var list []Definition
	add := func(when bool, term, meaning string) {
		if when {
			list = append(list, Definition{term, meaning})
		}
	}
	shown := func(test func(Row) bool) bool { return slices.ContainsFunc(r.Rows, test) }
	add(len(r.Rows) > 0, "change", "Candidate divided by baseline, minus one: how much more or less the candidate measured.")
	add(shown(func(r Row) bool { return r.Points }), "pp", "Percentage points: the difference of two shares, not their ratio.")
	add(shown(func(r Row) bool { return r.Figures.Low != "" }), "interval", "The changes that the measurements are consistent with, at the confidence given. A narrow one means a precise measurement.")
	add(shown(func(r Row) bool { return r.Figures.Margin != "" }), "margin", "The change that counts as none, fixed before measuring. Its two ends are ratios of one another: a margin of 3% reaches from 2.9% less to 3% more.")
	add(r.Counts.Regressions+r.Counts.Improvements > 0, "regression, improvement", "The change lies beyond the margin, and chance is ruled out at the error rate given, for all comparisons of this run together.")
	add(r.Counts.NoFailure > 0, "without a failure", "No request failed on either side. It passes, and it is not called equivalent: requests of a trial can fail together, and no trial failed that could show how.")
	add(r.Counts.Equivalent > 0, "equivalent", "The change was shown to lie within the margin. This is more than not having found one.")
	add(r.Counts.Inconclusive > 0, "inconclusive", "Neither a change beyond the margin nor its absence could be shown, for the reason given. That is no evidence that nothing changed.")
	add(r.Counts.Suspected > 0, "suspected", "Probably worse than the margin allows, but chance is not ruled out.")
	add(len(r.Rows) > 0 && (res.Method == compare.Paired || shown(func(r Row) bool { return r.c.Method == compare.Paired })), "block", "One round in which every arm runs once, back to back. Differences are formed within a block, so that slow changes of the machine cancel.")
	add(len(r.Rows) > 0, "trial", "One process started and measured. Repetitions within it resemble each other and are not counted as evidence of their own.")
	add(shown(func(r Row) bool { return r.Figures.Noise != "" }), "noise", "Standard deviation of the differences between blocks or, without blocks, of the trials of a side.")
	add(shown(func(r Row) bool { return r.Figures.Detectable != "" }), "detectable (MDE)", "The smallest loss that this run would have called a regression four times out of five.")
	metricDefinitions(r.Rows, add)
	add(len(r.Means) > 0, "geometric mean", "The mean of the ratios of all cells that ran tests of one kind (pp, tg). Its interval is that of the mean over cells in each block or invocation. It decides nothing: a loss in one cell hides among others that gained.")
	add(len(r.Capacity) > 0, "capacity", CapacityRule)
	add(r.Sentinel != nil, "sentinel", sentinelMeaning)
	add(len(r.Controls) > 0, "control", "The baseline measured a second time as if it were a candidate. Whatever differs there is the machine, not the code.")
	return list
}

const sentinelMeaning = "A pinned build, measured with every session. It never changes, so that where it moves (beyond its 99% prediction interval, by more than half the margin), the machine did."
