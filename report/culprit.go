package report

import (
	"maps"
	"slices"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/compare"
	"github.com/llama-regress/llama-regress/compare/history"
)

// A Range is two builds between which something got worse. Its texts are foreign.
type Range struct {
	Good, Bad string // commits, as builds say them
	Cell      string
	Metric    string
	Workload  string
	Model     string          // path of its file; "" when not known
	Commits   history.Commits // between them; zero where there is no checkout
}

// builtApart is, for each candidate that a regression of two builds was proven of, the
// commits of both and the worst of its rows. There is none where the arms differ in
// more than the build, since no commit then is to blame alone.
func builtApart(r Report, res *compare.Result, src Source) (all []Range) {
	run := src.Head
	if res.Method != compare.Paired || run == nil {
		return nil
	}
	base := armOf(run, run.Baseline)
	for _, row := range r.Rows { // the worst of each arm stands first
		head := armOf(run, row.c.Candidate.Arm)
		if row.Class != Regression || base == nil || head == nil || slices.ContainsFunc(all, func(x Range) bool { return x.Bad == head.Build.Commit }) ||
			!maps.Equal(base.Params, head.Params) || !maps.Equal(base.Env, head.Env) {
			continue
		}
		good, bad := Foreign{base.Build.Commit}.Commit(), Foreign{head.Build.Commit}.Commit()
		if good == "" || bad == "" || good == bad {
			continue
		}
		between := Range{Good: good, Bad: bad, Cell: row.c.Cell, Metric: row.c.Metric.Name, Workload: row.c.Workload}
		for _, m := range run.Models {
			if m.Name == row.c.Model {
				between.Model = m.Path
			}
		}
		all = append(all, between)
	}
	return all
}

func armOf(run *record.Run, name string) *record.Arm {
	if i := slices.IndexFunc(run.Arms, func(a record.Arm) bool { return a.Name == name }); i >= 0 {
		return &run.Arms[i]
	}
	return nil
}

// doubtful says if something speaks against the run, so that measuring it again is
// worth more than what follows from it.
func doubtful(res *compare.Result) bool {
	kept := func(w compare.Warning) bool { return w.Code == compare.DisturbedKept }
	return res.ControlFired || len(res.Doubts()) > 0 || slices.ContainsFunc(res.Comparisons, func(c compare.Comparison) bool { return slices.ContainsFunc(c.Warnings, kept) })
}

// countWork advises to count instructions where llama-bench lost, on a machine that
// counts, and none were counted yet.
func countWork(r Report, src Source) (text Text, command []string) {
	lost := func(row Row) bool { return row.Class == Regression && row.c.Workload == record.BenchWorkload }
	if src.Head == nil || src.Head.Host.Hard["os"] != "linux" || len(countingTrials(src.Head)) > 0 || !slices.ContainsFunc(r.Rows, lost) || len(src.Reproduce) == 0 {
		return nil, nil
	}
	return say("See if it is more work, and in which functions: count the instructions of both builds."), append(slices.Clip(src.Reproduce), "--count")
}

// timeOperators advises to time single operators where llama-bench lost and none were
// timed: generation multiplies with one column, a prompt with a whole batch of them.
func timeOperators(r Report, src Source) (text Text, command []string) {
	prompts := true
	lost := false
	for _, row := range r.Rows {
		if row.c.Workload == record.OpsWorkload {
			return nil, nil
		}
		if test, err := record.ParseTest(row.c.Metric.Name); err == nil && row.Class == Regression && row.c.Workload == record.BenchWorkload {
			lost, prompts = true, prompts && test.Gen == 0
		}
	}
	if !lost || len(src.Reproduce) == 0 {
		return nil, nil
	}
	columns := ",n=1,"
	if prompts {
		columns = ",n=512,"
	}
	return say("See which operator lost: time operators alone, by both builds' test-backend-ops."),
		append(slices.Clip(src.Reproduce), "--ops=MUL_MAT,MUL_MAT_ID", "--op-shapes="+columns)
}

// findCommit says how to find the commit that made something worse, or names it.
func findCommit(r Range) Step {
	if r.Commits.Total == 1 && len(r.Commits.List) == 1 {
		c := r.Commits.List[0]
		return Step{Kind: Reproduce, Text: concat(say("One commit lies between the two builds: "), quote(c.SHA[:min(12, len(c.SHA))]), say(", "), quote(c.Subject), say(", by "), quote(c.Author), say("."))}
	}
	find := concat(say("Find the commit between "), quote(r.Good), say(" and "), quote(r.Bad), say(" that made "), quote(r.Metric), say(" worse"))
	step := Step{Kind: Reproduce, Text: concat(find, say(", in a checkout of llama.cpp."))}
	if r.Commits.Total > 1 {
		step.Text = concat(find, say(": %d lie between.", r.Commits.Total))
	}
	words := []string{"llama-regress", "bisect", "--good", r.Good, "--bad", r.Bad}
	resource := record.IsResource(r.Metric) // a margin of those is set in a configuration
	if r.Model != "" && !resource && (r.Workload == record.BenchWorkload || r.Workload == record.CountWorkload) {
		words = append(words, "--model", r.Model)
	}
	switch {
	case r.Workload == record.BenchWorkload && !resource:
		words = append(words, "--tests", r.Metric, "--metric", r.Metric)
	case r.Workload == record.CountWorkload:
		words = append(words, "--count="+record.CountedTestOf(r.Metric))
	default:
		words = append(words, "-c", "llama-regress.yaml", "--cell", r.Cell, "--metric", r.Metric)
	}
	step.Command = shellQuote(words)
	return step
}
