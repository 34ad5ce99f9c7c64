package plan

import (
	"fmt"
	"strings"
	"time"
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
	fmt.Fprintf(&b, "trials  %d in %d blocks, each %d + %d repetitions of %s\n",
		len(p.Trials), p.Blocks, p.Warmup, p.Repetitions, p.listTests())
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
	const shown = 3
	var keys []string
	for _, c := range p.Cells[:min(shown, len(p.Cells))] {
		keys = append(keys, c.Cell.Key)
	}
	if more := len(p.Cells) - shown; more > 0 {
		keys = append(keys, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(keys, ", ")
}

func (p *Plan) listTests() string {
	var names []string
	for _, t := range p.Cells[0].Tests {
		names = append(names, t.Name())
	}
	return strings.Join(names, ", ")
}
