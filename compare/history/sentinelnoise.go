package history

import (
	"cmp"
	"math"
	"slices"
	"sync"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/ci/store"
	"github.com/llama-regress/llama-regress/compare"
	"github.com/llama-regress/llama-regress/stats"
)

// moves lists in what a sentinel lies outside of what sessions lead to expect, the
// largest first.
func (l *line) moves(sessions []map[trendKey]float64, values map[trendKey]float64, s *store.Session, policy compare.Policy) (all []Move) {
	sessions = sessions[max(0, len(sessions)-sentinelMost):]
	alpha, r := sentinelAlpha/float64(max(1, len(values))), sync.OnceValue(func() float64 { return l.resemblance(s.Run.Sentinel.Cells) })
	for _, cell := range s.Run.Sentinel.Cells {
		for _, m := range cell.Metrics {
			key := trendKey{cell.Key, m.Name}
			x, ok := values[key]
			xs := valuesOf(sessions, key)
			if !ok || len(xs) == 0 {
				continue
			}
			margin, _ := policy.Margin(m)
			shift := x - stats.PairedT(xs).Theta
			if math.Abs(shift) <= margin.Lambda()/2 {
				continue
			}
			sd, df := l.noise(key, r(), alpha)
			if df == 0 {
				continue
			}
			t := math.Abs(shift) / (sd * math.Sqrt(1+1/float64(len(xs))))
			if p := 2 * (distuv.StudentsT{Mu: 0, Sigma: 1, Nu: float64(df)}).Survival(t); p < alpha {
				all = append(all, Move{cell.Key, m, math.Expm1(shift)})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b Move) int { return cmp.Compare(math.Abs(b.Change), math.Abs(a.Change)) })
	return all
}

// noise is the standard deviation of a session around its level, of logs, with its
// degrees of freedom: 0 where no level has two. Two things make sessions look steadier
// than they are: those that resemble each other, by an autocorrelation r, stay near
// their common mean; and those that moved, a share alpha on a steady machine, are in no
// level.
func (l *line) noise(key trendKey, r, alpha float64) (sd float64, df int) {
	sum, worth := 0.0, 0.0 // of all squares, what is to be expected for a variance of 1
	for _, old := range l.levels {
		xs := valuesOf(old.values[max(0, len(old.values)-sentinelNoise):], key)
		if n := float64(len(xs)); n > 1 {
			sum, df = sum+squares(xs), df+len(xs)-1
			worth += max(n-(1+r)/(1-r), (n-1)/4)
		}
	}
	if df == 0 {
		return 0, 0
	}
	normal := distuv.UnitNormal
	z := normal.Quantile(1 - alpha/2)
	kept := 1 - 2*z*normal.Prob(z)/(1-alpha) // variance of a normal that is cut off there
	return math.Sqrt(sum / worth / kept), df
}

// resemblance is the autocorrelation of neighbouring sessions of one level, of the
// metrics of up to 50 cells together, not below 0 and at most 0.8.
func (l *line) resemblance(cells []record.Cell) float64 {
	var keys []trendKey
	for _, c := range cells[:min(50, len(cells))] {
		for _, m := range c.Metrics {
			keys = append(keys, trendKey{c.Key, m.Name})
		}
	}
	products, squared, sessions, series := 0.0, 0.0, 0, 0
	for _, old := range l.levels {
		recent := old.values[max(0, len(old.values)-sentinelNoise):]
		if len(recent) < SentinelNights {
			continue
		}
		for _, key := range keys {
			xs := valuesOf(recent, key)
			if len(xs) < SentinelNights {
				continue
			}
			mean := stats.PairedT(xs).Theta
			for i, x := range xs {
				squared += (x - mean) * (x - mean)
				if i > 0 {
					products += (x - mean) * (xs[i-1] - mean)
				}
			}
			sessions, series = sessions+len(xs), series+1
		}
	}
	if squared == 0 {
		return 0
	}
	r := products / squared
	r += (1 + 3*r) * float64(series) / float64(sessions) // it comes out too low, by so much to first order
	return min(max(r, 0), 0.8)
}

func valuesOf(sessions []map[trendKey]float64, key trendKey) (xs []float64) {
	for _, values := range sessions {
		if x, ok := values[key]; ok {
			xs = append(xs, x)
		}
	}
	return xs
}
