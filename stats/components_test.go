package stats

import (
	"math"
	"math/rand/v2"
	"testing"
)

// NIST StRD one-way analysis of variance SiRstv: resistivity of silicon by five
// instruments. Certified: df 4 and 20, SSB 5.11462616000000E-02,
// SSW 2.16636560000000E-01, F 1.18046237440255, residual sd 0.104076068334656.
var siRstv = [][]float64{
	{196.3052, 196.1240, 196.1890, 196.2569, 196.3403},
	{196.3042, 196.3825, 196.1669, 196.3257, 196.0422},
	{196.1303, 196.2005, 196.2889, 196.0343, 196.1811},
	{196.2795, 196.1748, 196.1494, 196.1485, 195.9885},
	{196.2119, 196.1051, 196.1850, 196.0052, 196.2090},
}

// Davies and Goldsmith's dyestuff yields, as in R's lme4::Dyestuff:
// lmer(Yield ~ 1 + (1|Batch), Dyestuff) has standard deviations 42.0006 and
// 49.5101 around 1527.5; balanced, so its estimates are those of the ANOVA.
var dyestuff = [][]float64{
	{1545, 1440, 1440, 1520, 1580}, {1540, 1555, 1490, 1560, 1495}, {1595, 1550, 1605, 1510, 1560},
	{1445, 1440, 1595, 1465, 1545}, {1595, 1630, 1515, 1635, 1625}, {1520, 1455, 1450, 1480, 1445},
}

// R's lme4::Dyestuff2, made by Box and Tiao so that the batches vary less than
// chance: the variance between them must be 0. anova(lm(Yield ~ Batch)) has
// mean squares 8.33632576 and 14.9458896.
var dyestuff2 = [][]float64{
	{7.298, 3.846, 2.434, 9.566, 7.990}, {5.220, 6.556, .608, 11.788, -.892}, {.110, 10.386, 13.434, 5.510, 8.166},
	{2.212, 4.852, 7.092, 9.288, 4.980}, {.282, 9.014, 4.458, 9.446, 7.198}, {1.722, 4.782, 8.106, .758, 3.758},
}

func TestOneWayComponents(t *testing.T) {
	for _, c := range []struct {
		name                                          string
		groups                                        [][]float64
		mean, msBetween, msWithin, variance, dfB, dfW float64
		tolerance                                     float64
	}{
		{"SiRstv", siRstv, 196.189156, 5.11462616e-02 / 4, 2.16636560e-01 / 20, (5.11462616e-02/4 - 2.16636560e-01/20) / 5, 4, 20, 1e-12},
		{"Dyestuff", dyestuff, 1527.5, 11271.5, 2451.25, 1764.05, 5, 24, 1e-12},
		{"Dyestuff2", dyestuff2, 5.66560, 8.33632576, 14.9458896, 0, 5, 24, 1e-8},
	} {
		v := OneWayComponents(c.groups)
		expectClose(t, c.name, []float64{v.Mean, v.Session.MeanSquare, v.Trial.MeanSquare, v.Session.Variance, v.Trial.Variance, v.Session.DF, v.Trial.DF, v.Repetition.DF},
			[]float64{c.mean, c.msBetween, c.msWithin, c.variance, c.msWithin, c.dfB, c.dfW, 0}, c.tolerance)
	}
	v := OneWayComponents(siRstv)
	expectClose(t, "F", []float64{v.Session.MeanSquare / v.Trial.MeanSquare, math.Sqrt(v.Trial.Variance)}, []float64{1.18046237440255, 0.104076068334656}, 1e-11)
	v = OneWayComponents(dyestuff)
	expectClose(t, "sd", []float64{math.Sqrt(v.Session.Variance), math.Sqrt(v.Trial.Variance)}, []float64{42.0006, 49.5101}, 1e-6)
}

// Unequal sizes at both levels. Mean squares and their expectations by NumPy
// 2.4.6 from the projections themselves, without any formula for the sizes:
//
//	P = lambda z: z @ linalg.pinv(z); A = [P(zs)-J, P(zt)-P(zs), I-P(zt)]
//	ms = y @ A[i] @ y / trace(A[i]); coefficient of a level z: trace(z.T @ A[i] @ z) / trace(A[i])
//
// and from them the components, the standard errors and Satterthwaite's df.
func TestNestedComponents(t *testing.T) {
	v := NestedComponents([][][]float64{
		{{10.1, 10.3, 9.9}, {10.8, 10.6}},
		{{12.0, 12.3, 12.1, 11.8}, {11.5}, {12.9, 12.7}},
		{{9.0, 9.4}, {9.9, 9.7, 9.8}},
		{{11.2}, {10.9, 11.4}},
	})
	expectClose(t, "mean squares", []float64{v.Mean, v.Session.MeanSquare, v.Trial.MeanSquare, v.Repetition.MeanSquare},
		[]float64{10.915, 7.44208730158716, .4328476190476652, .04318181818182589}, 1e-12)
	expectClose(t, "df", []float64{v.Session.DF, v.Trial.DF, v.Repetition.DF}, []float64{3, 5, 11}, 0)
	expectClose(t, "sizes", []float64{v.perTrial, v.perTrialBetween, v.perSession}, []float64{2.026666666666667, 2.4222222222222225, 4.866666666666667}, 1e-12)
	expectClose(t, "variances", []float64{v.Session.Variance, v.Trial.Variance, v.Repetition.Variance},
		[]float64{1.4246273607430378, .19226930963774966, .04318181818182589}, 1e-12)

	se1, df1 := v.error("", Shape{1, 3, 5})
	se2, df2 := v.error("", Shape{4, 2, 2})
	se3, df3 := v.DifferenceError(Shape{1, 3, 5}, Shape{4, 2, 2})
	expectClose(t, "errors", []float64{se1, df1, se2, df2, se3, df3},
		[]float64{1.2213091003104317, 2.85338034454082, .6187805487625175, 3.0092711921483684, 1.369118433893839, 2.884373936355096}, 1e-11)
}

