// Package measure carries a measurement out: the machine for itself, the
// runner, progress, and the folder of results.
package measure

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/llama-regress/llama-regress/ci/config"
	"github.com/llama-regress/llama-regress/ci/device"
	"github.com/llama-regress/llama-regress/ci/gguf"
	"github.com/llama-regress/llama-regress/ci/host"
	"github.com/llama-regress/llama-regress/ci/llama"
	"github.com/llama-regress/llama-regress/ci/load"
	"github.com/llama-regress/llama-regress/ci/plan"
	"github.com/llama-regress/llama-regress/ci/provision"
	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/ci/runner"
	"github.com/llama-regress/llama-regress/ci/serve"
	"github.com/llama-regress/llama-regress/cmd/internal/cli"
	"github.com/llama-regress/llama-regress/cmd/internal/requests"
	"github.com/llama-regress/llama-regress/cmd/internal/settings"
	"github.com/llama-regress/llama-regress/compare"
	"github.com/llama-regress/llama-regress/report"
)

// DefaultFolder is where a measurement is kept unless told otherwise.
const DefaultFolder = "llama-regress-out"

// ConfirmFolder holds, within the output folder, the run that confirmed what
// history suspected.
const ConfirmFolder = "confirm"

// VerdictFile holds, within the output folder, what is to be stored beside the
// session.
const VerdictFile = "verdict.json"

// ConfirmBlocks is how many blocks a suspicion is confirmed with where the noise of
// the stored sessions says no other number.
const ConfirmBlocks = 12

// Flags are the flags that say how a measurement is carried out.
type Flags struct {
	Dir    string
	Resume bool
	Fresh  bool // start over, whatever the folder holds
	wait   waiting
	unfit  bool   // measure although doctor says that it is no use
	Shard  string // "i/n", the part of the plan to measure; "" for all of it

	Notes  []string                              // that the record begins with, on top of what is noted on the way
	Around func(runner.Observer) runner.Observer // what is told in place of the progress, and passes it on; nil for nothing
	Gate   settings.GateFlags                    // over the gate section, for what lets a cell stop early
}

// Expand plans what is to be measured.
func (m *Flags) Expand(cfg *config.Config) (*plan.Plan, error) {
	if m.Shard == "" {
		return plan.Expand(cfg)
	}
	shard, err := record.ParseShard(m.Shard)
	if err != nil {
		return nil, fmt.Errorf("--shard: %w", err)
	}
	return plan.ExpandShard(cfg, shard)
}

// Register defines the flags.
func (m *Flags) Register(f *pflag.FlagSet) {
	m.RegisterDir(f)
	m.wait.register(f)
	f.BoolVar(&m.unfit, "ignore-doctor", false, "measure although 'llama-regress doctor' says that it is no use; the record says so")
	f.BoolVar(&m.Resume, "resume", false, "go on with the run that DIR holds: what it measured stays")
	f.BoolVar(&m.Fresh, "fresh", false, "start over where DIR holds a run that was interrupted: it is moved to DIR/previous")
}

// RegisterDir defines --dir alone, for what measures nothing.
func (m *Flags) RegisterDir(f *pflag.FlagSet) {
	f.StringVarP(&m.Dir, "dir", "d", DefaultFolder, "folder for the run record, logs and reports")
}

// Run runs a configuration's plan, its sentinel around it. The record is nil when
// nothing was begun; with an error it holds what was measured until then.
func Run(ctx context.Context, a *cli.App, cfg *config.Config, how Flags) (*record.Run, error) {
	p, err := how.Expand(cfg)
	if err != nil {
		return nil, err
	}
	if how.Resume && how.Fresh {
		return nil, errors.New("--resume goes on with a run, and --fresh starts over: choose one")
	}
	if how.Resume {
		resuming(a, how.Dir)
	} else {
		if text, known := runner.HowLong(p, how.Dir, cfg.Sampling.Budget); known {
			fmt.Fprintf(a.Err, "%d trials: %s\n", len(p.Trials), text)
		}
		if err := setAside(a, how.Dir, how.Fresh); err != nil {
			return nil, err
		}
	}
	sentinel, begun := newSentinel(a, cfg, how), time.Now()
	if sentinel == nil {
		return runPlan(ctx, a, cfg, how)
	}
	if err := sentinel.before(ctx, a, cfg.Sentinel.Cells); err != nil {
		return nil, err
	}
	left := *cfg
	if left.Sampling.Budget > 0 { // what comes after takes as long as what came before
		left.Sampling.Budget = max(left.Sampling.Budget-2*time.Since(begun), time.Nanosecond)
	}
	run, err := runPlan(ctx, a, &left, how)
	if run == nil || err != nil {
		return run, err
	}
	return run, sentinel.after(ctx, a, run)
}

