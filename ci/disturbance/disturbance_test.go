package disturbance_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/llama-regress/llama-regress/ci/disturbance"
	"github.com/llama-regress/llama-regress/ci/record"
)

// watched is a trial of so many seconds, read each quarter of one, in which a
// series had the same value all the time.
func watched(seconds float64, series string, value float64) *record.Samples {
	values := make([]float64, int(4*seconds))
	for i := range values {
		values[i] = value
	}
	return &record.Samples{Every: 0.25, At: 0.25, Series: map[string][]float64{series: values}}
}

func TestRound(t *testing.T) {
	one := func(at float64, series string, values ...float64) []*record.Samples {
		return []*record.Samples{{Every: 1, At: at, Series: map[string][]float64{series: values}}}
	}
	burst := watched(4, disturbance.OtherCPU, 0)
	burst.Series[disturbance.OtherCPU][12] = 2
	for name, tt := range map[string]struct {
		trials []*record.Samples
		want   string // "" for quiet
	}{
		"no trial":                 {nil, ""},
		"no samples":               {[]*record.Samples{nil}, ""},
		"no series":                {[]*record.Samples{{Every: 1}}, ""},
		"quiet":                    {one(1, disturbance.OtherCPU, 0.1, -0.05, 0.12), ""},
		"foreign CPU":              {one(1, disturbance.OtherCPU, 0.1, 0.6, 0.2), "other programs used 0.30 cores, more than 0.1"},
		"steal at its limit":       {one(1, disturbance.Steal, 0.01, 0.01), ""},
		"steal":                    {one(1, disturbance.Steal, 0.03, 0.01), "the hypervisor gave 2.0% of processor time to others, more than 1%"},
		"throttling":               {one(1, disturbance.Throttling, 0, 1, 2), "the processor was slowed down for heat 1.0 times a second, more than 0.1"},
		"throttled once in 20 s":   {one(1, disturbance.Throttling, append(make([]float64, 19), 1)...), ""},
		"swap":                     {one(1, disturbance.SwapIn, 0, 40), "20 pages a second were read back from swap, more than 10"},
		"a page of a daemon's":     {one(1, disturbance.SwapIn, 0, 20), ""},
		"swap while loading":       {one(-2, disturbance.SwapIn, 50000, 200, 700, 0, 0), ""},
		"swap across the start":    {one(-2, disturbance.SwapIn, 500, 20, 7, 41, 0), "20 pages a second were read back from swap, more than 10"},
		"load shorter than a pace": {one(0.2, disturbance.SwapIn, 30), "30 pages a second were read back from swap, more than 10"},
		"long enough":              {[]*record.Samples{watched(1, disturbance.OtherCPU, 2)}, "other programs used 2.00 cores, more than 0.1"},
		"short after a long load":  {[]*record.Samples{{Every: 0.25, At: -9.5, Series: map[string][]float64{disturbance.OtherCPU: make([]float64, 41)}}}, ""},
		"too short to judge":       {[]*record.Samples{watched(0.75, disturbance.OtherCPU, 2)}, ""},

		// What one trial shows and the other does not, or for longer, decides nothing.
		"one is too short":            {[]*record.Samples{watched(0.5, disturbance.OtherCPU, 2), watched(2, disturbance.OtherCPU, 2)}, ""},
		"one without samples":         {[]*record.Samples{nil, watched(2, disturbance.OtherCPU, 2)}, ""},
		"one met it":                  {[]*record.Samples{watched(2, disturbance.OtherCPU, 0), watched(2, disturbance.OtherCPU, 2)}, ""},
		"one met it in its length":    {[]*record.Samples{watched(2, disturbance.OtherCPU, 0.2), burst}, ""},
		"one swaps":                   {[]*record.Samples{watched(2, disturbance.SwapIn, 0), watched(20, disturbance.SwapIn, 900)}, ""},
		"one makes its processor hot": {[]*record.Samples{watched(2, disturbance.Throttling, 0), watched(20, disturbance.Throttling, 3)}, ""},
		"its model file":              {[]*record.Samples{watched(2, "major_faults", 500), watched(2, "major_faults", 500)}, ""},
		"both devices too hot":        {[]*record.Samples{watched(2, "gpu0.throttle_thermal", 0.5), watched(2, "gpu1.throttle_thermal", 0.2)}, "a device was slowed down for heat, or by its power supply, in 20% of the time, more than 1%"},
		"one device too hot":          {[]*record.Samples{watched(2, "gpu0.throttle_thermal", 1), watched(2, "gpu0.throttle_thermal", 0)}, ""},
		"the rack's brake":            {[]*record.Samples{watched(2, "gpu0.throttle_brake", 0.04), watched(2, "gpu0.throttle_brake", 1)}, "a device was slowed down for heat, or by its power supply, in 4% of the time, more than 1%"},
		"its own power":               {[]*record.Samples{watched(2, "gpu0.throttle_power", 1), watched(2, "gpu0.throttle_power", 1)}, ""},
		"others on the device":        {[]*record.Samples{watched(2, "gpu3.other_busy", 0.3), watched(2, "gpu3.other_busy", 0.07)}, "other programs used 7% of a device's time, more than 1%"},
		"others beside one arm":       {[]*record.Samples{watched(2, "gpu0.other_busy", 0.3), watched(2, "gpu0.other_busy", 0.01)}, ""},
		"both alike":                  {[]*record.Samples{watched(2, disturbance.OtherCPU, 2), watched(20, disturbance.OtherCPU, 1.5)}, "other programs used 1.50 cores, more than 0.1"},
	} {
		if got := strings.Join(disturbance.Standard().Round(tt.trials...), "; "); got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
	all := &record.Samples{Every: 1, At: 1, Series: map[string][]float64{}}
	for _, series := range []string{disturbance.Steal, disturbance.OtherCPU, disturbance.Throttling, disturbance.SwapIn} {
		all.Series[series] = []float64{11}
	}
	if got := disturbance.Standard().Round(all, all); len(got) != 4 {
		t.Errorf("%q", got)
	}
	if got := (disturbance.Rules{Steal: 11, OtherCPU: 11, Throttling: 11, SwapIn: 11}).Round(all); len(got) != 0 {
		t.Errorf("within the limits: %q", slices.Clone(got))
	}
}

// No rule is broken by watching the same machine for longer.
func TestRates(t *testing.T) {
	for _, series := range []string{disturbance.Steal, disturbance.OtherCPU, disturbance.Throttling, disturbance.SwapIn} {
		for _, value := range []float64{0.004, 0.02, 0.3, 4} {
			short := disturbance.Standard().Round(watched(1, series, value))
			if long := disturbance.Standard().Round(watched(100, series, value)); !slices.Equal(short, long) {
				t.Errorf("%s of %v: %q in a second, %q in a hundred", series, value, short, long)
			}
		}
	}
}

// Whoever asks for Throttling alone is told of devices, whose loss has no bound, exactly
// where they break a rule.
func TestThrottlingOfDevices(t *testing.T) {
	rules := disturbance.Standard()
	for _, share := range []float64{0, 0.005, 0.01, 0.02, 1} {
		for _, quantity := range []string{disturbance.DeviceHeat, disturbance.DeviceOther} {
			l := disturbance.Over(watched(2, "gpu0."+quantity, share), 2)
			all := disturbance.Mean([]disturbance.Level{disturbance.Least([]disturbance.Level{l, l}), l})
			if broken := len(rules.Broken(all)) > 0; broken != (all.Throttling > rules.Throttling+1e-12) || broken != (share > 0.01) {
				t.Errorf("%s %v: throttling %v, broken %v", quantity, share, all.Throttling, rules.Broken(all))
			}
		}
	}
}
