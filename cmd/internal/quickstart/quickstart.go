// Package quickstart is the command that does the whole job on a bare machine.
package quickstart

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/llama-regress/llama-regress/ci/config"
	"github.com/llama-regress/llama-regress/ci/conversations"
	"github.com/llama-regress/llama-regress/ci/provision"
	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/cmd/internal/cli"
	"github.com/llama-regress/llama-regress/cmd/internal/measure"
	"github.com/llama-regress/llama-regress/cmd/internal/output"
	"github.com/llama-regress/llama-regress/cmd/internal/provide"
	"github.com/llama-regress/llama-regress/cmd/internal/settings"
	"github.com/llama-regress/llama-regress/compare"
	"github.com/llama-regress/llama-regress/report"
)

// Command is 'llama-regress quickstart'.
func Command(a *cli.App) *cobra.Command {
	var (
		find provide.Flags
		how  measure.Flags
		out  output.Flags
	)
	cmd := &cobra.Command{
		Use:   "quickstart",
		Short: "The whole job on a bare machine in a few minutes",
		Long: `Gets llama.cpp if it is not there, makes synthetic models, and measures one
build in two ways that differ for real: with the CPU backend that fits this
processor and with an older one, or with 2 threads and with 1, in llama-bench and
in llama-server answering prompts. The first is also measured against itself, as
null control. All reports go to DIR. Then the instructions of both are counted, which
needs valgrind and no quiet machine; those reports go to DIR/count.

Exits 0 when the job could be done, although it finds a regression on purpose.`,
		Example: `  llama-regress quickstart
  llama-regress quickstart --llama-dir build/bin`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return quickstart(cmd.Context(), a, find, how, out)
		},
	}
	find.Register(cmd.Flags())
	how.Register(cmd.Flags())
	out.Register(cmd.Flags())
	return cmd
}

func quickstart(ctx context.Context, a *cli.App, find provide.Flags, how measure.Flags, out output.Flags) error {
	started := time.Now()
	out.Files = append(out.Files, output.FilesIn(how.Dir)...)
	if err := out.Check(a); err != nil {
		return err
	}
	found, err := provide.Find(ctx, a, find, "llama-bench", "llama-server")
	if err != nil {
		return err
	}
	cfg, err := quickstartConfig(ctx, a, found, how)
	if err != nil {
		return err
	}
	run, err := measure.Run(ctx, a, cfg, how)
	if err != nil {
		return err
	}
	policy, err := (&settings.GateFlags{}).Policy(cfg.Gate)
	if err != nil {
		return err
	}
	res := compare.Run(run, policy)
	src := measure.Source(a, run, how)
	src.Reproduce, src.Resume = nil, nil // its sizes are fixed; the last line says what to type instead
	rep := output.NewReport(res, src)
	if err := output.Emit(a, rep, out); err != nil {
		return err
	}
	w := a.Out
	if out.Format != "text" {
		w = a.Err // standard output is for machines
	}
	if err := secondAct(ctx, a, w, found, cfg, how, out); err != nil {
		return err
	}
	explain(w, res, rep, run, how, time.Since(started))
	if len(res.Failures) > 0 || res.Unmeasured() > 0 {
		return cli.Exit(cli.ExitUnmeasured)
	}
	return nil
}

// quickstartConfig is small enough for two cores and a few minutes.
func quickstartConfig(ctx context.Context, a *cli.App, found *provision.Llama, how measure.Flags) (cfg *config.Config, err error) {
	cfg = config.Default()
	cfg.Arms = quickstartArms(found.Dir, Usable(found))
	cfg.Baseline = cfg.Arms[0].Name
	quantises := true
	if _, err := found.Program("llama-quantize"); err != nil {
		quantises = false
		fmt.Fprintf(a.Err, "model: %v, so that no quantised model is measured\n", err)
	}
	for _, of := range models(cfg.Arms, quantises) {
		path, err := provide.Model(ctx, a, of, provide.Flags{Options: provision.Options{LlamaDir: found.Dir}}, "", false)
		if err != nil {
			return nil, err
		}
		name := of.Preset
		if of.Type != "" {
			name += "-" + of.Type
		}
		cfg.Models = append(cfg.Models, config.Model{Name: name, Path: path})
	}
	cfg.Bench = config.Bench{Tests: []record.Test{{Prompt: 128}, {Gen: 32}}, Repetitions: 5}
	if cfg.Serve, err = quickstartServe(how.Dir); err != nil {
		return nil, err
	}
	cfg.Sampling.Blocks = 6
	cfg.Sampling.Control = config.ControlAll
	return cfg, nil
}

