package compare

import (
	"slices"

	"github.com/llama-regress/llama-regress/ci/record"
)

// losing is the comparison of what the baseline measured and the candidate lacks.
// It is inconclusive: absence is no health.
func losing(c record.Cell, m record.Metric, method Method, base Side, head string, policy Policy) Comparison {
	margin, _ := policy.Margin(m)
	lost := Comparison{
		Cell: c.Key, Workload: c.Workload, Model: c.Model, Params: c.Params, Metric: m, Method: method,
		Baseline: base, Candidate: Side{Arm: head, Trials: []Point{}}, Reason: &Reason{Code: Lost}, lost: true,
	}
	return lost.withLevels(scaleOf(m, margin))
}

// lose makes what the candidate lost comparisons of their own, if anything was
// compared: else the two sides may be about different things altogether.
func (r *Result) lose() {
	if len(r.Comparisons) == 0 {
		return
	}
	for _, a := range r.Alone {
		if a.lost != nil {
			r.Comparisons = append(r.Comparisons, *a.lost)
		}
	}
	r.Alone = slices.DeleteFunc(r.Alone, func(a Alone) bool { return a.lost != nil })
}

// lostSince lists what stored sessions measured and this one did not, with the
// start of the latest that did.
func lostSince(past []Selection, same []armTrials, head armTrials, arm string, policy Policy) (lost []Comparison) {
	type place struct{ cell, metric string }
	told := make(map[place]bool)
	for _, p := range slices.Backward(past) {
		at := slices.IndexFunc(same, func(a armTrials) bool { return a.run == p.Run.ID })
		if at < 0 {
			continue
		}
		for _, c := range p.Run.Cells {
			other, _ := head.cell(c.Key)
			for _, m := range c.Metrics {
				_, has := other.Metric(m.Name)
				if has || told[place{c.Key, m.Name}] || len(points(same[at], c.Key, m).Trials) == 0 {
					continue
				}
				told[place{c.Key, m.Name}] = true
				one := losing(c, m, Historical, sessionMeans(same, past, c.Key, m), arm, policy)
				one.Reason.Since = p.Run.Started
				lost = append(lost, one)
			}
		}
	}
	return lost
}

// KeepLost leaves out what is lost of cells that were not to be measured.
func (r *Result) KeepLost(wanted func(cell string) bool) {
	r.Comparisons = slices.DeleteFunc(r.Comparisons, func(c Comparison) bool { return c.lost && !wanted(c.Cell) })
}
