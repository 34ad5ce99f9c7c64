package report

import (
	"math"
	"testing"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/compare"
)

var (
	toks  = record.Metric{Name: "pp512", Kind: record.Throughput, Unit: "tok/s", Better: record.Higher}
	ttft  = record.Metric{Name: "ttft_p50", Kind: "ttft_p50", Unit: "s", Better: record.Lower}
	rate  = record.Metric{Name: "success_rate", Kind: "success_rate", Unit: "1", Better: record.Higher}
	bytes = record.Metric{Name: "peak_memory", Kind: "peak_memory", Unit: "B", Better: record.Lower}
)

// comparison makes a row's numbers: a baseline level, a change and the half
// width of its interval; half < 0 means no interval.
func comparison(m record.Metric, level, change, half float64) compare.Comparison {
	c := compare.Comparison{Cell: "bench/m", Model: "m", Metric: m, Method: compare.Paired, Replicates: 6,
		Baseline:  compare.Side{Arm: "base", Estimate: level, Trials: []compare.Point{{Value: level}}},
		Candidate: compare.Side{Arm: "head", Estimate: level * (1 + change), Trials: []compare.Point{{Value: level}}},
		Change:    &change, Margin: &compare.Range{Low: -0.0291, High: 0.03}}
	if half >= 0 {
		c.Interval = &compare.Interval{Low: change - half, High: change + half, Confidence: 0.9}
	}
	return c
}

// Two significant digits of the half width decide, whatever the number.
func TestFiguresAreRoundedByTheirInterval(t *testing.T) {
	tests := []struct {
		metric              record.Metric
		level, change, half float64
		points              bool
		levels, chg, iv     string
	}{
		{toks, 812.4, -0.083, 0.012, false, "812.4 -> 745.0 tok/s", "-8.3%", "-9.5 to -7.1%"},
		{toks, 812.4, -0.083, 0.12, false, "812 -> 745 tok/s", "-8%", "-20 to +4%"},
		{toks, 812.4, -0.083, 0.00046, false, "812.40 -> 744.97 tok/s", "-8.300%", "-8.346 to -8.254%"},
		{toks, 41.25, 0.0004, 0.006, false, "41.25 -> 41.27 tok/s", "+0.04%", "-0.56 to +0.64%"},
		{toks, 41.25, 0, 0, false, "41.25 -> 41.25 tok/s", "0.0%", "0.0 to 0.0%"},
		{toks, 41.2, -0.1, -1, false, "41.20 -> 37.08 tok/s", "-10%", ""},
		{toks, 41.25, 15, 3, false, "41 -> 660 tok/s", "+1500%", "+1200 to +1800%"},
		{ttft, 0.1824, 0.13, 0.02, false, "182.4 -> 206.1 ms", "+13.0%", "+11.0 to +15.0%"},
		{ttft, 1.824, 0.13, 0.02, false, "1.824 -> 2.061 s", "+13.0%", "+11.0 to +15.0%"},
		{ttft, 0.0000824, 0.13, 0.02, false, "82.4 -> 93.1 µs", "+13.0%", "+11.0 to +15.0%"},
		{bytes, 1.31e9, 0.012, 0.001, false, "1.2200 -> 1.2347 GiB", "+1.20%", "+1.10 to +1.30%"},
		{bytes, 512, 0.5, 0.1, false, "512 -> 768 B", "+50%", "+40 to +60%"},
		{rate, 0.985, -0.061, 0.012, true, "98.5 -> 92.5%", "-6.1 pp", "-7.3 to -4.9 pp"},
	}
	for _, test := range tests {
		c := comparison(test.metric, test.level, test.change, test.half)
		f := newFigures(&c, test.points)
		if got := f.Levels("->"); got != test.levels && !test.points {
			t.Errorf("levels of %v %g ± %g: %q, want %q", test.level, test.change, test.half, got, test.levels)
		}
		if f.Change != test.chg || f.Interval() != test.iv {
			t.Errorf("%v %g ± %g: change %q, interval %q; want %q, %q", test.level, test.change, test.half, f.Change, f.Interval(), test.chg, test.iv)
		}
	}
}

func TestFiguresOfWhatIsNotKnown(t *testing.T) {
	f := newFigures(&compare.Comparison{Metric: toks}, false)
	if f != (Figures{}) {
		t.Errorf("figures of nothing: %+v", f)
	}
	c := comparison(toks, 800, 0, 0)
	c.Candidate.Trials = nil
	if f := newFigures(&c, false); f.Candidate != "" || f.Levels("->") != "800.0 tok/s -> ?" {
		t.Errorf("a side without trials: %q, %q", f.Candidate, f.Levels("->"))
	}
}

func TestUnits(t *testing.T) {
	for unit, want := range map[string]string{"tok/s": "800 tok/s", "W": "800 W", "": "800", "<b>": "800", "a|b": "800", "`": "800", "averylongunit": "800"} {
		m := record.Metric{Unit: unit}
		c := comparison(m, 800, 0.1, 0.1)
		if f := newFigures(&c, false); f.Baseline != want {
			t.Errorf("unit %q: %q, want %q", unit, f.Baseline, want)
		}
	}
}

// No number, however absurd, may break a line or read as infinite.
func TestFiguresOfAnyNumber(t *testing.T) {
	numbers := []float64{0, 1, -1, 1e-300, -1e-300, 1e300, -1e300, math.MaxFloat64, -math.MaxFloat64, math.SmallestNonzeroFloat64}
	for _, level := range numbers {
		for _, change := range numbers {
			for _, half := range numbers {
				for _, m := range []record.Metric{toks, ttft, rate, bytes} {
					c := comparison(m, level, change, math.Abs(half))
					c.Sigma, c.MDE = math.Abs(half), math.Abs(change)
					f := newFigures(&c, false)
					for _, s := range []string{f.Baseline, f.Candidate, f.Change, f.Low, f.High, f.Noise, f.Detectable} {
						if len(s) > 40 || containsAny(s, "Inf", "NaN", "+-", "--", "++") {
							t.Fatalf("level %g, change %g, half %g: %q", level, change, half, s)
						}
					}
				}
			}
		}
	}
}

func TestMinus(t *testing.T) {
	if got := Minus("-9.4 to -7.1%"); got != "−9.4 to −7.1%" {
		t.Errorf("Minus gives %q", got)
	}
}
