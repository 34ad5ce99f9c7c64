package llama

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/llama-regress/llama-regress/ci/device"
	"github.com/llama-regress/llama-regress/ci/plan"
	"github.com/llama-regress/llama-regress/ci/record"
)

// A Tool measures trials with a program of llama.cpp that measures by itself, once a
// process: llama-batched-bench, test-backend-ops. It must not be copied after its
// first use.
type Tool struct {
	Bench
	tool
}

// A tool is what sets one such program apart.
type tool struct {
	workload string
	kind     string                                                  // name of its file
	help     func(help string) (caps capabilities, ok bool)          // reads what it prints to -h
	args     func(m *measurement) ([]string, error)                  // of one process
	read     func(m *measurement, stdout []byte) (toolOutput, error) // what it printed; the error of one that cannot be used
}

// A toolOutput is what a process measured.
type toolOutput struct {
	measurements []record.Measurement
	echo         map[string]string // settings as it reported them back
	took         time.Duration     // of what it measured; 0 where that cannot be told
	lost         string            // what is missing of an output that is whole otherwise; "" for nothing
}

// Identify finds the program of an arm and learns from its help what it understands.
func (t *Tool) Identify(ctx context.Context, arm record.Arm) (record.Build, error) {
	p, err := identify(ctx, arm, inherited(t.Environ), t.kind, t.help)
	if err != nil {
		return record.Build{}, forArm(ctx, arm, err)
	}
	t.programs.put(arm.Name, p)
	return record.Build{
		Program: p.path, SHA256: p.files[0].sha256, Libraries: record.LibrariesSHA256(p.libraries),
		Version: p.version.text, Commit: p.version.commit, Number: p.version.number, Compiler: p.version.compiler,
	}, nil
}

// Measure runs one trial: one process. Whatever goes wrong with it is a failure of the trial.
func (t *Tool) Measure(ctx context.Context, p *plan.Plan, trial plan.Trial) (record.Trial, error) {
	if arm := p.Arms[trial.Arm]; t.programs.get(arm.Name) == nil { // of a resumed run
		if _, err := t.Identify(ctx, arm); err != nil {
			return record.Trial{}, err
		}
	}
	m, end, err := t.begin(ctx, p, trial)
	if err != nil {
		return record.Trial{}, err
	}
	defer end()
	m.values = parameters(t.workload, m.cell.Cell.Params, p.Arms[trial.Arm].Params)
	var got toolOutput
	m.read = func(stdout []byte) (time.Duration, error) {
		var err error
		got, err = t.tool.read(m, stdout)
		return got.took, err
	}
	m.place()
	if m.failure == nil {
		args, err := t.args(m)
		if err != nil {
			m.fail(record.BadArgument, "%s: %v", m.program.name(), err)
		} else if err := t.run(ctx, m, args, &got); err != nil {
			return record.Trial{}, err
		}
	}
	done := m.trial()
	done.Measurements, done.Echo = got.measurements, got.echo
	return done, nil
}

// mostRuns is how often a process is run whose output lacks results.
const mostRuns = 4

// run runs the process, again where it ended well and before its log had printed all
// results: llama-batched-bench (b11669) does that in up to one run of ten on a busy
// machine. What is lost says nothing of what was measured.
func (t *Tool) run(ctx context.Context, m *measurement, args []string, got *toolOutput) error {
	for i := range mostRuns {
		*got = toolOutput{}
		if err := m.runAll(ctx, [][]string{args}); err != nil || m.failure != nil || got.lost == "" {
			return err
		}
		if i == 0 {
			m.warn("%s ended before it had printed all results, and was run again", t.kind)
		}
		m.command = append(m.command, ";")
	}
	m.fail(record.MissingTest, "%s; the program printed no more in any of %d runs: does it leave out what does not fit into its context?", got.lost, mostRuns)
	return nil
}

// newTool returns what measures a workload of such a program.
func newTool(t tool, logDir string, links *Links, devices *device.Set) *Tool {
	return &Tool{Bench: Bench{LogDir: logDir, Links: links, Devices: devices}, tool: t}
}

// workOf is the work that a plan gave to the cell, which may come from a file.
func workOf[T any](c plan.Cell) (w T, err error) {
	if w, ok := c.Work.(T); ok {
		return w, nil
	}
	text, err := json.Marshal(c.Work)
	if err == nil {
		err = json.Unmarshal(text, &w)
	}
	if err != nil {
		return w, fmt.Errorf("the plan says of %s what cannot be read: %w", c.Cell.Key, err)
	}
	return w, nil
}
