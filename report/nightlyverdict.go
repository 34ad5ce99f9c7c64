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

// A tally is what the machines of a nightly count.
type tally struct {
	open, fresh, machine, gains   int // change points: of the program, those of them that are new, of a machine, gains that are new
	suspected, unmeasured, failed int // of the last nights
	missing, series               int // nights, trends
	worst                         *ChangePoint
	suspect                       *Row
	lost                          []Trend
	undecided                     bool           // something that is judged could not be
	standing                      *Row           // a confirmed loss that no change point tells of
	lostVerdicts                  int            // that cannot be read
	young                         int            // trends that are too short for a loss of two margins to be found, whenever it began
	judged                        int            // trends in which changes are looked for and that go on
	blind                         *history.Blind // of those that are old enough, the one that has to wait longest
	shortest                      *history.Blind // of the young ones, that of the largest loss
	moved                         *Sentinel      // of a machine that moved last night
}

func newTally(machines []NightlyMachine, t history.Trends) (c tally) {
	for i := range machines {
		m := &machines[i]
		c.series += len(m.Trends)
		for k := range t.Machines[i].Trends {
			c.addBlind(&t.Machines[i].Trends[k].Blind)
		}
		c.addMemory(m)
		for k := range m.ChangePoints {
			c.addPoint(&m.ChangePoints[k])
		}
		c.addNight(m.Last)
		if c.moved == nil && m.Sentinel.Moved() {
			c.moved = m.Sentinel
		}
		for _, trend := range m.Trends {
			if trend.Lost {
				c.lost = append(c.lost, trend)
				c.undecided = c.undecided || trend.Judged
			}
		}
		for _, g := range t.Machines[i].Gaps {
			if g.Open {
				c.missing += g.Missing
			}
		}
	}
	return c
}

// addBlind counts what a trend cannot show yet.
func (c *tally) addBlind(b *history.Blind) {
	switch {
	case b.Loss == 0:
		return
	case b.Nights == 0:
		c.young++
		if c.shortest == nil || b.Loss > c.shortest.Loss {
			c.shortest = b
		}
	case c.blind == nil || b.Since.Before(c.blind.Since):
		c.blind = b
	}
	c.judged++
}

// addMemory counts what verdicts of earlier nights say that no change point does.
func (c *tally) addMemory(m *NightlyMachine) {
	if m.memory == nil {
		return
	}
	c.lostVerdicts += len(m.memory.Lost)
	for k := range m.Last.Rows {
		row := &m.Last.Rows[k]
		told := slices.ContainsFunc(m.ChangePoints, func(p ChangePoint) bool {
			return p.Open() && slices.ContainsFunc(p.Rows, func(r Row) bool { return r.c.Cell == row.c.Cell && r.c.Metric.Name == row.c.Metric.Name })
		})
		if len(row.Standing) > 0 && !told && c.standing == nil {
			c.standing = row
		}
	}
}

func (c *tally) addPoint(p *ChangePoint) {
	switch {
	case p.Open() && p.Blamable:
		c.open++
		if p.New {
			c.fresh++
		}
		if c.worst == nil || p.Rows[0].relativeGain() < c.worst.Rows[0].relativeGain() {
			c.worst = p
		}
	case p.Open():
		c.machine++
	case p.New && p.Gained():
		c.gains++
	}
}

func (c *tally) addNight(r *Report) {
	if r == nil {
		return
	}
	c.suspected += r.Counts.Suspected
	c.unmeasured += r.Counts.Unmeasured
	c.failed += len(r.Failures)
	c.undecided = c.undecided || r.Counts.Inconclusive > 0
	for k := range r.Rows {
		if r.Rows[k].Class == Suspected && (c.suspect == nil || r.Rows[k].relativeGain() < c.suspect.relativeGain()) {
			c.suspect = &r.Rows[k]
		}
	}
}

// headline lists the counts that are not 0; "" where all are.
func (c tally) headline() string {
	var parts []string
	add := func(count int, format string, args ...any) {
		if count > 0 {
			parts = append(parts, fmt.Sprintf(format, args...))
		}
	}
	of := ""
	if c.fresh > 0 {
		of = fmt.Sprintf(" (%d new)", c.fresh)
	}
	add(c.open, "%s open%s", plural(c.open, "regression"), of)
	add(c.machine, "%s of a machine", plural(c.machine, "change"))
	add(c.suspected, "%d suspected last night", c.suspected)
	add(c.unmeasured, "%d not measured last night", c.unmeasured)
	add(len(c.lost), "%d no longer measured", len(c.lost))
	add(c.gains, "%s new", plural(c.gains, "improvement"))
	add(c.missing, "%s missing", plural(c.missing, "night"))
	if c.moved != nil {
		parts = append(parts, "the machine moved")
	}
	return strings.Join(parts, ", ")
}

