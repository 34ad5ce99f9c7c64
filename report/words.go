package report

import (
	"fmt"
	"math"
	"strings"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/compare"
	"github.com/llama-regress/llama-regress/compare/history"
)

// comparative says "slower", "longer" or "higher" for a change of this sign.
func comparative(m record.Metric, change float64) string {
	words := [2]string{"lower", "higher"}
	switch {
	case m.Kind == record.Throughput || m.Unit == "tok/s":
		words = [2]string{"slower", "faster"}
	case m.Unit == "s":
		words = [2]string{"shorter", "longer"}
	case m.Unit == "B":
		words = [2]string{"smaller", "larger"}
	}
	if change < 0 {
		return words[0]
	}
	return words[1]
}

// size words a change by its figure: "8.3% slower".
func (r Row) size(change float64, figure string) string {
	if zero(figure) {
		return "unchanged"
	}
	return strings.TrimLeft(figure, "+-") + " " + comparative(r.c.Metric, change)
}

// zero reports whether a figure says nothing but 0.
func zero(figure string) bool { return !strings.ContainsAny(figure, "123456789") }

// finding says what was seen and how sure it is.
func finding(r Row) Text {
	c, f := r.c, r.Figures
	if c.Change == nil {
		return say("no change can be given")
	}
	seen := r.size(*c.Change, f.Change)
	if c.Interval == nil {
		return say("%s, with no measure of how sure that is", seen)
	}
	between := r.between()
	switch {
	case c.Verdict == compare.Equivalent:
		return say("no change beyond the margin of %s: %s, %s interval %s", f.Margin, seen, f.Confidence, between)
	case (c.Verdict == compare.Regression || c.Verdict == compare.Improvement) && f.Margin != "":
		return say("%s, %s interval %s, all beyond the margin of %s", seen, f.Confidence, between, f.Margin)
	case f.Margin != "":
		return say("%s, %s interval %s, margin %s", seen, f.Confidence, between, f.Margin)
	}
	return say("%s, %s interval %s", seen, f.Confidence, between)
}

// between words the interval: "7.1% to 9.4% slower", "1.1% slower to 0.4%
// faster".
func (r Row) between() string {
	type bound struct {
		change float64
		figure string
	}
	near, far := bound{r.c.Interval.Low, r.Figures.Low}, bound{r.c.Interval.High, r.Figures.High}
	if math.Abs(near.change) > math.Abs(far.change) { // the smaller change first
		near, far = far, near
	}
	oneWord := near.change < 0 == (far.change < 0)
	switch {
	case zero(near.figure) && zero(far.figure):
		return r.Figures.Low
	case zero(near.figure) || oneWord:
		return strings.TrimLeft(near.figure, "+-") + " to " + r.size(far.change, far.figure)
	}
	return r.size(near.change, near.figure) + " to " + r.size(far.change, far.figure)
}

// quiet is what to do about a machine that does something else too.
var quiet = say("measure when the machine is quiet: 'llama-regress doctor' says what runs")

