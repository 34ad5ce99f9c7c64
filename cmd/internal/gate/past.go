package gate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
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
	"github.com/llama-regress/llama-regress/compare/history"
	"github.com/llama-regress/llama-regress/report"
)

// gatePast is what gate does with a store: read the past, and write to it where
// it is told to.
type gatePast struct {
	stored.Flags
	stored.PastFlags
	record      bool
	confirmWith string
	noConfirm   bool
	commits     string

	store store.Store // nil for none
}

func (g *gatePast) register(f *pflag.FlagSet) {
	g.Flags.RegisterRef(f)
	g.PastFlags.Register(f)
	f.BoolVar(&g.record, "record", false, "store the session afterwards, whatever its verdict; refused in jobs of pull requests")
	f.StringVar(&g.confirmWith, "confirm-with", "", "history mode: folder of the build to confirm suspicions against (default that of the latest stored session that was not worse, if it is still there)")
	f.StringVar(&g.commits, "checkout", "", "history mode: folder of a llama.cpp checkout, to name the commits between two builds (default that of the build, if it lies in one)")
	f.BoolVar(&g.noConfirm, "no-confirm", false, "history mode: leave suspicions unconfirmed, and only print the command")
}

// open opens the store where one build is measured alone or the session is to be
// stored, and tries it: what stands in the way is found out before anything is
// measured.
func (g *gatePast) open(ctx context.Context, a *cli.App, cfg *config.Config) (err error) {
	g.Ref = cmp.Or(g.Ref, cfg.Store, stored.Default)
	switch {
	case g.record:
		g.store, err = g.OpenToWrite(a)
	case len(cfg.Arms) == 1:
		g.store, err = g.Flags.Open(a)
	}
	if err != nil || g.store == nil {
		return err
	}
	if g.commits != "" {
		if _, err := history.OpenCheckout(ctx, g.commits); err != nil {
			return fmt.Errorf("--checkout: %w", err)
		}
	}
	if g.record {
		err = g.store.Try(ctx)
	} else {
		_, err = g.store.List(ctx, "verdicts/")
	}
	if err != nil {
		return fmt.Errorf("nothing was measured, because the store cannot be used: %w", err)
	}
	return nil
}

// checkout is where the commits of the builds are to be found, nil for nowhere.
func (g *gatePast) checkout(ctx context.Context, run *record.Run) *history.Checkout {
	dir := g.commits
	if dir == "" {
		build := stored.BaselineArm(run).Build
		dir = filepath.Dir(cmp.Or(build.Program, build.Server))
	}
	c, err := history.OpenCheckout(ctx, dir)
	if err != nil {
		return nil
	}
	return &c
}

// keepVerdict writes what was found out beside the record, so that 'baseline put'
// stores both; what an earlier session left is removed.
func keepVerdict(dir string, v *store.Verdict) error {
	path := filepath.Join(dir, measure.VerdictFile)
	if v == nil {
		if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}
	data, err := store.MarshalVerdict(*v)
	if err != nil {
		return err
	}
	return record.WriteAtomically(path, data)
}

// against says whether a run measured more than one build.
func against(run *record.Run) bool {
	builds := 0
	for _, arm := range run.Arms {
		if arm.ControlOf == "" {
			builds++
		}
	}
	return builds > 1
}

// put stores the session, and what was found out about it, if it was told to. A
// session that cannot be stored has been measured, judged and reported all the same,
// and the command that stores it is printed.
func (g *gatePast) put(ctx context.Context, a *cli.App, run *record.Run, v *store.Verdict, dir string, complete bool) error {
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
	if err == nil {
		fmt.Fprintf(a.Err, "stored: %s\n", receipt.Key)
		if against(run) {
			fmt.Fprintln(a.Err, "what two builds show of each other is in that session; a regression of the store is opened and closed by a gate of one build alone, which its stored sessions judge")
		}
		if v != nil {
			err = stored.PutVerdict(ctx, a, g.store, *v, receipt.Key)
		}
	}
	if err != nil {
		again := []string{"llama-regress", "baseline", "put", dir, "--store", g.Ref}
		if g.PastFlags.Machine != "" {
			again = append(again, "--machine", g.PastFlags.Machine)
		}
		fmt.Fprintf(a.Err, "not stored: %s\nthe session is kept in %s; store it with\n  %s\n", cli.Printable(err.Error()), cli.Printable(dir), report.ShellLine(again))
		return cli.Exit(cli.ExitBroken)
	}
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
	blocks, why := j.ConfirmBlocks(measure.ConfirmBlocks)
	cfg, err := confirming(s.cfg, j.Head.Run, dir, cells, metrics, blocks)
	if err == nil && cfg.Sampling.Budget > 0 {
		if cfg.Sampling.Budget -= time.Since(s.begun); cfg.Sampling.Budget <= 0 {
			err = errors.New("the budget is spent")
		}
	}
	if err == nil {
		fmt.Fprintf(a.Err, "worse than the stored sessions in %d cells: measuring them again, in turns with %s, the build of the last session that was not worse\n%d blocks: %s\n", len(cells), cli.Printable(dir), cfg.Sampling.Blocks, why)
		how := s.how
		how.Dir = filepath.Join(s.how.Dir, measure.ConfirmFolder)
		var run *record.Run
		if run, err = measure.Run(ctx, a, cfg, how); err == nil {
			if built := stored.BaselineArm(run).Build.Commit; with == "" && base.Commit != "" && built != "" && !strings.HasPrefix(built, base.Commit) && !strings.HasPrefix(base.Commit, built) {
				err = fmt.Errorf("%s holds commit %s now and not %s, which was stored", dir, built, base.Commit)
			} else if altered := base.Altered(stored.BaselineArm(run)); with == "" && altered != nil {
				err = fmt.Errorf("%s holds another build than the one that was stored: %s differ", dir, strings.Join(altered, ", "))
			} else {
				j.Confirm(run, base)
			}
		}
	}
	if err != nil {
		j.Result.Notes = append(j.Result.Notes, fmt.Sprintf("What is worse than the stored sessions could not be confirmed here: %s.", cli.Printable(err.Error())))
	}
}

// confirming is the configuration with its one arm measured in turns with
// another build, in the suspected cells alone.
func confirming(cfg *config.Config, run *record.Run, base string, cells, metrics []string, blocks int) (*config.Config, error) {
	again := *cfg
	if err := settings.Against(&again, base); err != nil {
		return nil, err
	}
	again.Cells, again.Sentinel = cells, nil
	again.Sampling.Blocks = blocks
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
