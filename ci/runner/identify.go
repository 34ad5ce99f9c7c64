package runner

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/llama-regress/llama-regress/ci/plan"
	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/ci/sched"
)

// identify finds out what is about to be measured: it checks and hashes every
// model and asks for every build, and fills the record up to its trials. All
// that is wrong is told at once.
func (s *session) identify(ctx context.Context) error {
	start := s.opts.Now().UTC().Round(0)
	s.run = &record.Run{
		Schema:   record.Schema,
		ID:       s.opts.NewID(start),
		Started:  start,
		Finished: start,
		Tool:     s.opts.Tool,
		Command:  s.opts.Command,
		Host:     s.opts.Host,
		Plan:     summary(s.plan),
		Baseline: s.plan.Baseline,
		Arms:     slices.Clone(s.plan.Arms),
		Devices:  s.opts.Devices.Devices(),
		Notes:    slices.Clone(s.aloneNotes), // in the journal's first line too
	}
	for _, c := range s.plan.Cells {
		s.run.Cells = append(s.run.Cells, c.Cell)
	}
	if err := s.run.Validate(); err != nil {
		return fmt.Errorf("plan: %w", err)
	}
	if err := checkOrder(s.plan); err != nil {
		return fmt.Errorf("plan: %w", err)
	}
	s.models = make(pinnedFiles)
	err := errors.Join(s.identifyModels(ctx), s.identifyDatasets(ctx), s.identifyBuilds(ctx), s.checkSchedulers(ctx), s.checkPlacements(ctx))
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil:
		return &UnmeasurableError{err}
	}
	return borrowed(s.run.Arms)
}

// An UnmeasurableError says which models or builds cannot be measured: a
// matter of the machine and not of how Run was called.
type UnmeasurableError struct{ Err error }

func (e *UnmeasurableError) Error() string { return e.Err.Error() }
func (e *UnmeasurableError) Unwrap() error { return e.Err }

// summary is what the record keeps of a plan.
func summary(p *plan.Plan) record.Plan {
	return record.Plan{
		ID:          p.ID,
		ConfigSHA:   p.ConfigSHA,
		Seed:        p.Seed,
		Blocks:      p.Blocks,
		Screen:      p.Screen,
		Interims:    slices.Clone(p.Interims),
		Warmup:      p.Warmup,
		Repetitions: p.Repetitions,
		Trials:      len(p.Trials),
		Shard:       p.Shard,
	}
}

// checkOrder makes sure that the plan can be walked and resumed.
func checkOrder(p *plan.Plan) error {
	seen := make(map[string]bool, len(p.Trials))
	for i, t := range p.Trials {
		switch {
		case t.ID == "" || seen[t.ID]:
			return fmt.Errorf("trials[%d]: id %q is empty or used twice", i, t.ID)
		case t.Order != i:
			return fmt.Errorf("trials[%d] %s: order is %d", i, t.ID, t.Order)
		case t.Arm < 0 || t.Arm >= len(p.Arms) || t.Cell < 0 || t.Cell >= len(p.Cells):
			return fmt.Errorf("trials[%d] %s: no such arm or cell", i, t.ID)
		}
		seen[t.ID] = true
	}
	if len(p.Trials) == 0 {
		return errors.New("no trials: there is nothing to measure")
	}
	return nil
}

func (s *session) identifyModels(ctx context.Context) error {
	var faults []error
	for _, m := range s.plan.Models {
		model, err := s.identifyModel(ctx, m)
		if ctx.Err() != nil {
			return err
		}
		if err != nil {
			faults = append(faults, fmt.Errorf("model %s: %w", m.Name, err))
		}
		s.run.Models = append(s.run.Models, model)
	}
	return errors.Join(faults...)
}

func (s *session) identifyModel(ctx context.Context, m plan.Model) (record.Model, error) {
	model := record.Model{Name: m.Name, Path: m.Path}
	if m.Path == "" { // servers that already run have it
		return model, nil
	}
	if err := s.opts.CheckModel(m.Path); err != nil {
		return model, err
	}
	pinnedFile, err := s.models.add(ctx, m.Path)
	if err != nil {
		return model, err
	}
	model.SHA256, model.Bytes = pinnedFile.sum, pinnedFile.stamp.Size()
	if m.SHA256 != "" && m.SHA256 != pinnedFile.sum {
		return model, fmt.Errorf("%s: sha256 is %s, the configuration demands %s: fetch the file again, or correct the configuration", m.Path, pinnedFile.sum, m.SHA256)
	}
	return model, nil
}

func (s *session) identifyDatasets(ctx context.Context) (err error) {
	if b, ok := s.bench.(DatasetBench); ok {
		s.run.Datasets, err = b.Datasets(ctx, s.plan)
	}
	return err
}

// checkSchedulers finds out before anything is measured what cannot be loaded.
func (s *session) checkSchedulers(ctx context.Context) error {
	wanted := s.plan.AllSchedulers()
	switch {
	case len(wanted) == 0:
		return nil
	case s.opts.Schedulers == nil:
		return fmt.Errorf("nothing loads the schedulers that the plan asks for: %q", wanted)
	}
	return s.opts.Schedulers.Check(ctx, wanted)
}

// checkPlacements tries every placement of the plan.
func (s *session) checkPlacements(ctx context.Context) error {
	var faults []error
	tried := make(map[string]bool)
	for _, t := range s.plan.Trials {
		params := make(map[string]string)
		for _, set := range []map[string]string{s.plan.Cells[t.Cell].Cell.Params, s.plan.Arms[t.Arm].Params} {
			for _, name := range sched.PlacementParams {
				if value, ok := set[name]; ok {
					params[name] = value
				}
			}
		}
		key := record.CellKey("", "", params)
		if len(params) == 0 || tried[key] {
			continue
		}
		tried[key] = true
		p, err := sched.NewPlacement(params)
		if err == nil {
			err = p.Probe(ctx)
		}
		if err != nil {
			faults = append(faults, fmt.Errorf("placement %s cannot be had on this machine: %w", strings.TrimPrefix(key, "//"), err))
		}
	}
	return errors.Join(faults...)
}

// identifyBuilds asks the bench about each arm. A bench names the arm in its
// errors.
func (s *session) identifyBuilds(ctx context.Context) error {
	var faults []error
	faulty := make(map[string]bool)
	for i, arm := range s.run.Arms {
		build, err := s.bench.Identify(ctx, arm)
		if ctx.Err() != nil {
			return err
		}
		s.run.Arms[i].Build = build
		if b, ok := s.bench.(LibraryBench); ok {
			s.run.Arms[i].Libraries = b.Libraries(arm.Name)
			s.run.Arms[i].Build.Libraries = record.LibrariesSHA256(s.run.Arms[i].Libraries)
		}
		faulty[arm.Name] = err != nil
		if !faulty[arm.ControlOf] { // a control's arm has told the same
			faults = append(faults, err)
		}
	}
	return errors.Join(faults...)
}
