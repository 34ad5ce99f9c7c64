package plan

import (
	"fmt"
	"strings"
	"time"

	"github.com/llama-regress/llama-regress/ci/config"
	"github.com/llama-regress/llama-regress/ci/internal/proc"
	"github.com/llama-regress/llama-regress/ci/record"
)

// Estimate adds up what the trials will take: perTrial gives the expected
// duration of one trial of a cell by one arm (indices into p.Cells and p.Arms).
func (p *Plan) Estimate(perTrial func(cell, arm int) time.Duration) time.Duration {
	var sum time.Duration // 100 000 trials of at most 24 h fit
	for _, t := range p.Trials {
		sum += perTrial(t.Cell, t.Arm)
	}
	return sum
}

// Summary tells in a few lines what the plan will do.
func (p *Plan) Summary() string {
	var b strings.Builder
	fmt.Fprintf(&b, "arms    %d: %s\n", len(p.Arms), p.listArms())
	fmt.Fprintf(&b, "cells   %d: %s\n", len(p.Cells), p.listCells())
	b.WriteString(p.sampling())
	if tests := p.listTests(); tests != "" {
		fmt.Fprintf(&b, "bench   %d + %d repetitions of %s\n", p.Warmup, p.Repetitions, tests)
	}
	if c := p.Count; c != nil {
		fmt.Fprintf(&b, "count   %d trials an arm of the instructions of %s\n", c.Trials, testList(c.Tests))
	}
	if s := p.Serve; s != nil {
		what := "requests"
		if s.Turns != (config.Turns{}) {
			what = fmt.Sprintf("conversations of %s turns", s.Turns)
		}
		each := fmt.Sprintf("%d tokens each", s.OutputTokens)
		switch s.Workload() {
		case record.EmbeddingsWorkload:
			each = "an embedding each"
		case record.RerankWorkload:
			each = fmt.Sprintf("%d documents each", s.DocumentsEach())
		}
		fmt.Fprintf(&b, "%-7s %d + %d %s of %s, %s\n", s.Workload(), s.Warmup, s.Count(0), what, s.Dataset.Path, each)
	}
	if p.Shard != nil {
		fmt.Fprintf(&b, "shard   %s of plan %s\n", p.Shard, p.Shard.Plan)
	}
	fmt.Fprintf(&b, "order   seed %d, plan %s\n", p.Seed, p.ID)
	return b.String()
}

func (p *Plan) listArms() string {
	var names []string
	for _, a := range p.Arms {
		name := a.Name
		switch {
		case a.ControlOf != "":
			name += " (null control)"
		case a.Name == p.Baseline:
			name += " (baseline)"
		}
		names = append(names, name)
	}
	return strings.Join(names, ", ")
}

// listCells names the first few cells.
func (p *Plan) listCells() string {
	var keys []string
	for _, c := range p.Cells {
		keys = append(keys, c.Cell.Key)
	}
	return proc.List(keys, 3)
}

// listTests names the tests of the bench cells, which all have the same.
func (p *Plan) listTests() string {
	for _, c := range p.Cells {
		if c.Cell.Workload == record.BenchWorkload {
			return testList(c.Tests)
		}
	}
	return ""
}

func testList(tests []record.Test) string {
	var names []string
	for _, t := range tests {
		names = append(names, t.Name())
	}
	return strings.Join(names, ", ")
}
