package stats

import (
	"encoding/binary"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// The bootstrap draws its resamples from a generator seeded from the data in
// ascending order, so the same data in any order give the same interval.

// BootstrapPercentile returns statistic(xs) with the interval between the
// quantiles (1±confidence)/2 of the statistic over resamples of xs (Efron 1979).
// It is too short for small samples; BootstrapBCa is better. The unit is the
// statistic's.
//
// statistic is called with ascending samples as long as xs; it may reorder its
// argument but not keep it. It must not return a NaN, which panics. The interval is
// widened to hold the estimate, should the statistic be badly biased. xs is not
// modified. BootstrapPercentile panics if xs is empty or holds a NaN, if
// resamples < 1, or unless 0 < confidence < 1.
func BootstrapPercentile(xs []float64, statistic func([]float64) float64, resamples int, confidence float64) Interval {
	b := newBootstrap("BootstrapPercentile", xs, statistic, resamples, confidence)
	return b.interval((1-confidence)/2, (1+confidence)/2)
}

// BootstrapBCa is BootstrapPercentile with Efron's (1987) correction for bias
// and acceleration: the quantiles taken are Φ(z₀ + (z₀+z)/(1-a(z₀+z))) for the
// normal quantiles z of (1±confidence)/2. z₀ is the normal quantile of the share
// of resamples below the estimate, equal ones counting half; a is one sixth of
// the skewness of the jackknife values.
//
// It takes len(xs) more calls of statistic, with samples one shorter. One value,
// or a statistic that does not vary, has an interval without width.
func BootstrapBCa(xs []float64, statistic func([]float64) float64, resamples int, confidence float64) Interval {
	b := newBootstrap("BootstrapBCa", xs, statistic, resamples, confidence)
	below := 0.0
	for _, v := range b.replicates {
		switch {
		case v < b.estimate:
			below++
		case v == b.estimate:
			below += 0.5
		}
	}
	// All on one side would be an infinite correction, more than a finite
	// number of resamples can tell.
	n := float64(resamples)
	z0 := distuv.UnitNormal.Quantile(min(max(below, 0.5), n-0.5) / n)
	a := jackknifeAcceleration(b.sorted, b.checked)
	adjusted := func(p float64) float64 {
		w := z0 + distuv.UnitNormal.Quantile(p)
		if 1-a*w <= 0 { // beyond the correction's pole: the end of that side
			return max(0, math.Copysign(1, w))
		}
		return distuv.UnitNormal.CDF(z0 + w/(1-a*w))
	}
	return b.interval(adjusted((1-confidence)/2), adjusted((1+confidence)/2))
}

// BootstrapHierarchical returns statistic(clusters) with its percentile
// interval, resampling in two stages: as many clusters as there are, with
// replacement, then as many values within each (Davison and Hinkley 1997,
// section 3.8). Below about 20 clusters it covers less than it promises.
//
// statistic gets each cluster ascending, may reorder it and keep nothing. clusters are not
// modified. BootstrapHierarchical panics as BootstrapPercentile does, also if
// any cluster is empty.
func BootstrapHierarchical(clusters [][]float64, statistic func([][]float64) float64, resamples int, confidence float64) Interval {
	const fn = "BootstrapHierarchical"
	checkResampling(fn, resamples, confidence)
	if len(clusters) == 0 {
		panic("stats: " + fn + ": no clusters")
	}
	sorted := make([][]float64, len(clusters))
	longest := 0
	for i, c := range clusters {
		checkSample(fn, c)
		sorted[i] = sortedCopy(c)
		longest = max(longest, len(c))
	}
	slices.SortFunc(sorted, slices.Compare)

	scratch := make([][]float64, len(sorted))
	room := make([]float64, len(sorted)*longest)
	for i, c := range sorted {
		scratch[i] = room[i*longest:][:copy(room[i*longest:], c)]
	}
	b := bootstrap{estimate: refuseNaN(fn, statistic(scratch)), replicates: make([]float64, resamples), confidence: confidence}
	draw, times := seededFrom(sorted...), make([]int, longest)
	for r := range b.replicates {
		for i := range scratch {
			from := sorted[draw.IntN(len(sorted))]
			scratch[i] = room[i*longest:][:len(from)]
			resample(draw, scratch[i], from, times)
		}
		b.replicates[r] = refuseNaN(fn, statistic(scratch))
	}
	slices.Sort(b.replicates)
	return b.interval((1-confidence)/2, (1+confidence)/2)
}

// A bootstrap is a statistic with its resampling distribution.
type bootstrap struct {
	sorted     []float64 // the data, ascending
	checked    func([]float64) float64
	estimate   float64
	replicates []float64 // the statistic of each resample, ascending
	confidence float64
}

func newBootstrap(fn string, xs []float64, statistic func([]float64) float64, resamples int, confidence float64) bootstrap {
	checkSample(fn, xs)
	checkResampling(fn, resamples, confidence)
	b := bootstrap{sorted: sortedCopy(xs), replicates: make([]float64, resamples), confidence: confidence}
	b.checked = func(xs []float64) float64 { return refuseNaN(fn, statistic(xs)) }
	scratch := slices.Clone(b.sorted)
	b.estimate = b.checked(scratch)
	draw, times := seededFrom(b.sorted), make([]int, len(xs))
	for r := range b.replicates {
		resample(draw, scratch, b.sorted, times)
		b.replicates[r] = b.checked(scratch)
	}
	slices.Sort(b.replicates)
	return b
}

// interval reads the limits off the replicates, widened to hold the estimate.
func (b bootstrap) interval(low, high float64) Interval {
	return Interval{
		Estimate:   b.estimate,
		Low:        min(b.estimate, replicateQuantile(b.replicates, low)),
		High:       max(b.estimate, replicateQuantile(b.replicates, high)),
		Confidence: b.confidence,
	}
}

// replicateQuantile is sortedQuantile, except between -Inf and +Inf, where it
// takes the nearer.
func replicateQuantile(sorted []float64, q float64) float64 {
	if v := sortedQuantile(sorted, q); !math.IsNaN(v) {
		return v
	}
	return sorted[int(math.Round(float64(len(sorted)-1)*q))]
}

// jackknifeAcceleration is Σu³ / (6 (Σu²)^1.5) for u = mean - θ₍ᵢ₎, where θ₍ᵢ₎ is
// the statistic without the i-th value; 0 when they do not vary.
func jackknifeAcceleration(xs []float64, statistic func([]float64) float64) float64 {
	if len(xs) == 1 {
		return 0
	}
	left := make([]float64, len(xs))
	scratch := make([]float64, len(xs)-1)
	for i := range xs {
		copy(scratch, xs[:i])
		copy(scratch[i:], xs[i+1:])
		left[i] = statistic(scratch)
		if math.IsInf(left[i], 0) {
			return 0
		}
	}
	mean, _ := meanVariance(left)
	size := 0.0
	for _, v := range left {
		size = max(size, math.Abs(mean-v))
	}
	if size == 0 {
		return 0
	}
	squares, cubes := 0.0, 0.0
	for _, v := range left {
		u := (mean - v) / size
		squares += u * u
		cubes += u * u * u
	}
	return cubes / (6 * math.Pow(squares, 1.5))
}

// resample fills into with values drawn from sorted with replacement, as many
// as sorted has, ascending: counting how often each is drawn costs no more than
// copying it, and spares the statistic most of its own sorting. times is
// scratch, at least as long as sorted.
func resample(draw *rand.Rand, into, sorted []float64, times []int) {
	n := len(sorted)
	times = times[:n]
	clear(times)
	for range n {
		times[draw.IntN(n)]++
	}
	at := 0
	for i, x := range sorted {
		for range times[i] {
			into[at] = x
			at++
		}
	}
}

// seededFrom returns a generator whose stream depends on the values alone.
func seededFrom(samples ...[]float64) *rand.Rand {
	h := fnv.New64a()
	var word [8]byte
	write := func(bits uint64) {
		binary.LittleEndian.PutUint64(word[:], bits)
		h.Write(word[:])
	}
	for _, xs := range samples {
		write(uint64(len(xs)))
		for _, x := range xs {
			write(math.Float64bits(x))
		}
	}
	return rand.New(rand.NewPCG(h.Sum64(), uint64(len(samples))))
}

func checkResampling(fn string, resamples int, confidence float64) {
	checkConfidence(fn, confidence)
	if resamples < 1 {
		panic("stats: " + fn + ": no resamples")
	}
}

func refuseNaN(fn string, v float64) float64 {
	if math.IsNaN(v) {
		panic("stats: " + fn + ": the statistic is NaN")
	}
	return v
}