func TestMeanErrorOfTheSameShapeIsThatOfSessionMeans(t *testing.T) {
	rng := rand.New(rand.NewPCG(6, 1))
	sessions, means := make([][][]float64, 7), make([]float64, 7)
	for i := range sessions {
		session := 3 * rng.NormFloat64()
		for range 4 {
			trial, values := rng.NormFloat64(), make([]float64, 5)
			for k := range values {
				values[k] = 50 + session + trial + rng.NormFloat64()
				means[i] += values[k] / 20
			}
			sessions[i] = append(sessions[i], values)
		}
	}
	plain := PairedT(means)
	se, df := NestedComponents(sessions).error("", Shape{7, 4, 5})
	expectClose(t, "mean error", []float64{se, df}, []float64{plain.SE, plain.DF}, 1e-10)
}

// On average the estimates are the true components 4, 1 and 0.25, and the
// predicted variance is that of new sessions of another shape.
func TestComponentsAreUnbiased(t *testing.T) {
	rng := rand.New(rand.NewPCG(6, 2))
	const studies = 4000
	var got [4]float64
	for range studies {
		sessions := make([][][]float64, 12)
		for i := range sessions {
			session := 2 * rng.NormFloat64()
			for range 2 + i%3 {
				trial, values := rng.NormFloat64(), make([]float64, 1+rng.IntN(4))
				for k := range values {
					values[k] = session + trial + .5*rng.NormFloat64()
				}
				sessions[i] = append(sessions[i], values)
			}
		}
		v := NestedComponents(sessions)
		se, _ := v.error("", Shape{1, 10, 3})
		for i, x := range []float64{v.Session.Variance, v.Trial.Variance, v.Repetition.Variance, se * se} {
			got[i] += x / studies
		}
	}
	expectClose(t, "mean of the estimates", got[:], []float64{4, 1, .25, 4 + .1 + .25/30}, .03)
}

func TestComponentsAtTheEdges(t *testing.T) {
	inf := math.Inf(1)
	one := OneWayComponents([][]float64{{3, 5}})
	expectClose(t, "one group", []float64{one.Mean, one.Session.DF, one.Session.Variance, one.Trial.Variance}, []float64{4, 0, 0, 2}, 0)
	singles := OneWayComponents([][]float64{{3}, {5}})
	expectClose(t, "groups of one", []float64{singles.Session.Variance, singles.Session.DF, singles.Trial.Variance, singles.Trial.DF}, []float64{2, 1, 0, 0}, 0)
	equal := NestedComponents([][][]float64{{{.1, .1}, {.1, .1, .1}}, {{.1}, {.1, .1}}})
	value := NestedComponents([][][]float64{{{7}}})
	for _, c := range []struct {
		name   string
		v      VarianceComponents
		shape  Shape
		se, df float64
	}{
		{"one group", one, Shape{1, 1, 1}, inf, 1},
		{"one value", value, Shape{3, 3, 3}, inf, 1},
		{"groups of one", singles, Shape{2, 1, 1}, 1, 1},
		{"equal values", equal, Shape{1, 1, 1}, 0, 1},
		{"session floored", OneWayComponents(dyestuff2), Shape{1, 4, 1}, math.Sqrt(14.9458896 / 4), 24},
	} {
		se, df := c.v.error("", c.shape)
		expectClose(t, c.name, []float64{se, df}, []float64{c.se, c.df}, 1e-8)
	}
	nan := math.NaN()
	expectPanic(t, "stats: OneWayComponents: ", func() { OneWayComponents(nil) })
	expectPanic(t, "stats: OneWayComponents: ", func() { OneWayComponents([][]float64{{1}, {}}) })
	expectPanic(t, "stats: OneWayComponents: ", func() { OneWayComponents([][]float64{{1, nan}}) })
	expectPanic(t, "stats: NestedComponents: ", func() { NestedComponents([][][]float64{{{1}, {}}}) })
	expectPanic(t, "stats: NestedComponents: ", func() { NestedComponents([][][]float64{{{inf}}}) })
	expectPanic(t, "stats: VarianceComponents.DifferenceError: ", func() { one.DifferenceError(Shape{1, 0, 1}, Shape{1, 1, 1}) })
	expectPanic(t, "stats: VarianceComponents.DifferenceError: ", func() { one.DifferenceError(Shape{1, 1, 1}, Shape{}) })
}
