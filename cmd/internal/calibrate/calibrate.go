// Package calibrate is the command that measures a machine's noise.
package calibrate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/llama-regress/llama-regress/ci/config"
	"github.com/llama-regress/llama-regress/ci/llama"
	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/ci/runner"
	"github.com/llama-regress/llama-regress/cmd/internal/cli"
	"github.com/llama-regress/llama-regress/cmd/internal/judge"
	"github.com/llama-regress/llama-regress/cmd/internal/measure"
	"github.com/llama-regress/llama-regress/cmd/internal/settings"
	"github.com/llama-regress/llama-regress/compare/noise"
	page "github.com/llama-regress/llama-regress/report/noise"
)

// calibrating are the flags of calibrate alone.
type calibrating struct {
	bin        string
	sessions   int
	pause      time.Duration
	gate       time.Duration // what a gate may take later
	candidates int
	write      string
	html       string
	asJSON     bool
}

func (c *calibrating) register(f *pflag.FlagSet) {
	f.StringVar(&c.bin, "bin", "", "folder of the build's llama.cpp programs; measures without a configuration")
	f.IntVar(&c.sessions, "sessions", 3, "sessions to measure, each with its own record in DIR")
	f.DurationVar(&c.pause, "pause", 0, "how long to wait between sessions; the further apart, the more they tell")
	f.DurationVar(&c.gate, "gate-budget", 45*time.Minute, "time that a gate of these cells may take, for which blocks and margins are proposed")
	f.IntVar(&c.candidates, "candidates", 1, "arms beside the baseline in that gate")
	f.StringVar(&c.write, "write", "", "write the proposed sections to a new file instead of standard output")
	f.StringVar(&c.html, "html", "", "where the page goes (default DIR/calibration.html)")
	f.BoolVar(&c.asJSON, "json", false, "print everything that was found as JSON")
}

// Command is 'llama-regress calibrate'.
func Command(a *cli.App) *cobra.Command {
	var (
		what settings.Flags
		how  measure.Flags
		c    calibrating
	)
	cmd := &cobra.Command{
		Use:   "calibrate [RUN...]",
		Short: "Measure this machine's noise, and propose blocks, repetitions and margins",
		Long: `Measures one build against itself in several short sessions and says how much
sessions, processes and repetitions vary, how many repetitions and blocks a gate
should have, and how small a margin it can hold in the time there is, as sections
for llama-regress.yaml and as a page.

With run records, or folders that hold one, it measures nothing and analyses those
instead: their baseline arm and its null control. Sessions that lie days apart say
more than sessions of one afternoon.

--budget bounds each session. An interrupted calibration keeps what it has and reports it; the same command with
--resume goes on.`,
		Example: `  llama-regress calibrate --bin build/bin -m model.gguf --threads 4
  llama-regress calibrate -c llama-regress.yaml --sessions 10 --pause 30m --write noise.yaml
  llama-regress calibrate nightly/*/run.json --gate-budget 20m`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := c.check(); err != nil {
				return err
			}
			var runs []*record.Run
			var stopped error
			if len(args) > 0 {
				for _, arg := range args {
					run, err := judge.ReadMeasured(arg, llama.ImportOptions{Tool: cli.Tool()})
					if err != nil {
						return err
					}
					runs = append(runs, run)
				}
			} else {
				if what.Base+what.Head != "" {
					return errors.New("calibrate measures one build against itself: name it with --bin DIR")
				}
				what.Head = c.bin
				cfg, err := what.Load(cmd)
				if err != nil {
					return err
				}
				runs, stopped = calibrate(cmd.Context(), a, cfg, how, c)
			}
			if len(runs) > 0 {
				if err := showNoise(a, runs, how, c, len(args) == 0); err != nil {
					return errors.Join(stopped, err)
				}
			}
			return stopped
		},
	}
	what.Register(cmd.Flags())
	how.Register(cmd.Flags())
	for _, name := range []string{"base", "head", "control"} {
		_ = cmd.Flags().MarkHidden(name) // one build is measured, against itself in every cell
	}
	cmd.Flags().Lookup("dir").DefValue, how.Dir = "llama-regress-calibration", "llama-regress-calibration"
	c.register(cmd.Flags())
	return cmd
}

