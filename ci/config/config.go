// Package config reads llama-regress.yaml: what to measure, how often, and what
// counts as a regression. Reading is strict, because a setting that is silently
// ignored is a measurement of something else: a key nobody knows, a value of the
// wrong type or a name that leads nowhere is an error with its line, and all
// such errors are reported together.
package config

import (
	"maps"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/llama-regress/llama-regress/ci/record"
)

// Version is the version of the configuration format that this package reads.
const Version = 1

// A Config is a whole configuration. One built in Go starts from Default and is
// checked by Validate like one that was read from a file.
type Config struct {
	Version  int     `yaml:"version"`  // always Version
	Arms     []Arm   `yaml:"arms"`     // at least one; a comparison needs two
	Baseline string  `yaml:"baseline"` // name of an arm; a file that does not say means its first arm
	Models   []Model `yaml:"models"`   // at least one
	Matrix   Matrix  `yaml:"matrix"`
	Bench    Bench   `yaml:"bench"`
	Serve    *Serve  `yaml:"serve"` // nil for none
	Count    *Count  `yaml:"count"` // nil for none

	// Sections are those of further workloads, by name: see Register.
	Sections map[string]Section `yaml:"-"`

	Sentinel *Sentinel `yaml:"sentinel"` // nil for none

	Sampling Sampling `yaml:"sampling"`
	Gate     Gate     `yaml:"gate"`
	Build    Build    `yaml:"build"` // of a commit, for bisect
	Store    string   `yaml:"store"` // where run records live, such as dir:PATH; "" for nowhere

	Schedulers Schedulers        `yaml:"schedulers"`
	Placement  map[string]string `yaml:"placement"` // of every process that is measured: of sched.PlacementParams, such as the matrix does not set

	Cells  []string `yaml:"-"` // keys of the only cells to measure; none for all
	Dir    string   `yaml:"-"` // absolute folder of the file, for its relative paths; "" means the working directory
	SHA256 string   `yaml:"-"` // of the file's bytes, hexadecimal; "" for a configuration built in Go
}

// An Arm is one way of running the whole matrix.
type Arm struct {
	Name   string            `yaml:"name"`        // letters, digits and . _ + -, beginning with a letter or digit
	Bin    string            `yaml:"bin"`         // folder of llama.cpp's programs, as written; see Config.Abs
	URL    string            `yaml:"url"`         // of a server that already runs, in place of Bin: nobody here sets anything of it
	Model  string            `yaml:"model"`       // that is asked of it by name; "" for the only one that it has
	KeyEnv string            `yaml:"api_key_env"` // variable that holds its key; "" for record.KeyVariable
	Params map[string]string `yaml:"params"`      // of record.Params; only such as the matrix does not set
	Args   Args              `yaml:"args"`        // only of programs for which the section gives none
	Env    map[string]string `yaml:"env"`         // added to the environment of the arm's processes; kept in the run record

	// Scheduler is the kernel's during the arm's trials; "" leaves it to the
	// matrix, and to the kernel where that says nothing either. See
	// sched.CheckScheduler.
	Scheduler string `yaml:"scheduler"`

	Placement map[string]string `yaml:"placement"` // like Config.Placement, over which it wins
}

// Args are arguments of llama.cpp's programs, word by word, which no parameter
// stands for. See record.CheckArgs.
type Args struct {
	Bench []string `yaml:"bench"` // of llama-bench
	Serve []string `yaml:"serve"` // of llama-server
}

// AllParams are the parameters that an arm sets, its arguments, scheduler and
// placement among them.
func (c *Config) AllParams(a Arm) map[string]string {
	all := make(map[string]string)
	maps.Copy(all, c.Placement)
	maps.Copy(all, a.Placement)
	maps.Copy(all, a.Params)
	for name, words := range map[string][]string{record.BenchArgs: a.Args.Bench, record.ServeArgs: a.Args.Serve} {
		if len(words) > 0 {
			all[name] = record.JoinArgs(words)
		}
	}
	if a.Scheduler != "" {
		all[record.SchedulerParam] = a.Scheduler
	}
	if len(all) == 0 {
		return nil
	}
	return all
}

// Schedulers is how sched_ext schedulers are loaded, where an arm or the matrix
// names some.
type Schedulers struct {
	Settle       time.Duration `yaml:"settle"`        // waited after each change of scheduler, before a trial; at most 1 h
	StartTimeout time.Duration `yaml:"start_timeout"` // until the kernel has a scheduler, 1 s to 1 h
}

// Build says how a checkout of llama.cpp becomes programs.
type Build struct {
	Command string `yaml:"command"` // for the shell, in the checkout's top folder; "" for the one that llama.cpp documents
	Bin     string `yaml:"bin"`     // folder of the programs, relative to that; "" for build/bin
}

// A Model is a GGUF file.
type Model struct {
	Name   string `yaml:"name"`   // characters as in Arm.Name; a file that does not say means ModelName(Path)
	Path   string `yaml:"path"`   // as written; see Config.Abs. "" where no arm is a build
	SHA256 string `yaml:"sha256"` // that the file must have, hexadecimal; "" for any
}

// ServedModel is the name, in a configuration, of what servers serve that all already
// run, where it says no other: they have the file.
const ServedModel = "served"

// ModelName is the name of a model nobody named: its file name without .gguf,
// with a hyphen for what a name cannot hold. It always is a name.
func ModelName(path string) string {
	name := notInNames.ReplaceAllString(strings.TrimSuffix(filepath.Base(path), ".gguf"), "-")
	name = strings.TrimLeft(name, "._+-")
	name = strings.TrimRight(name[:min(len(name), 64)], "-")
	if name == "" {
		return "model"
	}
	return name
}

