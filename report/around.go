package report

import (
	"maps"
	"math"
	"regexp"
	"slices"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/compare"
)

// newFailures names each failure's cell as the rows do.
func newFailures(list []compare.Failure, labels map[string]string, src Source) []Failure {
	failures := make([]Failure, 0, len(list))
	for _, f := range list {
		label, ok := labels[f.Cell]
		if !ok {
			label = f.Cell
		}
		failure := Failure{Failure: f, Label: label}
		if src.TrialLog != nil {
			failure.Log = src.TrialLog(f.Trial)
		}
		failures = append(failures, failure)
	}
	return failures
}

// A FailureGroup is failures that say the same of the same cell and arm.
type FailureGroup struct {
	Failure     // the first of them
	Count   int // how many there are
}

// GroupFailures gathers failures that a reader need see only once, in the
// order of their first.
func GroupFailures(list []Failure) []FailureGroup {
	type key struct{ arm, cell, class, message string }
	var groups []FailureGroup
	index := make(map[key]int)
	for _, f := range list {
		k := key{f.Arm, f.Cell, string(f.Cause.Class), f.Cause.Message}
		i, ok := index[k]
		if !ok {
			i = len(groups)
			index[k] = i
			groups = append(groups, FailureGroup{Failure: f})
		}
		groups[i].Count++
	}
	return groups
}

// hardFirst returns the differences with those that forbid a comparison in
// front, otherwise in their order.
func hardFirst(list []compare.Difference) []compare.Difference {
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b compare.Difference) int {
		switch {
		case a.Hard == b.Hard:
			return 0
		case a.Hard:
			return -1
		}
		return 1
	})
	return list
}

// newArms lists the arms that were compared, baseline first and controls last.
func newArms(res *compare.Result, src Source) []Arm {
	var arms []Arm
	add := func(run *record.Run, name, file string, role Role) {
		if run == nil || slices.ContainsFunc(arms, func(a Arm) bool { return a.Name == name && a.Role == role && a.File == file }) {
			return
		}
		i := slices.IndexFunc(run.Arms, func(a record.Arm) bool { return a.Name == name })
		if i < 0 {
			return
		}
		a := run.Arms[i]
		arms = append(arms, Arm{Name: a.Name, Role: role, ControlOf: a.ControlOf, Build: a.Build, Params: a.Params, Env: withoutSecrets(a.Env), File: file})
	}
	for _, c := range res.Comparisons {
		add(src.Base, c.Baseline.Arm, src.BaseFile, Baseline)
	}
	for _, c := range res.Comparisons {
		add(src.Head, c.Contender.Arm, src.HeadFile, Contender)
	}
	for _, c := range res.Controls {
		add(src.Head, c.Contender.Arm, src.HeadFile, Control)
	}
	return arms
}

// Details says what an arm ran and with which settings of its own, as far as
// that is known.
func (a Arm) Details() []Text {
	b := a.Build
	var parts []Text
	add := func(label, value string) {
		if value != "" {
			parts = append(parts, concat(say("%s ", label), quote(value)))
		}
	}
	add("control of", a.ControlOf)
	add("commit", b.Commit)
	if b.Number > 0 {
		parts = append(parts, say("build %d", b.Number))
	}
	add("version", b.Version)
	add("backends", b.Backends)
	add("processor", b.CPU)
	add("GPU", b.GPU)
	add("SHA-256", b.SHA256)
	add("program", b.Program)
	add("file", a.File)
	for _, name := range slices.Sorted(maps.Keys(a.Params)) {
		add("parameter", name+"="+a.Params[name])
	}
	for _, name := range slices.Sorted(maps.Keys(a.Env)) {
		add("environment", name+"="+a.Env[name])
	}
	return parts
}

// patterns says what holds for many comparisons at once, so that a reader need
// not find it in the rows.
func patterns(res *compare.Result) []Text {
	var list []Text
	for _, g := range res.Groups {
		metric := groupMetric(res, g)
		worst := fixed(100*math.Abs(g.Change), decimalsFor(math.Abs(g.Change)*100))
		list = append(list, concat(say("%s of ", plural(len(g.Cells), "cell")), quote(g.Model), say(" moved together in "), quote(g.Metric),
			say(" with "), quote(g.Contender), say(": about %s%% %s.", worst, comparative(metric, g.Change))))
	}
	for _, arm := range res.Suspects {
		list = append(list, concat(say("Nearly everything measured with "), quote(arm),
			say(" moved the same way, and it was not measured in turns with the baseline. Suspect the machine before the build.")))
	}
	return list
}

func groupMetric(res *compare.Result, g compare.Group) record.Metric {
	for _, c := range res.Comparisons {
		if c.Metric.Name == g.Metric && c.Model == g.Model {
			return c.Metric
		}
	}
	return record.Metric{}
}

// secret matches names of variables whose values must not be published.
var secret = regexp.MustCompile(`(?i)token|secret|passw|credential|api_?key|private|auth`)

// withoutSecrets returns env with values hidden that look like secrets: a
// report is posted where everybody can read it.
func withoutSecrets(env map[string]string) map[string]string {
	shown := maps.Clone(env)
	for name := range shown {
		if secret.MatchString(name) {
			shown[name] = "(hidden)"
		}
	}
	return shown
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
		notes = append(notes, say("One session was compared with stored ones. What changed since then is not the build alone, so this can raise a suspicion and give no verdict of regression."))
	case compare.Sessions:
		notes = append(notes, say("Two sessions were compared. How much sessions differ by themselves is not known, so a difference here is a hint and no proof."))
	}
	for _, note := range res.Notes {
		if note != "" {
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
	add(len(r.Rows) > 0, "change", "Contender divided by baseline, minus one: how much more or less the contender measured.")
	add(shown(func(r Row) bool { return r.Points }), "pp", "Percentage points: the difference of two shares, not their ratio.")
	add(shown(func(r Row) bool { return r.Figures.Low != "" }), "interval", "The changes that the measurements are consistent with, at the confidence given. A narrow one means a precise measurement.")
	add(shown(func(r Row) bool { return r.Figures.Margin != "" }), "margin", "The change that counts as none, fixed before measuring. Its two ends are ratios of one another: a margin of 3% reaches from 2.9% less to 3% more.")
	add(r.Counts.Regressions+r.Counts.Improvements > 0, "regression, improvement", "The change lies beyond the margin, and chance is ruled out at the error rate given, for all comparisons of this run together.")
	add(r.Counts.Equivalent > 0, "equivalent", "The change was shown to lie within the margin. This is more than not having found one.")
	add(r.Counts.Inconclusive > 0, "inconclusive", "Neither a change beyond the margin nor its absence could be shown, for the reason given. That is no evidence that nothing changed.")
	add(r.Counts.Suspected > 0, "suspected", "Probably worse than the margin allows, but chance is not ruled out.")
	add(res.Method == compare.Paired && len(r.Rows) > 0, "block", "One round in which every arm runs once, back to back. Differences are formed within a block, so that slow changes of the machine cancel.")
	add(len(r.Rows) > 0, "trial", "One process started and measured. Repetitions within it resemble each other and are not counted as evidence of their own.")
	add(shown(func(r Row) bool { return r.Figures.Noise != "" }), "noise", "Standard deviation of the differences between blocks or, without blocks, of the trials of a side.")
	add(shown(func(r Row) bool { return r.Figures.Detectable != "" }), "detectable (MDE)", "The smallest loss that this run would have called a regression four times out of five.")
	add(len(r.Controls) > 0, "control", "The baseline measured a second time as if it were a contender. Whatever differs there is the machine, not the code.")
	return list
}
