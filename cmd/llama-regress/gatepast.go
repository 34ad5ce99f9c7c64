package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/llama-regress/llama-regress/ci/config"
	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/ci/store"
)

// confirmFolder holds, within the output folder, the run that confirmed what
// history nominated.
const confirmFolder = "confirm"

// gatePast is what gate does with a store: read the past, and write to it where
// it is told to.
type gatePast struct {
	storeFlags
	pastFlags
	record      bool
	confirmWith string
	noConfirm   bool

	store store.Store // nil for none
}

func (g *gatePast) register(f *pflag.FlagSet) {
	g.storeFlags.registerRef(f)
	g.pastFlags.register(f)
	f.BoolVar(&g.record, "record", false, "store the session afterwards, whatever its verdict; refused in jobs of pull requests")
	f.StringVar(&g.confirmWith, "confirm-with", "", "history mode: folder of the build to confirm nominations against (default that of the latest stored session, if it is still there)")
	f.BoolVar(&g.noConfirm, "no-confirm", false, "history mode: leave nominations unconfirmed, and only print the command")
}

// open opens the store where one build is measured alone or the session is to
// be stored; it finds out before anything is measured that it may not.
func (g *gatePast) open(a *app, cfg *config.Config) (err error) {
	g.ref = cmp.Or(g.ref, cfg.Store, defaultStore)
	switch {
	case g.record:
		g.store, err = g.openToWrite(a)
	case len(cfg.Arms) == 1:
		g.store, err = g.storeFlags.open(a)
	}
	return err
}

// put stores the session if it was told to. A session that cannot be stored has
// been measured and judged all the same.
func (g *gatePast) put(ctx context.Context, a *app, run *record.Run, complete bool) error {
	if !g.record {
		return nil
	}
	if !complete || run.Interrupted != "" {
		fmt.Fprintln(a.err, "not stored: the session is not complete")
		return nil
	}
	receipt, err := store.Record(ctx, g.store, run, store.RecordOptions{Machine: g.pastFlags.machine})
	for _, warning := range receipt.Warnings {
		fmt.Fprintf(a.err, "stored: %s\n", printable(warning))
	}
	if err != nil {
		fmt.Fprintf(a.err, "not stored: %s\n", printable(err.Error()))
		return exitWith(exitBroken)
	}
	fmt.Fprintf(a.err, "stored: %s\n", receipt.Key)
	return nil
}

// left is what a gate has left after its session: the configuration, and time.
type left struct {
	ctx   context.Context
	cfg   *config.Config
	how   measuring
	begun time.Time
	now   func() time.Time
}

// confirm measures what history nominated in turns with the baseline's build,
// where that is at hand. What stands in the way is said and is no failure: the
// nomination stays one.
func (a *app) confirm(l left, j *pastJudgement, with string) {
	cells, metrics := j.res.Nominated()
	if len(cells) == 0 {
		return
	}
	base := j.baseBuild()
	if with != "" {
		base = rebuild{dir: with, there: true}
	}
	if !base.there {
		return // the report says what to do
	}
	dir, err := filepath.Abs(base.dir)
	if err != nil {
		return
	}
	cfg, err := confirming(l.cfg, j.head.Run, dir, cells, metrics)
	if err == nil && cfg.Sampling.Budget > 0 {
		if cfg.Sampling.Budget -= l.now().Sub(l.begun); cfg.Sampling.Budget <= 0 {
			err = errors.New("the budget is spent")
		}
	}
	if err == nil {
		fmt.Fprintf(a.err, "worse than the stored sessions in %d cells: measuring them again, in turns with %s\n", len(cells), printable(dir))
		how := l.how
		how.dir = filepath.Join(l.how.dir, confirmFolder)
		var run *record.Run
		if run, err = a.measure(l.ctx, cfg, how); err == nil {
			if built := baselineArm(run).Build.Commit; with == "" && base.commit != "" && built != "" && !strings.HasPrefix(built, base.commit) && !strings.HasPrefix(base.commit, built) {
				err = fmt.Errorf("%s holds commit %s now and not %s, which was stored", dir, built, base.commit)
			} else {
				j.res.Confirm(run)
			}
		}
	}
	if err != nil {
		j.res.Notes = append(j.res.Notes, fmt.Sprintf("What is worse than the stored sessions could not be confirmed here: %s.", printable(err.Error())))
	}
}

// confirming is the configuration with its one arm measured in turns with
// another build, in the nominated cells alone.
func confirming(cfg *config.Config, run *record.Run, base string, cells, metrics []string) (*config.Config, error) {
	again := *cfg
	if err := against(&again, base); err != nil {
		return nil, err
	}
	again.Cells = cells
	again.Sampling.Blocks = max(cfg.Sampling.Blocks, confirmBlocks)
	again.Sampling.Adaptive, again.Sampling.ConfirmBlocks = 0, 0 // this is the confirmation
	again.Bench.Tests = slices.DeleteFunc(slices.Clone(cfg.Bench.Tests), func(t record.Test) bool {
		return !slices.Contains(metrics, t.Metric().Name)
	})
	served := slices.ContainsFunc(run.Cells, func(c record.Cell) bool {
		return c.Workload == record.ServeWorkload && slices.Contains(cells, c.Key)
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

func sha256Of(r io.Reader) (string, error) {
	h := sha256.New()
	_, err := io.Copy(h, r)
	return hex.EncodeToString(h.Sum(nil)), err
}
