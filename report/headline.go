package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/llama-regress/llama-regress/compare"
)

// undecided is the status of a result in which nothing that matters was told.
const undecided = "Inconclusive"

// status names the outcome. A run that passes only because the policy lets the
// undecided pass is not called a pass.
func status(r Report, res *compare.Result) string {
	switch n := r.Counts; {
	case r.Outcome == compare.Regressed:
		return "Regression"
	case r.Outcome == compare.MeasurementFailed:
		return "Measurement failed"
	case r.Outcome == compare.NothingCompared:
		return "Nothing compared"
	case r.Sentinel.Moved():
		return MachineMoved
	case n.Unjudged == n.Total:
		return "Not judged"
	case n.Suspected == 0 && n.Improvements+n.Equivalent+n.NoFailure == 0 && slowest(r.Rows).night > 0:
		return Learning
	case r.Outcome == compare.Undecided, res.ControlFired, n.Lost > 0, n.Improvements+n.Equivalent+n.NoFailure == 0:
		return undecided
	}
	return "Pass"
}

// headline counts what was found, worst first; what did not occur is left out. That
// most trials were disturbed is as important as what they found.
func headline(n Counts, busy *compare.Busy) string {
	if n.Total == 0 {
		return "nothing to compare"
	}
	var parts []string
	add := func(count int, text string) {
		if count > 0 {
			parts = append(parts, text)
		}
	}
	add(n.Regressions, plural(n.Regressions, "regression"))
	add(n.Unmeasured, fmt.Sprintf("%d not measured", n.Unmeasured))
	add(n.Improvements, plural(n.Improvements, "improvement"))
	open := fmt.Sprintf("%d inconclusive", n.Inconclusive)
	if n.Suspected > 0 {
		open += fmt.Sprintf(" (%d suspected to be worse)", n.Suspected)
	}
	if n.Lost > 0 {
		open += fmt.Sprintf(" (%d lost: only the baseline has it)", n.Lost)
	}
	add(n.Inconclusive, open)
	add(n.Unjudged, fmt.Sprintf("%d not judged", n.Unjudged))
	add(n.NoFailure, fmt.Sprintf("%d without a failure", n.NoFailure))
	add(n.Equivalent, fmt.Sprintf("%d equivalent", n.Equivalent))
	text := strings.Join(parts, ", ")
	if busy.Mostly() {
		text += fmt.Sprintf("; %d of %s disturbed", busy.Trials, plural(busy.Of, "trial"))
	}
	return text
}

// disturbed says once for all rows what kept the machine busy, and who; nil
// where less than half of the trials met it.
func disturbed(busy *compare.Busy) Text {
	if !busy.Mostly() {
		return nil
	}
	t := say("Something else disturbed the machine in %d of %s", busy.Trials, plural(busy.Of, "trial"))
	for i, why := range busy.Why {
		t = concat(t, say("%s", map[bool]string{true: ": ", false: ", "}[i == 0]), quote(why))
	}
	if len(busy.Others) > 0 {
		var names []Text
		for _, p := range busy.Others[:min(3, len(busy.Others))] {
			names = append(names, concat(quote(p.Name), say(" (%s)", fixed(max(0, min(p.Cores, absurd)), 2))))
		}
		t = concat(t, say("; busiest, in cores: "), join(", ", names...))
	}
	return concat(t, say(". A change that this may explain is not called one."))
}

// remarked adds to the counts what must be known before any of them is believed.
func remarked(counts, standing string, res *compare.Result) string {
	all := []string{counts}
	if standing != "" {
		all = append(all, standing)
	}
	return strings.Join(append(all, append(subjectRemarks(res.Namesakes), sameRemarks(res)...)...), "; ")
}

// lead says the most important finding in one sentence; rows are in reading
// order.
func lead(r Report, res *compare.Result, interrupted bool) Text {
	n := r.Counts
	switch {
	case n.Total == 0 && len(r.Failures) > 0:
		return say("No trial measured anything: %s failed.", plural(len(r.Failures), "trial"))
	case n.Total == 0 && interrupted:
		return say("The run stopped before any trial of both arms was finished, so nothing was compared.")
	case n.Total == 0 && len(res.Alone) == 0:
		return say("There is no second arm to compare with, so nothing was compared. That is not a pass.")
	case n.Total == 0:
		if names := res.Ignorable; len(names) > 0 {
			return concat(say("The two sides have no cell and metric in common: their cells differ in "), quoteAll(names, 8), say(", so nothing was compared. That is not a pass."))
		}
		return say("The two sides have no cell and metric in common, so nothing was compared. That is not a pass.")
	case n.Regressions > 0:
		return sentence("Worst: ", r.Rows[0])
	case n.Unmeasured > 0:
		return say("%d of %s could not be measured, so nothing is known about them.", n.Unmeasured, plural(n.Total, "comparison"))
	case len(r.Failures) > 0:
		return say("%s failed, which is not a pass, although every comparison had enough others.", plural(len(r.Failures), "trial"))
	case r.Sentinel.Moved():
		return r.Sentinel.Lead()
	case res.ControlFired:
		return say("The baseline differed from itself when measured twice, so no difference is believed that the machine could have made. Make the machine steadier and measure again.%s", lenient(r))
	case n.Lost > 0:
		return concat(say("%s that the baseline has cannot be found with the candidate, first ", plural(n.Lost, "measurement")), firstLost(r.Rows), say(". What is absent is not known to be well.%s", lenient(r)))
	case n.Suspected > 0:
		return sentence("Suspected, not proven: ", r.Rows[0])
	case n.Unjudged == n.Total:
		return say("No metric has a margin, so the changes are shown and nothing was judged.")
	case r.Status == Learning:
		return say("Nothing was decided: %s.%s", slowest(r.Rows), lenient(r))
	case n.Improvements == 0 && n.Equivalent == 0 && n.NoFailure == 0:
		return say("Nothing was decided: this run can neither show nor rule out a change.%s", lenient(r))
	case n.Inconclusive > 0:
		return say("Nothing got worse as far as could be told; %d of %s could not be decided.", n.Inconclusive, plural(n.Total, "comparison"))
	case n.Improvements > 0:
		return sentence("Nothing got worse. Largest gain: ", r.Rows[0])
	}
	if n.Equivalent == 0 && n.NoFailure > 0 {
		return say("No request failed on either side.")
	}
	return say("Nothing changed by more than its margin.")
}

// firstLost names the first of what is lost.
func firstLost(rows []Row) Text {
	i := slices.IndexFunc(rows, Row.lost)
	if i < 0 {
		return nil
	}
	return concat(quote(rows[i].c.Metric.Name), say(" of "), cite(rows[i].Label))
}

// lenient says when something undecided passes.
func lenient(r Report) string {
	if r.Outcome == compare.Passed {
		return " The policy lets that pass."
	}
	return ""
}

// sentence names a row and says what was found.
func sentence(intro string, r Row) Text {
	c := r.c
	return concat(say("%s", intro), quote(c.Metric.Name), say(" of "), cite(r.Label), say(" with "),
		quote(c.Candidate.Arm), say(": "), r.Finding, say("."))
}
