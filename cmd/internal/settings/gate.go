package settings

import (
	"fmt"
	"strings"

	"github.com/spf13/pflag"

	"github.com/llama-regress/llama-regress/ci/config"
	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/compare"
)

// GateFlags override what a configuration says about passing and failing.
type GateFlags struct {
	margins          []string
	failInconclusive bool
}

// Register defines the flags.
func (g *GateFlags) Register(f *pflag.FlagSet) {
	f.StringArrayVar(&g.margins, "margin", nil, "largest change that does not matter: 3% for throughputs, or METRIC=3%; repeat for several")
	f.BoolVar(&g.failInconclusive, "fail-inconclusive", false, "exit 3 when a comparison is inconclusive")
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
	p.InconclusiveFails = gate.FailInconclusive || g.failInconclusive
	return p, nil
}
