package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/compare/history"
)

// day is how nights are named: by the day they began on, UTC.
func day(n Night) string { return n.Started.UTC().Format(time.DateOnly) }

// changeFinding says how large a change is and how sure that is.
func changeFinding(r Row) Text {
	c, f := r.c, r.Figures
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
	t := concat(quote(row.c.Metric.Name), say(" of "), cite(row.Label))
	if n := len(p.Rows) - 1; n > 0 {
		t = concat(t, say(" and %d more", n))
	}
	if row.c.Change == nil {
		return t
	}
	by := row.size(*row.c.Change, row.Figures.Change)
	if len(p.Rows) > 1 {
		by = "up to " + by
	}
	return concat(t, say(": %s", by))
}

// changeSummary says how large a change is where no name may stand.
func changeSummary(p ChangePoint) string {
	row := p.Rows[0]
	by := "changed"
	if row.c.Change != nil {
		by = row.size(*row.c.Change, row.Figures.Change)
	}
	if len(p.Rows) > 1 {
		by = "up to " + by
	}
	if len(p.Stairs) > 0 {
		return fmt.Sprintf("%s in %d small steps since %s in %s", by, len(p.Stairs), day(p.Stairs[0]), plural(len(p.Rows), "trend"))
	}
	if p.Drift {
		return fmt.Sprintf("%s from %s to %s in %s", by, day(p.LastGood), day(p.FirstBad), plural(len(p.Rows), "trend"))
	}
	return fmt.Sprintf("%s since %s in %s", by, day(p.FirstBad), plural(len(p.Rows), "trend"))
}

func changeWhen(p ChangePoint) Text {
	if n := len(p.Stairs); n > 0 {
		days := make([]string, n)
		for i, night := range p.Stairs {
			days[i] = day(night)
		}
		return say("in %d small steps, from the nights of %s and %s on", n, strings.Join(days[:n-1], ", "), days[n-1])
	}
	if p.Drift {
		return say("little by little from %s to %s", day(p.LastGood), day(p.FirstBad))
	}
	return concat(say("from the night of %s on", day(p.FirstBad)), built(", ", p.FirstBad), say("; last good night %s", day(p.LastGood)), built(", ", p.LastGood))
}

// built names the build of a night, where it says anything.
func built(sep string, n Night) Text {
	switch {
	case n.Commit.IsEmpty() && n.Build == 0:
		return nil
	case n.Commit.IsEmpty():
		return say("%sbuild %d", sep, n.Build)
	}
	if n.Build == 0 {
		return concat(say("%scommit ", sep), cite(n.ShortCommit()))
	}
	return concat(say("%sbuild %d, commit ", sep, n.Build), cite(n.ShortCommit()))
}

// ShortCommit is enough of a commit to find it by; empty when it is not known.
func (n Night) ShortCommit() Foreign {
	if c := n.Commit.Commit(); c != "" {
		return Foreign{c[:min(len(c), 12)]}
	}
	return Foreign{Line(n.Commit.text, 24)} // such as the name of a packager
}

func changeStanding(p ChangePoint, m *history.Machine, h history.ChangePoint) Text {
	switch p.State {
	case history.Recovered:
		return say("over since %s: a later change took it back", m.Nights[h.Ended].Started.Format(time.DateOnly))
	case history.Accepted:
		return concat(say("accepted as of %s: ", m.Nights[h.Ended].Started.Format(time.DateOnly)), quote(h.Reason))
	case history.OutOfSight:
		if p.Worse {
			return say("open, and out of sight since %s: what is measured since cannot be compared with it, so that nothing says that it is over", m.Nights[h.Ended].Started.Format(time.DateOnly))
		}
		return say("out of sight since %s: what is measured since cannot be compared with it", m.Nights[h.Ended].Started.Format(time.DateOnly))
	}
	if h.Confirmed != nil {
		return standing(*h.Confirmed)
	}
	if p.Worse {
		return say("open: still so in the last night")
	}
	return say("still so in the last night")
}

