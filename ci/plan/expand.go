package plan

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/llama-regress/llama-regress/ci/config"
	"github.com/llama-regress/llama-regress/ci/internal/proc"
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
	stages := cfg.Sampling.Stages(p.timed(), len(cfg.Arms)-1)
	p.Blocks, p.Screen, p.Interims = stages.Blocks, stages.Screen, stages.Interims
	p.settleBlocks()
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
		if a.URL != "" {
			url, err := record.ServerURL(a.URL)
			if err != nil {
				return fmt.Errorf("plan: arm %s: url: %w", a.Name, err)
			}
			p.Arms = append(p.Arms, record.Arm{Name: a.Name, URL: url, Model: a.Model, KeyEnv: cmp.Or(a.KeyEnv, record.KeyVariable)})
			continue
		}
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
		if m.Path == "" { // the servers have it, and all of them already run
			p.Models = append(p.Models, Model{Name: m.Name})
			continue
		}
		path, err := cfg.Abs(m.Path)
		if err != nil {
			return fmt.Errorf("plan: model %s: %w", m.Name, err)
		}
		p.Models = append(p.Models, Model{Name: m.Name, Path: path, SHA256: m.SHA256})
	}
	for _, w := range workloads {
		if err := w.Expand(p, cfg, points); err != nil {
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
			return fmt.Errorf("plan: no cell is %q; there are %s", key, proc.List(all, 8))
		}
	}
	p.Models = slices.DeleteFunc(p.Models, func(m Model) bool { return !models[m.Name] })
	return nil
}

// armsOf lists, for each cell, the arms that run in it, as indices into p.Arms.
func (p *Plan) armsOf(control config.Control) [][]int {
	first := slices.IndexFunc(p.Cells, func(c Cell) bool { return c.Cell.Workload != record.CountWorkload }) // what a control of counts would show, counts show themselves
	if first < 0 && control == config.ControlOne {
		p.Arms = slices.DeleteFunc(p.Arms, func(a record.Arm) bool { return a.ControlOf != "" })
	}
	arms := make([][]int, len(p.Cells))
	for c := range p.Cells {
		for a, arm := range p.Arms {
			if arm.ControlOf == "" || control == config.ControlAll || c == first {
				arms[c] = append(arms[c], a)
			}
		}
	}
	return arms
}
