package pattern

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// unitDraws is the most draws of a test whose units are no requests.
const unitDraws = 2_499

// repeated reports whether a prompt was tried more than once, so that requests
// are no units of what follows from the prompt.
func (t *table) repeated(column int) bool {
	seen := make(map[float64]bool)
	for _, st := range t.strata(column) {
		for _, i := range st.rows {
			p := t.rows[i].values[promptColumn]
			if seen[p] {
				return true
			}
			seen[p] = true
		}
	}
	return false
}

// testPrompts tests the spans of a length with prompts as units. The score of a
// prompt is how many more of its requests failed than others of their strata; by
// chance the scores belong to any prompts.
func (c *candidate) testPrompts(t *table, s *sample, bins []bin) (at int, z float64) {
	place := make(map[float64]int)
	var of []int // bin of each prompt
	var scores []float64
	for _, st := range t.strata(c.column) {
		mean := float64(st.failures) / float64(len(st.rows))
		for _, i := range st.rows {
			values := t.rows[i].values
			p, ok := place[values[promptColumn]]
			if !ok {
				p = len(of)
				place[values[promptColumn]] = p
				of, scores = append(of, binOf(bins, values[c.column])), append(scores, 0)
			}
			scores[p] -= mean
			if t.rows[i].failed() {
				scores[p]++
			}
		}
	}
	n := float64(len(scores))
	var mean, square float64
	for _, v := range scores {
		mean += v / n
	}
	for _, v := range scores {
		square += (v - mean) * (v - mean) / n
	}
	in := make([]float64, len(s.spans)) // standard deviation of a span's sum
	counts := make([]float64, len(bins)+1)
	for _, b := range of {
		counts[b+1]++
	}
	accumulate(counts)
	for i, sp := range s.spans {
		m := counts[sp.to] - counts[sp.from]
		in[i] = math.Sqrt(m * (n - m) / max(1, n-1) * square)
	}
	sums := make([]float64, len(bins)+1)
	best := func() (at int, z float64) {
		clear(sums)
		for i, b := range of {
			sums[b+1] += scores[i]
		}
		accumulate(sums)
		for i, sp := range s.spans {
			m := counts[sp.to] - counts[sp.from]
			if in[i] == 0 {
				continue
			}
			if v := (sums[sp.to] - sums[sp.from] - m*mean) / in[i]; v > z {
				at, z = i, v
			}
		}
		return at, z
	}
	rng := s.rng()
	at, z = best()
	c.p, c.rank = 1, 1
	if z <= 0 {
		return at, 0
	}
	draws := min(unitDraws, max(leastDraws, drawWork/(len(scores)+len(s.spans)+len(bins))))
	hits, made := 0, 0
	for made < draws && hits < enoughHits {
		made++
		for i := len(scores) - 1; i > 0; i-- {
			j := rng.IntN(i + 1)
			scores[i], scores[j] = scores[j], scores[i]
		}
		if _, drawn := best(); drawn >= z*(1-1e-9) {
			hits++
		}
	}
	c.p = drawn(hits, made)
	c.rank = min(c.p, float64(s.testable())*distuv.UnitNormal.Survival(z))
	without, with := s.tables(s.spans[at])
	c.odds = oddsRatio(without, with)
	return at, z
}

// drawn is the p-value of so many hits among draws, which ended early with the
// hits of enoughHits (Besag and Clifford 1991; Phipson and Smyth 2010).
func drawn(hits, made int) float64 {
	if hits == enoughHits {
		return float64(hits) / float64(made)
	}
	return float64(hits+1) / float64(made+1)
}

// samePrompts tests whether the same prompts fail again and again: by the pairs of
// failures of one prompt, against failures that are dealt out at random within
// their strata.
func (t *table) samePrompts(c candidate) (candidate, bool) {
	if len(t.prompts) < 2 || !t.repeated(c.column) {
		return c, false
	}
	s := &sample{kinds: len(t.prompts)}
	tries, failed := make([]int, len(t.prompts)), make([]int, len(t.prompts))
	for _, st := range t.strata(c.column) {
		s.sizes = append(s.sizes, len(st.rows))
		for _, i := range st.rows {
			p := int(t.rows[i].values[c.column])
			s.bins, s.failed = append(s.bins, int32(p)), append(s.failed, t.rows[i].failed())
			tries[p]++
			if t.rows[i].failed() {
				failed[p]++
			}
		}
	}
	pairs := func(sums []int) (n float64) {
		for p := range t.prompts {
			f := float64(sums[p+1] - sums[p])
			n += f * (f - 1) / 2
		}
		return n
	}
	have := pairs(s.failures())
	d := s.newDraw()
	draws := min(unitDraws, max(leastDraws, drawWork/(d.picks+s.kinds)))
	hits, made := 0, 0
	var sum, square float64
	for made < draws && hits < enoughHits {
		made++
		v := pairs(d.next())
		sum, square = sum+v, square+v*v
		if v >= have {
			hits++
		}
	}
	c.p, c.rank = drawn(hits, made), 1
	if sd := math.Sqrt(max(0, square/float64(made)-math.Pow(sum/float64(made), 2))); sd > 0 {
		c.rank = min(c.p, distuv.UnitNormal.Survival((have-sum/float64(made))/sd))
	} else {
		return c, false
	}
	c.prompts = make(map[float64]bool)
	for p := range t.prompts {
		if failed[p] >= 2 && 2*failed[p] > tries[p] {
			c.prompts[float64(p)] = true
		}
	}
	if len(c.prompts) == 0 { // none fails most of the time: those that do so more often than others
		for p := range t.prompts {
			if failed[p] >= 2 {
				c.prompts[float64(p)] = true
			}
		}
	}
	c.odds = t.oddsOf(c)
	return c, true
}

