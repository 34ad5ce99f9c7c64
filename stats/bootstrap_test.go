package stats

import (
	"math"
	"slices"
	"testing"
)

func plainMean(xs []float64) float64 {
	sum := 0.0
	for _, x := range xs {
		sum += x
	}
	return sum / float64(len(xs))
}

// sortedMedian is the median by sorting in place, which a statistic may do.
func sortedMedian(xs []float64) float64 {
	slices.Sort(xs)
	return sortedQuantile(xs, 0.5)
}

func TestBootstrapOracles(t *testing.T) {
	spatial := []float64{48, 36, 20, 29, 42, 42, 20, 42, 22, 41, 45, 14, 6, 0, 33, 28, 34, 4, 32, 24, 47, 41, 24, 26, 30, 41}
	fifteen := []float64{2.1, 3.4, 1.9, 8.8, 4.2, 3.9, 12.5, 2.7, 3.3, 5.1, 4.8, 2.2, 7.4, 3.0, 4.4}
	// The plug-in variance, which divides by n.
	variance := func(xs []float64) float64 {
		_, v := meanVariance(xs)
		return v * float64(len(xs)-1) / float64(len(xs))
	}
	for _, tt := range []struct {
		name                          string
		xs                            []float64
		statistic                     func([]float64) float64
		confidence                    float64
		estimate                      float64
		percentileLow, percentileHigh float64
		bcaLow, bcaHigh               float64
		tol                           float64
	}{
		// Efron and Tibshirani (1993), table 14.1 and 14.2: the spatial test
		// data. Percentile and BCa with R, B = 100000; the book prints BCa
		// 115.8 to 259.6.
		{"spatial test A", spatial, variance, .90, 171.534, 98.0, 235.2, 115.9, 261.5, 4},
		// R 4.2.2, boot 1.3-28.1: set.seed(1); boot(d, function(x, i)
		// mean(x[i]), 200000), boot.ci(type = c("perc", "bca")).
		{"mean", fifteen, plainMean, .95, 4.64666666666667, 3.38, 6.18666666666667, 3.55333333333333, 6.57333333333333, .06},
		// scipy.stats.bootstrap((d,), np.median, confidence_level=.9,
		// method="BCa", n_resamples=200000), 1.17.1; percentile by R. R's BCa,
		// which counts equal resamples as not below, is 2.7 to 4.4.
		{"median", fifteen, sortedMedian, .90, 3.9, 3, 4.8, 3, 4.8, 1e-12},
	} {
		percentile := BootstrapPercentile(tt.xs, tt.statistic, 20000, tt.confidence)
		bca := BootstrapBCa(tt.xs, tt.statistic, 20000, tt.confidence)
		near(t, tt.name+": estimate", bca.Estimate, tt.estimate, 1e-3)
		nearInterval(t, tt.name+": percentile", percentile, tt.percentileLow, tt.percentileHigh, tt.tol)
		nearInterval(t, tt.name+": BCa", bca, tt.bcaLow, tt.bcaHigh, tt.tol)
	}
}

// Two-stage resampling of balanced clusters has a known variance of the mean:
// that of the cluster means plus that within, each divided by n, not n-1
// (Davison and Hinkley 1997, equation 3.16 for this scheme).
func TestBootstrapHierarchicalVariance(t *testing.T) {
	const a, b = 30, 12
	clusters := make([][]float64, a)
	means := make([]float64, a)
	within := 0.0
	for i := range clusters {
		clusters[i] = make([]float64, b)
		for j := range clusters[i] {
			clusters[i][j] = float64(i*17%31)/10 + float64((i*5+j*7)%12)/4
		}
		m, v := meanVariance(clusters[i])
		means[i] = m
		within += v * (b - 1) / b / a
	}
	_, between := meanVariance(means)
	se := math.Sqrt(between*(a-1)/a/a + within/a/b)
	grand := func(c [][]float64) float64 {
		sum := 0.0
		for _, xs := range c {
			sum += plainMean(xs)
		}
		return sum / float64(len(c))
	}
	iv := BootstrapHierarchical(clusters, grand, 20000, .95)
	near(t, "estimate", iv.Estimate, plainMean(means), 1e-12)
	nearInterval(t, "hierarchical", iv, iv.Estimate-1.96*se, iv.Estimate+1.96*se, 0.06*se)

	shuffled := [][]float64{}
	for i := range clusters {
		c := slices.Clone(clusters[a-1-i])
		slices.Reverse(c)
		shuffled = append(shuffled, c)
	}
	if again := BootstrapHierarchical(shuffled, grand, 20000, .95); again != iv {
		t.Errorf("order changed the interval: %+v, %+v", iv, again)
	}
}

func TestBootstrapLittleData(t *testing.T) {
	for _, tt := range []struct {
		name      string
		xs        []float64
		statistic func([]float64) float64
	}{
		{"one value", []float64{3}, plainMean},
		{"equal values", []float64{3, 3, 3, 3}, plainMean},
		{"constant statistic", []float64{1, 2, 3}, func([]float64) float64 { return 3 }},
	} {
		nearInterval(t, tt.name, BootstrapBCa(tt.xs, tt.statistic, 100, .9), 3, 3, 0)
		nearInterval(t, tt.name, BootstrapPercentile(tt.xs, tt.statistic, 100, .9), 3, 3, 0)
	}
	largest := func(xs []float64) float64 { return slices.Max(xs) }
	sound(t, "maximum", BootstrapBCa([]float64{1, 2, 3, 9}, largest, 500, .95))
	sound(t, "failures", BootstrapBCa([]float64{1, 2, 3, inf}, largest, 500, .95))
	sound(t, "both infinities", BootstrapPercentile([]float64{math.Inf(-1), inf}, largest, 500, .95))
	// A biased statistic lies outside its own resamples' middle.
	distinct := func(xs []float64) float64 { slices.Sort(xs); return float64(len(slices.Compact(xs))) }
	iv := BootstrapPercentile([]float64{1, 2, 3, 4, 5, 6, 7, 8}, distinct, 500, .9)
	near(t, "widened to the estimate", iv.High, 8, 0)
	repeated := func(xs []float64) float64 { return -distinct(xs) }
	near(t, "widened downward", BootstrapPercentile([]float64{1, 2, 3, 4, 5, 6, 7, 8}, repeated, 500, .9).Low, -8, 0)
	sound(t, "biased", iv)
}

// A seed that did not depend on the data would resample every cell alike.
func TestBootstrapSeed(t *testing.T) {
	xs, ys := []float64{1, 2, 3, 4}, []float64{1, 2, 3, 5}
	if a, b := seededFrom(xs).Uint64(), seededFrom(ys).Uint64(); a == b {
		t.Error("different data, same stream")
	}
	if a, b := seededFrom(xs[:2], xs[2:]).Uint64(), seededFrom(xs[:3], xs[3:]).Uint64(); a == b {
		t.Error("different clusters, same stream")
	}
	if a, b := seededFrom(xs).Uint64(), seededFrom(slices.Clone(xs)).Uint64(); a != b {
		t.Error("same data, different stream")
	}
}
