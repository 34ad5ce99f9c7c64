package gate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/llama-regress/llama-regress/ci/config"
	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/ci/store"
	"github.com/llama-regress/llama-regress/cmd/internal/cli"
	"github.com/llama-regress/llama-regress/cmd/internal/measure"
	"github.com/llama-regress/llama-regress/cmd/internal/settings"
	"github.com/llama-regress/llama-regress/cmd/internal/stored"
)

// gatePast is what gate does with a store: read the past, and write to it where
// it is told to.
type gatePast struct {
	stored.Flags
	stored.PastFlags
	record      bool
	confirmWith string
	noConfirm   bool

	store store.Store // nil for none
}

func (g *gatePast) register(f *pflag.FlagSet) {
	g.Flags.RegisterRef(f)
	g.PastFlags.Register(f)
	f.BoolVar(&g.record, "record", false, "store the session afterwards, whatever its verdict; refused in jobs of pull requests")
	f.StringVar(&g.confirmWith, "confirm-with", "", "history mode: folder of the build to confirm suspicions against (default that of the latest stored session, if it is still there)")
	f.BoolVar(&g.noConfirm, "no-confirm", false, "history mode: leave suspicions unconfirmed, and only print the command")
}

// Open opens the store where one build is measured alone or the session is to
// be stored; it finds out before anything is measured that it may not.
func (g *gatePast) open(a *cli.App, cfg *config.Config) (err error) {
	g.Ref = cmp.Or(g.Ref, cfg.Store, stored.Default)
	switch {
	case g.record:
		g.store, err = g.OpenToWrite(a)
	case len(cfg.Arms) == 1:
		g.store, err = g.Flags.Open(a)
	}
	return err
}

// put stores the session if it was told to. A session that cannot be stored has
// been measured and judged all the same.
func (g *gatePast) put(ctx context.Context, a *cli.App, run *record.Run, complete bool) error {
	if !g.record {
		return nil
	}
	if !complete || run.Interrupted != "" {
		fmt.Fprintln(a.Err, "not stored: the session is not complete")
		return nil
	}
	receipt, err := store.Record(ctx, g.store, run, store.RecordOptions{Machine: g.PastFlags.Machine})
	for _, warning := range receipt.Warnings {
		fmt.Fprintf(a.Err, "stored: %s\n", cli.Printable(warning))
	}
	if err != nil {
		fmt.Fprintf(a.Err, "not stored: %s\n", cli.Printable(err.Error()))
		return cli.Exit(cli.ExitBroken)
	}
	fmt.Fprintf(a.Err, "stored: %s\n", receipt.Key)
	return nil
}

// A session is how a gate measured, which a confirmation does again.
type session struct {
	cfg   *config.Config
	how   measure.Flags
	begun time.Time
}

// confirm measures what history suspected in turns with the baseline's build,
// where that is at hand. What stands in the way is said and is no failure: the
// suspicion stays one.
func confirm(ctx context.Context, a *cli.App, s session, j *stored.Judgement, with string) {
	cells, metrics := j.Result.SuspectedCells()
	if len(cells) == 0 {
		return
	}
	base := j.BaseBuild()
	if with != "" {
		base = stored.Rebuild{Dir: with, There: true}
	}
	if !base.There {
		return // the report says what to do
	}
	dir, err := filepath.Abs(base.Dir)
	if err != nil {
		return
	}
	cfg, err := confirming(s.cfg, j.Head.Run, dir, cells, metrics)
	if err == nil && cfg.Sampling.Budget > 0 {
		if cfg.Sampling.Budget -= time.Since(s.begun); cfg.Sampling.Budget <= 0 {
			err = errors.New("the budget is spent")
		}
	}
	if err == nil {
		fmt.Fprintf(a.Err, "worse than the stored sessions in %d cells: measuring them again, in turns with %s\n", len(cells), cli.Printable(dir))
		how := s.how
		how.Dir = filepath.Join(s.how.Dir, measure.ConfirmFolder)
		var run *record.Run
		if run, err = measure.Run(ctx, a, cfg, how); err == nil {
			if built := stored.BaselineArm(run).Build.Commit; with == "" && base.Commit != "" && built != "" && !strings.HasPrefix(built, base.Commit) && !strings.HasPrefix(base.Commit, built) {
				err = fmt.Errorf("%s holds commit %s now and not %s, which was stored", dir, built, base.Commit)
			} else if altered := base.Altered(stored.BaselineArm(run)); with == "" && altered != nil {
				err = fmt.Errorf("%s holds another build than the one that was stored: %s differ", dir, strings.Join(altered, ", "))
			} else {
				j.Result.ConfirmSuspected(run)
			}
		}
	}
	if err != nil {
		j.Result.Notes = append(j.Result.Notes, fmt.Sprintf("What is worse than the stored sessions could not be confirmed here: %s.", cli.Printable(err.Error())))
	}
}

// confirming is the configuration with its one arm measured in turns with
// another build, in the suspected cells alone.
func confirming(cfg *config.Config, run *record.Run, base string, cells, metrics []string) (*config.Config, error) {
	again := *cfg
	if err := settings.Against(&again, base); err != nil {
		return nil, err
	}
	again.Cells = cells
	again.Sampling.Blocks = max(cfg.Sampling.Blocks, measure.ConfirmBlocks)
	again.Sampling.Adaptive, again.Sampling.ConfirmBlocks = 0, 0 // this is the confirmation
	again.Bench.Tests = slices.DeleteFunc(slices.Clone(cfg.Bench.Tests), func(t record.Test) bool {
		return !slices.Contains(metrics, t.Metric().Name)
	})
	served := slices.ContainsFunc(run.Cells, func(c record.Cell) bool {
		return c.SendsRequests() && slices.Contains(cells, c.Key)
	})
	if !served {
		again.Serve = nil
	}
	return &again, again.Validate()
}

// withoutFlag is a command without a flag that takes no value.
func withoutFlag(command []string, flag string) []string {
	return slices.DeleteFunc(slices.Clone(command), func(s string) bool { return s == flag || strings.HasPrefix(s, flag+"=") })
}