// runPlan runs a plan as it is.
func runPlan(ctx context.Context, a *cli.App, cfg *config.Config, how Flags) (*record.Run, error) {
	p, err := how.Expand(cfg)
	if err != nil {
		return nil, err
	}
	logs := filepath.Join(how.Dir, runner.LogFolder)
	if err := os.MkdirAll(logs, 0o755); err != nil {
		return nil, err
	}
	if err := LeaveNothing(a); err != nil {
		return nil, err
	}
	schedulers, logged, err := schedulersOf(a, p, logs)
	if err != nil {
		return nil, err
	}
	defer logged()
	links := new(llama.Links)
	policy, err := how.Gate.Policy(cfg.Gate)
	if err != nil {
		return nil, err
	}
	observer, within := observer(a)
	if how.Around != nil {
		observer = how.Around(observer)
	}
	devices := device.Open(ctx, device.Options{})
	defer devices.Close()
	run, err := runner.Run(ctx, p, Benches(p, how.Dir, links, devices, within), runner.Options{
		Dir:    how.Dir,
		Resume: how.Resume,
		Budget: cfg.Sampling.Budget,
		Repeat: cfg.Sampling.RepeatDisturbed,

		Decider:     compare.Decider{Policy: policy},
		CoolBelow:   float64(cfg.Sampling.CoolBelow),
		CoolLimit:   cfg.Sampling.CoolLimit,
		CoolDevices: float64(cfg.Sampling.CoolDevices),
		Alone: func(ctx context.Context) (func(), []string, error) {
			return prepare(ctx, a, cfg, how, p, links, devices)
		},
		Schedulers: schedulers,

		Host:     host.Describe(ctx, devices.Devices()),
		Devices:  devices,
		Tool:     cli.Tool(),
		Command:  typed(a),
		Observer: observer,
		CheckModel: func(path string) error {
			_, err := gguf.Inspect(path)
			return err
		},
	})
	if run != nil && err != nil && ctx.Err() != nil { // a run that ended by itself was not interrupted
		err = fmt.Errorf("interrupted after %d of %d trials; go on with the same command and --resume: %w", run.Walked(), len(p.Trials), err)
	}
	return run, err
}

// prepare has the machine to itself, knows what is wrong with it, and opens the
// links to the programs. release undoes it; notes go into the record.
func prepare(ctx context.Context, a *cli.App, cfg *config.Config, how Flags, p *plan.Plan, links *llama.Links, devices *device.Set) (release func(), notes []string, err error) {
	if err := cmp.Or(runner.Missing(p), llama.Startable(p)); err != nil {
		return nil, nil, cli.Unmeasured(err)
	}
	if err := foreignFiles(p); err != nil { // told before a wait for the machine
		return nil, nil, cli.Unmeasured(err)
	}
	unlock, err := Alone(ctx, a, how)
	if err != nil {
		return nil, nil, err
	}
	notes, err = fit(ctx, a, cfg, how, devices)
	if err == nil {
		err = links.Open(filepath.Join(how.Dir, ".paths"), bins(p))
	}
	if err != nil {
		unlock()
		return nil, nil, err
	}
	return func() { _ = links.Close(); unlock() }, append(slices.Clone(how.Notes), notes...), nil
}

// foreignFiles tells of models and datasets that are something else, as far as their
// beginnings show it.
func foreignFiles(p *plan.Plan) error {
	var faults []error
	for _, m := range p.Models {
		if m.Path == "" { // a server has it
			continue
		}
		if _, err := gguf.Inspect(m.Path); err != nil {
			faults = append(faults, fmt.Errorf("model %s: %w", m.Name, err))
		}
	}
	return errors.Join(append(faults, serve.Glance(p))...)
}

