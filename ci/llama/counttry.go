package llama

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/llama-regress/llama-regress/ci/record"
)

// slowdown is by how much a program is slower under valgrind, at least: 50 is usual,
// and some 200 where it converts half precision.
const slowdown = 30

// tooLarge says what fits where counting will not end within the limit; "" where it may.
// The program alone took so many seconds of a processor for one repetition of each
// test: start-up, warm-up and the repetition, which counting does once more.
func tooLarge(tests []record.Test, seconds float64, atATime int, limit time.Duration) string {
	least := time.Duration(seconds * slowdown / float64(atATime) * float64(time.Second))
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
	if !BeyondValgrind() {
		return nil
	}
	key := m.program.path + "\x00" + m.cell.ModelPath
	c.mu.Lock()
	tried := c.tried[key]
	c.mu.Unlock()
	if tried {
		return nil
	}
	one := countJob{test: record.Test{Prompt: 1}, repetitions: 1}
	if err := one.spell(m); err != nil {
		m.fail(record.BadArgument, "%s: %v", m.program.name(), err)
		return nil
	}
	back, err := c.slot(ctx)
	if err != nil {
		return err
	}
	defer back()
	env, _ := pinned(m.program.env)
	spec := childSpec{program: tool.path, args: append([]string{"--tool=none", "-q", "--trace-children=yes", m.program.path}, one.args...), env: env, maxStdout: maxResults, timeout: m.plan.Timeout, limit: m.plan.Timeout}
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

// BeyondValgrind says that this processor has instructions that valgrind does not
// know, so that a build for it alone cannot be counted by valgrind.
func BeyondValgrind() bool {
	info, _ := os.ReadFile(cpuInfo) // "": another system
	return strings.Contains(string(info), " avx512f ")
}
