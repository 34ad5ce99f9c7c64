package llama

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/llama-regress/llama-regress/ci/callgrind"
	"github.com/llama-regress/llama-regress/ci/plan"
	"github.com/llama-regress/llama-regress/ci/record"
)

// A Counter measures trials of the count workload: how many instructions llama-bench
// executes for a token. It counts two invocations that differ in their repetitions
// alone, so that what both do once cancels: start-up, loading, warm-up. Its zero value is ready
// to use. It must not be copied after its first use.
type Counter struct {
	Bench
	CPU string // as the processor names itself, for the record

	counters instructionCounter // of the processor; nil for the kernel's
	workers  int                // invocations at a time; 0 for one: a child that ends takes along what else this process has adopted

	mu      sync.Mutex
	chosen  *countTool
	refused error           // why there is none
	tried   map[string]bool // program and model that were tried under the tool
}

// Repetitions of the two invocations. Two are enough: what a repetition executes does
// not vary, and under valgrind each takes seconds.
const (
	fewRepetitions  = 1
	manyRepetitions = 2
)

// Measure runs one trial: the program as it is, for what it says of itself and for how
// long it takes, then each test twice under what counts. The
// load on the machine does not matter. Whatever goes wrong is a failure of the trial.
func (c *Counter) Measure(ctx context.Context, p *plan.Plan, t plan.Trial) (record.Trial, error) {
	once := *p
	once.Warmup, once.Repetitions = 0, fewRepetitions
	m, end, err := c.begin(ctx, &once, t)
	if err != nil {
		return record.Trial{}, err
	}
	defer end()
	m.values["threads"] = strconv.Itoa(p.Count.Threads)
	m.padding = 0
	deadline := time.Now().Add(p.Timeout)
	if err := m.run(ctx); err != nil {
		return record.Trial{}, err
	}
	var counting *record.Counting
	if m.failure == nil {
		if counting, err = c.count(ctx, m, p.Count.Tool, p.Count.Threads, deadline); err != nil {
			return record.Trial{}, err
		}
	}
	trial := m.trial()
	trial.Samples, trial.Measurements, trial.Counting = nil, nil, counting
	if counting != nil {
		trial.Measurements = instructionsOf(m.cell.Tests, counting)
	}
	return trial, nil
}

// tool is what counts, chosen once.
func (c *Counter) tool(asked string) (countTool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.chosen == nil && c.refused == nil {
		tool, err := c.chooseTool(asked)
		c.chosen, c.refused = &tool, err
	}
	return *c.chosen, c.refused
}

// count counts the tests of a trial. It returns nil where the measurement has failed.
func (c *Counter) count(ctx context.Context, m *measurement, asked string, threads int, deadline time.Time) (*record.Counting, error) {
	tool, err := c.tool(asked)
	if err != nil {
		m.fail(record.NoCounter, "%v", err)
		return nil, nil
	}
	if m.warnOfGPU(); tool.kind == record.Valgrind {
		limit := time.Until(deadline)
		if why := tooLarge(m.cell.Tests, m.resources.UserSeconds, c.atATime(2*len(m.cell.Tests)), limit); m.plan.Timeout > 0 && why != "" {
			m.fail(record.TimedOut, "%s", why)
			return nil, nil
		}
		if err := c.try(ctx, m, tool); err != nil || m.failure != nil {
			return nil, err
		}
	}
	jobs, env, inForce, err := countJobs(m)
	if err != nil {
		m.fail(record.BadArgument, "%s: %v", m.program.name(), err)
		return nil, nil
	}
	if err := c.runAll(ctx, m, tool, jobs, env, deadline); err != nil || m.failure != nil {
		return nil, err
	}
	counting := &record.Counting{Tool: tool.kind, Version: tool.version, Threads: threads, CPU: c.CPU, CLibrary: cLibrary(jobs[0].counted.profile), Tunables: inForce}
	for i, test := range m.cell.Tests {
		few, many := jobs[2*i], jobs[2*i+1]
		one := record.CountedTest{
			Test: test.Name(),
			Few:  record.Invocation{Repetitions: fewRepetitions, Instructions: few.counted.instructions},
			Many: record.Invocation{Repetitions: manyRepetitions, Instructions: many.counted.instructions},
		}
		switch {
		case one.Few.Instructions <= 0:
			m.fail(record.BadOutput, "%s: %s counted no instruction; is the program a wrapper that starts it elsewhere, such as in a container?", test.Name(), tool.kind)
		case one.Many.Instructions <= one.Few.Instructions:
			m.fail(record.BadOutput, "%s: %d repetitions took %d instructions and %d took %d, so that more repetitions are no more work; does the program, or a wrapper of it, ignore -r?",
				test.Name(), manyRepetitions, one.Many.Instructions, fewRepetitions, one.Few.Instructions)
		}
		if few.counted.profile != nil && many.counted.profile != nil {
			one.Functions, one.Rest = callgrind.Functions(many.counted.profile, few.counted.profile, (manyRepetitions-fewRepetitions)*test.Tokens())
		}
		counting.Tests = append(counting.Tests, one)
	}
	return counting, nil
}

