package config

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/llama-regress/llama-regress/ci/record"
)

func (k *checker) bench(c *Config) {
	b := c.Bench
	k.between("bench.repetitions", b.Repetitions, 1, 1000)
	if len(b.Tests) == 0 && c.Serve == nil && c.Count == nil && len(c.Sections) == 0 {
		k.fault("bench.tests", "at least one is needed, such as pp512")
	}
	k.arguments("bench.args", record.BenchWorkload, b.Args)
	k.tests("bench.tests", b.Tests)
}

// tests checks that each is one, and there once.
func (k *checker) tests(list string, tests []record.Test) {
	first := map[string]int{}
	for i, t := range tests {
		path := fmt.Sprintf("%s[%d]", list, i)
		if parsed, err := record.ParseTest(t.Name()); err != nil || parsed != t {
			k.fault(path, "%+v is not a test", t)
			continue
		}
		if j, ok := first[t.Name()]; ok {
			k.fault(path, "%s is also %s[%d]", t.Name(), list, j)
			continue
		}
		first[t.Name()] = i
	}
}

func (k *checker) sampling(s Sampling) {
	k.between("sampling.blocks", s.Blocks, 1, 1000)
	if s.Adaptive != 0 {
		k.between("sampling.adaptive", s.Adaptive, 2, 1000)
		if s.Adaptive <= s.Blocks {
			k.fault("sampling.adaptive", "is the most blocks a cell may get: want more than blocks, %d, have %d", s.Blocks, s.Adaptive)
		}
	}
	if s.ConfirmBlocks != 0 && s.ConfirmBlocks != AutoConfirm {
		k.between("sampling.confirm_blocks", s.ConfirmBlocks, leastFirst, 1000)
		if s.Adaptive != 0 && s.Adaptive != defaultMost && s.Adaptive != s.ConfirmBlocks {
			k.fault("sampling.confirm_blocks", "is the most fresh blocks a cell may get, and so is adaptive, %d: give one of them", s.Adaptive)
		}
	}
	if (s.Adaptive != 0 || s.ConfirmBlocks > 0) && s.Blocks < leastFirst {
		k.fault("sampling.blocks", "are those before the first interim analysis: want at least %d, have %d", leastFirst, s.Blocks)
	}
	k.between("sampling.warmup", s.Warmup, 0, 100)
	k.between("sampling.repeat_contaminated", s.RepeatDisturbed, 0, 10)
	k.between("sampling.cool_below", s.CoolBelow, 0, 120)
	k.between("sampling.cool_below.gpu", s.CoolDevices, 0, 120)
	if s.CoolLimit < 0 || s.CoolLimit > 10*time.Minute {
		k.fault("sampling.cool_limit", "want at most 10m, have %v", s.CoolLimit)
	}
	if s.Budget < 0 {
		k.fault("sampling.budget", "want a duration above 0, have %v", s.Budget)
	}
	if s.Timeout < time.Second || s.Timeout > 24*time.Hour {
		k.fault("sampling.timeout", "want 1s to 24h, have %v", s.Timeout)
	}
	switch s.Control {
	case ControlNone, ControlOne, ControlAll:
	default:
		k.fault("sampling.control", "want none, one or all, have %q", short(string(s.Control)))
	}
}

// gate checks that every margin is one and is of a metric that will be measured.
func (k *checker) gate(c *Config) {
	if c.Gate.Fail != "" {
		k.oneOf("gate.fail", c.Gate.Fail, Fails)
	}
	for i, t := range c.Bench.Tests {
		if _, ok := c.Gate.Margin(t.Metric()); !ok {
			k.fault(fmt.Sprintf("bench.tests[%d]", i), "gate has no margin for %s", t.Name())
		}
	}
	kinds, tests := record.DefaultMargins(), k.readable("bench.tests")
	for _, name := range slices.Sorted(maps.Keys(c.Gate.Margins)) {
		if m := c.Gate.Margins[name]; !validMargin(m) {
			k.fault("gate."+name+".margin", "want a ratio above 0 and below 0.5, have %v", m)
		}
		if _, kind := kinds[name]; kind {
			continue
		}
		switch _, workload, ok := record.DefinitionOf(name); {
		case !ok:
			k.fault("gate."+name, "no workload has such a metric")
		case workload == record.BenchWorkload && !record.IsResource(name):
			if tests && !slices.ContainsFunc(c.Bench.Tests, func(t record.Test) bool { return t.Name() == name }) {
				k.fault("gate."+name, "bench.tests has no such test")
			}
		case !slices.ContainsFunc(record.Workloads(), func(w record.Workload) bool { return w.Yields(name) && c.measures(w.Name) }):
			if c.Serve != nil {
				k.fault("gate."+name, "nothing measures it: the serve section is of %s, by its api", c.Serve.Workload())
				continue
			}
			k.fault("gate."+name, "nothing measures it: there is no %s section", workload)
		}
	}
}