var notInNames = regexp.MustCompile(`[^A-Za-z0-9._+-]+`)

// Bench is what each trial of llama-bench does.
type Bench struct {
	Tests       []record.Test `yaml:"tests"`       // one process runs them all, in this order; empty, beside a serve section, for no llama-bench
	Repetitions int           `yaml:"repetitions"` // that count, of each test, 1 to 1000
	Args        [][]string    `yaml:"args"`        // of llama-bench, each list a cell of each combination of the matrix; none for no arguments
}

// Sampling is how much is measured and in which order.
type Sampling struct {
	// Blocks is the number of rounds, 1 to 1000. Fewer than 6 can hardly prove
	// anything; an even number gives every arm the same place on average. Where
	// there are two stages, it is that of the first; where there are interim analyses,
	// it is the number before the first of them.
	Blocks int `yaml:"blocks"`

	// Adaptive is the most blocks a cell may get that is measured until its
	// verdict is reached, more than Blocks; 0 gives every cell the same.
	Adaptive int `yaml:"adaptive"`

	// ConfirmBlocks is how many fresh blocks those cells get that Blocks could
	// not clear of a loss, and by which alone they are judged; 0 for one stage,
	// AutoConfirm for what the number of cells suggests. See Stages.
	ConfirmBlocks int `yaml:"confirm_blocks"`

	Warmup int `yaml:"warmup"` // repetitions dropped before those that count, 0 to 100

	// Seed decides the order of cells, arms and prompts and nothing else, so no value
	// is better than another and nobody needs to set one: 0 derives it from
	// what is measured, and the same configuration then always runs in the
	// same order. Another seed is for showing that a result does not hang on
	// the order.
	Seed uint64 `yaml:"seed"`

	Budget  time.Duration `yaml:"budget"`  // wall time of the whole run; 0 for no limit
	Timeout time.Duration `yaml:"timeout"` // of one trial, 1 s to 24 h
	Control Control       `yaml:"control"` // where the baseline arm also runs as its own candidate

	// RepeatDisturbed is how often a trial that something disturbed is run
	// again at once, 0 to 10; in all at most a fifth of the trials.
	RepeatDisturbed int `yaml:"repeat_contaminated"`

	// Before each trial the processor is waited for until it is no warmer than
	// CoolBelow, °C from 0 to 120, where a sensor tells, for at most CoolLimit, up
	// to 10 min. 0 does not wait.
	CoolBelow   int           `yaml:"cool_below"`
	CoolDevices int           `yaml:"-"` // the same for devices that earlier trials used; 0: not at all
	CoolLimit   time.Duration `yaml:"cool_limit"`
}

// Control says in which cells the null control runs: the baseline arm a second
// time under the name of a candidate. It differs from the baseline by noise
// alone, so a difference found there means the session cannot be trusted.
type Control string

const (
	ControlNone Control = "none"
	ControlOne  Control = "one" // in the first cell, which costs little and catches a disturbed machine
	ControlAll  Control = "all"
)

// Gate is what counts as a regression.
type Gate struct {
	// Margins is the largest change that does not matter, by name of a metric
	// ("pp512") or, for all metrics of a kind, by kind ("throughput"): a ratio,
	// 0.03 for 3 %; for success_rate a difference, 0.02 for 2 points. Above 0,
	// below 0.5.
	Margins map[string]float64 `yaml:"-"`

	// Fail says what fails beside a proved regression: "suspected" losses, or all
	// that is "inconclusive"; "regression" or "" for nothing.
	Fail string `yaml:"fail"`
}

// Margin returns the margin of a metric: that of its name, else of its kind.
func (g Gate) Margin(m record.Metric) (margin float64, ok bool) {
	if margin, ok = g.Margins[m.Name]; !ok {
		margin, ok = g.Margins[m.Kind]
	}
	return margin, ok
}

// Default returns every default; what is missing is the arms, the baseline and
// the models.
func Default() *Config {
	return &Config{
		Version:  Version,
		Bench:    Bench{Tests: []record.Test{{Prompt: 512}, {Gen: 128}}, Repetitions: 5},
		Sampling: Sampling{Blocks: 6, ConfirmBlocks: AutoConfirm, Warmup: 1, Timeout: 10 * time.Minute, Control: ControlOne, RepeatDisturbed: 1, CoolBelow: 75, CoolLimit: 30 * time.Second},
		Gate:     Gate{Margins: record.DefaultMargins()},

		Schedulers: Schedulers{Settle: 2 * time.Second, StartTimeout: 30 * time.Second},
	}
}

// measures says whether the configuration has anything of a workload.
func (c *Config) measures(workload string) bool {
	switch workload {
	case record.BenchWorkload:
		return len(c.Bench.Tests) > 0
	case record.CountWorkload:
		return c.Count != nil
	case record.ServeWorkload, record.EmbeddingsWorkload, record.RerankWorkload:
		return c.Serve != nil && c.Serve.Workload() == workload
	}
	return c.Sections[workload] != nil
}

// bare says whether nothing of the configuration has a model.
func (c *Config) bare() bool {
	some := false
	for _, w := range record.Workloads() {
		if c.measures(w.Name) {
			if some = true; !w.Bare {
				return false
			}
		}
	}
	return some
}

// Abs returns a path of the configuration as an absolute one: relative paths are
// relative to the configuration's file, or to the working directory when there
// is none.
func (c *Config) Abs(path string) (string, error) {
	if !filepath.IsAbs(path) {
		path = filepath.Join(c.Dir, path)
	}
	return filepath.Abs(path)
}
