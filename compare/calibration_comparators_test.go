package compare_test

import (
	"math"
	"slices"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/compare"
	"github.com/llama-regress/llama-regress/stats"
	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// A rule is one way to call a loss from a session of one cell.
type rule struct {
	name   string
	called func(run *record.Run) bool
	holds  func(run *record.Run, truth float64) bool // whether its 95 % interval of the change does; nil without one
}

// rules are ours and those of others, re-implemented from their descriptions.
// Each of the others sees all repetitions of all trials as one sample, and once
// more those of one trial a side, which is how it is mostly used.
func rules() []rule {
	rs := []rule{
		{"llama-regress", func(run *record.Run) bool { return judgeOne(run, defaults).Verdict == compare.Regression }, ourInterval},
		{"llama-regress without a margin", func(run *record.Run) bool { return judgeOne(run, noMargin()).Verdict == compare.Regression }, nil},
	}
	for _, trials := range []int{math.MaxInt, 1} {
		use := ", all trials"
		if trials == 1 {
			use = ", one trial a side"
		}
		pooled := func(run *record.Run) (base, head []float64) {
			b, h := repetitions(run)
			n := min(trials, len(b))
			return slices.Concat(b[:n]...), slices.Concat(h[:n]...)
		}
		rs = append(rs,
			rule{"pooled Mann-Whitney" + use, func(run *record.Run) bool { return rankSumLoss(pooled(run)) }, nil},
			rule{"pooled Welch" + use, func(run *record.Run) bool { return welchLoss(pooled(run)) },
				func(run *record.Run, truth float64) bool {
					iv := meanChange(pooled(run))
					return iv.Low <= truth && truth <= iv.High
				}},
			rule{"criterion's rule" + use, func(run *record.Run) bool { return criterionLoss(pooled(run)) }, nil},
			rule{"5 % gate" + use, func(run *record.Run) bool { return percentLoss(pooled(run)) }, nil},
		)
	}
	return rs
}

func ourInterval(run *record.Run, truth float64) bool {
	return covers(judgeOne(run, at95()).Interval, truth)
}

// rankSumLoss is what benchstat decides by: Mann-Whitney, two-sided at 0.05, by
// the normal approximation without ties.
func rankSumLoss(base, head []float64) bool {
	sorted := slices.Sorted(slices.Values(base))
	u := 0.0
	for _, x := range head {
		below, _ := slices.BinarySearch(sorted, x)
		u += float64(below)
	}
	n, m := float64(len(base)), float64(len(head))
	if n*m <= 25 { // 5 against 5: exactly, U <= 2 has p <= 0.0317
		return u <= 2
	}
	z := (n*m/2 - u - 0.5) / math.Sqrt(n*m*(n+m+1)/12)
	return z >= distuv.UnitNormal.Quantile(0.975)
}

// welchLoss is Welch's t on the repetitions, two-sided at 0.05.
func welchLoss(base, head []float64) bool { return stats.Welch(base, head).PBelow(0) <= 0.025 }

// meanChange is the 95 % interval of the ratio of means, less one, that goes with it.
func meanChange(base, head []float64) stats.Interval {
	mean := stat.Mean(base, nil)
	iv := stats.Welch(base, head).Interval(0.95)
	return stats.Interval{Estimate: iv.Estimate / mean, Low: iv.Low / mean, High: iv.High / mean, Confidence: iv.Confidence}
}

// criterionLoss asks for both: significant at 0.05, and the interval of the
// change beyond 1 % of noise. Criterion bootstraps; with normal noise the t
// interval is what that comes to.
func criterionLoss(base, head []float64) bool {
	return welchLoss(base, head) && meanChange(base, head).High < -0.01
}

// percentLoss is a fixed gate on the ratio of means.
func percentLoss(base, head []float64) bool {
	return stat.Mean(head, nil) < 0.95*stat.Mean(base, nil)
}

// predictionP is the level at which a t prediction bound on the history of one
// metric, such as Bencher's t_test threshold, lies above the next value.
func predictionP(history []float64, next float64) float64 {
	n := float64(len(history))
	mean, sd := stat.MeanStdDev(history, nil)
	return distuv.StudentsT{Mu: 0, Sigma: 1, Nu: n - 1}.CDF((next - mean) / (sd * math.Sqrt(1+1/n)))
}

// bestSplitP is what Otava decides by within its window: p of the pooled t test
// at the split where t is largest, taken as if that split had been given. A step
// up is no loss: 1.
func bestSplitP(xs []float64) float64 {
	best, down := 0.0, false
	n := float64(len(xs))
	for k := 2; k <= len(xs)-2; k++ {
		m1, v1 := stat.MeanVariance(xs[:k], nil)
		m2, v2 := stat.MeanVariance(xs[k:], nil)
		n1, n2 := float64(k), float64(len(xs)-k)
		pooled := ((n1-1)*v1 + (n2-1)*v2) / (n - 2)
		if t := math.Abs(m2-m1) / math.Sqrt(pooled*(1/n1+1/n2)); t > best {
			best, down = t, m2 < m1
		}
	}
	if !down {
		return 1
	}
	return 2 * distuv.StudentsT{Mu: 0, Sigma: 1, Nu: n - 2}.CDF(-best)
}