// conclude sums up all machines: what is worst decides.
func (n *Nightly) conclude(t history.Trends) {
	c := newTally(n.Machines, t)
	n.Headline = c.headline()
	n.Outcome = compare.Passed
	switch {
	case len(n.Machines) == 0:
		n.Outcome, n.Status, n.Headline = compare.NothingCompared, "Nothing stored", "the store holds no session"
		n.Lead = say("There is no history to look at yet. Store the record of each night, and look again.")
	case c.open > 0:
		n.Outcome, n.Status = compare.Regressed, "Regression"
		n.Lead = concat(say("Worst: "), c.worst.Title, say(", "), c.worst.When, say("."))
	case c.standing != nil:
		n.Outcome, n.Status = compare.Regressed, "Regression"
		n.Headline = cmp.Or(n.Headline, "1 regression open")
		n.Lead = sentence("", *c.standing)
	case c.failed > 0:
		n.Outcome, n.Status = compare.MeasurementFailed, "Measurement failed"
		n.Lead = say("%s of the last night measured nothing.", plural(c.failed, "trial"))
	case c.unmeasured > 0:
		n.Outcome, n.Status = compare.MeasurementFailed, "Measurement failed"
		n.Lead = say("%d of the last night could not be measured, so nothing is known about them.", c.unmeasured)
	case c.moved != nil:
		n.Outcome, n.Status = compare.Undecided, MachineMoved
		n.Lead = c.moved.Lead()
	case len(c.lost) > 0:
		n.Status = "Incomplete"
		n.Lead = concat(c.lost[0].name(), say(" is no longer measured: the night of %s was the last that had it. What is not measured is not known to be well.", day(c.lost[0].Ran)))
	case c.suspected > 0:
		n.Status = "Suspected"
		n.Lead = concat(sentence("Suspected, not proven: ", *c.suspect), say(" One night proves nothing: a change that lasts for three becomes a change point."))
	case c.young > 0 && c.young == c.judged:
		n.Status, c.undecided = Learning, true
		n.Headline = cmp.Or(n.Headline, "no change can be seen yet")
		n.Lead = c.tooYoung()
	default:
		n.Status = Steady
		n.Headline = cmp.Or(n.Headline, "no open change in "+plural(c.series, "trend"))
		n.Lead = c.steady()
	}
	if n.Outcome == compare.Passed && c.lostVerdicts > 0 {
		n.Outcome, n.Status = compare.Undecided, undecided
		n.Lead = say("%s cannot be read, so that a regression may be open that is not told here.", plural(c.lostVerdicts, "stored verdict"))
	}
	if n.Outcome == compare.Passed && (n.Policy.FailOn == compare.OnInconclusive && c.undecided || n.Policy.FailOn == compare.OnSuspected && c.suspected > 0) {
		n.Outcome = compare.Undecided
	}
	n.Steps = n.nextSteps(c.missing, c.worst, c.suspect)
	if c.moved != nil {
		n.Steps = append([]Step{c.moved.step()}, n.Steps...)
	}
	if len(c.lost) > 0 {
		n.Steps = append(n.Steps, Step{Kind: CheckInput, Text: say("Find out why %s no longer measured, or say that it ends there, by baseline promote with its cell.", isOrAre(len(c.lost), "trend"))})
	}
}

// tooYoung says which loss would not show in trends that are too short for any.
func (c tally) tooYoung() Text {
	if c.young == c.judged {
		return say("Learning: with so few nights a loss of %s would not show yet, whenever it began, in none of %s; each night more tells more.", lossSize(c.shortest), plural(c.judged, "trend"))
	}
	return say("%d of %s are too short: a loss of %s would not show in them yet, whenever it began.", c.young, plural(c.judged, "trend"), lossSize(c.shortest))
}

// steady says that nothing is to be seen, and what would not be.
func (c tally) steady() Text {
	if c.blind == nil {
		return say("No trend is judged, so nothing is known.")
	}
	t := say("No loss that lasts is to be seen. One of %s that began on %s or later would not show yet.", lossSize(c.blind), c.blind.Since.UTC().Format(time.DateOnly))
	if c.young > 0 {
		t = concat(t, say(" "), c.tooYoung())
	}
	return t
}

func lossSize(b *history.Blind) string {
	unit := "%"
	if b.Points {
		unit = " pp"
	}
	return significant(100*b.Loss, 2) + unit
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
			case len(p.Stairs) > 0:
				steps = append(steps, Step{Kind: Quieten, Text: concat(say("Look at the nights of the %d small steps on %s: ", len(p.Stairs), m.Name), what, say(" went down with each."))})
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
		if m.Sentinel != nil {
			add("sentinel_"+m.Name, "its sentinel", m.Sentinel.Text)
		}
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
	if src.Ahead > 0 {
		notes = append(notes, say("%s of the store: dated after now, so that the clock of its machine was wrong, or this one's is. It takes no part until its day comes; standard error names it and what to do.", plural(src.Ahead, "record")))
	}
	for _, m := range n.Machines {
		if m.Last == nil {
			continue
		}
		notes = append(notes, m.Sentinel.notes()...)
		if n.Status != MachineMoved && m.Last.Status == MachineMoved { // else its patterns tell
			notes = append(notes, m.Sentinel.Lead())
		}
		notes = append(notes, memoryNotes(m.memory)...)
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
	add(any(func(p ChangePoint) bool { return len(p.Stairs) > 0 }), "small steps", "Several steps that went the same way: none exceeds the margin by itself, all together do.")
	add(any(func(p ChangePoint) bool { return p.Drift && len(p.Stairs) == 0 }), "drift", "A level that went to another little by little: a straight line describes the nights much better than steps do.")
	add(any(func(p ChangePoint) bool { return p.State == history.OutOfSight }), "out of sight", "The machine, the parameters or the model file changed since, so that nothing measured now can be compared with what was measured then. A regression stays open until somebody accepts it.")
	add(len(n.Machines) > 0, "break", "Where the machine, the parameters or the model file changed, or a change was accepted. Levels on its two sides are not compared: it is never a regression.")
	add(slices.ContainsFunc(n.Machines, func(m NightlyMachine) bool { return m.Sentinel != nil }), "sentinel", sentinelMeaning)
	add(len(n.Machines) > 0, "suspected", "The last night lies below what was to be expected of it. One night is no proof: a change that lasts becomes a change point.")
	return list
}
