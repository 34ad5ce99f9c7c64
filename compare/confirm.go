package compare

import "github.com/llama-regress/llama-regress/ci/record"

// A Confirmation is what became of the suspicions of history mode.
type Confirmation struct {
	Asked       int `json:"asked"`       // comparisons that were suspected, and measured anew in turns
	Blocks      int `json:"blocks"`      // in that run
	Regressions int `json:"regressions"` // of those asked
}

// SuspectedCells lists the cells in which a comparison with stored sessions
// suspects a regression, each once, and the metrics it suspects.
func (r *Result) SuspectedCells() (cells, metrics []string) {
	seen := make(map[string]bool)
	for _, c := range r.Comparisons {
		if !c.suspectedByHistory() {
			continue
		}
		if !seen["cell "+c.Cell] {
			cells = append(cells, c.Cell)
		}
		if !seen["metric "+c.Metric.Name] {
			metrics = append(metrics, c.Metric.Name)
		}
		seen["cell "+c.Cell], seen["metric "+c.Metric.Name] = true, true
	}
	return cells, metrics
}

func (c *Comparison) suspectedByHistory() bool {
	return c.Verdict == Inconclusive && c.Reason != nil && c.Reason.Code == SuspectedByHistory
}

// ConfirmSuspected puts what a paired run measured in the place of the suspicions of a
// result of History: the same cells, the baseline's build against the
// candidate's, in turns. The suspected comparisons alone are the family that
// the paired verdicts are held to; what was not suspected stays as it was,
// which keeps the error rate of both together (statistics reference, 7.6: the
// second stage is measured anew). What the run did not measure stays suspected.
func (r *Result) ConfirmSuspected(run *record.Run) {
	asked := make(map[string]bool)
	for _, c := range r.Comparisons {
		if c.suspectedByHistory() {
			asked[c.Cell+"\x00"+c.Metric.Name] = true
		}
	}
	paired := Run(narrowed(run, asked), r.Policy)
	found := make(map[string]Comparison)
	for _, c := range paired.Comparisons {
		found[c.Cell+"\x00"+c.Metric.Name] = c
	}
	blocks, confirmed := 0, 0
	for i, c := range r.Comparisons {
		again, ok := found[c.Cell+"\x00"+c.Metric.Name]
		if !ok || !c.suspectedByHistory() {
			continue
		}
		again.Candidate.Arm = c.Candidate.Arm
		r.Comparisons[i] = again
		blocks = max(blocks, again.Replicates)
		if again.Verdict == Regression {
			confirmed++
		}
	}
	r.Confirmation = &Confirmation{Asked: len(asked), Blocks: blocks, Regressions: confirmed}
	r.Notes = append(r.Notes, paired.Notes...)
	r.Controls = append(r.Controls, paired.Controls...)
	r.Failures = append(r.Failures, paired.Failures...)
	r.Reliability = append(r.Reliability, paired.Reliability...)
	r.Groups, r.Suspects = groups(r.Comparisons), suspects(r.Comparisons)
	r.ControlFired = r.ControlFired || paired.ControlFired
}

// narrowed is the run as if it had measured the metrics asked for alone.
func narrowed(run *record.Run, asked map[string]bool) *record.Run {
	narrow := *run
	narrow.Cells = nil
	for _, cell := range run.Cells {
		var metrics []record.Metric
		for _, m := range cell.Metrics {
			if asked[cell.Key+"\x00"+m.Name] {
				metrics = append(metrics, m)
			}
		}
		cell.Metrics = metrics
		narrow.Cells = append(narrow.Cells, cell)
	}
	return &narrow
}
