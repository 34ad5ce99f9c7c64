package plan

import (
	"maps"
	"strconv"

	"github.com/llama-regress/llama-regress/ci/config"
	"github.com/llama-regress/llama-regress/ci/record"
)

// A Batch is what each process of a batched cell does.
type Batch struct {
	Prompt    int   `json:"npp"` // tokens of a prompt
	Gen       int   `json:"ntg"` // tokens generated for a sequence
	Shared    bool  `json:"pps"` // the sequences of a batch have one prompt
	Sequences []int `json:"npl"` // of each batch, in order
}

// addBatchedCells adds, for each combination of the matrix, one cell for each length of
// prompt and answer, whose process runs every batch.
func addBatchedCells(p *Plan, cfg *config.Config, points []map[string]string) error {
	b, ok := cfg.Sections[record.BatchedWorkload].(*config.Batched)
	if !ok {
		return nil
	}
	var metrics []record.Metric
	for _, n := range b.Sequences {
		of := record.BatchedMetrics(n)
		metrics = append(metrics, of[:]...)
	}
	for _, m := range p.Models {
		seen := make(map[string]bool)
		for _, point := range points {
			params := maps.Clone(point)
			maps.DeleteFunc(params, func(name, _ string) bool {
				param, _ := record.ParamByName(name)
				return !param.Of(record.BatchedWorkload)
			})
			for _, prompt := range b.Prompts {
				for _, gen := range b.Gens {
					for _, shared := range b.Shared {
						of := maps.Clone(params)
						if of == nil {
							of = make(map[string]string)
						}
						of[record.PromptParam], of[record.GenParam] = strconv.Itoa(prompt), strconv.Itoa(gen)
						if shared {
							of[record.SharedParam] = "on"
						}
						c := record.Cell{
							Key: record.CellKey(record.BatchedWorkload, m.Name, of), Workload: record.BatchedWorkload, Model: m.Name, Params: of, Metrics: metrics,
						}
						if !seen[c.Key] {
							seen[c.Key] = true
							p.Cells = append(p.Cells, Cell{Cell: c, ModelPath: m.Path, Work: Batch{prompt, gen, shared, b.Sequences}})
						}
					}
				}
			}
		}
	}
	return nil
}