// Benches brings what measures each workload of the plan.
func Benches(p *plan.Plan, dir string, links *llama.Links, devices *device.Set, within func(load.Progress)) runner.Workloads {
	logs := filepath.Join(dir, runner.LogFolder)
	all := make(runner.Workloads)
	for _, c := range p.Cells {
		name := c.Cell.Workload
		if all[name] != nil {
			continue
		}
		switch name {
		case record.BenchWorkload:
			all[name] = &llama.Bench{LogDir: logs, Links: links, Devices: devices}
		case record.CountWorkload:
			all[name] = &llama.Counter{Bench: llama.Bench{LogDir: logs, Links: links, Devices: devices}, CPU: host.Describe(context.Background(), nil).Hard["cpu"], Find: FindValgrind}
		case record.BatchedWorkload:
			all[name] = llama.NewBatched(logs, links, devices)
		case record.OpsWorkload:
			all[name] = llama.NewOps(logs, links, devices)
		case record.ServeWorkload, record.EmbeddingsWorkload, record.RerankWorkload:
			served := ServeBench(logs, filepath.Join(dir, record.RequestFile), within)
			served.Servers.Links, served.Devices = links, devices
			served.API = load.API(p.Serve.API)
			all[name] = served
		}
	}
	return all
}

// FindValgrind is valgrind in PATH, in the cache or from the system's packages.
func FindValgrind(ctx context.Context) (string, error) {
	found, err := provision.FindValgrind(ctx, provision.Options{})
	if err != nil {
		return "", errors.New(strings.Join(strings.Fields(err.Error()), " ")) // it becomes the message of a failure
	}
	return found.Path, nil
}

// bins are the folders of the arms' programs.
func bins(p *plan.Plan) []string {
	var all []string
	for _, arm := range p.Arms {
		if arm.URL == "" {
			all = append(all, arm.Bin)
		}
	}
	return all
}

// ServeBench measures serving; logs and requests name a folder and a file, empty for none.
func ServeBench(logs, requests string, within func(load.Progress)) *serve.Bench {
	return &serve.Bench{Servers: new(llama.Servers), LogDir: logs, Requests: requests, Observe: within}
}

// observer shows progress on standard error: one line that changes on a
// terminal, also with each request that ends; one line a trial everywhere else.
func observer(a *cli.App) (runner.Observer, func(load.Progress)) {
	if cli.IsTerminal(a.Err) && a.Getenv("TERM") != "dumb" && a.Getenv("CI") == "" {
		line := runner.NewLiveLine(a.Err, cli.Width(a.Err), time.Now)
		return line, func(p load.Progress) { line.Within(p.Done, p.Total, p.Failed) }
	}
	return runner.NewPlainLines(a.Err, time.Now), nil
}

// typed is the command that measures this, without what only continues it.
func typed(a *cli.App) []string {
	words := append([]string{"llama-regress"}, a.Args...)
	return slices.DeleteFunc(words, func(s string) bool {
		return s == "--resume" || s == "--fresh" || strings.HasPrefix(s, "--resume=") || strings.HasPrefix(s, "--fresh=")
	})
}

// Source says where a measured run's result comes from.
func Source(a *cli.App, run *record.Run, how Flags) report.Source {
	file := filepath.Join(how.Dir, runner.RecordFile)
	again := typed(a)
	resume := append(slices.Clip(again), "--resume")
	return requests.With(report.Source{
		Base: run, Head: run, BaseFile: file, HeadFile: file,
		Reproduce: again, Resume: resume, Logs: filepath.Join(how.Dir, runner.LogFolder),
		TrialLog: func(trial string) string { return runner.LogFolder + "/" + trial + ".log" }, // beside the reports
	})
}

// ErrNoTrial ends a run that its budget had no room for: no pass.
var ErrNoTrial = cli.Unmeasured(errors.New("no trial was measured: the budget was spent before the first; raise --budget"))
