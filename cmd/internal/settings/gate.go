package settings

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/llama-regress/llama-regress/ci/config"
	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/compare"
)

// GateFlags override what a configuration says about passing and failing.
type GateFlags struct {
	margins []string
	fail    string
}

// Register defines the flags.
func (g *GateFlags) Register(f *pflag.FlagSet) {
	f.StringArrayVar(&g.margins, "margin", nil, "largest change that does not matter: 3% for throughputs, or METRIC=3%; repeat for several")
	f.StringVar(&g.fail, "fail", "", "exit 3 without a proved regression too: when a loss is suspected, or a comparison inconclusive (default regression: neither)")
}

// Policy is the gate's with the flags over it.
func (g *GateFlags) Policy(gate config.Gate) (compare.Policy, error) {
	for _, m := range g.margins {
		metric, text, named := strings.Cut(m, "=")
		if !named {
			metric, text = record.Throughput, m
		}
		if err := gate.SetMargin(metric, text); err != nil {
			return compare.Policy{}, fmt.Errorf("--margin %s: %w", m, err)
		}
	}
	p := compare.DefaultPolicy()
	for name, value := range gate.Margins {
		p.Margins[name] = compare.Margin{Value: value}
	}
	p.FailOn = compare.FailOn(cmp.Or(g.fail, gate.Fail, string(compare.OnRegression)))
	if !slices.Contains(compare.FailsOn, p.FailOn) {
		return compare.Policy{}, fmt.Errorf("--fail %s: want regression, suspected or inconclusive", g.fail)
	}
	return p, nil
}
