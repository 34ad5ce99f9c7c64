package geomean_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/compare"
	"github.com/llama-regress/llama-regress/compare/geomean"
)

// comparison is one of a cell whose trials have these values, a block each.
func comparison(metric string, method compare.Method, base, head []float64) compare.Comparison {
	test, _ := record.ParseTest(metric)
	c := compare.Comparison{Cell: metric, Workload: record.BenchWorkload, Metric: test.Metric(), Method: method}
	c.Baseline.Arm, c.Candidate.Arm = "base", "head"
	sum := 0.0
	for i := range base {
		c.Baseline.Trials = append(c.Baseline.Trials, compare.Point{Block: i, Value: base[i]})
		c.Candidate.Trials = append(c.Candidate.Trials, compare.Point{Block: i, Value: head[i]})
		sum += math.Log(head[i] / base[i])
	}
	change := math.Expm1(sum / float64(len(base)))
	c.Change = &change
	return c
}

// The mean of a doubling and of a halving is no change, of each kind of its own.
func TestOf(t *testing.T) {
	cs := []compare.Comparison{
		comparison("pp512", compare.Paired, []float64{1, 1, 1}, []float64{2, 2, 2}),
		comparison("tg128", compare.Paired, []float64{1, 1, 1}, []float64{0.5, 0.5, 0.5}),
		comparison("pp64", compare.Paired, []float64{10, 10, 10}, []float64{5, 5, 5}),
		comparison("tg128@d4096", compare.Paired, []float64{1, 2, 4}, []float64{0.5, 1, 2}),
		comparison("pp512+tg128", compare.Paired, []float64{1, 1, 1}, []float64{2, 2, 2}),
	}
	means := geomean.Of(cs)
	if len(means) != 2 || means[0].Group != "pp" || means[1].Group != "tg" || means[0].Cells != 2 {
		t.Fatalf("%+v", means)
	}
	if m := means[0]; math.Abs(m.Change) > 1e-12 || m.Rounds != 3 || math.Abs(m.Low) > 1e-12 || m.Confidence != 0.95 {
		t.Errorf("a doubling and a halving: %+v", m)
	}
	if m := means[1]; math.Abs(m.Change+0.5) > 1e-12 || math.Abs(m.High+0.5) > 1e-12 {
		t.Errorf("two halvings: %+v", m)
	}
}

// What moves all cells of a block together is in the interval as what it is: the
// differences 0.01, 0.02, 0.03 and 0.06 have the mean 0.03, the standard error
// sqrt(0.0014/3/4) and, with t(3, 0.975) = 3.182446, the half width 0.0343743.
func TestInterval(t *testing.T) {
	var base, head []float64
	for _, d := range []float64{0.01, 0.02, 0.03, 0.06} {
		base, head = append(base, 100), append(head, 100*math.Exp(d))
	}
	m := geomean.Of([]compare.Comparison{comparison("pp1", compare.Paired, base, head), comparison("pp2", compare.Paired, base, head)})[0]
	for what, c := range map[string][2]float64{"mean": {m.Change, 0.03}, "low": {m.Low, -0.0043743}, "high": {m.High, 0.0643743}} {
		if math.Abs(math.Log1p(c[0])-c[1]) > 1e-6 {
			t.Errorf("%s: %v, want %v on the log scale", what, math.Log1p(c[0]), c[1])
		}
	}
}

func TestWithoutInterval(t *testing.T) {
	few := func(method compare.Method, n int) compare.Comparison {
		return comparison("tg8", method, make0(n), make0(n))
	}
	stopped := few(compare.Paired, 6)
	stopped.Interim = &compare.Interim{}
	for name, c := range map[string]struct {
		a, b compare.Comparison
		why  geomean.Why
	}{
		"two blocks":        {few(compare.Paired, 2), few(compare.Paired, 6), geomean.FewRounds},
		"two sessions":      {few(compare.Sessions, 6), few(compare.Sessions, 6), geomean.OneEach},
		"stopped early":     {stopped, few(compare.Paired, 6), geomean.Stopped},
		"unlike invocation": {few(compare.Unpaired, 6), few(compare.Unpaired, 7), geomean.FewRounds},
		"invocations":       {few(compare.Unpaired, 6), few(compare.Unpaired, 6), ""},
	} {
		m := geomean.Of([]compare.Comparison{c.a, c.b})
		if len(m) != 1 || m[0].Why != c.why || (m[0].Rounds > 0) != (c.why == "") {
			t.Errorf("%s: %+v, want %q", name, m, c.why)
		}
	}
	for _, code := range []compare.ReasonCode{compare.EnvironmentMixed, compare.SubjectMismatch, compare.ControlFired} {
		foreign := few(compare.Paired, 6)
		foreign.Reason = &compare.Reason{Code: code}
		if m := geomean.Of([]compare.Comparison{foreign, few(compare.Paired, 6)}); m != nil {
			t.Errorf("%s: %+v", code, m)
		}
	}
	if m := geomean.Of([]compare.Comparison{few(compare.Historical, 6), few(compare.Historical, 6)}); m != nil {
		t.Errorf("history: %+v", m)
	}
}

func make0(n int) []float64 {
	v := make([]float64, n)
	for i := range v {
		v[i] = 100 + float64(i%3)
	}
	return v
}

// Of cells that a noise of the block moves together, the interval holds the truth as
// often as it says; cells counted as independent would not.
func TestCoverage(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	const runs, cells, rounds = 2000, 8, 6
	for _, method := range []compare.Method{compare.Paired, compare.Unpaired} {
		held := 0
		for range runs {
			var shared [2][rounds]float64
			for i := range rounds {
				shared[0][i], shared[1][i] = 0.02*r.NormFloat64(), 0.02*r.NormFloat64()
			}
			var cs []compare.Comparison
			for k := range cells {
				var base, head []float64
				for i := range rounds {
					base = append(base, 100*math.Exp(shared[0][i]+0.01*r.NormFloat64()))
					head = append(head, 103*math.Exp(shared[1][i]+0.01*r.NormFloat64()))
				}
				cs = append(cs, comparison(fmt.Sprintf("tg%d", k+1), method, base, head))
			}
			if m := geomean.Of(cs)[0]; m.Low <= 0.03 && m.High >= 0.03 {
				held++
			}
		}
		if share := float64(held) / runs; share < 0.935 || share > 0.97 {
			t.Errorf("%s: %.3f of the intervals hold the truth, want 0.95", method, share)
		}
	}
}
