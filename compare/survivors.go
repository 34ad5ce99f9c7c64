package compare

import "github.com/llama-regress/llama-regress/ci/record"

// withdrawSurvivorBias makes a throughput verdict inconclusive when it favours the
// side with more failed requests, more by the margin of the success rate:
// throughput counts only the requests that succeeded, which may be the short ones.
// A verdict against this side stands.
func (r *Result) withdrawSurvivorBias() {
	type place struct{ cell, candidate string }
	worse := make(map[place]float64) // how much lower the candidate's success rate is
	for _, c := range r.Comparisons {
		margin, gated := r.Policy.Margin(c.Metric)
		if c.Metric.Name != record.SuccessRate || !gated || len(c.Baseline.Trials) == 0 || len(c.Candidate.Trials) == 0 {
			continue
		}
		if drop := c.Baseline.Estimate - c.Candidate.Estimate; drop > margin.Value || -drop > margin.Value {
			worse[place{c.Cell, c.Candidate.Arm}] = drop
		}
	}
	for i := range r.Comparisons {
		c := &r.Comparisons[i]
		drop, apart := worse[place{c.Cell, c.Candidate.Arm}]
		if !apart || c.Metric.Kind == record.SuccessRate || c.Metric.Unit == "s" {
			continue // latencies count a failed request as infinitely slow
		}
		flatters := c.Verdict == Equivalent || c.Verdict == Improvement && drop > 0 || c.Verdict == Regression && drop < 0
		if flatters {
			c.Verdict, c.Reason = Inconclusive, &Reason{Code: Survivors}
		}
	}
}
