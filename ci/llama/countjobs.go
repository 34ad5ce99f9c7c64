package llama

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/llama-regress/llama-regress/ci/callgrind"
	"github.com/llama-regress/llama-regress/ci/record"
)

// Repetitions of the two invocations whose difference is counted. Two are enough:
// what a repetition executes does not vary, and under valgrind each takes seconds.
const (
	fewRepetitions  = 1
	manyRepetitions = 2
)

// marked counts each test in one invocation, in which the tool tells the repetition
// apart from what is before and after it. It returns nil where it cannot: the
// processor's counters know no functions, and a build may have none of the names.
func (c *Counter) marked(ctx context.Context, m *measurement, tool countTool, all *record.Counting, deadline time.Time) (tests []record.CountedTest, err error) {
	c.mu.Lock()
	no := tool.kind != record.Valgrind || c.unmarked[m.program.path]
	c.mu.Unlock()
	if no {
		return nil, nil
	}
	jobs, err := c.runAll(ctx, m, tool, all, deadline, func(t record.Test) []countJob { return []countJob{{test: t, repetitions: 1, warm: true}} })
	if err != nil || m.failure != nil {
		return nil, err
	}
	for i, test := range m.cell.Tests {
		n := jobs[i].counted
		if n.repetition == nil {
			c.mu.Lock()
			defer c.mu.Unlock()
			if c.unmarked == nil {
				c.unmarked = make(map[string]bool)
			}
			c.unmarked[m.program.path] = true
			return nil, nil
		}
		one := record.CountedTest{
			Test: test.Name(),
			Few:  record.Invocation{Instructions: n.before},
			Many: record.Invocation{Repetitions: 1, Instructions: n.before + n.repetition.Instructions},
		}
		one.Functions, one.Rest = callgrind.Functions(n.repetition, new(callgrind.Profile), test.Tokens())
		tests = append(tests, one)
	}
	return tests, nil
}

// subtracted counts two invocations of each test that differ in their repetitions
// alone, so that what both do once cancels: start-up and loading.
func (c *Counter) subtracted(ctx context.Context, m *measurement, tool countTool, all *record.Counting, deadline time.Time) (tests []record.CountedTest, err error) {
	jobs, err := c.runAll(ctx, m, tool, all, deadline, func(t record.Test) []countJob {
		return []countJob{{test: t, repetitions: fewRepetitions}, {test: t, repetitions: manyRepetitions}}
	})
	if err != nil || m.failure != nil {
		return nil, err
	}
	for i, test := range m.cell.Tests {
		few, many := jobs[2*i].counted, jobs[2*i+1].counted
		one := record.CountedTest{
			Test: test.Name(),
			Few:  record.Invocation{Repetitions: fewRepetitions, Instructions: few.instructions},
			Many: record.Invocation{Repetitions: manyRepetitions, Instructions: many.instructions},
		}
		switch {
		case one.Few.Instructions <= 0:
			m.fail(record.BadOutput, "%s: %s counted no instruction; is the program a wrapper that starts it elsewhere, such as in a container?", test.Name(), tool.kind)
		case one.Many.Instructions <= one.Few.Instructions:
			m.fail(record.BadOutput, "%s: %d repetitions took %d instructions and %d took %d, so that more repetitions are no more work; does the program, or a wrapper of it, ignore -r?",
				test.Name(), manyRepetitions, one.Many.Instructions, fewRepetitions, one.Few.Instructions)
		}
		if few.profile != nil && many.profile != nil {
			one.Functions, one.Rest = callgrind.Functions(many.profile, few.profile, (manyRepetitions-fewRepetitions)*test.Tokens())
		}
		tests = append(tests, one)
	}
	return tests, nil
}

// A countJob is one invocation to count.
type countJob struct {
	test        record.Test
	repetitions int
	warm        bool // after the program's own warm-up, which would else be one more repetition to no use

	args    []string
	counted counted
	end     *childEnd
	failure *record.Failure
}

// work is how much it does, to begin with the longest.
func (j *countJob) work() int {
	n := j.repetitions
	if j.warm && j.test.Gen == 0 {
		n++
	}
	return n * j.test.Tokens()
}

// spell sets the arguments of a job.
func (j *countJob) spell(m *measurement) error {
	one, p := *m, *m.plan
	one.cell.Tests, p.Repetitions, one.plan = []record.Test{j.test}, j.repetitions, &p
	commands, err := one.commands()
	if err != nil {
		return err
	}
	j.args = commands[0]
	if !j.warm && m.program.caps.has("--no-warmup") {
		j.args = append(slices.Clip(j.args), "--no-warmup")
	}
	return nil
}

// runAll runs the invocations that each test takes, the longest first, and says in
// all what C library they had. The first failure ends the others.
func (c *Counter) runAll(ctx context.Context, m *measurement, tool countTool, all *record.Counting, deadline time.Time, of func(record.Test) []countJob) ([]*countJob, error) {
	var jobs []*countJob
	for _, test := range m.cell.Tests {
		for _, j := range of(test) {
			if err := j.spell(m); err != nil {
				m.fail(record.BadArgument, "%s: %v", m.program.name(), err)
				return nil, nil
			}
			jobs = append(jobs, &j)
		}
	}
	dir, err := os.MkdirTemp("", "llama-regress-count")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	var env []string
	env, all.Tunables = pinned(m.program.env)
	order := slices.Clone(jobs)
	slices.SortStableFunc(order, func(a, b *countJob) int { return b.work() - a.work() })
	within, stop := context.WithCancel(ctx)
	defer stop()
	var group sync.WaitGroup
	for i, j := range order {
		back, err := c.slot(within)
		if err != nil {
			break
		}
		group.Go(func() {
			defer back()
			if j.run(within, m, tool, filepath.Join(dir, fmt.Sprint(i)), env, deadline); j.failure != nil {
				stop()
			}
		})
	}
	group.Wait()
	if ctx.Err() != nil {
		return nil, ctx.Err()
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
	all.CLibrary = cmp.Or(cLibrary(jobs[0].counted.profile), tool.cLibrary)
	return jobs, nil
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