// reason says why a comparison has no verdict, and what would give it one.
func reason(r Row) (why, remedy Text) {
	c := r.c
	if n := c.Metric.Needs; r.Class == Unjudged && n > 0 {
		return say("a trial has too few requests for this quantile, so it is shown and not judged"),
			say("send at least %d requests a trial", n)
	}
	if r.Class == Unjudged {
		return say("no margin is set for this metric, so it is shown and not judged"),
			say("set one under gate in the configuration")
	}
	if c.Verdict != compare.Inconclusive {
		return nil, nil
	}
	if c.Reason == nil {
		return say("no reason was recorded"), nil
	}
	have, need := c.Reason.Have, c.Reason.Need
	switch c.Reason.Code {
	case compare.NotMeasured:
		if c.Baseline.Censored+c.Candidate.Censored > 0 {
			return notMeasured(c), say("see why the requests failed")
		}
		return notMeasured(c), say("see why its trials failed")
	case compare.Undefined:
		if d, _, _ := record.DefinitionOf(c.Metric.Name); d.Needs != record.NeedsTokens {
			return say("%s is not known of any trial of one side", c.Metric.Name), say("see what the servers tell")
		}
		return say("%s does not exist where every answer has one token, as in all trials of one side", c.Metric.Name), say("see why answers are so short")
	case compare.Censored:
		return censored(c), say("look at the success rate first: requests that fail are infinitely slow")
	case compare.Survivors:
		return say("one side answered fewer requests, and these figures are of those it answered, perhaps the easier ones"),
			say("look at the success rate first")
	case compare.TooFewTrials:
		if need > have {
			return say("%s measured, at least %d needed", replicates(r.c.Method, have), need), say("measure %s", replicates(r.c.Method, need))
		}
		return say("%s measured, too few to tell the spread", replicates(r.c.Method, have)), say("measure more")
	case compare.NoFailure:
		return withoutFailure(r)
	case compare.AllFailed:
		return say("all requests failed on both sides, so there is nothing to compare"), say("see why the requests failed")
	case compare.FewFailures:
		return say("no loss beyond the margin to be seen, and too few trials with failures to say how failures come together: after %s a server that dies now and then may look the same", replicates(r.c.Method, have)), nil
	case compare.TooNoisy, compare.Suspected:
		if c.Reason.Disturbed > 0 {
			return say("worse by more than the margin, and by no more than what disturbed the machine may explain"), quiet
		}
		return open(r), enough(r.c.Method, *c.Reason)
	case compare.Unconfirmed:
		return say("%s of the screening could not clear it of a loss, and the fresh blocks it is judged by were not measured", replicates(r.c.Method, have)), say("finish the run")
	case compare.Disturbed:
		return say("something else disturbed the machine in %s, too many to leave them out", plural(have, "trial")), quiet
	case compare.EnvironmentMixed:
		if l := learningOf(c); l.night > 0 {
			return concat(say("the stored sessions were not measured alike: "), quoteAll(c.Reason.Keys, 8), say("; history begins anew: %s", l)), say("wait for more sessions, or measure both builds in one session")
		}
		return join(" ", say("the two sides were not measured alike:"), quoteAll(c.Reason.Keys, 8)), say("measure both in one session on one machine")
	case compare.Lost:
		why = join(" ", say("only the baseline measured it, so nothing is known of"), quote(c.Candidate.Arm))
		if !c.Reason.Since.IsZero() {
			why = say("not measured any more: the session of %s was the last that had it", c.Reason.Since.UTC().Format("2006-01-02 15:04"))
		}
		return why, say("measure it, or find out why it could not be")
	case compare.SubjectMismatch:
		return join(" ", say("one name stands for two things on the two sides, which differ in"), quoteAll(c.Reason.Keys, 8)),
			say("measure the same on both sides, give unlike things different names, or compare them on purpose with --ignore %s", strings.Join(ignorable(c.Reason.Keys), ","))
	case compare.ControlFired:
		return say("the baseline differed from itself when measured twice, and the machine may have made this difference too"), say("make the machine steadier, then measure again")
	case history.MachineMoved:
		return say("the sentinel moved, so what differs is the machine and the build together"), say("wait until the sentinel is steady, or measure both builds in one session")
	case compare.SuspectedByHistory:
		return say("worse than the %s stored, which can have other causes than the build", plural(have, "session")), say("measure both builds in one session")
	case compare.NoBaseline:
		if l := learningOf(c); l.night > 0 {
			return say("no stored session has this cell: %s", l), say("store sessions, or measure both builds in one session")
		}
		return say("no stored session has this cell"), say("measure both builds in one session, or store sessions of the baseline")
	case compare.BaselineTooYoung:
		if l := learningOf(c); l.night > 0 {
			return say("%s stored, at least %d needed: %s", plural(have, "session"), need, l), say("wait for more sessions, or measure both builds in one session")
		}
		if need > have {
			return say("%s stored, at least %d needed", plural(have, "session"), need), say("wait for more sessions, or measure both builds in one session")
		}
		return say("%s stored, too few to know how sessions differ", plural(have, "session")), say("measure both builds in one session")
	case compare.NotDeterministic:
		return say("the %s of one arm are not alike, although such a metric repeats to a few parts in 100 000 of one build: threads that wait for one another, a clock, another environment or another file", plural(have, "trial")),
			say("count with one thread and an environment that stays the same; the timed metrics are not touched by this")
	case compare.MethodsDisagree:
		return say("a few odd trials decide the outcome: the mean and the rank estimate give different verdicts"), say("look at the odd trials, or measure more")
	}
	return join(" ", say("for a reason this version does not know:"), quote(string(c.Reason.Code))), nil
}

