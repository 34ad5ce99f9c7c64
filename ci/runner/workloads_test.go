package runner_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/llama-regress/llama-regress/ci/plan"
	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/ci/runner"
)

// A serveBench is a fakeBench with a dataset and a server.
type serveBench struct {
	fakeBench
	dataset string // its hash; "" for one that cannot be read
}

func (s *serveBench) Identify(ctx context.Context, arm record.Arm) (record.Build, error) {
	return record.Build{Server: "/bin/llama-server", ServerSHA256: "5e", Commit: "later"}, nil
}

func (s *serveBench) Datasets(context.Context, *plan.Plan) ([]record.Dataset, error) {
	if s.dataset == "" {
		return nil, errors.New("chats.json: empty")
	}
	return []record.Dataset{{Name: "chats.json", SHA256: s.dataset, Sample: 3, Records: 9, Damaged: 1, DamagedAt: []string{"record 4 (byte 77): not JSON"}}}, nil
}

// mixed makes the second cell of a plan one that serves.
func mixed(t *testing.T, blocks int) *plan.Plan {
	p := makePlan(t, t.TempDir(), blocks)
	c := &p.Cells[1].Cell
	c.Workload = "serve"
	c.Key = record.CellKey(c.Workload, c.Model, c.Params)
	return p
}

func TestWorkloads(t *testing.T) {
	p := mixed(t, 2)
	bench, serve := &fakeBench{}, &serveBench{dataset: "d0"}
	dir := t.TempDir()
	run, err := runner.Run(t.Context(), p, runner.Workloads{"bench": bench, "serve": serve}, options(dir))
	if err != nil {
		t.Fatal(err)
	}
	if len(bench.measured) != 4 || len(serve.measured) != 4 {
		t.Errorf("measured %v and %v, want four each", bench.measured, serve.measured)
	}
	for _, id := range serve.measured {
		if !strings.Contains(id, "c0001") {
			t.Errorf("llama-server measured %s", id)
		}
	}
	if len(run.Datasets) != 1 || run.Datasets[0].SHA256 != "d0" {
		t.Errorf("datasets %+v", run.Datasets)
	}
	if want := "dataset chats.json: 1 of 9 records could not be read and were left out: record 4 (byte 77): not JSON"; !slices.Contains(run.Notes, want) {
		t.Errorf("notes %q", run.Notes)
	}
	if b := run.Arms[0].Build; b.Server != "/bin/llama-server" || !strings.HasSuffix(b.Program, "llama-bench") || b.Commit != "later" {
		t.Errorf("build %+v, want what both benches know", b)
	}
}

func TestWorkloadsWithoutABench(t *testing.T) {
	_, err := runner.Run(t.Context(), mixed(t, 2), runner.Workloads{"bench": &fakeBench{}}, options(t.TempDir()))
	if err == nil || !strings.Contains(err.Error(), `nothing measures the workload "serve"`) {
		t.Errorf("error %v", err)
	}
}

func TestADatasetThatCannotBeReadEndsTheRunAtOnce(t *testing.T) {
	bench := &fakeBench{}
	_, err := runner.Run(t.Context(), mixed(t, 2), runner.Workloads{"bench": bench, "serve": &serveBench{}}, options(t.TempDir()))
	var unmeasurable *runner.UnmeasurableError
	if !errors.As(err, &unmeasurable) || !strings.Contains(err.Error(), "chats.json: empty") || len(bench.measured) > 0 {
		t.Errorf("error %v after %v", err, bench.measured)
	}
}

func TestResumeRefusesAnotherDataset(t *testing.T) {
	p, dir := mixed(t, 2), t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	bench := &fakeBench{change: func(_ plan.Trial, r record.Trial) (record.Trial, error) { cancel(); return r, nil }}
	if _, err := runner.Run(ctx, p, runner.Workloads{"bench": bench, "serve": &serveBench{dataset: "d0"}}, options(dir)); err == nil {
		t.Fatal("not interrupted")
	}
	opts := options(dir)
	opts.Resume = true
	_, err := runner.Run(t.Context(), p, runner.Workloads{"bench": &fakeBench{}, "serve": &serveBench{dataset: "d1"}}, opts)
	if err == nil || !strings.Contains(err.Error(), "dataset chats.json changed: sha256 was d0, is d1") {
		t.Errorf("error %v", err)
	}
}
