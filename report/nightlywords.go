package report

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/llama-regress/llama-regress/compare"
	"github.com/llama-regress/llama-regress/compare/history"
)

// day is how nights are named: by the day they began on, UTC.
func day(n Night) string { return n.Started.UTC().Format(time.DateOnly) }

// changeFinding says how large a change is and how sure that is.
func changeFinding(r Row) Text {
	c, f := r.Comparison, r.Figures
	switch {
	case c.Change == nil:
		return say("no change can be given")
	case c.Interval == nil:
		return say("%s", r.size(*c.Change, f.Change))
	}
	return say("%s, %s interval %s", r.size(*c.Change, f.Change), f.Confidence, r.between())
}

// changeTitle names what moved most, and how many moved with it.
func changeTitle(p ChangePoint) Text {
	row := p.Rows[0]
	t := concat(quote(row.Comparison.Metric.Name), say(" of "), quote(row.Label))
	if n := len(p.Rows) - 1; n > 0 {
		t = concat(t, say(" and %d more", n))
	}
	if row.Comparison.Change == nil {
		return t
	}
	by := row.size(*row.Comparison.Change, row.Figures.Change)
	if len(p.Rows) > 1 {
		by = "up to " + by
	}
	return concat(t, say(": %s", by))
}

// changeSummary says how large a change is where no name may stand.
func changeSummary(p ChangePoint) string {
	row := p.Rows[0]
	by := "changed"
	if row.Comparison.Change != nil {
		by = row.size(*row.Comparison.Change, row.Figures.Change)
	}
	if len(p.Rows) > 1 {
		by = "up to " + by
	}
	if p.Drift {
		return fmt.Sprintf("%s from %s to %s in %s", by, day(p.LastGood), day(p.FirstBad), plural(len(p.Rows), "trend"))
	}
	return fmt.Sprintf("%s since %s in %s", by, day(p.FirstBad), plural(len(p.Rows), "trend"))
}

func changeWhen(p ChangePoint) Text {
	if p.Drift {
		return say("little by little from %s to %s", day(p.LastGood), day(p.FirstBad))
	}
	return concat(say("from the night of %s on", day(p.FirstBad)), built(", ", p.FirstBad), say("; last good night %s", day(p.LastGood)), built(", ", p.LastGood))
}

// built names the build of a night, where it says anything.
func built(sep string, n Night) Text {
	switch {
	case n.Commit == "" && n.Build == 0:
		return nil
	case n.Commit == "":
		return say("%sbuild %d", sep, n.Build)
	}
	if n.Build == 0 {
		return concat(say("%scommit ", sep), quote(shortCommit(n)))
	}
	return concat(say("%sbuild %d, commit ", sep, n.Build), quote(shortCommit(n)))
}

var commitForm = regexp.MustCompile(`^[0-9a-f]{7,40}$`)

// shortCommit is enough of a commit to find it by.
func shortCommit(n Night) string {
	if commitForm.MatchString(n.Commit) {
		return n.Commit[:min(len(n.Commit), 12)]
	}
	return Line(n.Commit, 24) // such as the name of a packager
}

func changeStanding(p ChangePoint, m *history.Machine, h history.ChangePoint) Text {
	switch p.State {
	case history.Recovered:
		return say("over since %s: a later change took it back", m.Nights[h.Ended].Started.Format(time.DateOnly))
	case history.Accepted:
		return concat(say("accepted as of %s: ", m.Nights[h.Ended].Started.Format(time.DateOnly)), quote(h.Reason))
	case history.OutOfSight:
		return say("out of sight since %s: what is measured since cannot be compared with it", m.Nights[h.Ended].Started.Format(time.DateOnly))
	}
	if p.Worse {
		return say("open: still so in the last night")
	}
	return say("still so in the last night")
}

func changeCaveats(p ChangePoint, h history.ChangePoint) (list []Text) {
	if h.SameBuild {
		list = append(list, say("One build was measured on either side, so it was not the program that changed: look for what was done to the machine."))
	}
	if h.Everywhere && !h.SameBuild {
		list = append(list, say("Nearly everything that this machine measures moved at once: the machine, or something that all of it uses."))
	}
	if h.Worse > 0 && h.Better > 0 {
		list = append(list, say("%d got worse and %d got better.", h.Worse, h.Better))
	}
	if !p.Drift && (h.SurelyGood < h.LastGood || h.SurelyBad > h.FirstBad) {
		list = append(list, concat(say("The night is the most likely one; with 95%% certainty it came after %s", day(p.SurelyGood)), built(", ", p.SurelyGood),
			say(", and not after %s", day(p.SurelyBad)), built(", ", p.SurelyBad), say(".")))
	}
	if p.Drift {
		list = append(list, say("It went little by little, so no single night is to blame. Look for what grows: a disk, a cache, the room's temperature, or many small commits."))
	} else if h.FirstBad-h.LastGood > 1 || p.FirstBad.Started.Sub(p.LastGood.Started) > 60*time.Hour {
		list = append(list, say("No night in between measured it."))
	}
	return list
}

