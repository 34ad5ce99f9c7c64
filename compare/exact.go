package compare

import (
	"maps"
	"math"
	"slices"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/stats"
)

const (
	// ExactFloor is the standard deviation by which the log of an exact metric is
	// off that the trials of an arm do not show: counts of one build two hours apart,
	// under another environment, differed by up to 0.013 % (statistics reference 7.9).
	ExactFloor = 1e-4

	// exactTrials is how many trials an arm an exact metric is judged from.
	exactTrials = 2

	// exactRange is by how much an arm's largest value may exceed its smallest, as a
	// share of it, before the metric is not taken to be exact.
	exactRange = 0.001
)

// least is how many blocks, or trials a side, a verdict on the comparison needs, and
// how many to ask for where there are fewer.
func (j judge) least(c *Comparison) (least, ask int) {
	if c.Metric.Exact {
		return exactTrials, exactTrials
	}
	return j.policy.MinTrials, firstBlocks
}

// estimateExact is the estimate of an exact metric: of all trials, paired or not.
func estimateExact(base, head []float64, e estimated) estimated {
	t := stats.PooledT(base, head, ExactFloor)
	e.inference, e.theta, e.base, e.head, e.n = t, t.Theta, base, head, min(len(base), len(head))
	e.estimator, e.sigma = PooledT, math.Sqrt((spread(base)*spread(base)+spread(head)*spread(head))/2)
	return e
}

// notDeterministic counts the trials of the arm of an exact metric whose trials are not
// alike; 0 for any other.
func (c *Comparison) notDeterministic() int {
	if !c.Metric.Exact {
		return 0
	}
	for _, s := range []Side{c.Baseline, c.Candidate} {
		groups := s.sessions // history: what sessions differ by is judged otherwise
		if groups == nil {
			groups = [][]float64{s.values()}
		}
		for _, values := range groups {
			if len(values) > 1 && slices.Max(values) > (1+exactRange)*slices.Min(values) {
				return len(values)
			}
		}
	}
	return 0
}

// countedApart says of cells of which instructions were counted why they must not be
// judged: some were counted by another tool, or on a machine of another kind, than others.
// It looks at the trials of all runs together.
func countedApart(runs ...*record.Run) map[string]Reason {
	seen := make(map[string]map[string]string)    // by cell: what was first seen of each property
	apart := make(map[string]map[string]struct{}) // by cell: the properties that differ
	for _, run := range runs {
		for i := range run.Trials {
			t := &run.Trials[i]
			if t.Counting == nil {
				continue
			}
			first := seen[t.Cell]
			if first == nil {
				first = make(map[string]string)
				seen[t.Cell], apart[t.Cell] = first, make(map[string]struct{})
			}
			for property, value := range t.Counting.Identity() {
				switch {
				case value == "":
				case first[property] == "":
					first[property] = value
				case first[property] != value:
					apart[t.Cell][property] = struct{}{}
				}
			}
		}
	}
	reasons := make(map[string]Reason)
	for cell, properties := range apart {
		if len(properties) > 0 {
			reasons[cell] = Reason{Code: EnvironmentMixed, Keys: slices.Sorted(maps.Keys(properties))}
		}
	}
	return reasons
}
