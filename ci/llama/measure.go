package llama

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/llama-regress/llama-regress/ci/internal/proc"
	"github.com/llama-regress/llama-regress/ci/plan"
	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/ci/sched"
)

const (
	maxResults = 64 << 20
	maxLog     = 16 << 20
)

// Measure runs one trial: llama-bench once, or once for each group of tests
// whose depths differ (see invocations), within one time limit. It returns Outcome,
// Measurements, Failure, Command, Echo, Resources, Samples and Warnings; several
// commands are joined by ";", as a shell would. Whatever goes wrong with the
// program is a failure of the trial; the error is ctx.Err() or says that a
// log could not be created.
func (b *Bench) Measure(ctx context.Context, p *plan.Plan, t plan.Trial) (record.Trial, error) {
	m, end, err := b.begin(ctx, p, t)
	if err != nil {
		return record.Trial{}, err
	}
	defer end()
	if err := m.run(ctx); err != nil {
		return record.Trial{}, err
	}
	return m.trial(), nil
}

// begin prepares a trial. end closes its log.
func (b *Bench) begin(ctx context.Context, p *plan.Plan, t plan.Trial) (m *measurement, end func(), err error) {
	arm, cell := p.Arms[t.Arm], p.Cells[t.Cell]
	prog, err := b.program(ctx, arm)
	if err != nil {
		return nil, nil, err
	}
	m, end = &measurement{bench: b, program: prog, plan: p, arm: t.Arm, cell: cell, id: t.ID, padding: p.Padding(t), path: b.Links.program(prog.path)}, func() {}
	if b.LogDir != "" {
		f, err := b.logFile(t.ID)
		if err != nil {
			return nil, nil, fmt.Errorf("log of trial %s: %w", t.ID, err)
		}
		end = func() { f.Close() }
		m.log = &proc.Log{W: f, Room: maxLog}
	}
	m.values = parameters(record.BenchWorkload, cell.Cell.Params, arm.Params)
	m.read = m.readResults
	return m, end, nil
}

// program returns what Identify found, which a resumed run may not have called.
func (b *Bench) program(ctx context.Context, arm record.Arm) (*program, error) {
	if p := b.programs.get(arm.Name); p != nil {
		return p, nil
	}
	if _, err := b.Identify(ctx, arm); err != nil {
		return nil, err
	}
	return b.program(ctx, arm)
}

// A measurement is a trial under way.
type measurement struct {
	bench   *Bench
	program *program
	plan    *plan.Plan
	arm     int // index into plan.Arms
	cell    plan.Cell
	id      string
	padding int               // bytes that its environment is longer by
	path    string            // by which the program is started
	values  map[string]string // parameters it is given
	log     *proc.Log         // nil for none

	// read takes what a process printed, and returns how long it measured.
	read func(stdout []byte) (time.Duration, error)

	command   []string
	results   []Result
	failure   *record.Failure
	resources *record.Resources
	taken     Taken
	counted   int // results whose energy is in taken, or is not known
	samples   *record.Samples
	placed    map[string]string
	warnings  []string

	placement sched.Placement
}

// run walks the invocations until one fails.
func (m *measurement) run(ctx context.Context) error {
	if m.place(); m.failure != nil {
		return nil
	}
	commands, err := m.commands()
	if err != nil {
		m.fail(record.BadArgument, "%s: %v", m.program.name(), err)
		return nil
	}
	if err := m.runAll(ctx, commands); err != nil || m.failure != nil {
		return err
	}
	m.check()
	return nil
}

// place sees that the build is the one that the run began with, and settles where
// its processes run.
func (m *measurement) place() {
	if err := m.program.unchanged(); err != nil {
		m.fail(record.BuildChanged, "%v; measure builds that nobody rebuilds meanwhile", err)
		return
	}
	var err error
	if m.placement, err = sched.NewPlacement(m.cell.Cell.Params, m.plan.Arms[m.arm].Params); err != nil {
		m.fail(record.BadArgument, "%v", err)
	}
}

// runAll runs the program once for each list of arguments, within one time limit,
// until one fails.
func (m *measurement) runAll(ctx context.Context, commands [][]string) error {
	deadline := time.Now().Add(m.plan.Timeout)
	for i, args := range commands {
		spec := childSpec{program: m.path, args: args, env: padded(m.program.env, m.padding), maxStdout: cmp.Or(m.bench.maxResults, maxResults), placement: m.placement}
		if m.program.caps.has("--progress") { // tells when the model is loaded
			spec.args, spec.loading = append(spec.args, "--progress"), new(loadClock)
		}
		if m.plan.Timeout > 0 {
			spec.timeout, spec.limit = max(time.Until(deadline), time.Nanosecond), m.plan.Timeout
		}
		if err := m.invoke(ctx, spec, i > 0); err != nil || m.failure != nil {
			return err
		}
	}
	return nil
}

// commands spells out the arguments of every invocation.
func (m *measurement) commands() ([][]string, error) {
	if strings.Contains(m.cell.ModelPath, ",") {
		return nil, &badArgument{"model", m.cell.ModelPath, "-m", "llama-bench takes a comma as several models", "rename the file or its folder"}
	}
	common, err := parameterArgs(m.program.caps, m.values)
	if err != nil {
		return nil, err
	}
	free, err := freeArgs(m.program.caps, record.BenchWorkload, m.cell.Cell.Params, m.plan.Arms[m.arm].Params)
	if err != nil {
		return nil, err
	}
	format := "json"
	if slices.Contains(m.program.caps.choices("-o"), "jsonl") { // since b~3660; keeps what was finished before a failure
		format = "jsonl"
	}
	repetitions := m.plan.Warmup + m.plan.Repetitions
	var commands [][]string
	for _, tests := range invocations(m.cell.Tests) {
		args, err := testArgs(m.program.caps, tests)
		if err != nil {
			return nil, err
		}
		commands = append(commands, slices.Concat(
			[]string{"-m", m.cell.ModelPath, "-o", format, "-r", strconv.Itoa(repetitions)}, args, common, free))
	}
	if commands == nil {
		return nil, &badArgument{"tests", "none", "-p", "the cell has no tests", "give it one, such as pp512"}
	}
	return commands, nil
}

