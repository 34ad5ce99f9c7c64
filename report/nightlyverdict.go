package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/llama-regress/llama-regress/compare"
	"github.com/llama-regress/llama-regress/compare/history"
)

// Steady is the status of a history in which nothing is wrong.
const Steady = "Steady"

// conclude sums up all machines.
func (n *Nightly) conclude(t history.Trends) {
	var open, fresh, machine, gains, suspected, unmeasured, failed, missing int
	var worst *ChangePoint
	var suspect *Row
	undecided := false
	var lost []Trend
	for i := range n.Machines {
		m := &n.Machines[i]
		for k := range m.ChangePoints {
			p := &m.ChangePoints[k]
			switch {
			case p.Open() && p.Blamable:
				open++
				if p.New {
					fresh++
				}
				if worst == nil || p.Rows[0].relativeGain() < worst.Rows[0].relativeGain() {
					worst = p
				}
			case p.Open():
				machine++
			case p.New && p.Gained():
				gains++
			}
		}
		if r := m.Last; r != nil {
			suspected += r.Counts.Suspected
			unmeasured += r.Counts.Unmeasured
			failed += len(r.Failures)
			undecided = undecided || r.Counts.Inconclusive > 0
			for k := range r.Rows {
				if r.Rows[k].Class == Suspected && (suspect == nil || r.Rows[k].relativeGain() < suspect.relativeGain()) {
					suspect = &r.Rows[k]
				}
			}
		}
		for _, trend := range m.Trends {
			if trend.Lost {
				lost = append(lost, trend)
				undecided = undecided || trend.Judged
			}
		}
		for _, g := range t.Machines[i].Gaps {
			if g.Open {
				missing += g.Missing
			}
		}
	}
	var parts []string
	add := func(count int, format string, args ...any) {
		if count > 0 {
			parts = append(parts, fmt.Sprintf(format, args...))
		}
	}
	of := ""
	if fresh > 0 {
		of = fmt.Sprintf(" (%d new)", fresh)
	}
	add(open, "%s open%s", plural(open, "regression"), of)
	add(machine, "%s of a machine", plural(machine, "change"))
	add(suspected, "%d suspected last night", suspected)
	add(unmeasured, "%d not measured last night", unmeasured)
	add(len(lost), "%d no longer measured", len(lost))
	add(gains, "%s new", plural(gains, "improvement"))
	add(missing, "%s missing", plural(missing, "night"))
	n.Headline = strings.Join(parts, ", ")
	series := 0
	for _, m := range n.Machines {
		series += len(m.Trends)
	}
	switch {
	case len(n.Machines) == 0:
		n.Outcome, n.Status, n.Headline = compare.NothingCompared, "Nothing stored", "the store holds no session"
		n.Lead = say("There is no history to look at yet. Store the record of each night, and look again.")
	case open > 0:
		n.Outcome, n.Status = compare.Regressed, "Regression"
		n.Lead = concat(say("Worst: "), worst.Title, say(", "), worst.When, say("."))
	case failed > 0 || unmeasured > 0:
		n.Outcome, n.Status = compare.MeasurementFailed, "Measurement failed"
		n.Lead = say("%s of the last night measured nothing.", plural(failed, "trial"))
		if failed == 0 {
			n.Lead = say("%d of the last night could not be measured, so nothing is known about them.", unmeasured)
		}
	case len(lost) > 0:
		n.Outcome, n.Status = compare.Passed, "Incomplete"
		n.Lead = concat(lost[0].name(), say(" is no longer measured: the night of %s was the last that had it. What is not measured is not known to be well.", day(lost[0].Ran)))
	case suspected > 0:
		n.Outcome, n.Status = compare.Passed, "Suspected"
		n.Lead = concat(sentence("Suspected, not proven: ", *suspect), say(" One night proves nothing: a change that lasts for three becomes a change point."))
	case !slices.ContainsFunc(t.Machines, func(m history.Machine) bool { return len(m.Nights) >= youngest }):
		n.Outcome, n.Status = compare.Passed, "Too young"
		n.Headline = cmp.Or(n.Headline, "no change can be seen yet")
		n.Lead = say("No machine has %s yet, and fewer show no change.", plural(youngest, "night"))
		undecided = true
	default:
		n.Outcome, n.Status = compare.Passed, Steady
		n.Lead = say("Nothing got worse and stayed so.")
		if n.Headline == "" {
			n.Headline = "no open change in " + plural(series, "trend")
		}
	}
	if n.Outcome == compare.Passed && n.Policy.InconclusiveFails && undecided {
		n.Outcome = compare.Undecided
	}
	n.Steps = n.nextSteps(missing, worst, suspect)
	if len(lost) > 0 {
		n.Steps = append(n.Steps, Step{Kind: CheckInput, Text: say("Find out why %s no longer measured, or say that it ends there, by baseline promote with its cell.", isOrAre(len(lost), "trend"))})
	}
}

func isOrAre(n int, noun string) string {
	if n == 1 {
		return "1 " + noun + " is"
	}
	return plural(n, noun) + " are"
}

