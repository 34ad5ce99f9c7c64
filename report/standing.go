package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/llama-regress/llama-regress/compare"
	"github.com/llama-regress/llama-regress/compare/history"
)

// open is the standing of a row that an earlier session was confirmed to have lost.
func (s Source) open(c *compare.Comparison) (history.Standing, bool) {
	if s.Memory == nil {
		return history.Standing{}, false
	}
	i := slices.IndexFunc(s.Memory.Open, func(x history.Standing) bool {
		return x.Finding.Cell == c.Cell && x.Finding.Metric.Name == c.Metric.Name
	})
	if i < 0 {
		return history.Standing{}, false
	}
	return s.Memory.Open[i], true
}

// withStanding says of rows since when they are open.
func withStanding(rows []Row, src Source) {
	for i := range rows {
		row := &rows[i]
		s, ok := src.open(&row.c)
		if !ok {
			continue
		}
		row.Standing = standing(s)
		switch {
		case len(s.Unseen) > 0:
			row.Finding = concat(row.Standing, say("; it cannot be looked at, because the machine differs since in "), quoteAll(s.Unseen, 8))
		case len(row.c.Candidate.Trials) == 0:
			row.Finding = concat(row.Standing, say("; not measured this time, so nothing says that it is over"))
		case row.c.Change == nil:
			row.Finding = row.Standing
		default:
			row.Finding = concat(row.Standing, say("; now %s", row.size(*row.c.Change, row.Figures.Change)))
		}
	}
}

// standing words a confirmed loss: "open since night 9 (2026-03-09), commit
// 71edf87, confirmed in turns, -7.6%".
func standing(s history.Standing) Text {
	return concat(say("open since %s", sinceNight(s)), builtFrom(s.Verdict.Commit), say(", confirmed in turns, %s", lossOf(s)))
}

func sinceNight(s history.Standing) string {
	day := s.Since().UTC().Format(time.DateOnly)
	if s.Verdict.Night == 0 {
		return "the night of " + day
	}
	return fmt.Sprintf("night %d (%s)", s.Verdict.Night, day)
}

func builtFrom(commit string) Text {
	if commit == "" {
		return nil
	}
	return concat(say(", commit "), cite(Night{Commit: Foreign{commit}}.ShortCommit()))
}

func lossOf(s history.Standing) string {
	x, unit := s.Finding.Change, "%"
	if s.Finding.Metric.InPoints() {
		unit = " pp"
	}
	x = max(-absurd, min(absurd, 100*x))
	return signed(x, 1) + unit
}

// standingRemark adds to the counts since when losses are open, and that the machine
// moved.
func standingRemark(m *history.Memory) string {
	if m == nil {
		return ""
	}
	var all []string
	switch {
	case len(m.Open) == 1:
		all = append(all, "open since "+sinceNight(m.Open[0]))
	case len(m.Open) > 1:
		all = append(all, fmt.Sprintf("%d of them open, the first since %s", len(m.Open), sinceNight(m.Open[0])))
	}
	switch {
	case m.Sentinel.Withholds() && len(m.Withheld) > 0:
		all = append(all, fmt.Sprintf("the machine moved, %d withheld", len(m.Withheld)))
	case m.Sentinel.Withholds():
		all = append(all, "the machine moved")
	}
	return strings.Join(all, "; ")
}

// overTexts tell what was open and is over.
func overTexts(m *history.Memory, labels map[string]string) (list []Text) {
	if m == nil {
		return nil
	}
	for _, s := range m.Over {
		list = append(list, concat(say("Over: "), quote(s.Finding.Metric.Name), say(" of "), quote(labelOf(labels, s.Finding.Cell)), say(", open since %s, is back: this session lies within the margin of those before that night.", sinceNight(s))))
	}
	return list
}

func labelOf(labels map[string]string, cell string) string {
	if l := labels[cell]; l != "" {
		return l
	}
	return cell
}

// memoryNotes tell what verdicts of earlier sessions could not say.
func memoryNotes(m *history.Memory) (list []Text) {
	if m == nil {
		return nil
	}
	for _, l := range m.Lost {
		list = append(list, concat(say("A stored verdict cannot be read, so that a regression may be open that is not told here, and no verdict follows from it: "), quote(l.Error()), say(". Restore it, or accept what that session measured with baseline promote.")))
	}
	for _, s := range m.Other {
		list = append(list, concat(quote(s.Finding.Metric.Name), say(" of "), quote(s.Finding.Cell), say(" is "), standing(s),
			say(", of a session that differs in its machine or is dated after this one: nothing is known of it here. Give two machines two names (--machine), and set the clock.")))
	}
	if m.OutOfLine {
		list = append(list, say("This session is dated before one that is stored: nights are out of order, or a clock was wrong. It opens and closes no regression."))
	}
	return list
}

// withMemory is the outcome when what earlier sessions say counts too: where one of
// their verdicts cannot be read, a regression may be open, and where the sentinel
// moved, nothing is known of the build. Neither is a pass.
func withMemory(o compare.Outcome, m *history.Memory) compare.Outcome {
	if o == compare.Passed && m != nil && (len(m.Lost) > 0 || m.Sentinel.Withholds()) {
		return compare.Undecided
	}
	return o
}

// pastSteps say what to do about regressions that history found: find the commit,
// or accept.
func pastSteps(r Report, src Source) (steps []Step) {
	for _, between := range src.Ranges[:min(len(src.Ranges), mostLooks)] {
		steps = append(steps, findCommit(between))
	}
	first := time.Time{}
	var from string
	var cells []string
	for _, row := range r.Rows {
		if row.Class != Regression {
			continue
		}
		if !slices.Contains(cells, row.c.Cell) {
			cells = append(cells, row.c.Cell)
		}
		if s, ok := src.open(&row.c); ok && (first.IsZero() || s.Since().Before(first)) {
			first, from = s.Since(), s.Verdict.Session
		}
	}
	accept := []string{"llama-regress", "baseline", "promote", "--machine", src.Machine}
	if from != "" {
		accept = append(accept, "--from", from)
	}
	if src.Store != "" {
		accept = append(accept, "--store", src.Store)
	}
	if len(cells) <= 8 {
		for _, c := range cells {
			accept = append(accept, "--cell", c)
		}
	}
	when := "once the session is stored"
	if from != "" {
		when = "history begins anew there"
	}
	return append(steps, Step{Kind: Accept, Text: say("If it is intended, accept it, %s: say why, and who agreed.", when), Command: shellQuote(append(accept, "--reason", "..."))})
}
