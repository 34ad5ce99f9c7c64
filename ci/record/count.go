package record

import (
	"fmt"
	"strings"
)

// CountWorkload is llama-bench under a tool that counts the instructions of a
// program. A trial of it needs no quiet machine: load changes how long instructions
// take, and not how many there are.
const CountWorkload = "count"

// Instructions is the kind of every metric in instructions per token.
const Instructions = "instructions"

// instructionsSuffix follows the name of a test in the name of its count.
const instructionsSuffix = "_instructions"

var count = Workload{
	Name: CountWorkload, Title: "llama-bench, counted", Program: "llama-bench",
	Metrics: []Definition{{
		Name: "pp512" + instructionsSuffix, Pattern: testPattern + instructionsSuffix, Kind: Instructions, Unit: "instructions/token",
		Better: Lower, Scale: Ratio, Margin: 0.005, Exact: true,
		Term: "instructions", Meaning: "Instructions that one thread of the program executes for a token, without start-up, loading and warm-up: a count, which repeats to a few parts in 100 000. " +
			"More instructions are more work, and probably slower. Fewer are not always faster: memory, and how much an instruction does, count too.",
	}},
}

// InstructionsMetric is what counting the test yields: instructions per token,
// fewer are better.
func (t Test) InstructionsMetric() Metric {
	return count.Metrics[0].Metric(t.Name() + instructionsSuffix)
}

// CountedTestOf is the name of the test that a metric counts: "pp64" of
// "pp64_instructions".
func CountedTestOf(metric string) string { return strings.TrimSuffix(metric, instructionsSuffix) }

// A CountTool is what counted instructions.
type CountTool string

const (
	Valgrind CountTool = "valgrind" // counts those of a simulated processor, by function too
	Perf     CountTool = "perf"     // the processor's own counters, by perf_event_open
)

// A Counting is what a count trial did. Counts of one build are alike only where
// Identity is: a C library chooses its functions by processor, and a simulated
// processor does not count as a real one.
type Counting struct {
	Tool     CountTool `json:"tool"`
	Version  string    `json:"tool_version,omitempty"` // "valgrind-3.19.0"; "" of perf
	Threads  int       `json:"threads"`                // of the program; 1
	CPU      string    `json:"cpu"`                    // as the processor names itself
	CLibrary string    `json:"c_library"`              // of the machine: "glibc 2.36"; "" where nothing tells
	Tunables string    `json:"tunables,omitempty"`     // GLIBC_TUNABLES of the program

	Tests []CountedTest `json:"tests"` // in the order of the cell's metrics

	Extra Extra `json:"-"`
}

// A CountedTest is one test of a count trial. Its measurement is the difference of
// Many and Few by their difference in tokens, so that what is done once cancels. They
// are two invocations; or one that the tool tells apart, and then Few is all before
// its repetition and Many ends with it.
type CountedTest struct {
	Test string     `json:"test"` // Test.Name
	Few  Invocation `json:"few"`
	Many Invocation `json:"many"`

	// Functions are those that cost most, the most expensive first, at most
	// MostFunctions; none where the tool does not tell. Rest is the cost of all others.
	Functions []Function `json:"functions,omitempty"`
	Rest      float64    `json:"rest_per_token,omitempty"` // instructions per token

	Extra Extra `json:"-"`
}

// An Invocation is one run of the program under the tool, or the beginning of one.
type Invocation struct {
	Repetitions  int   `json:"repetitions"`  // of the test, without warm-up; 0 before the first
	Instructions int64 `json:"instructions"` // of the process from its start on; 1 or more
}

// A Function is a part of the work of a test. All texts are foreign.
type Function struct {
	Name     string  `json:"name"`             // as the tool prints it; "???" where the object has no symbols
	File     string  `json:"file,omitempty"`   // of its source; "" without debug information
	Object   string  `json:"object,omitempty"` // the program or library that holds it, by its base name
	PerToken float64 `json:"per_token"`        // its own instructions, without those it calls; below 0 where more repetitions cost less
}

// MostFunctions is how many functions of a test a record keeps.
const MostFunctions = 200

// mostFunctionText bounds a name, a file and an object, in bytes.
const mostFunctionText = 1000

// Identity tells counts apart that must not be compared: the tool, processor and C
// library that they were made with.
func (c *Counting) Identity() map[string]string {
	return map[string]string{
		"tool": string(c.Tool), "tool_version": c.Version, "cpu": c.CPU, "c_library": c.CLibrary, "tunables": c.Tunables,
	}
}

// validate checks what a foreign record may hold. Nil is fine.
func (c *Counting) validate() error {
	if c == nil {
		return nil
	}
	if len(c.Tests) > mostMetrics {
		return fmt.Errorf("counting: %d tests, at most %d are read", len(c.Tests), mostMetrics)
	}
	for i, t := range c.Tests {
		if err := t.validate(); err != nil {
			return fmt.Errorf("counting: tests[%d]: %w", i, err)
		}
	}
	return nil
}

func (t *CountedTest) validate() error {
	if _, err := ParseTest(t.Test); err != nil {
		return err
	}
	for _, v := range []Invocation{t.Few, t.Many} {
		if v.Repetitions < 0 || v.Repetitions > mostValues || v.Instructions < 0 {
			return fmt.Errorf("%d repetitions of %d instructions", v.Repetitions, v.Instructions)
		}
	}
	if n := len(t.Functions); n > MostFunctions {
		return fmt.Errorf("%d functions, at most %d are read", n, MostFunctions)
	}
	for _, f := range t.Functions {
		if !bounded(f.PerToken) || max(len(f.Name), len(f.File), len(f.Object)) > mostFunctionText {
			return fmt.Errorf("function %.60q: %v instructions a token, or a text of more than %d bytes", f.Name, f.PerToken, mostFunctionText)
		}
	}
	if !bounded(t.Rest) {
		return fmt.Errorf("rest_per_token: %v", t.Rest)
	}
	return nil
}

// bounded reports whether statistics and reports can take a number.
func bounded(v float64) bool { return finite(v) && v <= mostNumber && v >= -mostNumber }
