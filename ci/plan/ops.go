package plan

import (
	"strings"

	"github.com/llama-regress/llama-regress/ci/config"
	"github.com/llama-regress/llama-regress/ci/record"
)

// OpFilter says which cases each process of an ops cell times.
type OpFilter struct {
	Ops     []string `json:"ops"`              // names
	Shapes  string   `json:"shapes,omitempty"` // regular expression over a case's parameters; "" for all
	Backend string   `json:"backend"`
}

// addOpsCells adds a cell for each backend. It has no metric yet: which cases a build
// has is known when it has run.
func addOpsCells(p *Plan, cfg *config.Config, _ []map[string]string) error {
	o, ok := cfg.Sections[record.OpsWorkload].(*config.Ops)
	if !ok {
		return nil
	}
	for _, backend := range o.Backends {
		params := map[string]string{record.OpsParam: strings.Join(o.Ops, "+")}
		if o.Shapes != "" {
			params[record.ShapesParam] = o.Shapes
		}
		c := record.Cell{Key: record.CellKey(record.OpsWorkload, backend, params), Workload: record.OpsWorkload, Model: backend, Params: params}
		p.Cells = append(p.Cells, Cell{Cell: c, Work: OpFilter{o.Ops, o.Shapes, backend}})
	}
	return nil
}