func (c *calibrating) check() error {
	switch {
	case c.sessions < 1 || c.sessions > 1000:
		return fmt.Errorf("--sessions %d: want 1 to 1000", c.sessions)
	case c.gate <= 0:
		return fmt.Errorf("--gate-budget %v: want the time a gate may take, such as 45m", c.gate)
	case c.candidates < 1 || c.candidates > 100:
		return fmt.Errorf("--candidates %d: want 1 to 100", c.candidates)
	}
	if c.write != "" {
		if _, err := os.Lstat(c.write); err == nil {
			return fmt.Errorf("--write %s: it is there already; name a new file and take its sections over by hand", c.write)
		}
	}
	return nil
}

// calibrate measures the sessions that are not there yet. With an error it
// returns those that are.
func calibrate(ctx context.Context, a *cli.App, cfg *config.Config, how measure.Flags, c calibrating) ([]*record.Run, error) {
	cfg = againstItself(cfg)
	dir := how.Dir
	seed := cfg.Sampling.Seed
	var runs []*record.Run
	for i := range c.sessions {
		if i > 0 && c.pause > 0 && !there(dir, i) {
			fmt.Fprintf(a.Err, "waiting %v before session %d of %d\n", c.pause, i+1, c.sessions)
			select {
			case <-time.After(c.pause):
			case <-ctx.Done():
			}
		}
		how.Dir = sessionDir(dir, i)
		cfg.Sampling.Seed = seed + uint64(i) + 1 // each session in an order of its own
		if ctx.Err() == nil {
			fmt.Fprintf(a.Err, "session %d of %d\n", i+1, c.sessions)
		}
		run, err := measure.Run(ctx, a, cfg, how)
		if run != nil && len(run.Trials) > 0 {
			runs = append(runs, run)
		}
		if err != nil {
			return runs, err
		}
		if len(run.Trials) == 0 {
			return runs, measure.ErrNoTrial
		}
	}
	return runs, nil
}

func sessionDir(dir string, i int) string {
	return filepath.Join(dir, fmt.Sprintf("session-%02d", i+1))
}

// there says whether a session was measured before.
func there(dir string, i int) bool {
	_, err := os.Stat(filepath.Join(sessionDir(dir, i), runner.RecordFile))
	return err == nil
}

// againstItself leaves of a configuration its baseline arm, with a control in
// every cell.
func againstItself(cfg *config.Config) *config.Config {
	own := *cfg
	own.Arms = nil
	for _, arm := range cfg.Arms {
		if arm.Name == cfg.Baseline {
			own.Arms = []config.Arm{arm}
		}
	}
	own.Sampling.Control, own.Sentinel = config.ControlAll, nil
	return &own
}

// showNoise analyses and writes: the table for people, the block for the
// configuration, and the page.
func showNoise(a *cli.App, runs []*record.Run, how measure.Flags, c calibrating, measured bool) error {
	if n := counts(a.Err, runs); n > 0 && countedAlone(runs) && c.write == "" && c.html == "" && !c.asJSON {
		return nil // there is nothing to propose
	}
	r, err := noise.Of(runs, noise.Options{Budget: c.gate.Seconds(), Candidates: c.candidates})
	if err != nil {
		return cli.Unmeasured(err)
	}
	if c.html == "" && measured {
		c.html = filepath.Join(how.Dir, "calibration.html")
	}
	if err := page.Text(a.Err, r); err != nil {
		return err
	}
	if c.html != "" {
		var b bytes.Buffer
		if err := page.HTML(&b, r); err != nil {
			return err
		}
		if err := record.WriteAtomically(c.html, b.Bytes()); err != nil {
			return err
		}
		fmt.Fprintf(a.Err, "\npage: %s\n", c.html)
	}
	var b bytes.Buffer
	if err := page.YAML(&b, r); err != nil {
		return err
	}
	if c.write != "" {
		if err := record.WriteAtomically(c.write, b.Bytes()); err != nil {
			return err
		}
		fmt.Fprintf(a.Err, "sections for llama-regress.yaml: %s\n", c.write)
	}
	switch {
	case c.asJSON:
		return a.PrintJSON(r)
	case c.write == "":
		_, err = a.Out.Write(b.Bytes())
	}
	return err
}
