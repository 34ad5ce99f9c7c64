package report

import (
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