func commitsUnder(p ChangePoint, h history.ChangePoint, src NightlySource) Text {
	switch {
	case h.SameBuild:
		return nil
	case p.Drift && p.CommitCount > 0:
		return say("%s in that time.", plural(p.CommitCount, "commit"))
	case p.Drift:
		return nil
	case h.Commits.Why != "":
		return concat(say("The commits between are not known: "), quote(h.Commits.Why), say("."))
	case len(p.Commits) == 0 && src.Checkout == "":
		return say("Give a llama.cpp checkout to see the commits between.")
	case len(p.Commits) == 0:
		return nil
	case len(p.Commits) < p.CommitCount:
		return say("%d commits between the two builds, the latest %d:", p.CommitCount, len(p.Commits))
	case len(p.Commits) == 1:
		return say("One commit between the two builds:")
	}
	return say("%d commits between the two builds, the latest first:", len(p.Commits))
}

// changeSteps says what to do about a regression that is open.
func changeSteps(p ChangePoint, src NightlySource) (steps []Step) {
	if !p.Open() {
		return nil
	}
	if p.Blamable && !p.Drift && src.Checkout != "" && commitForm.MatchString(p.LastGood.Commit) && commitForm.MatchString(p.FirstBad.Commit) {
		steps = append(steps, Step{Kind: Reproduce, Text: say("See what changed."),
			Command: shellQuote([]string{"git", "-C", src.Checkout, "log", "--stat", shortCommit(p.LastGood) + ".." + shortCommit(p.FirstBad)})})
	}
	if len(steps) > 0 && len(p.Commits) > 1 && p.Rows[0].Comparison.Workload == "bench" {
		steps = append(steps, Step{Kind: Reproduce, Text: say("Find the commit, by measuring those between in turns with the last good one."),
			Command: shellQuote([]string{"llama-regress", "bisect", "--repo", src.Checkout, "--good", shortCommit(p.LastGood), "--bad", shortCommit(p.FirstBad), "--metric", p.Rows[0].Comparison.Metric.Name})})
	}
	accept := []string{"llama-regress", "baseline", "promote", "--machine", p.Machine, "--from", p.FirstBad.Key, "--reason", "..."}
	if src.Store != "" {
		accept = append(accept, "--store", src.Store)
	}
	if len(p.Rows) <= 8 {
		var cells []string
		for _, r := range p.Rows {
			if !slices.Contains(cells, r.Comparison.Cell) {
				cells = append(cells, r.Comparison.Cell)
				accept = append(accept, "--cell", r.Comparison.Cell)
			}
		}
	}
	return append(steps, Step{Kind: Accept, Text: say("If it is intended, accept it: history begins anew there."), Command: shellQuote(accept)})
}

func gapText(m *history.Machine, g history.Gap) Text {
	nights := plural(g.Missing, "night")
	after := m.Nights[g.After].Started.Format(time.DateOnly)
	if g.Open {
		return say("%s missing since %s, the last session there is", nights, after)
	}
	return say("%s missing between %s and %s", nights, after, g.Until.Format(time.DateOnly))
}

// youngest is how many nights it takes to see a change: 3 on either side.
const youngest = 6

// breakTexts says where histories begin anew, each night and reason once.
func breakTexts(m *history.Machine) (list []Text) {
	type place struct {
		night int
		why   string
	}
	trends := make(map[place]int)
	accepted := make(map[place]bool)
	for _, t := range m.Trends {
		for _, b := range t.Breaks {
			p := place{t.Points[b.At].Night, b.Why}
			trends[p]++
			accepted[p] = b.Accepted
		}
	}
	places := slices.SortedFunc(maps.Keys(trends), func(a, b place) int { return cmp.Or(b.night-a.night, strings.Compare(a.why, b.why)) })
	for _, p := range places {
		why := quote(p.why)
		if accepted[p] {
			why = concat(say("a change was accepted: "), why)
		}
		list = append(list, concat(say("%s begin anew with the night of %s: ", plural(trends[p], "trend"), m.Nights[p.night].Started.Format(time.DateOnly)), why))
	}
	return list
}

// Steady is the status of a history in which nothing is wrong.
const Steady = "Steady"

// conclude sums up all machines.
func (n *Nightly) conclude(t history.Trends) {
	var open, fresh, machine, gains, suspected, unmeasured, failed, missing int
	var worst *ChangePoint
	var suspect *Row
	undecided := false
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
}

// nextSteps says what to do: first about what is worst.
func (n *Nightly) nextSteps(missing int, worst *ChangePoint, suspect *Row) []Step {
	steps := []Step{}
	for _, m := range n.Machines {
		if m.Last != nil && len(m.Last.Failures) > 0 {
			steps = append(steps, Step{Kind: ReadLogs, Text: concat(say("Find out why %s failed on ", plural(len(m.Last.Failures), "trial")), quote(m.Name), say(". The first said: "), quote(m.Last.Failures[0].Cause.Message), say("."))})
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
			what := concat(quote(row.Comparison.Metric.Name), say(" of "), quote(row.Label))
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