// instructionsOf are the measurements of a trial that was counted.
func instructionsOf(tests []record.Test, c *record.Counting) []record.Measurement {
	var all []record.Measurement
	for i, t := range c.Tests {
		tokens := (t.Many.Repetitions - t.Few.Repetitions) * tests[i].Tokens()
		if per := float64(t.Many.Instructions-t.Few.Instructions) / float64(tokens); per > 0 {
			all = append(all, record.Measurement{Metric: tests[i].InstructionsMetric().Name, Values: []float64{per}})
		}
	}
	return all
}

// A countJob is one invocation to count.
type countJob struct {
	args    []string
	work    int // that it does, to begin with the longest
	counted counted
	end     *childEnd
	failure *record.Failure
}

// countJobs are the invocations of a trial: of each test the one of few repetitions,
// then that of many.
func countJobs(m *measurement) (jobs []*countJob, env []string, inForce string, err error) {
	for _, test := range m.cell.Tests {
		for _, n := range []int{fewRepetitions, manyRepetitions} {
			one, p := *m, *m.plan
			one.cell.Tests, p.Repetitions, one.plan = []record.Test{test}, n, &p
			commands, err := one.commands()
			if err != nil {
				return nil, nil, "", err
			}
			args := commands[0]
			if m.program.caps.has("--no-warmup") { // a warm-up would be one more repetition to no use
				args = append(slices.Clip(args), "--no-warmup")
			}
			jobs = append(jobs, &countJob{args: args, work: n * test.Tokens()})
		}
	}
	env, inForce = pinned(m.program.env)
	return jobs, env, inForce, nil
}

// atATime is how many of so many invocations run together.
func (c *Counter) atATime(jobs int) int {
	return max(1, min(c.workers, jobs))
}

// runAll runs the invocations, the longest first. The first failure ends the others.
func (c *Counter) runAll(ctx context.Context, m *measurement, tool countTool, jobs []*countJob, env []string, deadline time.Time) error {
	dir, err := os.MkdirTemp("", "llama-regress-count")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	order := slices.Clone(jobs)
	slices.SortStableFunc(order, func(a, b *countJob) int { return b.work - a.work })
	next := make(chan *countJob, len(order))
	for _, j := range order {
		next <- j
	}
	close(next)
	within, stop := context.WithCancel(ctx)
	defer stop()
	var group sync.WaitGroup
	for range c.atATime(len(order)) {
		group.Go(func() {
			for j := range next {
				if within.Err() != nil {
					return
				}
				if j.run(within, m, tool, filepath.Join(dir, fmt.Sprint(slices.Index(jobs, j))), env, deadline); j.failure != nil {
					stop()
				}
			}
		})
	}
	group.Wait()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	for _, j := range jobs {
		m.command = append(append(m.command, ";"), append([]string{string(tool.kind), m.program.path}, j.args...)...)
		if j.end != nil {
			m.add(j.end)
			if m.log != nil {
				fmt.Fprintf(m.log, "$ %s %s %s\n%s\n", tool.kind, m.program.path, strings.Join(j.args, " "), j.end.stderr)
			}
		}
		if m.failure == nil {
			m.failure = j.failure
		}
	}
	return nil
}

