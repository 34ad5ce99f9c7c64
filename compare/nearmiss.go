package compare

import (
	"maps"
	"slices"

	"github.com/llama-regress/llama-regress/ci/record"
)

// fewParams is in how many parameters cells of one model and test may differ and
// still look as if they were meant to be compared.
const fewParams = 6

// A nearMiss is what kept cells of one model and test from being compared.
type nearMiss struct {
	names []string // parameters, sorted
	diffs []Difference
}

// nearMisses looks for cells that only the baseline has and those that only the
// candidate has which differ in few parameters. It finds nothing where ignoring
// these would make one cell of several.
func nearMisses(base, head armTrials, alone []Alone) nearMiss {
	var found nearMiss
	names := make(map[string]bool)
	for _, b := range onlyIn(base, alone) {
		var nearest []record.KeyDiff
		for _, h := range onlyIn(head, alone) {
			if d := apartIn(b, h); d != nil && (nearest == nil || len(d) < len(nearest)) {
				nearest = d
			}
		}
		for _, d := range nearest {
			if names[d.Key] {
				continue
			}
			names[d.Key] = true
			found.diffs = append(found.diffs, Difference{Key: "param." + d.Key, Baseline: d.A, Candidate: d.B, Arm: head.arm.Name, Hard: true})
		}
	}
	for name := range names {
		if varies(base, name) || varies(head, name) {
			return nearMiss{}
		}
	}
	found.names = slices.Sorted(maps.Keys(names))
	return found
}

// onlyIn lists the measured cells of a side of which something is alone.
func onlyIn(a armTrials, alone []Alone) (cells []record.Cell) {
	const most = 200 // by far more than a reader would compare by hand
	lone := make(map[string]bool)
	for _, x := range alone {
		lone[x.Cell] = true
	}
	for _, c := range a.cells {
		if lone[c.Key] && len(a.trials[c.Key]) > 0 && len(cells) < most {
			cells = append(cells, c)
		}
	}
	return cells
}

// apartIn lists the parameters in which two cells of one workload, model and test
// differ, nil where they are of different ones, the same, or differ in many.
func apartIn(b, h record.Cell) []record.KeyDiff {
	shares := slices.ContainsFunc(b.Metrics, func(m record.Metric) bool { _, ok := h.Metric(m.Name); return ok })
	if b.Workload != h.Workload || b.Model != h.Model || !shares {
		return nil
	}
	all := make(map[string]string)
	maps.Copy(all, b.Params)
	maps.Copy(all, h.Params)
	var diffs []record.KeyDiff
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if x, y := valueIn(b, name), valueIn(h, name); x != y {
			diffs = append(diffs, record.KeyDiff{Key: name, A: x, B: y})
		}
	}
	if len(diffs) > fewParams {
		return nil
	}
	return diffs
}

// valueIn is a cell's parameter, its default where the cell does not say.
func valueIn(c record.Cell, name string) string {
	if value, ok := c.Params[name]; ok {
		return value
	}
	p, _ := record.ParamByName(name)
	return p.Default
}

// varies says whether the measured cells of a side differ in a parameter.
func varies(a armTrials, name string) bool {
	values := make(map[string]bool)
	for _, c := range a.cells {
		if len(a.trials[c.Key]) > 0 {
			values[valueIn(c, name)] = true
		}
	}
	return len(values) > 1
}