// oddsOf is the odds ratio of what a candidate holds for.
func (t *table) oddsOf(c candidate) float64 {
	s := &sample{kinds: 2}
	for _, st := range t.strata(c.column) {
		s.sizes = append(s.sizes, len(st.rows))
		for _, i := range st.rows {
			b := int32(0)
			if c.holds(t.rows[i].values[c.column]) {
				b = 1
			}
			s.bins, s.failed = append(s.bins, b), append(s.failed, t.rows[i].failed())
		}
	}
	return oddsRatio(s.tables(span{1, 2}))
}

// badTrial tests whether one trial has more of the failures than chance gives to
// any: over all trials together, since it is these that are compared.
func (t *table) badTrial(c candidate) (candidate, bool) {
	if len(t.trials) < 2 || len(t.trials) > mostSlots {
		return c, false
	}
	s := &sample{kinds: len(t.trials), spans: each.spans(len(t.trials)), sizes: []int{len(t.rows)}}
	for _, r := range t.rows {
		s.bins, s.failed = append(s.bins, int32(r.values[c.column])), append(s.failed, r.failed())
	}
	s.moments()
	if s.testable() == 0 {
		return c, false
	}
	at, z := s.best(s.failures())
	c.test(s, at, z)
	c.condition = Condition{Op: Is, Value: float64(s.spans[at].from)}
	return c, true
}

// together tests whether failures follow one another: by how many rows of them
// there are, against failures at random places of their trials.
func (t *table) together(c candidate) (candidate, bool) {
	rows := slices.Clone(t.rows)
	slices.SortStableFunc(rows, func(a, b row) int {
		if a.trial != b.trial {
			return slices.Index([]bool{true, false}, a.trial < b.trial)*2 - 1
		}
		return a.index - b.index
	})
	var failed []bool
	var sizes []int
	for i := 0; i < len(rows); {
		end, failures := i, 0
		for ; end < len(rows) && rows[end].trial == rows[i].trial; end++ {
			if rows[end].failed() {
				failures++
			}
		}
		if failures > 0 && failures < end-i {
			sizes = append(sizes, end-i)
			for ; i < end; i++ {
				failed = append(failed, rows[i].failed())
			}
		}
		i = end
	}
	have, failures := runs(failed, sizes)
	if failures < 2*mostOfARow {
		return c, false
	}
	rng := (&sample{sizes: sizes, failed: failed, bins: make([]int32, len(failed))}).rng()
	draws := min(unitDraws, max(leastDraws, drawWork/len(failed)))
	shuffled := slices.Clone(failed)
	hits, made := 0, 0
	for made < draws && hits < enoughHits {
		made++
		from := 0
		for _, size := range sizes {
			rng.Shuffle(size, func(i, j int) { shuffled[from+i], shuffled[from+j] = shuffled[from+j], shuffled[from+i] })
			from += size
		}
		if n, _ := runs(shuffled, sizes); n <= have {
			hits++
		}
	}
	c.p, c.rank, c.events, c.odds = drawn(hits, made), drawn(hits, made), have, math.Inf(1)
	if failures < mostOfARow*have {
		c.odds = 0 // they come together, and yet not in a few rows
	}
	return c, true
}

// mostOfARow is how many failures a row has on average for them to be called one.
const mostOfARow = 3

// runs counts the rows of failures within trials, and the failures.
func runs(failed []bool, sizes []int) (rows, failures int) {
	from := 0
	for _, size := range sizes {
		for i := from; i < from+size; i++ {
			if failed[i] {
				failures++
				if i == from || !failed[i-1] {
					rows++
				}
			}
		}
		from += size
	}
	return rows, failures
}
