package quickstart

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"slices"

	"github.com/llama-regress/llama-regress/ci/config"
	"github.com/llama-regress/llama-regress/ci/llama"
	"github.com/llama-regress/llama-regress/ci/provision"
	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/cmd/internal/cli"
	"github.com/llama-regress/llama-regress/cmd/internal/measure"
	"github.com/llama-regress/llama-regress/cmd/internal/output"
	"github.com/llama-regress/llama-regress/cmd/internal/settings"
	"github.com/llama-regress/llama-regress/compare"
)

// CountFolder holds, within the output folder, what was counted.
const CountFolder = "count"

// secondAct counts the instructions of two arms, after their times. What goes wrong is
// told and spoils nothing that was measured before; the error is that of the context.
func secondAct(ctx context.Context, a *cli.App, w io.Writer, found *provision.Llama, first *config.Config, how measure.Flags, out output.Flags) error {
	skip := func(err error) error {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		fmt.Fprintf(w, "\nSecond act, instructions instead of time: left out, because %v\n", err)
		return nil
	}
	counter := &llama.Counter{Find: measure.FindValgrind}
	if err := counter.Usable(ctx, "auto"); err != nil {
		return skip(err)
	}
	cfg := countConfig(first, countable(first.Arms, Usable(found)))
	fmt.Fprintf(w, "\nSecond act: the same question put to instructions instead of time. %s\n\n", whyCount(first.Arms, cfg.Arms))
	how.Dir = filepath.Join(how.Dir, CountFolder)
	run, err := measure.Run(ctx, a, cfg, how)
	if err != nil {
		return skip(err)
	}
	policy, err := (&settings.GateFlags{}).Policy(cfg.Gate)
	if err != nil {
		return err
	}
	src := measure.Source(a, run, how)
	src.Reproduce, src.Resume = nil, nil
	files := output.Flags{Format: "text", Title: out.Title, Files: output.FilesIn(how.Dir)}
	if err := files.Check(a); err != nil {
		return err
	}
	rep := output.NewReport(compare.Run(run, policy), src)
	b := *a
	b.Out = w
	return output.Emit(&b, rep, files)
}

// countConfig has so few tokens of the tiny model that both arms are counted within
// half a minute.
func countConfig(first *config.Config, arms []config.Arm) *config.Config {
	cfg := config.Default()
	cfg.Arms, cfg.Baseline, cfg.Models = arms, arms[0].Name, first.Models[:1]
	cfg.Bench.Tests = nil
	count := config.DefaultCount()
	count.Tests = []record.Test{{Prompt: 16}, {Gen: 4}}
	if slices.ContainsFunc(arms, func(a config.Arm) bool { return a.Name == noHalf }) {
		count.Tests = []record.Test{{Prompt: 4}, {Gen: 2}} // it executes ten times as much
	}
	cfg.Count = &count
	cfg.Sampling.Control = config.ControlNone
	cfg.Sampling.Timeout = first.Sampling.Timeout
	return cfg
}

// ofValgrind are the backends that use nothing that valgrind does not know, such as
// AVX-512 or the vectors of AVX-VNNI.
var ofValgrind = []string{"haswell", "ivybridge", noHalf, "sse42", "x64"}

// countable are the arms themselves, or, where valgrind cannot run one of them, the
// fastest two backends of the same build that it can.
func countable(arms []config.Arm, fast []provision.Backend) []config.Arm {
	var backends, known []provision.Backend
	for _, b := range fast {
		if slices.ContainsFunc(arms, func(a config.Arm) bool { return a.Bin == b.Dir }) {
			backends = append(backends, b)
		}
		if slices.Contains(ofValgrind, b.Name) {
			known = append(known, b)
		}
	}
	ok := func(b provision.Backend) bool { return slices.Contains(ofValgrind, b.Name) }
	if !slices.ContainsFunc(backends, func(b provision.Backend) bool { return !ok(b) }) || len(known) < 2 {
		return arms
	}
	var others []config.Arm
	for _, b := range known[:2] {
		others = append(others, config.Arm{Name: b.Name, Bin: b.Dir, Params: arms[0].Params})
	}
	return others
}

// whyCount says what is counted and why that.
func whyCount(timed, counted []config.Arm) string {
	const why = "A count repeats to a few parts in 100 000 on the busiest machine; it says how much work it is and in which functions, not how long it takes."
	if timed[0].Name == counted[0].Name && timed[1].Name == counted[1].Name {
		return why
	}
	return fmt.Sprintf("%s Counted are %s and %s of the same build: valgrind does not know all instructions of %s.", why, counted[0].Name, counted[1].Name, timed[0].Name)
}
