package stats

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func constantOf(n int, v float64) []float64 { return slices.Repeat([]float64{v}, n) }

// limma 3.54.1 in R 4.2.2: fitFDist(s2, df), and squeezeVar(s2, df)$var.post: the
// estimate itself, before FitVariancePrior doubts its degrees of freedom. Where the variances spread no more than chance limma takes mean(s2) as scale;
// ours is exp(mean(log(s2) - digamma(df/2) + log(df/2))), the limit of the formula for
// the other case.
func TestVariancePrior(t *testing.T) {
	for _, c := range []struct {
		name     string
		s2, df   []float64
		scale, d float64
		post     []float64
	}{
		{
			name:  "unequal df",
			s2:    []float64{.4, 2.2, .1, 5.1, .9, .7, .3, 8.1, .65, .14, 3.2, .05},
			df:    []float64{5, 5, 4, 9, 9, 3, 7, 7, 5, 12, 6, 4},
			scale: .422133635749161, d: 1.7425461542981,
			post: []float64{.405720225115664, 1.740527550722604, .197749798271038, 4.341204280040786, .822485397471572, .597904005848151,
				.324343422788854, 6.569663611708533, .591110131449961, .175774366442210, 2.574810268648873, .162922041623352},
		},
		{
			name:  "a zero",
			s2:    []float64{.4, 2.2, .1, 5.1, .9, .7, .3, 8.1, .65, .14, 3.2, 0},
			df:    constantOf(12, 6),
			scale: .0355482661357257, d: .58095203880891,
		},
		{
			name:  "nearly equal",
			s2:    []float64{1, 1.1, .9, 1.05, .95, 1, 1.02, .98, 1.01, .99},
			df:    constantOf(10, 5),
			scale: 1.23593619572282, d: math.Inf(1),
			post: constantOf(10, 1.23593619572282),
		},
	} {
		e := logVariancesOf(c.s2, c.df)
		prior := e.prior(e.spread)
		expectClose(t, c.name, []float64{prior.Variance, prior.DF}, []float64{c.scale, c.d}, 1e-9)
		for i := range c.post {
			s2, df := prior.Moderate(c.s2[i], c.df[i])
			expectClose(t, c.name+": post", []float64{s2, df}, []float64{c.post[i], c.df[i] + c.d}, 1e-9)
		}
	}
}

// limma 3.54.1: trigammaInverse(c(1e-8, 1e-4, .01, .3, 1, 5, 1e3, 1e8)).
func TestInverseTrigamma(t *testing.T) {
	want := []float64{1e8, 1.00004999916667e+04, 1.00499166681943e+02, 3.80871901205117, 1.42625512021508, .496168734704107, .0316476610511964, 1e-4}
	for i, y := range []float64{1e-8, 1e-4, .01, .3, 1, 5, 1e3, 1e8} {
		expectClose(t, "inverseTrigamma", []float64{inverseTrigamma(y) / want[i]}, []float64{1}, 1e-7)
		if i > 0 && i < 7 {
			expectClose(t, "trigamma of it", []float64{trigamma(inverseTrigamma(y)) / y}, []float64{1}, 1e-10)
		}
	}
	if x := trigamma(2.5); math.Abs(x-.4903577561) > 1e-10 { // statistics reference, 1.2
		t.Errorf("trigamma(2.5): have %v", x)
	}
}

// R 4.2.2 for "unequal df" above: with e <- log(s2)-digamma(df/2)+log(df/2), half of
// the df is uniroot(function(x) trigamma(x) - (var(e)*11/qchisq(.2,11)-mean(trigamma(df/2))),
// c(1e-6,1e6), tol=1e-14)$root. Variances no more unequal than chance are worth
// what they rest on.
func TestPriorDoubtsItsDegreesOfFreedom(t *testing.T) {
	for _, c := range []struct {
		name   string
		s2, df []float64
		want   VariancePrior
	}{
		{
			name: "unequal df",
			s2:   []float64{.4, 2.2, .1, 5.1, .9, .7, .3, 8.1, .65, .14, 3.2, .05},
			df:   []float64{5, 5, 4, 9, 9, 3, 7, 7, 5, 12, 6, 4},
			want: VariancePrior{Variance: .422133635749161, DF: 1.241967822075661},
		},
		{
			name: "nearly equal",
			s2:   []float64{1, 1.1, .9, 1.05, .95, 1, 1.02, .98, 1.01, .99},
			df:   constantOf(10, 5),
			want: VariancePrior{Variance: 1.23593619572282, DF: 50},
		},
	} {
		prior := FitVariancePrior(c.s2, c.df)
		expectClose(t, c.name, []float64{prior.Variance, prior.DF}, []float64{c.want.Variance, c.want.DF}, 1e-9)
	}
}

func TestPriorFindsWhatMadeTheVariances(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 1))
	chi2 := func(d int) (sum float64) {
		for range d {
			x := rng.NormFloat64()
			sum += x * x
		}
		return sum
	}
	s2, df := make([]float64, 3000), constantOf(3000, 7)
	for i := range s2 {
		s2[i] = 2e-4 * 8 / chi2(8) * chi2(7) / 7
	}
	prior := FitVariancePrior(s2, df)
	if math.Abs(prior.Variance/2e-4-1) > .1 || math.Abs(prior.DF/8-1) > .25 {
		t.Errorf("prior %+v, want about {0.0002 8}", prior)
	}
}

