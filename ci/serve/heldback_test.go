package serve

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

func TestHeldBack(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	pauses := func(n, bundle int, wait, spread, within float64) (all []float64) {
		for i := range n {
			p := wait * math.Exp(spread*rng.NormFloat64())
			if i%bundle != 0 {
				p = within
			}
			all = append(all, p)
		}
		return append(all, math.Inf(1)) // of a request that failed
	}
	for name, tt := range map[string]struct {
		pauses []float64
		want   string
	}{
		"one by one":                    {pauses(500, 1, 0.02, 0.05, 0), ""},
		"one by one, unsteady":          {pauses(500, 1, 0.02, 1, 0), ""},
		"two at once now and then":      {pauses(500, 3, 0.02, 0.05, 0.018), ""},
		"bundles of HAProxy":            {pauses(500, 10, 0.2, 0.02, 0), "in bundles, about every 0.2 s"},
		"the same with TLS":             {pauses(500, 10, 0.2, 0.02, 20e-6), "in bundles, about every 0.2 s"},
		"drafts of four tokens":         {pauses(500, 4, 0.03, 0.05, 0), "about every 30 ms: something on the way holds them back"},
		"bundles as a busy machine has": {pauses(500, 4, 0.03, 1, 0), ""},
		"whole answers":                 {pauses(500, 1, 0, 0, 0), "came all at once"},
		"too few":                       {pauses(20, 10, 0.2, 0.02, 0), ""},
		"none":                          {nil, ""},
	} {
		got := heldBack(tt.pauses)
		if (tt.want == "") != (got == "") || !strings.Contains(got, tt.want) {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
	for seconds, want := range map[float64]string{0.2: "0.2 s", 1.4: "1 s", 0.03: "30 ms", 0.0042: "4 ms", 0.0951: "0.1 s", 0.012: "10 ms"} {
		if got := roughly(seconds); got != want {
			t.Errorf("roughly(%g) = %q, want %q", seconds, got, want)
		}
	}
}
