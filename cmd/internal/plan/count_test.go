package plan

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/llama-regress/llama-regress/ci/config"
	"github.com/llama-regress/llama-regress/ci/plan"
	"github.com/llama-regress/llama-regress/ci/record"
)

// Four trials of pp64 and tg16 on the tiny model took 73 seconds of processor time.
func TestCountLine(t *testing.T) {
	model := filepath.Join(t.TempDir(), "tiny.gguf")
	if err := os.WriteFile(model, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(model, 6876096); err != nil {
		t.Fatal(err)
	}
	cell := plan.Cell{Cell: record.Cell{Workload: record.CountWorkload}, ModelPath: model, Tests: []record.Test{{Prompt: 64}, {Gen: 16}}}
	p := &plan.Plan{Cells: []plan.Cell{cell, {}}, Count: &config.Count{Tool: "auto"}, Trials: []plan.Trial{{}, {}, {}, {}, {Cell: 1}}}
	if line := countLine(p, 2); !strings.HasPrefix(line, "counted 4 trials, about 45s under valgrind on 2 processors") {
		t.Error(line)
	}
	if line := countLine(&plan.Plan{Cells: p.Cells, Trials: p.Trials[4:]}, 2); line != "" {
		t.Error(line)
	}
}
