package report

import (
	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/compare"
)

// A Failure is a trial that measured nothing.
type Failure struct {
	Trial Foreign `json:"trial"`
	Arm   Foreign `json:"arm"`
	Cell  Foreign `json:"cell"`
	Block int     `json:"block"`
	Cause Cause   `json:"cause"`
	Label Foreign `json:"label"`        // as Row.Label
	Log   Foreign `json:"log,omitzero"` // path of its log, see Source.TrialLog
}

// A Cause is why a trial measured nothing.
type Cause struct {
	Unworded[record.Failure]
}

// Class is what to do about it.
func (c Cause) Class() Foreign { return Foreign{string(c.value.Class)} }

// Message is one sentence.
func (c Cause) Message() Foreign { return Foreign{c.value.Message} }

// Stderr is the end of what the program wrote, empty when it wrote nothing.
func (c Cause) Stderr() Foreign { return Foreign{c.value.Stderr} }

// newFailures names each failure's cell as the rows do.
func newFailures(list []compare.Failure, labels map[string]string, src Source) []Failure {
	failures := make([]Failure, 0, len(list))
	for _, f := range list {
		label, ok := labels[f.Cell]
		if !ok {
			label = f.Cell
		}
		failure := Failure{Foreign{f.Trial}, Foreign{f.Arm}, Foreign{f.Cell}, f.Block, Cause{Unworded[record.Failure]{f.Cause}}, Foreign{label}, Foreign{}}
		if src.TrialLog != nil {
			failure.Log = Foreign{src.TrialLog(f.Trial)}
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
	type key struct{ arm, cell, class, message Foreign }
	var groups []FailureGroup
	index := make(map[key]int)
	for _, f := range list {
		k := key{f.Arm, f.Cell, f.Cause.Class(), f.Cause.Message()}
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
