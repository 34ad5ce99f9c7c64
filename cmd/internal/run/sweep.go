package run

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"

	"github.com/llama-regress/llama-regress/ci/config"
	"github.com/llama-regress/llama-regress/ci/plan"
	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/cmd/internal/cli"
	"github.com/llama-regress/llama-regress/cmd/internal/measure"
	"github.com/llama-regress/llama-regress/compare"
	"github.com/llama-regress/llama-regress/report"
)

// How far a sweep looks for the end of an arm's capacity.
const (
	mostConcurrency = 256
	sweepPerUser    = 4    // requests for each concurrent one, so that a level lasts
	fallen          = 0.90 // of the best rate: goodput is broken below it
	gain            = 1.05 // a level that gains less than that, twice in a row, ends the search
)

// sweepLevels doubles the concurrency of a configuration until something
// breaks, one trial of the baseline arm each, and returns the levels to measure:
// all that were tried.
func sweepLevels(ctx context.Context, a *cli.App, cfg *config.Config, how measure.Flags) ([]int, error) {
	if cfg.Serve == nil {
		return nil, errors.New("--sweep raises the load on a server: say with which prompts, --dataset FILE, or add a serve section")
	}
	bench := measure.ServeBench("", "", nil)
	var levels []int
	best, flat := 0.0, 0
	for level := 1; level <= mostConcurrency; level *= 2 {
		trial, err := probe(ctx, a, bench, cfg, level)
		if err != nil {
			return nil, err
		}
		levels = append(levels, level)
		rate, success := probed(trial)
		fmt.Fprintf(a.Err, "sweep: %d concurrent: %.4g/s, %.1f%% succeeded\n", level, rate, 100*success)
		if rate < gain*best {
			flat++
		} else {
			flat = 0
		}
		best = max(best, rate)
		if success < compare.LeastSuccess || rate < fallen*best || flat == 2 {
			break
		}
	}
	for len(levels) < 3 { // a knee needs three to be seen
		levels = append(levels, 2*levels[len(levels)-1])
	}
	return levels, nil
}

// probe runs one trial of the baseline arm at a level.
func probe(ctx context.Context, a *cli.App, bench prober, cfg *config.Config, level int) (record.Trial, error) {
	one := atLevels(cfg, level)
	one.Sampling.Blocks, one.Sampling.Control = 1, config.ControlNone
	one.Bench.Tests = nil
	i := slices.IndexFunc(one.Arms, func(arm config.Arm) bool { return arm.Name == one.Baseline })
	one.Arms = one.Arms[i : i+1]
	p, err := plan.Expand(one)
	if err != nil {
		return record.Trial{}, err
	}
	trial, err := bench.Measure(ctx, p, p.Trials[0])
	if err == nil && trial.Load == nil {
		return trial, cli.Unmeasured(fmt.Errorf("%d concurrent: %s", level, trial.Failure.Message))
	}
	return trial, err
}

// A prober measures one trial; it is a serve.Bench.
type prober interface {
	Measure(ctx context.Context, p *plan.Plan, t plan.Trial) (record.Trial, error)
}

// atLevels is a configuration whose closed loops are those.
func atLevels(cfg *config.Config, levels ...int) *config.Config {
	one, serve := *cfg, *cfg.Serve
	serve.Concurrency, serve.Rate = levels, nil
	serve.PerUser = max(serve.PerUser, sweepPerUser)
	one.Serve = &serve
	return &one
}

// probed is what a trial served and which share of it succeeded; a server that
// broke served nothing.
func probed(t record.Trial) (rate, success float64) {
	for _, name := range []string{record.RequestRate, record.Goodput} {
		if m, ok := t.Measurement(name); ok && !m.Censored {
			rate = m.Values[0]
		}
	}
	if m, ok := t.Measurement(record.SuccessRate); ok {
		success = m.Values[0]
	}
	return rate, success
}

// printCapacity writes the capacity of every arm as reports word it, with the
// levels it follows from.
func printCapacity(w io.Writer, list []report.Capacity) error {
	for _, c := range list {
		fmt.Fprintf(w, "%s %s: %s\n", c.Arm.Terminal(40), c.Label.Terminal(60), c.Finding.Terminal())
		tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
		fmt.Fprint(tw, "  concurrent\trate\tsucceeded\t\n")
		for _, l := range c.Figures {
			fmt.Fprintf(tw, "  %s\t%s\t%s\t\n", l.Concurrency, l.Rate, l.Success)
		}
		if err := tw.Flush(); err != nil {
			return err
		}
	}
	return nil
}
