package compare

import (
	"cmp"
	"math"
	"slices"

	"github.com/llama-regress/llama-regress/stats"
)

const (
	groupSize    = 3    // cells that make a group; fewer are listed one by one
	suspectShare = 0.80 // of comparisons that moved alike before the environment is suspected
	suspectCount = 5    // comparisons below which "nearly all" says nothing
)

// A Group is regressions of one metric and model that moved together: one
// entry for a reader instead of many.
type Group struct {
	Candidate string   `json:"contender"`
	Metric    string   `json:"metric"`
	Model     string   `json:"model"`
	Cells     []string `json:"cells"`  // at least 3, worst first
	Change    float64  `json:"change"` // median of their changes: what they have in common
}

// groups finds the groups among the regressions, largest loss first.
func groups(cs []Comparison) []Group {
	type key struct{ candidate, metric, model string }
	members := make(map[key][]*Comparison)
	for i := range cs {
		if c := &cs[i]; c.Verdict == Regression {
			k := key{c.Candidate.Arm, c.Metric.Name, c.Model}
			members[k] = append(members[k], c)
		}
	}
	var gs []Group
	for k, list := range members {
		if len(list) < groupSize {
			continue
		}
		slices.SortStableFunc(list, func(a, b *Comparison) int { return cmp.Compare(a.effect.theta, b.effect.theta) })
		g := Group{Candidate: k.candidate, Metric: k.metric, Model: k.model}
		var changes []float64
		for _, c := range list {
			g.Cells = append(g.Cells, c.Cell)
			changes = append(changes, *c.Change)
		}
		g.Change = stats.Median(changes)
		gs = append(gs, g)
	}
	slices.SortFunc(gs, func(a, b Group) int {
		return cmp.Or(-cmp.Compare(math.Abs(a.Change), math.Abs(b.Change)),
			cmp.Compare(a.Candidate, b.Candidate), cmp.Compare(a.Metric, b.Metric), cmp.Compare(a.Model, b.Model))
	})
	return gs
}

// suspects names the candidates whose comparisons nearly all moved the same
// way, over more than one model or metric, when they were not measured in
// turns with the baseline: that is what another machine, clock or neighbour
// looks like. Interleaved arms share their environment, so there it is the
// build that moved.
func suspects(cs []Comparison) []string {
	type tally struct {
		all, up, down int
		kinds         map[string]bool
	}
	by := make(map[string]*tally)
	var order []string
	for _, c := range cs {
		if c.Method == Paired || c.P == nil {
			continue
		}
		arm := c.Candidate.Arm
		if by[arm] == nil {
			by[arm] = &tally{kinds: make(map[string]bool)}
			order = append(order, arm)
		}
		t := by[arm]
		t.all++
		t.kinds[c.Model+"\x00"+c.Metric.Name] = true
		switch {
		case c.P.Worse <= suspectAlpha:
			t.down++
		case 1-c.P.Worse <= suspectAlpha:
			t.up++
		}
	}
	var names []string
	for _, arm := range order {
		t := by[arm]
		if t.all >= suspectCount && len(t.kinds) > 1 && float64(max(t.up, t.down)) >= suspectShare*float64(t.all) {
			names = append(names, arm)
		}
	}
	return names
}
