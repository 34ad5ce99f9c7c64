package requests

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/compare/pattern"
	"github.com/llama-regress/llama-regress/report"
)

// pooled is a run of one trial, and the rows of 40 requests of which the
// reused ones fail every other time.
func pooled() (*record.Run, []record.Request) {
	var rows []record.Request
	failed := 0
	for i := range 40 {
		r := record.Request{Trial: "b00.c0000.head", Index: i + 1, Due: float64(i), TTFT: 0.1, InFlight: 2, Attempts: 1}
		if r.Connection.Reused = i >= 20; r.Connection.Reused && i%2 == 0 {
			r.Failure = &record.RequestFailure{Class: record.StaleConnection}
			failed++
		}
		rows = append(rows, r)
	}
	run := &record.Run{
		Arms:  []record.Arm{{Name: "head"}},
		Cells: []record.Cell{{Key: "serve/m", Workload: "serve", Model: "m"}},
		Trials: []record.Trial{{ID: "b00.c0000.head", Arm: "head", Cell: "serve/m", Load: &record.Load{Requests: 40, Succeeded: 40 - failed},
			Samples: &record.Samples{Every: 1, At: -1, Series: map[string][]float64{"rss_bytes": {5, 6, 7}}}}},
	}
	return run, append([]record.Request{{Trial: "b00.c0000.head", Warmup: true}, {Trial: "of no trial"}}, rows...)
}

func TestRequestsBesideARecord(t *testing.T) {
	dir := t.TempDir()
	run, rows := pooled()
	if err := record.AppendRequests(filepath.Join(dir, record.RequestFile), rows); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, "run.json")
	if err := os.WriteFile(name, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{name, name + "#head", dir} {
		src := With(report.Source{Base: run, Head: run, BaseFile: file, HeadFile: file})
		if src.Requests == nil {
			t.Fatalf("%s: no requests", file)
		}
		n := 0
		for _, err := range src.Requests(run) {
			if n++; err != nil {
				t.Fatal(err)
			}
		}
		found, ok := src.Patterns(run, "head", "serve/m")
		if n != len(rows) || !ok || len(found.Findings) == 0 || found.Findings[0].Factor != pattern.ConnectionReused {
			t.Errorf("%s: %d rows, patterns %v %+v", file, n, ok, found)
		}
		if _, ok := src.Patterns(run, "base", "serve/m"); ok {
			t.Error("patterns of an arm that is not there")
		}
	}
	for _, file := range []string{"", "store:main", filepath.Join(dir, "nothing.json"), t.TempDir()} {
		if src := With(report.Source{Base: run, BaseFile: file}); src.Requests != nil {
			t.Errorf("%q has requests", file)
		}
	}
}

// A file of another run, whose trials have the same names, is not taken.
func TestRequestsOfAnotherRun(t *testing.T) {
	dir := t.TempDir()
	run, rows := pooled()
	for name, rows := range map[string][]record.Request{"fewer": rows[:30], "more": append(rows, rows[10]), "other failures": append(rows[:len(rows)-2:len(rows)-2], rows[10], rows[11])} {
		path := filepath.Join(dir, strings.ReplaceAll(name, " ", "-"), record.RequestFile)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if name == "other failures" {
			rows[len(rows)-1].Failure, rows[len(rows)-2].Failure = nil, nil
		}
		if err := record.AppendRequests(path, rows); err != nil {
			t.Fatal(err)
		}
		src := With(report.Source{Base: run, BaseFile: filepath.Dir(path)})
		var fault error
		for _, err := range src.Requests(run) {
			fault = err
		}
		if _, ok := src.Patterns(run, "head", "serve/m"); ok || fault == nil || !strings.Contains(fmt.Sprint(fault), "beside its own record") {
			t.Errorf("%s: taken, %v", name, fault)
		}
	}
}