// nextSteps says what to do: first about what is worst.
func (n *Nightly) nextSteps(missing int, worst *ChangePoint, suspect *Row) []Step {
	steps := []Step{}
	for _, m := range n.Machines {
		if m.Last != nil && len(m.Last.Failures) > 0 {
			steps = append(steps, Step{Kind: ReadLogs, Text: concat(say("Find out why %s failed on ", plural(len(m.Last.Failures), "trial")), quote(m.Name), say(". The first said: "), cite(m.Last.Failures[0].Cause.Message()), say("."))})
		}
	}
	if worst != nil {
		steps = append(steps, investigate(n.Machines)...)
	}
	if suspect != nil && worst == nil {
		steps = append(steps, Step{Kind: SameHost, Text: say("Measure both builds in one session, where a decision cannot wait: stored sessions can only raise a suspicion.")})
	}
	if missing > 0 {
		steps = append(steps, Step{Kind: ReadLogs, Text: say("See why no session was stored for %s.", plural(missing, "night"))})
	}
	return steps
}

// mostLooks is how many open regressions the first steps tell of.
const mostLooks = 3

// investigate says how to look at the open regressions, the worst of each
// machine first, and that what is intended can be accepted.
func investigate(machines []NightlyMachine) (steps []Step) {
	for _, m := range machines {
		for _, p := range m.ChangePoints {
			if !p.Open() || len(steps) == mostLooks {
				continue
			}
			row := p.Rows[0]
			what := concat(quote(row.c.Metric.Name), say(" of "), cite(row.Label))
			switch i := slices.IndexFunc(p.Steps, func(s Step) bool { return s.Kind == Reproduce }); {
			case i >= 0:
				steps = append(steps, Step{Kind: Reproduce, Text: concat(say("See what made "), what, say(" worse.")), Command: p.Steps[i].Command})
			case p.Drift:
				steps = append(steps, Step{Kind: Quieten, Text: concat(say("Find out what grows with time on %s: ", m.Name), what, say(" went down little by little."))})
			case !p.Blamable:
				steps = append(steps, Step{Kind: Quieten, Text: concat(say("Find out what was done to %s on %s: ", m.Name, day(p.FirstBad)), what, say(" changed under one build."))})
			default:
				steps = append(steps, Step{Kind: Reproduce, Text: concat(say("Measure the builds of %s and %s in one session, to be sure of ", day(p.LastGood), day(p.FirstBad)), what, say("."))})
			}
		}
	}
	return append(steps, Step{Kind: Accept, Text: say("What is intended can be accepted, by the command beside its change point.")})
}

func nightlyFacts(n Nightly, t history.Trends, src NightlySource) []Fact {
	facts := []Fact{} // never null in JSON
	add := func(key, label string, value Text) {
		if len(value) > 0 {
			facts = append(facts, Fact{key, label, value})
		}
	}
	add("store", "store", quote(src.Store))
	if !src.Since.IsZero() {
		add("since", "nights since", say("%s", src.Since.UTC().Format(time.DateOnly)))
	}
	for i, m := range n.Machines {
		h := t.Machines[i]
		value := concat(say("%s from %s to %s, %s; last ", plural(len(h.Nights), "session"), h.Nights[0].Started.Format(time.DateOnly), day(m.Night), plural(len(m.Trends), "trend")), lastBuilt(m.Night))
		add("machine_"+m.Name, "machine "+m.Name, value)
	}
	if t.Series > 0 {
		add("false_alarms", "false alarms", say("at most %s change points a year may be none, in all %s together: a chance of %s for each and night", significant(t.FalseAlarms, 3), plural(t.Series, "trend"), significant(t.Level, 2)))
	}
	add("calibration", "calibration", quote(src.Calibration))
	return facts
}

func lastBuilt(n Night) Text {
	if t := built("", n); len(t) > 0 {
		return t
	}
	return say("of an unknown build")
}

func nightlyNotes(n Nightly, src NightlySource) (notes []Text) {
	if src.Faults > 0 {
		notes = append(notes, say("%s of the store cannot be read and take no part.", plural(src.Faults, "record")))
	}
	for _, m := range n.Machines {
		if m.Last == nil {
			continue
		}
		for _, p := range m.Last.Patterns {
			notes = append(notes, concat(quote(m.Name), say(": "), p))
		}
	}
	return notes
}

func nightlyDefinitions(n Nightly) []Definition {
	any := func(test func(ChangePoint) bool) bool {
		return slices.ContainsFunc(n.Machines, func(m NightlyMachine) bool { return slices.ContainsFunc(m.ChangePoints, test) })
	}
	var list []Definition
	add := func(when bool, term, meaning string) {
		if when {
			list = append(list, Definition{term, meaning})
		}
	}
	some := any(func(ChangePoint) bool { return true })
	add(some, "change point", "A night from which on a level was another one by more than the margin, found by comparing the best split of the series with that of its permutations. It takes three nights at least, and stays only as long as the last three still show it.")
	add(some, "interval", "The changes of level that the nights are consistent with, at the confidence given.")
	add(some, "open", "The level still lasts. It ends when a later change takes it back to within the margin, or somebody accepts it.")
	add(any(func(p ChangePoint) bool { return p.Drift }), "drift", "A level that went to another little by little: a straight line describes the nights much better than steps do.")
	add(any(func(p ChangePoint) bool { return p.State == history.OutOfSight }), "out of sight", "The machine, the parameters or the model file changed since, so that nothing measured now can be compared with what was measured then.")
	add(len(n.Machines) > 0, "break", "Where the machine, the parameters or the model file changed, or a change was accepted. Levels on its two sides are not compared: it is never a regression.")
	add(len(n.Machines) > 0, "suspected", "The last night lies below what was to be expected of it. One night is no proof: a change that lasts becomes a change point.")
	return list
}
