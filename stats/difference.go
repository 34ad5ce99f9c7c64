package stats

import "math"

// newcombeAt is Newcombe with critical value z, which may be a t.
func newcombeAt(base, head Count, z float64) Interval {
	p1, p2 := head.Rate(), base.Rate()
	l1, u1 := wilsonLimits(head, z)
	l2, u2 := wilsonLimits(base, z)
	d := p1 - p2
	return Interval{
		Estimate: d,
		Low:      max(-1, d-math.Hypot(p1-l1, u2-p2)),
		High:     min(1, d+math.Hypot(u1-p1, p2-l2)),
	}
}
