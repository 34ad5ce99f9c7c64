package plan

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/llama-regress/llama-regress/ci/config"
	"github.com/llama-regress/llama-regress/ci/record"
)

// MaxTrials bounds a plan. At ten seconds a trial it is eleven days.
const MaxTrials = 100_000

// ControlSuffix follows the baseline's name in the name of its null control.
// No arm of a configuration can have it, for names hold no tilde.
const ControlSuffix = "~control"

// Expand turns a configuration into its plan. It checks the configuration and
// does not change it. The plan is a function of the configuration alone: the
// same on every machine and at every time.
func Expand(cfg *config.Config) (*Plan, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	p := &Plan{
		ConfigSHA:   cfg.SHA256,
		Baseline:    cfg.Baseline,
		Warmup:      cfg.Sampling.Warmup,
		Repetitions: cfg.Bench.Repetitions,
		Timeout:     cfg.Sampling.Timeout,
	}
	if err := p.addArms(cfg); err != nil {
		return nil, err
	}
	if err := p.addCells(cfg); err != nil {
		return nil, err
	}
	if err := p.keepCells(cfg.Cells); err != nil {
		return nil, err
	}
	if p.asksForSchedulers() {
		p.Schedulers = &cfg.Schedulers
	}
	stages := cfg.Sampling.Stages(len(p.Cells), len(cfg.Arms)-1)
	p.Blocks, p.Screen, p.Looks = stages.Blocks, stages.Screen, stages.Looks
	arms := p.armsOf(cfg.Sampling.Control)
	perBlock := 0
	for _, of := range arms {
		perBlock += len(of)
	}
	if n := p.Blocks * perBlock; n > MaxTrials {
		return nil, fmt.Errorf("plan: %d trials (%d blocks of %d); more than %d are refused: lower sampling.blocks, vary fewer parameters or use exclude",
			n, p.Blocks, perBlock, MaxTrials)
	}
	content := contentOf(cfg, p)
	p.Seed = cfg.Sampling.Seed
	if p.Seed == 0 {
		p.Seed = content.seed()
	}
	p.Trials = order(p, arms, 0)
	p.ID = content.id(p)
	return p, nil
}

// addArms adds the arms in the order of the configuration, then the control.
func (p *Plan) addArms(cfg *config.Config) error {
	for _, a := range cfg.Arms {
		bin, err := cfg.Abs(a.Bin)
		if err != nil {
			return fmt.Errorf("plan: arm %s: %w", a.Name, err)
		}
		p.Arms = append(p.Arms, record.Arm{Name: a.Name, Bin: bin, Params: cfg.AllParams(a), Env: maps.Clone(a.Env)})
	}
	if cfg.Sampling.Control != config.ControlNone {
		control := p.Arms[p.arm(p.Baseline)]
		control.Name, control.ControlOf = p.Baseline+ControlSuffix, p.Baseline
		control.Params, control.Env = maps.Clone(control.Params), maps.Clone(control.Env)
		p.Arms = append(p.Arms, control)
	}
	return nil
}

// arm returns the index of the arm of that name, which exists.
func (p *Plan) arm(name string) int {
	return slices.IndexFunc(p.Arms, func(a record.Arm) bool { return a.Name == name })
}

// addCells adds models x combinations for each workload, the combinations of
// one model together.
func (p *Plan) addCells(cfg *config.Config) error {
	points, err := cfg.Matrix.Combinations()
	if err != nil {
		return fmt.Errorf("plan: matrix: %w", err)
	}
	for _, m := range cfg.Models {
		path, err := cfg.Abs(m.Path)
		if err != nil {
			return fmt.Errorf("plan: model %s: %w", m.Name, err)
		}
		p.Models = append(p.Models, Model{Name: m.Name, Path: path, SHA256: m.SHA256})
	}
	if len(cfg.Bench.Tests) > 0 {
		p.addBenchCells(cfg, points)
	}
	if cfg.Serve != nil {
		if err := p.addServeCells(cfg, points); err != nil {
			return err
		}
	}
	if len(p.Cells) > MaxTrials {
		return fmt.Errorf("plan: %d cells; more than %d trials are refused", len(p.Cells), MaxTrials)
	}
	return nil
}

// keepCells drops all cells but those with these keys, and the models that
// nothing is then measured with; without keys it keeps all.
func (p *Plan) keepCells(keys []string) error {
	if len(keys) == 0 {
		return nil
	}
	kept := make(map[string]bool)
	models := make(map[string]bool)
	var all []string
	p.Cells = slices.DeleteFunc(p.Cells, func(c Cell) bool {
		all = append(all, c.Cell.Key)
		if !slices.Contains(keys, c.Cell.Key) {
			return true
		}
		kept[c.Cell.Key], models[c.Cell.Model] = true, true
		return false
	})
	for _, key := range keys {
		if !kept[key] {
			return fmt.Errorf("plan: no cell is %q; there are %s", key, someOf(all))
		}
	}
	p.Models = slices.DeleteFunc(p.Models, func(m Model) bool { return !models[m.Name] })
	return nil
}

// someOf lists the first few of many names.
func someOf(names []string) string {
	const most = 8
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}

// addBenchCells leaves out what llama-bench knows nothing of: combinations
// that then are the same make one cell.
func (p *Plan) addBenchCells(cfg *config.Config, points []map[string]string) {
	var metrics []record.Metric
	for _, t := range cfg.Bench.Tests {
		metrics = append(metrics, t.Metric())
	}
	for _, m := range p.Models {
		seen := make(map[string]bool)
		for _, point := range points {
			params := maps.Clone(point)
			maps.DeleteFunc(params, func(name, _ string) bool {
				param, _ := record.ParamByName(name)
				return param.Serve
			})
			c := record.Cell{
				Key: record.CellKey("bench", m.Name, params), Workload: "bench", Model: m.Name, Params: params,
				Metrics: slices.Clone(metrics),
			}
			if !seen[c.Key] {
				seen[c.Key] = true
				p.Cells = append(p.Cells, Cell{Cell: c, ModelPath: m.Path, Tests: slices.Clone(cfg.Bench.Tests)})
			}
		}
	}
}

// addServeCells adds each combination under each load. What the server section
// sets is a parameter of every one, so that another slot count is another cell.
func (p *Plan) addServeCells(cfg *config.Config, points []map[string]string) error {
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
		for _, point := range points {
			for _, load := range loads {
				params := maps.Clone(point)
				maps.Copy(params, cfg.Serve.Server.Params)
				load.name(params)
				p.Cells = append(p.Cells, Cell{
					Cell: record.Cell{
						Key: record.CellKey("serve", m.Name, params), Workload: "serve", Model: m.Name, Params: params,
						Metrics:    record.ServeMetrics(load.Requests, cfg.Serve.Objectives.Any(), cfg.Serve.Retries > 0),
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

// name adds the load to a cell's parameters.
func (l Load) name(params map[string]string) {
	if l.Rate > 0 {
		params["rate"] = strconv.FormatFloat(l.Rate, 'g', -1, 64)
	} else {
		params["concurrency"] = strconv.Itoa(l.Concurrency)
	}
}

// armsOf lists, for each cell, the arms that run in it, as indices into p.Arms.
func (p *Plan) armsOf(control config.Control) [][]int {
	arms := make([][]int, len(p.Cells))
	for c := range p.Cells {
		for a, arm := range p.Arms {
			if arm.ControlOf == "" || control == config.ControlAll || c == 0 {
				arms[c] = append(arms[c], a)
			}
		}
	}
	return arms
}