func (j *countJob) run(ctx context.Context, m *measurement, tool countTool, dir string, env []string, deadline time.Time) {
	spec := childSpec{program: m.program.path, args: j.args, env: env, maxStdout: maxResults, placement: m.placement}
	if m.plan.Timeout > 0 {
		spec.timeout, spec.limit = max(time.Until(deadline), time.Nanosecond), m.plan.Timeout
	}
	err := os.Mkdir(dir, 0o700)
	if err == nil {
		j.counted, j.end, j.failure, err = tool.run(ctx, spec, dir)
	}
	if err != nil && ctx.Err() == nil {
		j.failure = &record.Failure{Class: record.StartFailed, Message: err.Error()}
	}
}

// slowdown is by how much a program is slower under valgrind, at least: 50 is usual,
// and some 200 where it converts half precision.
const slowdown = 30

// tooLarge says what fits where counting will not end within the limit; "" where it may.
// The program alone took so many seconds of a processor for one repetition of each test.
func tooLarge(tests []record.Test, seconds float64, atATime int, limit time.Duration) string {
	least := time.Duration(seconds * (fewRepetitions + manyRepetitions) * slowdown / 2 / float64(atATime) * float64(time.Second))
	if least <= limit {
		return ""
	}
	tokens := 0
	for _, t := range tests {
		tokens += t.Tokens()
	}
	return fmt.Sprintf("counting would take at least %s under valgrind, which is more than the time limit leaves (%s): the tests have %d tokens, and at most %d fit; count fewer, use a smaller model, or raise sampling.timeout",
		least.Round(time.Second), limit.Round(time.Second), tokens, int(float64(tokens)*limit.Seconds()/least.Seconds()))
}

// try runs one token under valgrind, on a processor with instructions that valgrind
// does not know: what a build uses of them shows there, and not after minutes.
func (c *Counter) try(ctx context.Context, m *measurement, tool countTool) error {
	if !hasAVX512() {
		return nil
	}
	key := m.program.path + "\x00" + m.cell.ModelPath
	c.mu.Lock()
	tried := c.tried[key]
	c.mu.Unlock()
	if tried {
		return nil
	}
	one := *m
	one.cell.Tests = []record.Test{{Prompt: 1}}
	jobs, env, _, err := countJobs(&one)
	if err != nil {
		m.fail(record.BadArgument, "%s: %v", m.program.name(), err)
		return nil
	}
	spec := childSpec{program: tool.path, args: append([]string{"--tool=none", "-q", "--trace-children=yes", m.program.path}, jobs[0].args...), env: env, maxStdout: maxResults, timeout: m.plan.Timeout, limit: m.plan.Timeout}
	end, err := runChild(ctx, spec)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		m.fail(record.StartFailed, "%v", cannotStart(tool.path, err))
		return nil
	}
	if f := failureOf(end, spec, false); f != nil {
		m.failure = tool.explained(f, end, m.program.path)
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.tried == nil {
		c.tried = make(map[string]bool)
	}
	c.tried[key] = true
	return nil
}

// cpuInfo is a variable for tests, which run on processors of both kinds.
var cpuInfo = "/proc/cpuinfo"

func hasAVX512() bool {
	info, _ := os.ReadFile(cpuInfo) // "": another system
	return strings.Contains(string(info), " avx512f ")
}

// warnOfGPU says that what a GPU does is not counted.
func (m *measurement) warnOfGPU() {
	for _, r := range m.results {
		if r.GPU != "" {
			m.warn("what the GPU does is not counted: these are instructions of the processor")
		}
	}
}