// open words a question that more measuring may settle.
func open(r Row) Text {
	c := r.c
	after := replicates(c.Method, c.Replicates)
	if c.Confirmed {
		after = plural(c.Replicates, "fresh block")
	}
	beyond := c.Interval != nil && c.Margin != nil && (c.Interval.Low > c.Margin.High || c.Interval.High < c.Margin.Low)
	switch suspected := c.Reason.Code == compare.Suspected; {
	case suspected && beyond:
		return say("probably worse than the margin allows: certain enough for this comparison alone, not among all those of the run")
	case suspected:
		return say("probably worse than the margin allows, but not proven after %s", after)
	case beyond:
		return say("a change beyond the margin for this comparison alone, not certain enough among all those of the run")
	}
	if c.Interval != nil && c.Margin != nil && c.Interval.Low > c.Margin.Low && c.Interval.High < c.Margin.High {
		return say("within the margin by this stage alone, not certain enough over both stages")
	}
	return say("too noisy: after %s the interval reaches both into and out of the margin", after)
}

// censored says on which side how many trials have no value to compare.
func censored(c compare.Comparison) Text {
	var sides []Text
	counted := true
	for _, side := range []compare.Side{c.Baseline, c.Candidate} {
		if side.Censored == 0 {
			continue
		}
		n := plural(side.Censored+len(side.Trials), "trial")
		t := join(" ", say("in %d of %s of", side.Censored, n), quote(side.Arm))
		if counted = counted && side.Requests > 0; side.Requests > 0 {
			t = concat(t, say(" (%s)", failedOf(side)))
		}
		sides = append(sides, t)
	}
	if counted {
		return join(" ", say("not estimable"), join(" and ", sides...))
	}
	return join(" ", join(" and ", sides...), say("so many requests failed that the value is beyond what could be measured"))
}

// failedOf counts the failed requests behind a latency.
func failedOf(s compare.Side) string {
	return fmt.Sprintf("%d of %s failed", s.FailedRequests, plural(s.Requests, "request"))
}

// ofSucceeded is the quantile of those requests alone that succeeded, for a
// reader; nil where none failed.
func ofSucceeded(c compare.Comparison) Text {
	var sides []Text
	for _, side := range []compare.Side{c.Baseline, c.Candidate} {
		if side.OfSucceeded > 0 {
			t := concat(say("%s of ", quantity(side.OfSucceeded, c.Metric.Unit)), quote(side.Arm))
			sides = append(sides, concat(t, say(" (%s)", failedOf(side))))
		}
	}
	if len(sides) == 0 {
		return nil
	}
	return concat(say("of the requests alone that succeeded, which is not judged: "), join(", ", sides...))
}

func notMeasured(c compare.Comparison) Text {
	var sides []Text
	for _, side := range []compare.Side{c.Baseline, c.Candidate} {
		if len(side.Trials) == 0 {
			failed := ""
			switch {
			case side.Censored > 0 && side.Failed > 0:
				failed = fmt.Sprintf(" (%d failed, and in %d too many requests)", side.Failed, side.Censored)
			case side.Censored > 0:
				failed = fmt.Sprintf(" (too many requests failed in all %d)", side.Censored)
			case side.Failed > 0:
				failed = fmt.Sprintf(" (%d failed)", side.Failed)
			}
			sides = append(sides, join(" ", say("no usable trial of"), append(quote(side.Arm), Span{Words: failed})))
		}
	}
	if len(sides) == 0 {
		return say("no block holds a usable trial of both sides")
	}
	return join(", ", sides...)
}

