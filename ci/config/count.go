package config

import (
	"fmt"

	"github.com/goccy/go-yaml/ast"

	"github.com/llama-regress/llama-regress/ci/record"
)

// Count is what of llama-bench is counted in instructions.
type Count struct {
	Tests   []record.Test `yaml:"tests"`   // without a depth, which would be counted with them
	Tool    string        `yaml:"tool"`    // one of CountTools
	Threads int           `yaml:"threads"` // of the program; more than 1 spin while they wait, which is not deterministic
	Trials  int           `yaml:"trials"`  // of each arm, 1 to 20; a verdict needs 2
}

// CountTools are what may count: auto takes the processor's counters where the
// machine has them, else valgrind.
var CountTools = []string{"auto", string(record.Valgrind), string(record.Perf)}

// DefaultCount returns what is counted where nothing is said: few tokens, because a
// program is much slower under valgrind.
func DefaultCount() Count {
	return Count{Tests: []record.Test{{Prompt: 64}, {Gen: 16}}, Tool: "auto", Threads: 1, Trials: 2}
}

func (r *reader) count(path string, n ast.Node, to **Count) {
	c := DefaultCount()
	*to = &c
	if _, ok := n.(*ast.NullNode); ok {
		return // count: alone means all defaults
	}
	r.object(path, n, map[string]setter{
		"tests": r.tests(&c.Tests), "tool": r.text(&c.Tool), "threads": r.whole(&c.Threads), "trials": r.whole(&c.Trials),
	})
}

func (k *checker) count(c *Count) {
	if c == nil {
		return
	}
	k.between("count.threads", c.Threads, 1, 64)
	k.between("count.trials", c.Trials, 1, 20)
	k.oneOf("count.tool", c.Tool, CountTools)
	if len(c.Tests) == 0 {
		k.fault("count.tests", "at least one is needed, such as pp64")
	}
	k.tests("count.tests", c.Tests)
	for i, t := range c.Tests {
		if t.Depth > 0 {
			k.fault(fmt.Sprintf("count.tests[%d]", i), "%s: filling the context would be counted with it: want a test without a depth", t.Name())
		}
	}
}
