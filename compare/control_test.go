package compare

import (
	"fmt"
	"math"
	"testing"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/fixtures/effort"
)

// A fired control forbids what the machine can explain, and nothing that is many times larger.
func TestControlForbids(t *testing.T) {
	const lost, gained = "head", "faster"
	for _, tt := range []struct {
		name           string
		control        float64
		change         float64
		verdict, other Verdict // of the head, and of an arm that gains what the head loses
		fired          bool
	}{
		{"a control that does not differ", 0, -0.10, Regression, Improvement, false},
		{"a control that differs as much", 0.10, -0.10, Inconclusive, Inconclusive, true},
		{"a control that differs as much the other way", -0.10, -0.10, Inconclusive, Inconclusive, true},
		{"a loss three times as large", 0.10, -0.30, Regression, Improvement, true},
		{"a loss as large as the control and the margin together", 0.10, -0.118, Inconclusive, Inconclusive, true},
		{"a nineteenth of the speed", 0.20, -18. / 19, Regression, Improvement, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := session{arms: []string{"base", lost, gained, "control"}, blocks: 8, noise: 0.01, seed: 5,
				change: map[string]float64{lost: tt.change, gained: 1/(1+tt.change) - 1, "control": tt.control}}
			res := Run(s.run(), DefaultPolicy())
			if res.ControlFired != tt.fired {
				t.Errorf("control fired: %v, want %v", res.ControlFired, tt.fired)
			}
			for i, want := range []Verdict{tt.verdict, tt.other} {
				c := res.Comparisons[i]
				reason := ReasonCode("")
				if want == Inconclusive {
					reason = ControlFired
				}
				checkVerdict(t, c, want, reason)
				if have := warned(c, ControlDiffers); have != (tt.fired && want != Inconclusive) {
					t.Errorf("%s: warned of the control: %v", want, have)
				}
			}
		})
	}
}

// The warning says how far the control may differ, as a change.
func TestControlWarningNumber(t *testing.T) {
	s := session{arms: []string{"base", "head", "control"}, blocks: 8, noise: 0.001, seed: 5, change: map[string]float64{"head": -0.5, "control": -0.2}}
	for _, w := range Run(s.run(), DefaultPolicy()).Comparisons[0].Warnings {
		if w.Code != ControlDiffers {
			continue
		}
		if math.Abs(w.Number-0.25) > .01 { // 1/0.8: either way
			t.Errorf("the control leaves a change of %v possible, want about 0.25", w.Number)
		}
		return
	}
	t.Error("no warning of the control")
}

// What a control shows of throughput says nothing of points: a success rate has no bias
// that is known, and no finding of it stands.
func TestControlOfAnotherScale(t *testing.T) {
	s := session{arms: []string{"base", "head", "control"}, blocks: 8, noise: 0.01, seed: 5, change: map[string]float64{"head": -0.9, "control": 0.1}}
	res := Run(s.run(), DefaultPolicy())
	checkVerdict(t, res.Comparisons[0], Regression, "")
	res.Controls[0].Metric = record.Metric{Name: "success_rate", Kind: "success_rate", Unit: "1", Better: record.Higher}
	if !res.Controls[0].Metric.InPoints() {
		t.Fatal("the test wants a metric in points")
	}
	res.heedControls()
	checkVerdict(t, res.Comparisons[0], Inconclusive, ControlFired)
}

// On a machine that slows the later arms of a block, the same build is called a regression no
// more often than promised, and a build at a third of the speed nearly always is.
func TestControlOnBiasedMachine(t *testing.T) {
	runs := effort.Draws(2000, 200)
	for _, bias := range []float64{-0.05, -0.20} {
		t.Run(fmt.Sprint(bias), func(t *testing.T) {
			called, found := 0, 0
			for i := range runs {
				s := session{arms: []string{"base", "head", "slow", "control"}, blocks: 8, noise: 0.03, seed: uint64(i),
					change: map[string]float64{"head": bias, "control": bias, "slow": (1+bias)/3 - 1}}
				res := Run(s.run(), DefaultPolicy())
				if res.Comparisons[0].Verdict == Regression && res.ControlFired {
					called++
				}
				if res.Comparisons[1].Verdict == Regression {
					found++
				}
			}
			if share := float64(called) / float64(runs); share > .05 {
				t.Errorf("the same build is a regression in %v of runs with a fired control, want at most .05", share)
			}
			if share := float64(found) / float64(runs); share < .99 {
				t.Errorf("a build at a third of the speed is a regression in %v of runs, want nearly all", share)
			}
		})
	}
}

func warned(c Comparison, code WarningCode) bool {
	for _, w := range c.Warnings {
		if w.Code == code {
			return true
		}
	}
	return false
}
