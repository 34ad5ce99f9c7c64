package compare

import (
	"fmt"
	"maps"
	"slices"

	"github.com/llama-regress/llama-regress/ci/record"
)

// A Selection is one arm of one run record.
type Selection struct {
	Run *record.Run
	Arm string
}

// Run compares every arm of a run with its baseline arm. Arms that repeat the
// baseline as null control are judged apart; if one of them differs from the
// baseline, no change of this session is believed; of a record that was merged
// from shards, no change of that shard.
//
// A run in two stages is judged in two: see stages. Where its cells may stop
// early, intervals and p-values allow for every interim analysis that was planned.
func Run(run *record.Run, policy Policy) *Result {
	if run.Plan.Screen > 0 && blocked(run) {
		return stages(run, policy)
	}
	return oneStage(run, policy, 1)
}

// oneStage judges all blocks of a run as one family. equivalence is the part of
// Policy.Alpha that the claim "equivalent" may spend here, above 0 and up to 1.
func oneStage(run *record.Run, policy Policy, equivalence float64) *Result {
	res := &Result{Method: method(run, run), Policy: policy, Notes: run.Notes, machines: run.PartOfCells()}
	base := side(Selection{run, run.Baseline})
	for _, arm := range run.Arms {
		if arm.Name == run.Baseline {
			continue
		}
		head := side(Selection{run, arm.Name})
		comparisons, alone := match(base, head, res.Method, policy)
		if arm.ControlOf != "" {
			res.Controls = append(res.Controls, comparisons...) // it need not cover every cell
			continue
		}
		res.Comparisons = append(res.Comparisons, comparisons...)
		res.Alone = append(res.Alone, alone...)
		res.Differences = append(res.Differences, buildDifferences(base.arm, arm)...)
		if same, libraries := sameBuild(base.arm, arm); same {
			res.Libraries = libraries && (len(res.Same) == 0 || res.Libraries)
			res.Same = append(res.Same, arm.Name)
		}
		if r, more := reliability(base, head); more {
			res.Reliability = append(res.Reliability, r)
		}
	}
	res.lose()
	res.Failures = failures(run)
	for i := range res.Comparisons {
		res.Comparisons[i].equivalence = equivalence
	}
	res.judge(mismatches{subjects: countedApart(run)})
	res.Busy = busy(slices.Concat(res.Comparisons, res.Controls), run.Others)
	return res
}

// Between compares one arm of one run with one arm of another. Raw llama-bench
// files, whose trials belong to no block, are compared unpaired; two sessions
// show the change but no verdict, because the spread between sessions cannot
// be seen from one of each.
func Between(base, head Selection, policy Policy) *Result {
	if base.Run == head.Run {
		panic(fmt.Sprintf("compare: Between: both arms, %s and %s, are of one run; use Run", base.Arm, head.Arm))
	}
	res := &Result{Method: method(base.Run, head.Run), Policy: policy, machines: head.Run.PartOfCells()}
	b, h := side(base), side(head)
	res.Comparisons, res.Alone = match(b, h, res.Method, policy)
	hard, soft := base.Run.Host.Compare(head.Run.Host)
	res.Differences = append(hostDifferences(head.Arm, hard, true), hostDifferences(head.Arm, soft, false)...)
	what := subjectsOf(base.Run, head.Run, head.Arm, policy)
	res.Namesakes, res.Differences = what.found, append(res.Differences, what.diffs...)
	res.Differences = append(res.Differences, buildDifferences(b.arm, h.arm)...)
	if same, libraries := sameBuild(b.arm, h.arm); same {
		res.Same, res.Libraries = []string{h.arm.Name}, libraries
	}
	near := nearMisses(b, h, res.Alone)
	res.Ignorable, res.Differences = near.names, append(res.Differences, near.diffs...)
	res.lose()
	res.Failures = append(failures(base.Run), failures(head.Run)...)
	if r, more := reliability(b, h); more {
		res.Reliability = append(res.Reliability, r)
	}
	res.Notes = append(append(res.Notes, base.Run.Notes...), head.Run.Notes...)
	res.judge(mismatches{keys(hard), what.cells})
	return res
}

// method follows from how the trials were measured.
func method(base, head *record.Run) Method {
	switch {
	case !blocked(base) || !blocked(head):
		return Unpaired
	case base == head:
		return Paired
	}
	return Sessions
}

func blocked(run *record.Run) bool {
	for i := range run.Trials {
		if run.Trials[i].Block == record.NoBlock {
			return false
		}
	}
	return true
}

func failures(run *record.Run) []Failure {
	var fs []Failure
	for i := range run.Trials {
		t := &run.Trials[i]
		if cause := t.Fault(); cause != nil {
			fs = append(fs, Failure{Trial: t.ID, Arm: t.Arm, Cell: t.Cell, Block: t.Block, Cause: *cause})
		}
	}
	return fs
}

func hostDifferences(arm string, diffs []record.KeyDiff, hard bool) []Difference {
	var ds []Difference
	for _, d := range diffs {
		ds = append(ds, Difference{Key: "host." + d.Key, Arm: arm, Hard: hard, Baseline: d.A, Candidate: d.B})
	}
	return ds
}

func keys(diffs []record.KeyDiff) []string {
	var ks []string
	for _, d := range diffs {
		ks = append(ks, d.Key)
	}
	return ks
}

// buildDifferences lists how the arms' programs differ. None is hard: another
// build is what most candidates are.
func buildDifferences(base, head record.Arm) []Difference {
	var ds []Difference
	add := func(key, b, h string) {
		if b != h {
			ds = append(ds, Difference{Key: "build." + key, Arm: head.Name, Baseline: b, Candidate: h})
		}
	}
	add("commit", base.Build.Commit, head.Build.Commit)
	add("number", number(base.Build.Number), number(head.Build.Number))
	add("compiler", base.Build.Compiler, head.Build.Compiler)
	add("backends", base.Build.Backends, head.Build.Backends)
	add("sha256", base.Build.SHA256, head.Build.SHA256)
	ds = append(ds, settingDifferences("param.", head.Name, base.Params, head.Params)...)
	return append(ds, settingDifferences("env.", head.Name, base.Env, head.Env)...)
}

// settingDifferences lists what the candidate sets otherwise than the baseline.
func settingDifferences(prefix, arm string, base, set map[string]string) []Difference {
	names := make(map[string]bool)
	for name := range base {
		names[name] = true
	}
	for name := range set {
		names[name] = true
	}
	var ds []Difference
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if base[name] != set[name] {
			ds = append(ds, Difference{Key: prefix + name, Arm: arm, Baseline: base[name], Candidate: set[name]})
		}
	}
	return ds
}

func number(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprint(n)
}
