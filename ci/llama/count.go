package llama

import (
	"cmp"
	"context"
	"runtime"
	"strconv"
	"sync"
	"time"

	"github.com/llama-regress/llama-regress/ci/plan"
	"github.com/llama-regress/llama-regress/ci/record"
)

// A Counter measures trials of the count workload: how many instructions llama-bench
// executes for a token, without start-up, loading and warm-up. Its zero value is ready
// to use. It must not be copied after its first use.
type Counter struct {
	Bench
	CPU string // as the processor names itself, for the record

	// Find finds valgrind, where the processor's counters are not to be had; nil looks
	// in PATH alone.
	Find func(context.Context) (path string, err error)

	counters instructionCounter // of the processor; nil for the kernel's
	workers  int                // invocations at a time; 0 for one a processor

	once  sync.Once
	slots chan struct{} // one for each invocation under way

	mu       sync.Mutex
	chosen   *countTool
	refused  error           // why there is none
	tried    map[string]bool // program and model that were tried under the tool
	unmarked map[string]bool // programs whose repetitions cannot be told apart
	ahead    map[string]counting
}

// A counting is a trial that was measured beside the one that was asked for.
type counting struct {
	trial record.Trial
	err   error
}

// Measure runs one trial: the program as it is, for what it says of itself and for how
// long it takes, then each test under what counts. Load on the machine does not
// change a count, so that the trials of a block are measured at once, one invocation
// a processor: the first that is asked for takes the time of all. Whatever goes
// wrong is a failure of the trial.
func (c *Counter) Measure(ctx context.Context, p *plan.Plan, t plan.Trial) (record.Trial, error) {
	c.mu.Lock()
	done, ok := c.ahead[t.ID]
	delete(c.ahead, t.ID)
	c.mu.Unlock()
	if ok {
		return done.trial, done.err
	}
	// What finds the tool starts programs of its own, and the end of a trial would take
	// them for what that left behind.
	if _, err := c.tool(ctx, p.Count.Tool); err != nil && ctx.Err() != nil {
		return record.Trial{}, ctx.Err()
	}
	beside := besideOf(p, t)
	all := make([]counting, 1+len(beside))
	var group sync.WaitGroup
	for i, t := range append([]plan.Trial{t}, beside...) {
		group.Go(func() { all[i].trial, all[i].err = c.measure(ctx, p, t) })
	}
	group.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, t := range beside {
		if c.ahead == nil {
			c.ahead = make(map[string]counting)
		}
		c.ahead[t.ID] = all[i+1]
	}
	return all[0].trial, all[0].err
}

// besideOf are the trials that the plan has next of the same block and cell. A
// trial that is run again has another ID than in the plan, and none beside it; nor
// has one that wants a scheduler for itself.
func besideOf(p *plan.Plan, t plan.Trial) (beside []plan.Trial) {
	if p.Schedulers != nil || t.Order >= len(p.Trials) || p.Trials[t.Order].ID != t.ID {
		return nil
	}
	for _, o := range p.Trials[t.Order+1:] {
		if o.Block == t.Block && o.Cell == t.Cell {
			beside = append(beside, o)
		}
	}
	return beside
}

// slot waits for a processor. The caller gives it back.
func (c *Counter) slot(ctx context.Context) (back func(), err error) {
	c.once.Do(func() { c.slots = make(chan struct{}, c.atATime()) })
	select {
	case c.slots <- struct{}{}:
		return func() { <-c.slots }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// atATime is how many invocations run together.
func (c *Counter) atATime() int { return cmp.Or(c.workers, runtime.NumCPU()) }

func (c *Counter) measure(ctx context.Context, p *plan.Plan, t plan.Trial) (record.Trial, error) {
	once := *p
	once.Warmup, once.Repetitions = 0, 1
	m, end, err := c.begin(ctx, &once, t)
	if err != nil {
		return record.Trial{}, err
	}
	defer end()
	m.values["threads"] = strconv.Itoa(p.Count.Threads)
	m.padding = 0
	back, err := c.slot(ctx)
	if err != nil {
		return record.Trial{}, err
	}
	deadline := time.Now().Add(p.Timeout)
	err = m.run(ctx)
	back()
	if err != nil {
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

// count counts the tests of a trial. It returns nil where the measurement has failed.
func (c *Counter) count(ctx context.Context, m *measurement, asked string, threads int, deadline time.Time) (*record.Counting, error) {
	tool, err := c.tool(ctx, asked)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		m.fail(record.NoCounter, "%v", err)
		return nil, nil
	}
	if m.warnOfGPU(); tool.kind == record.Valgrind {
		limit := time.Until(deadline)
		if why := tooLarge(m.cell.Tests, m.resources.UserSeconds, c.atATime(), limit); m.plan.Timeout > 0 && why != "" {
			m.fail(record.TimedOut, "%s", why)
			return nil, nil
		}
		if err := c.try(ctx, m, tool); err != nil || m.failure != nil {
			return nil, err
		}
	}
	all := &record.Counting{Tool: tool.kind, Version: tool.version, Threads: threads, CPU: c.CPU}
	all.Tests, err = c.marked(ctx, m, tool, all, deadline)
	if err == nil && m.failure == nil && all.Tests == nil {
		all.Tests, err = c.subtracted(ctx, m, tool, all, deadline)
	}
	if err != nil || m.failure != nil {
		return nil, err
	}
	return all, nil
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

// warnOfGPU says that what a GPU does is not counted.
func (m *measurement) warnOfGPU() {
	for _, r := range m.results {
		if r.GPU != "" {
			m.warn("what the GPU does is not counted: these are instructions of the processor")
		}
	}
}
