package pattern

import (
	"encoding/binary"
	"hash/fnv"
	"math"
	"math/rand/v2"

	"github.com/llama-regress/llama-regress/stats"
)

// A sample is the values of one factor in bins, and which failed, for the
// requests whose value is known in strata that failed in part.
type sample struct {
	bins   []int32 // of each request, stratum by stratum
	failed []bool
	sizes  []int // of the strata
	kinds  int   // bins there are
	spans  []span

	expected, deviation []float64 // of failures in a span, when chance decides; 0 deviation: not testable
}

// tally counts, for the given spans, by adding up bins: sums[i] is of the bins
// before i.
func tally(sums []int, s span) int { return sums[s.to] - sums[s.from] }

// sample puts the values of a factor in bins.
func (t *table) sample(column int, bins []bin, spans []span) *sample {
	s := &sample{kinds: len(bins), spans: spans}
	for _, st := range t.strata(column) {
		s.sizes = append(s.sizes, len(st.rows))
		for _, i := range st.rows {
			s.bins = append(s.bins, int32(binOf(bins, t.rows[i].values[column])))
			s.failed = append(s.failed, t.rows[i].failed())
		}
	}
	s.moments()
	return s
}

// moments finds what chance expects of each span: the sum over strata of the
// hypergeometric mean and variance (Mantel and Haenszel 1959).
func (s *sample) moments() {
	s.expected, s.deviation = make([]float64, len(s.spans)), make([]float64, len(s.spans))
	from := 0
	for _, size := range s.sizes {
		sums, k := s.sums(from, size)
		n := float64(size)
		for i, sp := range s.spans {
			m := float64(tally(sums, sp))
			s.expected[i] += k * m / n
			s.deviation[i] += k * (n - k) / n * m * (n - m) / n / (n - 1)
		}
		from += size
	}
	for i, v := range s.deviation {
		s.deviation[i] = math.Sqrt(v)
	}
}

// testable counts the spans that chance does not decide completely.
func (s *sample) testable() int {
	n := 0
	for _, d := range s.deviation {
		if d > 0 {
			n++
		}
	}
	return n
}

// sums adds up, over bins, the requests of a stratum that begins at from, and
// counts those that failed.
func (s *sample) sums(from, size int) (sums []int, failures float64) {
	sums = make([]int, s.kinds+1)
	for i := from; i < from+size; i++ {
		sums[s.bins[i]+1]++
		if s.failed[i] {
			failures++
		}
	}
	accumulate(sums)
	return sums, failures
}

// failures adds up all failures over bins.
func (s *sample) failures() []int {
	sums := make([]int, s.kinds+1)
	for i, b := range s.bins {
		if s.failed[i] {
			sums[b+1]++
		}
	}
	accumulate(sums)
	return sums
}

func accumulate[T int | float64](sums []T) {
	for i := 1; i < len(sums); i++ {
		sums[i] += sums[i-1]
	}
}

// best returns the span with the most failures above what chance expects, in
// standard deviations; z is 0 where none has more. sums is of failures.
func (s *sample) best(sums []int) (at int, z float64) {
	for i, sp := range s.spans {
		if s.deviation[i] == 0 {
			continue
		}
		if v := (float64(tally(sums, sp)) - s.expected[i]) / s.deviation[i]; v > z {
			at, z = i, v
		}
	}
	return at, z
}

// tables counts failures without and with a condition in each stratum.
func (s *sample) tables(sp span) (without, with []stats.Count) {
	from := 0
	for _, size := range s.sizes {
		var out, in stats.Count
		for i := from; i < from+size; i++ {
			side := &out
			if b := int(s.bins[i]); b >= sp.from && b < sp.to {
				side = &in
			}
			side.N++
			if s.failed[i] {
				side.K++
			}
		}
		without, with = append(without, out), append(with, in)
		from += size
	}
	return without, with
}

// oddsRatio is how many times the odds of failing are higher with the condition
// than without, over all strata (Mantel and Haenszel 1959); +Inf when no stratum
// has both a success with it and a failure without.
func oddsRatio(without, with []stats.Count) float64 {
	up, down := 0.0, 0.0
	for i, in := range with {
		out := without[i]
		n := in.N + out.N
		up += in.K * (out.N - out.K) / n
		down += (in.N - in.K) * out.K / n
	}
	if up == 0 {
		return 0
	}
	return up / down
}

const (
	mostDraws  = 9_999
	leastDraws = 999
	drawWork   = 20_000_000 // steps that all draws of one factor may take
	enoughHits = 100
)

// drawnP is the chance that requests failing at random within their strata show
// a span at least as far from expectation as z, by drawing: the first hits of
// enoughHits decide early (Besag and Clifford 1991), else (hits+1)/(draws+1)
// (Phipson and Smyth 2010). ok is false when the draws would take too long.
func (s *sample) drawnP(z float64) (p float64, ok bool) {
	d := s.newDraw()
	draws := min(mostDraws, drawWork/(d.picks+s.kinds+len(s.spans)))
	if draws < leastDraws {
		return 1, false
	}
	hits := 0
	for made := 1; made <= draws; made++ {
		if _, drawn := s.best(d.next()); drawn >= z*(1-1e-9) {
			hits++
		}
		if hits == enoughHits {
			return float64(hits) / float64(made), true
		}
	}
	return float64(hits+1) / float64(draws+1), true
}

// A draw deals the failures of each stratum out to its requests at random.
type draw struct {
	s     *sample
	rng   *rand.Rand
	order []int32 // the bins, in an order that next goes on shuffling
	parts []part
	base  []int // per bin, of the strata that deal out successes
	sums  []int
	picks int
}

// A part is one stratum of a draw: what is rarer in it gets dealt out.
type part struct{ from, to, picks, sign int }

func (s *sample) newDraw() *draw {
	d := &draw{s: s, rng: s.rng(), order: append([]int32(nil), s.bins...), base: make([]int, s.kinds), sums: make([]int, s.kinds+1)}
	from := 0
	for _, size := range s.sizes {
		p := part{from: from, to: from + size, sign: 1}
		for i := p.from; i < p.to; i++ {
			if s.failed[i] {
				p.picks++
			}
		}
		if 2*p.picks > size {
			p.picks, p.sign = size-p.picks, -1
			for i := p.from; i < p.to; i++ {
				d.base[s.bins[i]]++
			}
		}
		d.parts = append(d.parts, p)
		d.picks += p.picks
		from = p.to
	}
	return d
}

// next returns the sums of failures over bins, valid until it is called again.
func (d *draw) next() []int {
	copy(d.sums[1:], d.base)
	for _, p := range d.parts {
		for i := p.from; i < p.from+p.picks; i++ {
			j := i + d.rng.IntN(p.to-i)
			d.order[i], d.order[j] = d.order[j], d.order[i]
			d.sums[d.order[i]+1] += p.sign
		}
	}
	accumulate(d.sums)
	return d.sums
}

// rng is seeded from the data, so that the same requests give the same p.
func (s *sample) rng() *rand.Rand {
	h := fnv.New64a()
	var word [8]byte
	write := func(n int) {
		binary.LittleEndian.PutUint64(word[:], uint64(n))
		h.Write(word[:])
	}
	for _, size := range s.sizes {
		write(size)
	}
	for i, b := range s.bins {
		n := 2 * int(b)
		if s.failed[i] {
			n++
		}
		write(n)
	}
	return rand.New(rand.NewPCG(h.Sum64(), uint64(len(s.spans))))
}
