package load

import "math/rand/v2"

// maxGaps is how many pauses between events are kept; 8 MiB.
const maxGaps = 1 << 20

// A reservoir keeps a uniform sample of bounded size of what is added to it
// (algorithm R; J. S. Vitter, Random Sampling with a Reservoir, ACM TOMS 11(1),
// 1985).
type reservoir struct {
	size   int
	rng    *rand.Rand
	values []float64
	seen   uint64
}

func (r *reservoir) add(x float64) {
	r.seen++
	if len(r.values) < r.size {
		r.values = append(r.values, x)
		return
	}
	if i := r.rng.Uint64N(r.seen); i < uint64(r.size) {
		r.values[i] = x
	}
}
