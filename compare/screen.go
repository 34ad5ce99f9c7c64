package compare

import (
	"fmt"

	"github.com/llama-regress/llama-regress/ci/record"
)

// screenLevel is the p of "worse at all" up to which a comparison is
// nominated (statistics reference 7.6): generous, because confirming costs
// little where few cells are nominated.
const screenLevel = 0.10

// A Nomination names a comparison that a screening run could not clear.
type Nomination struct {
	Cell      string `json:"cell"`
	Metric    string `json:"metric"`
	Contender string `json:"contender"`
}

// Nominate lists the comparisons of a screening run that may be losses. What
// it leaves out needs no more machine time.
func Nominate(screen *Result) []Nomination {
	var ns []Nomination
	for _, c := range screen.Comparisons {
		if c.P != nil && c.P.Worse <= screenLevel {
			ns = append(ns, nomination(c))
		}
	}
	return ns
}

func nomination(c Comparison) Nomination {
	return Nomination{Cell: c.Cell, Metric: c.Metric.Name, Contender: c.Contender.Arm}
}

// Confirm judges the nominated comparisons of a screening run by the fresh
// blocks of another session alone, as a family of their own; all others keep
// what the screening said. The data that nominated a cell is not used to
// convict it: that independence is what keeps the family's error although only
// the suspicious cells are measured again.
//
// It panics if fresh is the screening run itself, whose data would be used twice.
func Confirm(screen *Result, screened, fresh *record.Run) *Result {
	if screened == fresh || screened.ID == fresh.ID {
		panic(fmt.Sprintf("compare: Confirm: run %s cannot confirm what it nominated itself", fresh.ID))
	}
	policy := screen.Policy
	second := Run(fresh, policy)
	measured := make(map[Nomination]Comparison)
	for _, c := range second.Comparisons {
		measured[nomination(c)] = c
	}
	var family []Comparison
	var at []int
	res := *screen
	res.Comparisons = append([]Comparison(nil), screen.Comparisons...)
	for _, n := range Nominate(screen) {
		for i, c := range res.Comparisons {
			if nomination(c) != n {
				continue
			}
			confirmed, ok := measured[n]
			if !ok {
				confirmed = c
				confirmed.Contender.Trials, confirmed.Change, confirmed.Interval, confirmed.P = nil, nil, nil, nil
			}
			family, at = append(family, confirmed), append(at, i)
		}
	}
	res.Controls = append(append([]Comparison(nil), screen.Controls...), second.Controls...)
	res.Failures = append(append([]Failure(nil), screen.Failures...), second.Failures...)
	res.Notes = append(append([]string(nil), screen.Notes...), second.Notes...)
	judgeFamily(family, policy, nil, fresh.Plan.Seed)
	for k, i := range at {
		res.Comparisons[i] = family[k]
	}
	res.conclude()
	return &res
}
