package host

import (
	"slices"
	"strings"
	"testing"

	"github.com/llama-regress/llama-regress/ci/record"
)

func TestContaminated(t *testing.T) {
	one := func(at float64, series string, values ...float64) *record.Samples {
		return &record.Samples{Every: 1, At: at, Series: map[string][]float64{series: values}}
	}
	for name, tt := range map[string]struct {
		samples *record.Samples
		want    string // "" for clean
	}{
		"no samples":               {nil, ""},
		"no series":                {&record.Samples{Every: 1}, ""},
		"quiet":                    {one(1, CPUOther, 0.1, -0.05, 0.12), ""},
		"foreign CPU":              {one(1, CPUOther, 0.1, 0.6, 0.2), "other programs used 0.30 cores, more than 0.1"},
		"steal at its limit":       {one(1, Steal, 0.01, 0.01), ""},
		"steal":                    {one(1, Steal, 0.03, 0.01), "the hypervisor gave 2.0% of processor time to others, more than 1%"},
		"throttling":               {one(1, ThrottleCount, 0, 1, 2), "the processor was slowed down for heat 3 times, more than 0"},
		"swap":                     {one(1, SwapIn, 0, 40), "20 pages a second were read back from swap, more than 10"},
		"a page of a daemon's":     {one(1, SwapIn, 0, 20), ""},
		"faults":                   {one(1, MajorFaults, 50), "the program waited for 50 pages a second from disk, more than 10"},
		"faults of a warm model":   {one(1, MajorFaults, 9), ""},
		"faults while loading":     {one(-2, MajorFaults, 50000, 200, 700, 0, 0), ""},
		"faults across the start":  {one(-2, MajorFaults, 500, 20, 7, 41, 0), "the program waited for 20 pages a second from disk, more than 10"},
		"load shorter than a pace": {one(0.2, MajorFaults, 30), "the program waited for 30 pages a second from disk, more than 10"},
		"too short to judge":       {&record.Samples{Every: 0.25, At: 0.25, Series: map[string][]float64{CPUOther: {2, 2, 2}}}, ""},
		"long enough":              {&record.Samples{Every: 0.25, At: 0.25, Series: map[string][]float64{CPUOther: {2, 2, 2, 2}}}, "other programs used 2.00 cores, more than 0.1"},
		"short after a long load":  {&record.Samples{Every: 0.25, At: -9.5, Series: map[string][]float64{CPUOther: make([]float64, 41)}}, ""},
		"quick pace":               {&record.Samples{Every: 0.25, At: 0.25, Series: map[string][]float64{SwapIn: {3, 3, 3, 3}}}, "12 pages a second were read back from swap, more than 10"},
	} {
		got := StandardRules().Contaminated(tt.samples)
		if strings.Join(got, "; ") != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
	all := &record.Samples{Every: 1, At: 1, Series: map[string][]float64{}}
	for _, series := range []string{Steal, CPUOther, ThrottleCount, SwapIn, MajorFaults} {
		all.Series[series] = []float64{11}
	}
	if got := StandardRules().Contaminated(all); len(got) != 5 {
		t.Errorf("%q", got)
	}
	if got := (Rules{Steal: 11, OtherCPU: 11, ThrottleCount: 11, SwapIn: 11, MajorFaults: 11}).Contaminated(all); len(got) != 0 {
		t.Errorf("within the limits: %q", slices.Clone(got))
	}
}