// enough says how large a new run would have to be, and of which truth it would
// decide.
func enough(m compare.Method, r compare.Reason) Text {
	switch {
	case r.Need <= 0:
		return say("no number of repeats would decide it: make the machine steadier or widen the margin")
	case r.Need > manyBlocks:
		return say("it would take a new run of about %s: make the machine steadier or widen the margin", replicates(m, r.Need))
	case r.AsSeen:
		return say("a new run of about %s would prove it in 4 of 5 cases, if the change is what it looks like", replicates(m, r.Need))
	}
	return say("a new run of about %s would show in 4 of 5 cases that nothing changed, if nothing did", replicates(m, r.Need))
}

// replicates counts in the unit of replication of a method.
func replicates(m compare.Method, n int) string {
	switch m {
	case compare.Paired:
		return plural(n, "block")
	case compare.Historical:
		return plural(n, "session")
	}
	return plural(n, "trial") + " a side"
}

// caveats words the warnings of a comparison; busy says that the report tells of
// the machine above, and told are the programs' warnings that stand elsewhere.
func caveats(r Row, cleaned, busy bool, told map[string]bool) []Text {
	var list []Text
	for _, w := range r.c.Warnings {
		why := r.c.Reason
		if w.Code == compare.DisturbedKept && (busy || why != nil && (why.Code == compare.Disturbed || why.Disturbed > 0)) {
			continue // the reason says so
		}
		if w.Code == compare.ProgramWarning && told[w.Text] {
			continue
		}
		list = append(list, caveat(w))
	}
	if of := ofSucceeded(r.c); of != nil {
		list = append(list, of)
	}
	if e := r.c.Candidate.Estimator; e == record.OrderStatistic {
		list = append(list, say("so many requests failed that both sides are estimated by the plain quantile of each trial"))
	}
	if cleaned {
		list = append(list, say("a number was not finite and is left out"))
	}
	return list
}

func caveat(w compare.Warning) Text {
	var t Text
	switch w.Code {
	case compare.FailedTrials:
		t = failedTrials(w.Number)
	case compare.DisturbedExcluded:
		t = say("%s left out: something else disturbed the machine", trialsWere(w.Number))
	case compare.DisturbedKept:
		t = say("%s kept although something else disturbed the machine: too few others remain", trialsWere(w.Number))
	case compare.Outlier:
		t = say("one block lies far from the others")
	case compare.Drift:
		t = say("the baseline drifted during the session")
		if figure := signed(100*w.Number, decimalsFor(100*math.Abs(w.Number))); !zero(figure) {
			t = say("the baseline drifted during the session, by %s%% a trial", figure)
		}
	case compare.Autocorrelated:
		t = say("neighbouring blocks resemble each other (correlation %s), so there is less evidence than their number says", fixed(w.Number, 2))
	case compare.ProgramWarning:
		t = say("the program itself warned")
	case compare.PageFaults:
		more, rate := "more", math.Abs(w.Number)
		if w.Number < 0 {
			more = "fewer"
		}
		t = say("the candidate read %s pages a second %s from disk than the baseline, while its load ran", fixed(rate, 0), more)
	case compare.ControlDiffers:
		t = say("the baseline differed from itself when measured twice, but this finding is larger than the machine can explain")
	case compare.Constant:
		t = say("every difference between the two sides is the same, so the interval has no width and says nothing of noise")
	default:
		return join(": ", quote(string(w.Code)), quote(w.Text))
	}
	return join(": ", t, quote(w.Text))
}

// trialsWere words a number that a file may hold anything for.
func trialsWere(n float64) string {
	switch {
	case n == 1:
		return "1 trial was"
	case n > 1 && n < absurd:
		return fmt.Sprintf("%.0f trials were", n)
	}
	return "some trials were"
}

func failedTrials(n float64) Text {
	switch {
	case n == 1:
		return say("1 trial failed and is not counted")
	case n > 1 && n < absurd:
		return say("%.0f trials failed and are not counted", n)
	}
	return say("some trials failed and are not counted")
}
