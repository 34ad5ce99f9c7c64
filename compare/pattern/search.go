package pattern

import (
	"cmp"
	"slices"

	"github.com/llama-regress/llama-regress/stats"
)

// A candidate is the condition of a factor that sets failures apart best.
type candidate struct {
	factor
	column    int // of its values in a row
	condition Condition
	prompts   map[float64]bool // instead of a condition, of Prompt: those that fail
	events    int              // of Event: how many rows of failures there are
	odds      float64
	alike     []candidate // others that explain the failures as well

	p    float64 // that chance selects a condition as telling; of the factor alone until explain corrects it
	rank float64 // an upper bound of p, which ranks what the draws cannot resolve
}

// holds reports whether a value meets what was found.
func (c candidate) holds(v float64) bool {
	if c.prompts != nil {
		return c.prompts[v]
	}
	return c.condition.Holds(v)
}

// candidates tests every factor in which comparable requests differ and that was
// not found already; a slot may be found beside another.
func (t *table) candidates() []candidate {
	var all []candidate
	for column, f := range factors {
		if t.found[column] && f.ranges != each || t.anyFound() && (f.name == Trial || f.name == Event) {
			continue // what has a cause needs no description
		}
		if c, ok := t.candidate(column); ok {
			all = append(all, c)
		}
	}
	return all
}

func (t *table) anyFound() bool { return slices.Contains(t.found[:], true) }

func (t *table) candidate(column int) (c candidate, ok bool) {
	c = candidate{factor: factors[column], column: column}
	switch c.name {
	case Prompt:
		return t.samePrompts(c)
	case Trial:
		return t.badTrial(c)
	case Event:
		return t.together(c)
	}
	values := t.values(column)
	if len(values) == 0 {
		return c, false
	}
	bins := newBins(values, c.ranges)
	s := t.sample(column, bins, c.ranges.spans(len(bins)))
	if s.testable() == 0 {
		return c, false
	}
	at, z := s.best(s.failures())
	if c.unit == prompt && t.repeated(column) {
		at, z = c.testPrompts(t, s, bins)
	} else {
		c.test(s, at, z)
	}
	if z > 0 {
		c.condition = c.ranges.condition(t.refine(column, bins, s.spans[at]))
	}
	return c, true
}

// values are those of a factor that are known, in strata that failed in part.
func (t *table) values(column int) []float64 {
	var values []float64
	for _, st := range t.strata(column) {
		for _, i := range st.rows {
			values = append(values, t.rows[i].values[column])
		}
	}
	return values
}

// test corrects the exact p-value of the best span for its selection: by the
// number of spans, which gives a bound whatever their dependence, or, where that
// is more than draws can tell, by drawing.
func (c *candidate) test(s *sample, at int, z float64) {
	c.p, c.rank = 1, 1
	if z == 0 {
		return
	}
	without, with := s.tables(s.spans[at])
	c.odds = oddsRatio(without, with)
	exact := stats.StratifiedFisher(without, with).Greater
	c.rank = min(1, float64(s.testable())*exact)
	c.p = c.rank
	if s.testable() > 1 && c.rank > 1.0/(mostDraws+1) {
		if p, ok := s.drawnP(z); ok {
			c.p = max(p, exact) // selection never makes it smaller
		}
	}
}

// explain returns the candidate that explains failures best, its p-value
// corrected for their number; found is false when none is beyond chance and
// strong enough. One that explains failures among requests that are alike in another
// is preferred to that, whatever their p-values; of two of which neither does, both
// are told, the one that is believed earlier first.
func (t *table) explain(candidates []candidate, o Options) (best candidate, found bool) {
	ps := make([]float64, len(candidates))
	for i, c := range candidates {
		ps[i] = c.p
	}
	var telling []candidate
	for i, p := range stats.Holm(ps) {
		if c := candidates[i]; p <= o.Alpha && c.odds >= o.OddsRatio {
			c.p = p
			telling = append(telling, c)
		}
	}
	if len(telling) == 0 {
		return candidate{}, false
	}
	best = slices.MinFunc(telling, better)
	if best.consequence {
		return best, true
	}
	for _, other := range telling {
		if other.column == best.column || other.consequence {
			continue
		}
		if t.adds(best, other, o) {
			continue // best explains what the other does not
		}
		switch more := t.adds(other, best, o); {
		case more:
			best = other
		case other.column < best.column:
			other.alike = best.alike
			if other.kin == alone || other.kin != best.kin {
				other.alike = append([]candidate{best}, best.alike...)
			}
			best = other
		case other.kin == alone || other.kin != best.kin:
			best.alike = append(best.alike, other)
		}
	}
	return best, true
}

// adds reports whether a candidate explains failures among requests that are
// alike in another.
func (t *table) adds(c, given candidate, o Options) bool {
	rest := *t
	rest.rows = slices.Clone(t.rows)
	rest.given(given)
	again, ok := rest.candidate(c.column)
	return ok && again.p <= o.Alpha
}

// better is negative when a is the better explanation: a cause before a
// consequence, then what chance explains least.
func better(a, b candidate) int {
	if a.consequence != b.consequence {
		if b.consequence {
			return -1
		}
		return 1
	}
	return cmp.Compare(a.rank, b.rank)
}
