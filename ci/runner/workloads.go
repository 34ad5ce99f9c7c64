package runner

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/llama-regress/llama-regress/ci/plan"
	"github.com/llama-regress/llama-regress/ci/record"
)

// A DatasetBench is a Bench whose trials draw on datasets. They are asked for
// before anything is measured, so that one that is missing or empty is found
// out at once.
type DatasetBench interface {
	Datasets(ctx context.Context, p *plan.Plan) ([]record.Dataset, error)
}

// A LibraryBench is a Bench that knows which of llama.cpp's libraries the programs
// of an arm load, once it has identified the arm: nil where that is not known.
type LibraryBench interface {
	Libraries(arm string) []record.Library
}

// Workloads is a Bench made of one for each workload of a plan, by
// record.Cell.Workload.
type Workloads map[string]Bench

// Libraries joins those of every bench that knows some.
func (w Workloads) Libraries(arm string) (all []record.Library) {
	for _, name := range slices.Sorted(maps.Keys(w)) {
		if b, ok := w[name].(LibraryBench); ok {
			all = record.JoinLibraries(all, b.Libraries(arm))
		}
	}
	return all
}

// Identify asks the bench of every workload. What one of them leaves empty
// another may fill in.
func (w Workloads) Identify(ctx context.Context, arm record.Arm) (record.Build, error) {
	var build record.Build
	var faults []error
	for _, name := range slices.Sorted(maps.Keys(w)) {
		b, err := w[name].Identify(ctx, arm)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		build = record.Build{
			Program:      cmp.Or(build.Program, b.Program),
			SHA256:       cmp.Or(build.SHA256, b.SHA256),
			Server:       cmp.Or(build.Server, b.Server),
			ServerSHA256: cmp.Or(build.ServerSHA256, b.ServerSHA256),
			Libraries:    cmp.Or(build.Libraries, b.Libraries),
			Commit:       cmp.Or(build.Commit, b.Commit),
			Number:       cmp.Or(build.Number, b.Number),
			Version:      cmp.Or(build.Version, b.Version),
			Compiler:     cmp.Or(build.Compiler, b.Compiler),
			Backends:     cmp.Or(build.Backends, b.Backends),
			CPU:          cmp.Or(build.CPU, b.CPU),
			GPU:          cmp.Or(build.GPU, b.GPU),
			Model:        cmp.Or(build.Model, b.Model),
		}
	}
	return build, errors.Join(faults...)
}

// Measure hands the trial to the bench of its cell's workload.
func (w Workloads) Measure(ctx context.Context, p *plan.Plan, t plan.Trial) (record.Trial, error) {
	workload := p.Cells[t.Cell].Cell.Workload
	bench, ok := w[workload]
	if !ok {
		return record.Trial{}, fmt.Errorf("nothing measures the workload %q", workload)
	}
	return bench.Measure(ctx, p, t)
}

// Datasets joins those of every bench that has some.
func (w Workloads) Datasets(ctx context.Context, p *plan.Plan) ([]record.Dataset, error) {
	var all []record.Dataset
	var faults []error
	for _, name := range slices.Sorted(maps.Keys(w)) {
		if b, ok := w[name].(DatasetBench); ok {
			sets, err := b.Datasets(ctx, p)
			all, faults = append(all, sets...), append(faults, err)
		}
	}
	return all, errors.Join(faults...)
}
