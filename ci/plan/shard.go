package plan

import (
	"fmt"
	"slices"

	"github.com/llama-regress/llama-regress/ci/config"
	"github.com/llama-regress/llama-regress/ci/record"
)

// ExpandShard returns one shard of the configuration's plan: neighbouring cells
// with all their arms, so that a cell is measured on one machine, and those of
// the models that these cells need. Every shard has a null control of its own,
// for a control vouches for one machine alone.
//
// Shards differ by one cell at most. It is an error to want more of them than
// there are cells.
func ExpandShard(cfg *config.Config, shard record.Shard) (*Plan, error) {
	whole, err := Expand(cfg)
	if err != nil {
		return nil, err
	}
	return whole.cut(shard, cfg.Sampling.Control)
}

func (whole *Plan) cut(shard record.Shard, control config.Control) (*Plan, error) {
	n := len(whole.Cells)
	if shard.Of > n {
		return nil, fmt.Errorf("plan: shard %s: there are %s; a cell cannot be shared out: cut the plan into at most %d", shard, count(n, "cell"), min(n, record.MostShards))
	}
	first, end := (shard.Index-1)*n/shard.Of, shard.Index*n/shard.Of
	shard.Plan = whole.ID
	p := *whole
	p.Shard = &shard
	p.Cells = whole.Cells[first:end:end]
	p.Models = slices.DeleteFunc(slices.Clone(whole.Models), func(m Model) bool {
		return !slices.ContainsFunc(p.Cells, func(c Cell) bool { return c.Cell.Model == m.Name })
	})
	if !slices.ContainsFunc(p.Cells, func(c Cell) bool { return c.Load != nil }) {
		p.Serve = nil
	}
	p.Trials = order(&p, p.armsOf(control), first)
	p.ID = shardID(p.Trials, shard)
	return &p, nil
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// A Job is one entry of GitHub's job matrix.
type Job struct {
	Shard  string `json:"shard"`  // for run --shard
	Name   string `json:"name"`   // for people: the shard and its first cell
	Cells  int    `json:"cells"`  // of the shard
	Trials int    `json:"trials"` // of the shard
}

// Jobs cuts the configuration's plan into n shards, a job each; n of 0 means
// one a cell, at most record.MostShards.
func Jobs(cfg *config.Config, n int) ([]Job, error) {
	whole, err := Expand(cfg)
	if err != nil {
		return nil, err
	}
	if n == 0 {
		n = min(len(whole.Cells), record.MostShards)
	}
	if n < 1 || n > record.MostShards {
		return nil, fmt.Errorf("plan: %d shards: want 1 to %d, as many jobs as GitHub runs of one matrix", n, record.MostShards)
	}
	var jobs []Job
	for i := range n {
		p, err := whole.cut(record.Shard{Index: i + 1, Of: n}, cfg.Sampling.Control)
		if err != nil {
			return nil, err
		}
		jobs = append(jobs, Job{Shard: p.Shard.String(), Name: jobName(p), Cells: len(p.Cells), Trials: len(p.Trials)})
	}
	return jobs, nil
}

// jobName is short enough for GitHub's list of jobs.
func jobName(p *Plan) string {
	name := p.Cells[0].Cell.Key
	if len(name) > 60 {
		name = name[:60] + "..."
	}
	if more := len(p.Cells) - 1; more > 0 {
		name += fmt.Sprintf(" and %d more", more)
	}
	return p.Shard.String() + " " + name
}
