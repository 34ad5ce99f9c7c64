package llama

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/llama-regress/llama-regress/ci/plan"
	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/fixtures/effort"
	"github.com/llama-regress/llama-regress/fixtures/fakebench"
	"github.com/llama-regress/llama-regress/fixtures/fakeserver"
)

func TestMain(m *testing.M) {
	fakebench.TakeOver()  // does not return in a process named llama-bench
	fakeserver.TakeOver() // nor llama-server
	effort.SideBySide(2)
	os.Exit(m.Run())
}

// onePlan is a plan of one arm, one cell and one trial.
func onePlan(bin, model string, params map[string]string, tests ...string) *plan.Plan {
	cell := record.Cell{Workload: "bench", Model: "m", Params: params}
	cell.Key = record.CellKey(cell.Workload, cell.Model, params)
	p := &plan.Plan{
		Baseline:    "base",
		Arms:        []record.Arm{{Name: "base", Bin: bin}},
		Warmup:      1,
		Repetitions: 3,
		Timeout:     time.Minute,
		Trials:      []plan.Trial{{ID: "b00.c0000.base"}},
	}
	c := plan.Cell{Cell: cell, ModelPath: model}
	for _, name := range tests {
		test, err := record.ParseTest(name)
		if err != nil {
			panic(err)
		}
		c.Tests = append(c.Tests, test)
		c.Cell.Metrics = append(c.Cell.Metrics, test.Metric())
	}
	p.Cells = []plan.Cell{c}
	return p
}

// fake installs a fake llama-bench and returns its folder.
func fake(t testing.TB, settings ...string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "bin")
	if _, err := fakebench.Install(dir, settings...); err != nil {
		t.Fatal(err)
	}
	return dir
}

// modelFile is a file that the fake takes for a model.
func modelFile(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "m.gguf")
	if err := os.WriteFile(path, []byte("GGUF"), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}