// A run that was killed after it wrote a trial's rows writes them again when it
// is resumed; and a killed one may leave a torn end. Neither costs the evidence.
func TestRequestsWrittenTwice(t *testing.T) {
	run, rows := pooled()
	again := make([]record.Request, 25)
	copy(again, rows[2:])
	again[3].Failure = &record.RequestFailure{Class: record.HTTP5xx} // of the first time alone
	for _, torn := range []bool{false, true} {
		dir := t.TempDir()
		path := filepath.Join(dir, record.RequestFile)
		for _, set := range [][]record.Request{again, rows} {
			if err := record.AppendRequests(path, set); err != nil {
				t.Fatal(err)
			}
		}
		if torn {
			whole, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := record.AppendRequests(path, []record.Request{{Trial: "of no trial"}}); err != nil {
				t.Fatal(err)
			}
			if err := os.Truncate(path, int64(len(whole))+20); err != nil {
				t.Fatal(err)
			}
		}
		src := With(report.Source{Base: run, BaseFile: dir})
		n := 0
		for row, err := range src.Requests(run) {
			if err != nil {
				t.Fatal(err)
			}
			if row.Failure != nil && row.Failure.Class == record.HTTP5xx {
				t.Error("a row of the first time")
			}
			if row.Trial == run.Trials[0].ID && !row.Warmup {
				n++
			}
		}
		found, ok := src.Patterns(run, "head", "serve/m")
		if n != 40 || !ok || found.Requests != 40 || found.Failures != 10 {
			t.Errorf("torn %v: %d rows, patterns %v of %d failures in %d requests", torn, n, ok, found.Failures, found.Requests)
		}
	}
}

func TestMemoryAtATime(t *testing.T) {
	run, _ := pooled()
	of := memory(run)
	for at, want := range map[float64]int64{-1: 5, -0.5: 5, 0.5: 6, 1: 7, 1.9: 7} {
		if got, ok := of("b00.c0000.head", at); !ok || got != want {
			t.Errorf("memory at %v s is %d, %v, want %d", at, got, ok, want)
		}
	}
	for _, at := range []float64{-1.1, 2, 1e300} {
		if _, ok := of("b00.c0000.head", at); ok {
			t.Errorf("memory at %v s", at)
		}
	}
	if _, ok := of("none", 0); ok {
		t.Error("memory of no trial")
	}
}

// The length of a prompt that fails comes from an arm that answered it.
func TestLengthsOfFailedPrompts(t *testing.T) {
	dir := t.TempDir()
	run := &record.Run{Cells: []record.Cell{{Key: "serve/m", Workload: "serve", Model: "m"}}}
	var rows []record.Request
	for _, arm := range []string{"base", "head"} {
		run.Arms = append(run.Arms, record.Arm{Name: arm})
		for block := range 6 {
			id := fmt.Sprintf("b%02d.%s", block, arm)
			failed := 0
			for i := range 30 {
				p := (i*7 + block*11) % 30 // in another order in each block
				r := record.Request{Trial: id, Index: i, Prompt: fmt.Sprintf("sample-%03d", p), PromptTokens: 20 + p*17%50, InFlight: 1, Attempts: 1}
				if arm == "head" && r.PromptTokens > 60 {
					r.PromptTokens, r.Failure = 0, &record.RequestFailure{Class: record.HTTP5xx}
					failed++
				}
				rows = append(rows, r)
			}
			run.Trials = append(run.Trials, record.Trial{ID: id, Arm: arm, Cell: "serve/m", Block: block, Load: &record.Load{Requests: 30, Succeeded: 30 - failed}})
		}
	}
	if err := record.AppendRequests(filepath.Join(dir, record.RequestFile), rows); err != nil {
		t.Fatal(err)
	}
	src := With(report.Source{Base: run, Head: run, BaseFile: dir, HeadFile: dir})
	found, ok := src.Patterns(run, "head", "serve/m")
	if !ok || len(found.Findings) == 0 || found.Findings[0].Factor != pattern.PromptTokens || found.Findings[0].Condition.Value <= 60 || found.Findings[0].FailuresWithout > 0 {
		t.Fatalf("%+v", found)
	}
	if got := report.Patterns(found)[0].Terminal(); !strings.Contains(got, "had prompts of 6") || strings.Contains(got, "built up") {
		t.Errorf("says %q", got)
	}
}