// R 4.2.2: predict(lm(x ~ 1), data.frame(row.names=1), interval="prediction", level=.9)
// for x = c(10, 10.4, 9.8, 10.1, 10.3) is 10.12, 9.56244971771741..10.6775502822826.
func TestPrediction(t *testing.T) {
	x := []float64{10, 10.4, 9.8, 10.1, 10.3}
	iv := Prediction(x, []float64{10.12}, VariancePrior{}).Interval(.9)
	expectClose(t, "prediction interval", []float64{iv.Estimate, iv.Low, iv.High}, []float64{0, 9.56244971771741 - 10.12, 10.6775502822826 - 10.12}, 1e-12)

	_, s2 := meanVariance(x)
	e := Prediction(x, []float64{11, 12, 10}, VariancePrior{Variance: .1, DF: 6})
	expectClose(t, "moderated", []float64{e.Theta, e.SE, e.DF}, []float64{.88, math.Sqrt((6*.1 + 4*s2) / 10 * (1./5 + 1./3)), 10}, 1e-12)
	e = Prediction(x, []float64{11}, VariancePrior{Variance: .1, DF: math.Inf(1)})
	expectClose(t, "known variance", []float64{e.SE, e.DF}, []float64{math.Sqrt(.12), math.Inf(1)}, 1e-12)
}

// New sessions of an unchanged build fall outside the 95 % interval in 5 % of
// cases, with a moderated variance as without.
func TestPredictionCovers(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 2))
	const groups, cells, sessions = 60, 40, 6
	outside := map[string]int{}
	for range groups {
		baselines, s2 := make([][]float64, cells), make([]float64, cells)
		sd := make([]float64, cells)
		for c := range baselines {
			sd[c] = math.Exp(.4 * rng.NormFloat64())
			for range sessions {
				baselines[c] = append(baselines[c], sd[c]*rng.NormFloat64())
			}
			_, s2[c] = meanVariance(baselines[c])
		}
		prior := FitVariancePrior(s2, constantOf(cells, sessions-1))
		for c := range baselines {
			candidate := []float64{sd[c] * rng.NormFloat64()}
			for name, p := range map[string]VariancePrior{"plain": {}, "moderated": prior} {
				if iv := Prediction(baselines[c], candidate, p).Interval(.95); iv.Low > 0 || iv.High < 0 {
					outside[name]++
				}
			}
		}
	}
	for name, k := range outside {
		if share := float64(k) / (groups * cells); math.Abs(share-.05) > 3.5*math.Sqrt(.05*.95/(groups*cells)) {
			t.Errorf("%s: %v outside, want .05", name, share)
		}
	}
	if len(outside) != 2 {
		t.Error("nothing was ever outside")
	}
}

func TestModeratedAtTheEdges(t *testing.T) {
	nine := constantOf(9, 1)
	for name, prior := range map[string]VariancePrior{
		"too few cells":      FitVariancePrior(nine, nine),
		"too few with df":    FitVariancePrior(constantOf(12, 1), append(constantOf(9, 4), 0, 0, 0)),
		"no cells":           FitVariancePrior(nil, nil),
		"mostly no variance": FitVariancePrior(append(constantOf(8, 0), 1, 2, 3, 4), constantOf(12, 4)),
	} {
		if prior != (VariancePrior{}) {
			t.Errorf("%s: have %+v, want none", name, prior)
		}
	}
	inf, nan := math.Inf(1), math.NaN()
	e := Prediction([]float64{3}, []float64{4}, VariancePrior{})
	expectClose(t, "one stored session", []float64{e.Theta, e.SE, e.DF}, []float64{1, inf, 1}, 0)
	e = Prediction([]float64{3}, []float64{4}, VariancePrior{Variance: 2, DF: 5})
	expectClose(t, "one stored session, with a prior", []float64{e.Theta, e.SE, e.DF}, []float64{1, 2, 5}, 1e-12)
	e = Prediction([]float64{.1, .1, .1}, []float64{.1, .1, .1}, VariancePrior{})
	expectClose(t, "no spread", []float64{e.Theta, e.SE, e.DF}, []float64{0, 0, 2}, 0)

	expectPanic(t, "stats: FitVariancePrior: ", func() { FitVariancePrior([]float64{1}, nil) })
	expectPanic(t, "stats: FitVariancePrior: ", func() { FitVariancePrior([]float64{nan}, []float64{1}) })
	expectPanic(t, "stats: FitVariancePrior: ", func() { FitVariancePrior([]float64{1}, []float64{-1}) })
	expectPanic(t, "stats: FitVariancePrior: ", func() { FitVariancePrior([]float64{inf}, []float64{1}) })
	expectPanic(t, "stats: VariancePrior.Moderate: ", func() { VariancePrior{}.Moderate(nan, 1) })
	expectPanic(t, "stats: VariancePrior.Moderate: ", func() { VariancePrior{}.Moderate(1, inf) })
	expectPanic(t, "stats: Prediction: ", func() { Prediction(nil, []float64{1}, VariancePrior{}) })
	expectPanic(t, "stats: Prediction: ", func() { Prediction([]float64{1}, []float64{nan}, VariancePrior{}) })
}