func changeCaveats(p ChangePoint, h history.ChangePoint) (list []Text) {
	if h.Confirmed != nil {
		list = append(list, concat(confirmedBy(*h.Confirmed), say(".")))
	}
	if h.Relative {
		list = append(list, say("The machine moved in the same night, by its sentinel. This is what changed beyond that, if the machine slows down both builds alike."))
	}
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
	if len(p.Stairs) > 0 {
		list = append(list, say("None of its steps exceeds the margin by itself; together they do. A smaller margin tells each of them by itself, with its commits."))
	} else if p.Drift {
		list = append(list, say("It went little by little, so no single night is to blame. Look for what grows: a disk, a cache, the room's temperature, or many small commits."))
	} else if h.FirstBad-h.LastGood > 1 || p.FirstBad.Started.Sub(p.LastGood.Started) > 60*time.Hour {
		list = append(list, say("No night in between measured it."))
	}
	return list
}

// confirmedBy says how a loss was confirmed.
func confirmedBy(s history.Standing) Text {
	c := s.Verdict.Confirmed
	if c == nil {
		return nil
	}
	t := say("Confirmed on %s: both builds were measured in turns, in %s", sinceNight(s), plural(c.Blocks, "block"))
	if c.Commit != "" {
		t = concat(t, say(", against commit "), cite(Night{Commit: Foreign{c.Commit}}.ShortCommit()))
	}
	return concat(t, say(": %s", lossOf(s)))
}

func commitsUnder(p ChangePoint, h history.ChangePoint, src NightlySource) Text {
	switch {
	case h.SameBuild:
		return nil
	case p.Confirmed && p.LastGood.Commit.Commit() != "" && p.LastGood.ShortCommit() == p.FirstBad.ShortCommit():
		return say("Both programs name this commit: what differs is how they were built.")
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
	good, bad := p.LastGood.ShortCommit().text, p.FirstBad.ShortCommit().text
	known := p.Blamable && p.LastGood.Commit.Commit() != "" && p.FirstBad.Commit.Commit() != "" && good != bad
	if known && !p.Drift && src.Checkout != "" {
		steps = append(steps, Step{Kind: Reproduce, Text: say("See what changed."),
			Command: shellQuote([]string{"git", "-C", src.Checkout, "log", "--stat", good + ".." + bad})})
	}
	if len(steps) > 0 && len(p.Commits) > 1 && p.Rows[0].c.Workload == record.BenchWorkload {
		steps = append(steps, Step{Kind: Reproduce, Text: say("Find the commit, by measuring those between in turns with the last good one."),
			Command: shellQuote([]string{"llama-regress", "bisect", "--repo", src.Checkout, "--good", good, "--bad", bad, "--metric", p.Rows[0].c.Metric.Name})})
	}
	if known && p.Confirmed && src.Checkout == "" {
		steps = append(steps, findCommit(Range{Good: good, Bad: bad, Cell: p.Rows[0].c.Cell, Metric: p.Rows[0].c.Metric.Name, Workload: p.Rows[0].c.Workload}))
	}
	accept := []string{"llama-regress", "baseline", "promote", "--machine", p.Machine, "--from", p.FirstBad.Key, "--reason", "..."}
	if src.Store != "" {
		accept = append(accept, "--store", src.Store)
	}
	if len(p.Rows) <= 8 {
		var cells []string
		for _, r := range p.Rows {
			if !slices.Contains(cells, r.c.Cell) {
				cells = append(cells, r.c.Cell)
				accept = append(accept, "--cell", r.c.Cell)
			}
		}
	}
	return append(steps, Step{Kind: Accept, Text: say("If it is intended, accept it: history begins anew there."), Command: shellQuote(accept)})
}

// lostTexts says what is no longer measured, and since when.
func lostTexts(trends []Trend) (list []Text) {
	for _, t := range trends {
		if t.Lost {
			list = append(list, concat(t.name(), say(": not measured since %s, the last night that had it", day(t.Ran))))
		}
	}
	return list
}

func (t Trend) name() Text { return concat(cite(t.Metric), say(" of "), cite(t.Label)) }

func gapText(m *history.Machine, g history.Gap) Text {
	nights := plural(g.Missing, "night")
	after := m.Nights[g.After].Started.Format(time.DateOnly)
	if g.Open {
		return say("%s missing since %s, the last session there is", nights, after)
	}
	return say("%s missing between %s and %s", nights, after, g.Until.Format(time.DateOnly))
}

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
