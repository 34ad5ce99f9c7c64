package plan

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/llama-regress/llama-regress/ci/config"
	"github.com/llama-regress/llama-regress/ci/record"
)

// A Workload says how the cells of a workload come about.
type Workload struct {
	Name string // as in record.Workload

	// Expand adds the cells of the workload to the plan: for each of its models
	// one or more of each point of the matrix. It adds none where the
	// configuration asks for none.
	Expand func(p *Plan, cfg *config.Config, points []map[string]string) error
}

var workloads = []Workload{
	{record.BenchWorkload, addBenchCells},
	{record.ServeWorkload, served(record.ServeWorkload)},
	{record.EmbeddingsWorkload, served(record.EmbeddingsWorkload)},
	{record.RerankWorkload, served(record.RerankWorkload)},
	{record.CountWorkload, addCountCells},
	{record.BatchedWorkload, addBatchedCells},
	{record.OpsWorkload, addOpsCells},
}

// Register adds a workload to those that Expand knows and returns what takes it
// out again.
func Register(w Workload) (unregister func()) {
	before := workloads
	workloads = append(slices.Clone(workloads), w)
	return func() { workloads = before }
}

// addBenchCells leaves out what llama-bench knows nothing of: combinations
// that then are the same make one cell.
func addBenchCells(p *Plan, cfg *config.Config, points []map[string]string) error {
	if len(cfg.Bench.Tests) == 0 {
		return nil
	}
	var metrics []record.Metric
	for _, t := range cfg.Bench.Tests {
		metrics = append(metrics, t.Metric())
	}
	metrics = append(metrics, record.ResourceMetrics()...)
	for _, m := range p.Models {
		seen := make(map[string]bool)
		for _, point := range withArgs(record.BenchArgs, cfg.Bench.Args, points) {
			params := maps.Clone(point)
			maps.DeleteFunc(params, func(name, _ string) bool {
				param, _ := record.ParamByName(name)
				return !param.Of(record.BenchWorkload)
			})
			c := record.Cell{
				Key: record.CellKey(record.BenchWorkload, m.Name, params), Workload: record.BenchWorkload, Model: m.Name, Params: params,
				Metrics: slices.Clone(metrics),
			}
			if !seen[c.Key] {
				seen[c.Key] = true
				p.Cells = append(p.Cells, Cell{Cell: c, ModelPath: m.Path, Tests: slices.Clone(cfg.Bench.Tests)})
			}
		}
	}
	return nil
}

// served expands a workload of the serve section.
func served(workload string) func(*Plan, *config.Config, []map[string]string) error {
	return func(p *Plan, cfg *config.Config, points []map[string]string) error {
		return addServeCells(workload, p, cfg, points)
	}
}

// addServeCells adds each combination under each load. What the server section
// sets is a parameter of every one, so that another slot count is another cell.
func addServeCells(workload string, p *Plan, cfg *config.Config, points []map[string]string) error {
	if cfg.Serve == nil || cfg.Serve.Workload() != workload {
		return nil
	}
	path, err := cfg.Abs(cfg.Serve.Dataset.Path)
	if err != nil {
		return fmt.Errorf("plan: dataset: %w", err)
	}
	p.Serve = &Serve{Serve: *cfg.Serve, DatasetPath: path}
	var loads []Load
	for _, n := range cfg.Serve.Concurrency {
		loads = append(loads, Load{Concurrency: n, Requests: cfg.Serve.Count(n)})
	}
	for _, r := range cfg.Serve.Rate {
		loads = append(loads, Load{Rate: r, Requests: cfg.Serve.Count(0)})
	}
	for _, m := range p.Models {
		for _, point := range withArgs(record.ServeArgs, cfg.Serve.Args, points) {
			for _, load := range loads {
				params := maps.Clone(point)
				maps.Copy(params, cfg.Serve.Server.Params)
				load.name(params)
				cfg.Serve.NameClient(params)
				p.Cells = append(p.Cells, Cell{
					Cell: record.Cell{
						Key: record.CellKey(workload, m.Name, params), Workload: workload, Model: m.Name, Params: params,
						Metrics: record.RequestMetrics(workload, record.ServeDesign{
							Requests: load.Requests, Turns: cfg.Serve.Turns.Least, Draft: p.drafts(params), Tokens: cfg.Serve.OutputTokens, Objectives: cfg.Serve.Objectives.Any(), Retries: cfg.Serve.Retries > 0,
							Warmup: cfg.Serve.Warmup > 0, Running: slices.ContainsFunc(p.Arms, func(a record.Arm) bool { return a.URL != "" }),
						}),
						Objectives: cfg.Serve.Objectives.Seconds(),
					},
					ModelPath: m.Path,
					Load:      &load,
				})
			}
		}
	}
	return nil
}

// withArgs is each point with each list of arguments; an empty list sets nothing.
func withArgs(param string, lists [][]string, points []map[string]string) []map[string]string {
	if len(lists) == 0 {
		return points
	}
	var all []map[string]string
	for _, point := range points {
		for _, words := range lists {
			params := maps.Clone(point)
			if len(words) > 0 {
				params[param] = record.JoinArgs(words)
			}
			all = append(all, params)
		}
	}
	return all
}

// name adds the load to a cell's parameters.
func (l Load) name(params map[string]string) {
	if l.Rate > 0 {
		params["rate"] = strconv.FormatFloat(l.Rate, 'g', -1, 64)
	} else {
		params["concurrency"] = strconv.Itoa(l.Concurrency)
	}
}

// drafts reports whether an arm asks for speculative decoding, or a cell's arguments
// do, which it has as parameters.
func (p *Plan) drafts(cell map[string]string) bool {
	words := func(params map[string]string) []string {
		list, _ := record.SplitArgs(params[record.ServeArgs]) // checked with the configuration
		return list
	}
	return record.AsksForDraft(words(cell), nil) || slices.ContainsFunc(p.Arms, func(a record.Arm) bool { return record.AsksForDraft(words(a.Params), a.Env) })
}
