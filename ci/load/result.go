package load

import "time"

// result gathers what there is once nothing is under way any more.
func (g *generator) result() *Result {
	res := &Result{Start: g.start, Gaps: g.gaps.values}
	var first, last time.Duration
	for i := range g.outcomes {
		o := &g.outcomes[i]
		if o.end == 0 {
			continue
		}
		g.server.blame(o.row.Failure, o.end)
		res.Requests = append(res.Requests, o.row)
		if o.row.Warmup {
			continue
		}
		if len(res.Delays) == 0 || o.begin < first {
			first = o.begin
		}
		last = max(last, o.end)
		res.Delays = append(res.Delays, o.delay.Seconds())
	}
	res.Seconds = (last - first).Seconds()
	return res
}
