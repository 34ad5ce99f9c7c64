package requests

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/report"
)

// Prompts that were sent alone count for their arm and cell, once each, and only
// where the same prompts failed in the run.
func TestIsolatedPromptsOfTheRun(t *testing.T) {
	bad := &record.RequestFailure{Class: record.HTTP5xx}
	run := &record.Run{Cells: []record.Cell{{Key: "serve/m", Workload: "serve", Model: "m"}}, Arms: []record.Arm{{Name: "base"}, {Name: "head"}},
		Trials: []record.Trial{{ID: "a", Arm: "base", Cell: "serve/m", Load: &record.Load{Requests: 1, Succeeded: 1}}, {ID: "b", Arm: "head", Cell: "serve/m", Load: &record.Load{Requests: 3, Succeeded: 1}}}}
	rows := []record.Request{{Trial: "a", Prompt: "p0", Attempts: 1}, {Trial: "b", Prompt: "p0", Attempts: 1},
		{Trial: "b", Index: 1, Prompt: "p1", Attempts: 1, Failure: bad}, {Trial: "b", Index: 2, Prompt: "p2", Attempts: 1, Failure: bad}}
	for _, tt := range []struct {
		name            string
		rows            []record.Request
		prompts, failed int
	}{
		{"none", nil, 0, 0},
		{"both", []record.Request{{Trial: "b", Prompt: "p1", Attempts: 1}, {Trial: "b", Index: 1, Prompt: "p2", Attempts: 1, Failure: bad}}, 2, 1},
		{"one that succeeded in the run", []record.Request{{Trial: "b", Prompt: "p1", Attempts: 1}, {Trial: "b", Index: 1, Prompt: "p0", Attempts: 1}}, 0, 0},
		{"one twice", []record.Request{{Trial: "b", Prompt: "p1", Attempts: 1}, {Trial: "b", Index: 1, Prompt: "p1", Attempts: 1}}, 0, 0},
		{"another trial's", []record.Request{{Trial: "c", Prompt: "p1", Attempts: 1}}, 0, 0},
	} {
		dir := t.TempDir()
		if err := record.AppendRequests(filepath.Join(dir, record.RequestFile), rows); err != nil {
			t.Fatal(err)
		}
		if tt.rows != nil {
			if err := record.AppendRequests(filepath.Join(dir, IsolatedFile), tt.rows); err != nil {
				t.Fatal(err)
			}
		}
		src := With(report.Source{Base: run, Head: run, BaseFile: dir, HeadFile: dir})
		if got := src.Isolated(run, "head", "serve/m"); got.Prompts != tt.prompts || got.Failed[record.HTTP5xx] != tt.failed {
			t.Errorf("%s: %+v", tt.name, got)
		}
		if got := src.Isolated(run, "base", "serve/m"); got.Prompts != 0 {
			t.Errorf("%s: base %+v", tt.name, got)
		}
	}
	dir := t.TempDir()
	if err := record.AppendRequests(filepath.Join(dir, record.RequestFile), rows); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, IsolatedFile), []byte("not gzip"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := With(report.Source{Base: run, Head: run, BaseFile: dir, HeadFile: dir}).Isolated(run, "head", "serve/m"); got.Prompts != 0 {
		t.Errorf("of a broken file: %+v", got)
	}
}