// quickstartServe has two users at a time, short prompts and short answers. The
// prompts are written into the output folder, so that the run can be repeated.
func quickstartServe(dir string) (*config.Serve, error) {
	path, err := filepath.Abs(filepath.Join(dir, "prompts.json"))
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	if err := record.WriteAtomically(path, conversations.Sample()); err != nil {
		return nil, err
	}
	s := config.DefaultServe()
	s.Dataset.Path, s.Dataset.Sample, s.Dataset.MaxPromptTokens = path, 16, 96
	s.Concurrency, s.Warmup, s.OutputTokens = []int{2}, 2, 16
	s.Server.Params = map[string]string{"parallel": "2", "ctx_size": "2048"}
	// A first look may be on a machine that has much else to do: no limit of
	// a request or of a start decides there which backend is the slower one.
	s.RequestTimeout, s.Server.StartTimeout = 5*time.Minute, 5*time.Minute
	return s, nil
}

// quickstartArms differ for real: in the CPU backend of the same build, which
// is what a slower build looks like, or in threads where a build has but one
// backend. One thread leaves a core to everything else on a small machine.
func quickstartArms(dir string, fast []provision.Backend) []config.Arm {
	one := map[string]string{"threads": "1"}
	for i, b := range fast {
		if i > 0 && slices.Contains(slowerBackends, b.Name) {
			return []config.Arm{
				{Name: fast[0].Name, Bin: fast[0].Dir, Params: one},
				{Name: b.Name, Bin: b.Dir, Params: one},
			}
		}
	}
	return []config.Arm{
		{Name: "2-threads", Bin: dir, Params: map[string]string{"threads": "2"}},
		{Name: "1-thread", Bin: dir, Params: one},
	}
}

// Usable lists the CPU backends that this processor can run, fastest first.
func Usable(found *provision.Llama) []provision.Backend {
	return slices.DeleteFunc(found.Backends(), func(b provision.Backend) bool { return !b.Usable })
}

// slowerBackends are several times slower than those before them: they lack the
// widest vectors. (ivybridge, between the two, is as fast as haswell on a model
// that does not fit into the cache.)
var slowerBackends = []string{"haswell", noHalf}

// noHalf converts 16-bit floats without F16C: it is up to 40 times slower on the
// weights of the models here.
const noHalf = "sandybridge"

// models are those that both arms get through in a few minutes: half precision in
// one, and in the other the quantised weights that most people run.
func models(arms []config.Arm, quantises bool) []provide.ModelOf {
	half, quantised := provide.ModelOf{Preset: "tiny", Seed: 1}, provide.ModelOf{Preset: "small", Seed: 1}
	if quantises {
		quantised.Type = "q4_k_m"
	}
	if arms[1].Name != noHalf {
		return []provide.ModelOf{half, quantised}
	}
	if quantised.Preset = half.Preset; !quantises {
		return []provide.ModelOf{half} // a larger one would take half an hour
	}
	return []provide.ModelOf{quantised}
}

// explain says in five lines what was found.
func explain(w io.Writer, res *compare.Result, rep report.Report, run *record.Run, how measure.Flags, took time.Duration) {
	control := "shows no difference, as it should"
	if blind := rep.Blindest(); blind != nil {
		control = fmt.Sprintf("shows no difference; one below %s in %s would not show", blind.Figures.Detectable, blind.Comparison.Metric.Name.Terminal(20))
	}
	if res.ControlFired {
		control = "differed: this machine was disturbed, so only a change larger than that is believed"
	}
	worse := "none: this machine is too noisy right now, try again when it is quiet"
	if n := res.Count(compare.Regression); n > 0 {
		sure := "really there"
		if b := res.Busy; b.Mostly() {
			sure = fmt.Sprintf("more than this machine's disturbance explains (it met %d of %d trials)", b.Trials, b.Of)
		}
		worse = fmt.Sprintf("%d of %d, %s: as a gate this would exit 1", n, len(res.Comparisons), sure)
	}
	fmt.Fprintf(w, `
measured     %d trials of the real llama-bench and llama-server in %s: %s against %s, %s
regressions  %s
control      the baseline against itself %s
reports      %s (open it), report.md, junit.xml, report.json, run.json; of the instructions in %s
next         llama-regress gate --base BUILD1/bin --head BUILD2/bin --model MODEL.gguf
`, len(run.Trials), took.Round(time.Second), run.Baseline, candidate(run), sizes(run), worse, control, filepath.Join(how.Dir, "report.html"), filepath.Join(how.Dir, CountFolder))
}

func candidate(run *record.Run) string {
	for _, arm := range run.Arms {
		if arm.Name != run.Baseline && arm.ControlOf == "" {
			return arm.Name
		}
	}
	return "nothing"
}

// sizes tells how many models were measured.
func sizes(run *record.Run) string {
	models := make(map[string]bool)
	for _, c := range run.Cells {
		models[c.Model] = true
	}
	if len(models) == 1 {
		return "one model"
	}
	return fmt.Sprintf("%d models", len(models))
}