// invoke runs llama-bench once and adds what it printed.
func (m *measurement) invoke(ctx context.Context, spec childSpec, again bool) error {
	if again {
		m.command = append(m.command, ";")
	}
	shown := spec
	shown.program = m.program.path
	command, err := shown.command()
	if err != nil {
		m.fail(record.StartFailed, "%v", err)
		return nil
	}
	m.command = append(m.command, command...)
	if m.log != nil {
		fmt.Fprintf(m.log, "$ %s\n", strings.Join(command, " "))
		spec.log = m.log
	}
	killsBefore := memoryKills()
	end, watch, err := runWatched(ctx, spec, m.bench.Devices)
	var measured time.Duration
	defer func() {
		seen := watch.stop(measured)
		m.samples = longer(m.samples, seen)
		m.take(end, seen)
	}()
	switch {
	case ctx.Err() != nil && err != nil:
		return ctx.Err()
	case err != nil:
		m.fail(record.StartFailed, "%v", cannotStart(spec.program, err))
		return nil
	}
	m.add(end)
	m.failure = failureOf(end, spec, memoryKills() > killsBefore || end.starved)
	if m.placed = end.placed; end.misplaced != nil {
		m.fail(record.PlacementDiffers, "%v", end.misplaced)
	}
	measured, err = m.read(end.stdout)
	if err != nil && m.failure == nil {
		m.fail(record.BadOutput, "%s; see what it printed in the trial's log", proc.OneLine(err.Error(), 600))
		m.failure.Stderr = proc.LastLines(end.stderr, 8<<10)
	}
	if m.failure != nil && m.log != nil {
		fmt.Fprintf(m.log, "\n--- stdout of the failed command ---\n%s\n", end.stdout)
	}
	return nil
}

// readResults reads what llama-bench printed, and returns how long its repetitions
// took together.
func (m *measurement) readResults(stdout []byte) (measured time.Duration, err error) {
	results, err := ReadResults(bytes.NewReader(stdout), "stdout")
	for _, r := range results {
		for _, ns := range r.SamplesNS {
			measured += time.Duration(ns)
		}
	}
	m.results = append(m.results, results...)
	return measured, err
}

// take sums up what the invocations took.
func (m *measurement) take(end *childEnd, seen *record.Samples) {
	if end == nil || m.resources == nil { // it did not start, or its context is done
		return
	}
	m.taken.Loads = append(m.taken.Loads, end.loaded)
	m.taken.Memory = max(m.taken.Memory, end.peakMemory())
	m.resources.MaxRSSBytes = m.taken.Memory
	m.taken.DeviceMemory = max(m.taken.DeviceMemory, seen.PeakDeviceMemory())
	if used := seen.DeviceEnergy(); used > 0 { // of an invocation that was too short, neither
		m.taken.Energy += used
		for _, r := range m.results[m.counted:] {
			m.taken.Tokens += int64(r.Test.Tokens()) * int64(len(r.SamplesNS))
		}
	}
	m.counted = len(m.results)
}

// add sums up the resources and keeps the warnings.
func (m *measurement) add(end *childEnd) {
	if m.resources == nil {
		m.resources = new(record.Resources)
	}
	m.resources.UserSeconds += end.resources.UserSeconds
	m.resources.SystemSeconds += end.resources.SystemSeconds
	for _, w := range warningsIn(end.stderr) {
		m.warn("%s", w)
	}
	if end.strays != nil {
		m.warn("%s left processes behind, which were killed: %s", m.program.kind, strings.Join(end.strays, ", "))
	}
	if end.heldOpen {
		m.warn("%s left a process behind that kept its output open; it may disturb later trials", m.program.kind)
	}
}

func (m *measurement) warn(format string, args ...any) {
	if w := fmt.Sprintf(format, args...); !slices.Contains(m.warnings, w) {
		m.warnings = append(m.warnings, w)
	}
}

// fail sets the failure unless there is one already: the first is the cause.
func (m *measurement) fail(class record.FailureClass, format string, args ...any) {
	if m.failure == nil {
		m.failure = &record.Failure{Class: class, Message: fmt.Sprintf(format, args...)}
	}
}

// trial is the record of what happened.
func (m *measurement) trial() record.Trial {
	t := record.Trial{
		Outcome:      record.OK,
		Measurements: append(m.measurements(), m.taken.Measurements(m.cell.Cell.Metrics)...),
		Failure:      m.failure,
		Command:      m.command,
		Resources:    m.resources,
		Samples:      m.samples,
		Preparation:  &record.Preparation{Padding: m.padding},
		Placement:    m.placed,
	}
	if m.path != m.program.path {
		t.Preparation.Link = m.path
	}
	if m.failure != nil {
		t.Outcome = record.Failed
	}
	if len(m.results) > 0 {
		t.Echo = m.results[0].echo()
	}
	for _, remark := range m.program.remarks {
		m.warn("%s", remark)
	}
	if m.program.dropped != nil {
		m.warn("not passed on from the environment: %s; set it in the arm's env if it is meant", strings.Join(m.program.dropped, ", "))
	}
	t.Warnings = m.warnings
	return t
}
