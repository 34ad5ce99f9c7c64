package plan

import (
	"maps"
	"slices"
	"strconv"

	"github.com/llama-regress/llama-regress/ci/config"
	"github.com/llama-regress/llama-regress/ci/record"
)

// addCountCells adds each combination of what llama-bench takes, with the threads that
// counting asks for: combinations that differ in them alone make one cell.
func addCountCells(p *Plan, cfg *config.Config, points []map[string]string) error {
	if cfg.Count == nil {
		return nil
	}
	p.Count = cfg.Count
	var metrics []record.Metric
	for _, t := range cfg.Count.Tests {
		metrics = append(metrics, t.InstructionsMetric())
	}
	for _, m := range p.Models {
		seen := make(map[string]bool)
		for _, point := range withArgs(record.BenchArgs, cfg.Bench.Args, points) {
			params := make(map[string]string)
			maps.Copy(params, point)
			maps.DeleteFunc(params, func(name, _ string) bool {
				param, _ := record.ParamByName(name)
				return !param.Of(record.CountWorkload)
			})
			params["threads"] = strconv.Itoa(cfg.Count.Threads)
			c := record.Cell{
				Key: record.CellKey(record.CountWorkload, m.Name, params), Workload: record.CountWorkload, Model: m.Name, Params: params,
				Metrics: slices.Clone(metrics),
			}
			if !seen[c.Key] {
				seen[c.Key] = true
				p.Cells = append(p.Cells, Cell{Cell: c, ModelPath: m.Path, Tests: slices.Clone(cfg.Count.Tests), Blocks: cfg.Count.Trials})
			}
		}
	}
	return nil
}

// timed counts the cells whose blocks are those of the plan.
func (p *Plan) timed() (n int) {
	for _, c := range p.Cells {
		if c.Blocks == 0 {
			n++
		}
	}
	return n
}

// settleBlocks gives the plan the blocks of the cell that has most.
func (p *Plan) settleBlocks() {
	most := 0
	if p.timed() > 0 {
		most = p.Blocks
	} else {
		p.Screen, p.Interims = 0, nil
	}
	for _, c := range p.Cells {
		most = max(most, c.Blocks)
	}
	if most > p.Blocks {
		for i := range p.Cells {
			if p.Cells[i].Blocks == 0 {
				p.Cells[i].Blocks = p.Blocks
			}
		}
	}
	p.Blocks = most
}

// blocksOf is how many blocks a cell has.
func (p *Plan) blocksOf(cell int) int {
	if n := p.Cells[cell].Blocks; n > 0 {
		return n
	}
	return p.Blocks
}
