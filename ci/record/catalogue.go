package record

import (
	"fmt"
	"regexp"
	"slices"
)

// The catalogue says once what every other package needs to know of a metric
// and of a workload. Configuration keys and their schema, default margins, the
// scale of a comparison, the treatment of failed requests, the terms of a
// report and the shell's completion all read it.

// A Scale says how two values of a metric are compared.
type Scale string

const (
	Ratio  Scale = "ratio"  // by their ratio: margins in percent
	Points Scale = "points" // by their difference: margins in percentage points
)

// A Censoring says what failed requests do to a metric.
type Censoring string

const (
	Uncensored  Censoring = ""         // no request can fail in such a trial
	SlowFailure Censoring = "slow"     // a failed request counts as infinitely slow
	Survivors   Censoring = "survivor" // only requests that succeeded count
	Counted     Censoring = "counted"  // failed requests are what is counted
)

// A Definition is one row of the catalogue of metrics: a single metric, or a
// family of metrics whose names follow a pattern.
type Definition struct {
	Name    string    // "ttft_p50"; of a family an example, "pp512"
	Pattern string    // regular expression of the names of a family; "" for a single metric
	Kind    string    // group that shares a margin
	Unit    string    // base unit: "tok/s", "s", "1"
	Better  Direction // which way is good
	Scale   Scale     // how two values are compared
	Margin  float64   // default margin of the kind, on the scale: 0.03 is 3 % or 3 points; 0 shows the metric without judging it

	Exact bool // repeats of one build are equal but for a few parts in 100 000

	Censoring Censoring // what failed requests do to it
	Requests  int       // least requests a trial for it to be judged; 0 for any number
	Needs     Need      // what a cell must have for the metric to exist

	Term    string // how a report's glossary calls it; "" leaves it to the row before
	Meaning string // one or two sentences
}

// A Need is what a cell must have for a metric to exist in it.
type Need string

const (
	NeedsNothing    Need = ""
	NeedsObjectives Need = "objectives" // goals that a request must meet
	NeedsRetries    Need = "retries"    // failed requests are sent again
	NeedsTokens     Need = "tokens"     // answers of two tokens or more
	NeedsHead       Need = "head"       // answers whose head comes before their content
	NeedsWarmup     Need = "warmup"     // requests before those that count
	NeedsDraft      Need = "draft"      // an arm that drafts tokens
	NeedsTurns      Need = "turns"      // conversations
	NeedsProcess    Need = "process"    // a program that the trial starts itself
	NeedsDevice     Need = "device"     // an accelerator that the trial uses
)

// Metric returns what a record keeps of a metric of that name.
func (d Definition) Metric(name string) Metric {
	return Metric{Name: name, Kind: d.Kind, Unit: d.Unit, Better: d.Better, Exact: d.Exact}
}

// Is reports whether the row describes a metric of that name.
func (d Definition) Is(name string) bool {
	if d.Pattern == "" {
		return d.Name == name
	}
	return regexp.MustCompile("^(?:" + d.Pattern + ")$").MatchString(name)
}

// A Workload is one way of loading a program: its place in cell keys, what it
// takes and what it yields.
type Workload struct {
	Name    string       // of cells and of its section in a configuration: "bench"
	Title   string       // how a report calls it: "llama-bench"
	Program string       // of llama.cpp that it measures; "" for another
	Flags   []string     // that the program needs for it, beside parameters
	Metrics []Definition // what a trial can yield, in order

	Repeats bool // a trial repeats its tests within one process
	Sends   bool // a trial sends requests: it has a load, and requests that can fail

	Bare      bool // it has no model, and its program takes none of llama.cpp's parameters
	Discovers bool // what a trial can yield is known from the program alone, when it has run
}

// Names of the workloads that are built in.
const (
	BenchWorkload = "bench" // llama-bench
	ServeWorkload = "serve" // llama-server under a load of requests
)

var workloads = []Workload{bench, serve, embeddings, rerank, count, batched, ops}

// Workloads returns the catalogue of workloads, in the order in which a plan
// expands them.
func Workloads() []Workload { return slices.Clone(workloads) }

// Register adds a workload to the catalogue and returns what takes it out
// again. It is not safe for use while another goroutine reads the catalogue. It
// panics on a name that is taken, and on a metric that another workload has.
func Register(w Workload) (unregister func()) {
	if _, ok := WorkloadByName(w.Name); ok || w.Name == "" {
		panic(fmt.Sprintf("record: Register: workload %q is empty or registered already", w.Name))
	}
	for _, d := range w.Metrics {
		if _, _, ok := DefinitionOf(d.Name); ok {
			panic(fmt.Sprintf("record: Register: workload %s: another workload has the metric %s", w.Name, d.Name))
		}
	}
	before := workloads
	workloads = append(slices.Clone(workloads), w)
	return func() { workloads = before }
}

// WorkloadByName finds a workload.
func WorkloadByName(name string) (Workload, bool) {
	i := slices.IndexFunc(workloads, func(w Workload) bool { return w.Name == name })
	if i < 0 {
		return Workload{}, false
	}
	return workloads[i], true
}

// SendsRequests reports whether trials of the cell send requests; false for a workload that is
// not in the catalogue.
func (c Cell) SendsRequests() bool {
	w, _ := WorkloadByName(c.Workload)
	return w.Sends
}

// Definitions returns the rows of all workloads, in order, each metric once.
func Definitions() []Definition {
	var all []Definition
	seen := make(map[string]bool) // workloads may share a metric
	for _, w := range workloads {
		for _, d := range w.Metrics {
			if !seen[d.Name] {
				all = append(all, d)
			}
			seen[d.Name] = true
		}
	}
	return all
}

// Yields reports whether the workload has a metric of that name.
func (w Workload) Yields(metric string) bool {
	return slices.ContainsFunc(w.Metrics, func(d Definition) bool { return d.Is(metric) })
}

// DefinitionOf finds the row that describes a metric of that name, and the
// workload that yields it.
func DefinitionOf(name string) (d Definition, workload string, ok bool) {
	for _, w := range workloads {
		for _, d := range w.Metrics {
			if d.Is(name) {
				return d, w.Name, true
			}
		}
	}
	return Definition{}, "", false
}

// DefaultMargins returns the margin of each kind that is judged by default, on
// the scale of the kind: 0.03 is 3 % or 3 points. They are proposals until the
// noise of a machine is known.
func DefaultMargins() map[string]float64 {
	margins := make(map[string]float64)
	for _, d := range Definitions() {
		if d.Margin > 0 {
			margins[d.Kind] = d.Margin
		}
	}
	return margins
}
