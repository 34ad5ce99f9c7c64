//go:build linux

package serve

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/llama-regress/llama-regress/ci/config"
	"github.com/llama-regress/llama-regress/ci/load"
	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/compare/pattern"
)

// Prompts that do not fit into a slot fail by themselves, are told apart from
// all others, and the reason is their length.
func TestRealPromptsBeyondTheContext(t *testing.T) {
	p := realPlan(t, func(s *config.Serve) {
		s.Dataset.Sample, s.Concurrency = 40, []int{2}
		s.Server.Params = map[string]string{"parallel": "2", "ctx_size": "512"}
	})
	trial, rows := realTrial(t, p, nil)
	if trial.Load == nil {
		t.Fatalf("%+v", trial.Failure)
	}
	t.Logf("%d of %d succeeded, %v", trial.Load.Succeeded, trial.Load.Requests, trial.Load.Failures)
	beyond := trial.Load.Failures[record.ContextExceeded]
	if beyond == 0 || beyond+trial.Load.Succeeded != trial.Load.Requests {
		t.Errorf("load %+v, want some beyond the context and all others well", trial.Load)
	}
	for _, row := range rows {
		refused := func(f *record.RequestFailure) bool { return f.Status == 400 && strings.Contains(f.Body, "context") }
		cut := func(f *record.RequestFailure) bool { return f.Status == 200 && row.PromptTokens+16 > 256 } // in the middle of its answer
		if f := row.Failure; f != nil && !refused(f) && !cut(f) {
			t.Errorf("%+v", f)
		}
	}
	found := pattern.Find(rows, pattern.Options{}).Findings
	if len(found) == 0 || found[0].Factor != pattern.PromptTokens {
		t.Errorf("findings %+v, want the length of the prompt first", found)
	}
}

// A server that is killed in the middle of its load fails the trial; each of
// its requests still has a row.
func TestRealServerKilled(t *testing.T) {
	p := realPlan(t, func(s *config.Serve) { s.Dataset.Sample, s.Concurrency, s.OutputTokens = 30, []int{3}, 32 })
	killed := false
	trial, rows := realTrial(t, p, func(progress load.Progress) {
		if progress.Done >= 5 && !killed {
			killed = true
			for _, pid := range children(t) {
				syscall.Kill(pid, syscall.SIGKILL)
			}
		}
	})
	if trial.Failure == nil || trial.Failure.Class != record.Crashed || trial.Failure.Signal != "killed" {
		t.Fatalf("failure %+v, want a server that was killed", trial.Failure)
	}
	if len(rows) != 30 {
		t.Errorf("%d rows, want 30", len(rows))
	}
	crashed := 0
	for _, row := range rows {
		if row.Failure != nil && row.Failure.Class == record.ServerCrash {
			crashed++
		}
	}
	if crashed == 0 {
		t.Errorf("no request is said to have failed by the crash: %v", trial.Load.Failures)
	}
}

// children are the processes that this one started.
func children(t *testing.T) (pids []int) {
	t.Helper()
	tasks, err := filepath.Glob("/proc/self/task/*/children")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range tasks {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // a thread that has ended
		}
		for _, field := range strings.Fields(string(text)) {
			var pid int
			if _, err := fmt.Sscan(field, &pid); err == nil {
				pids = append(pids, pid)
			}
		}
	}
	return pids
}
