package runner_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/ci/runner"
)

// shards are the records of a plan of two cells that was cut in two, one cell
// and null control each, measured on two machines.
func shards(t *testing.T) []*record.Run {
	t.Helper()
	var runs []*record.Run
	for i, model := range []string{"tiny", "small"} {
		start := time.Date(2026, 11, 23, 12, i, 0, 0, time.UTC)
		cell := record.Cell{
			Key: record.CellKey("bench", model, nil), Workload: "bench", Model: model,
			Metrics: []record.Metric{{Name: "pp512", Kind: record.Throughput, Unit: "tok/s", Better: record.Higher}},
		}
		run := &record.Run{
			Schema: record.Schema, ID: fmt.Sprintf("run-%d", i), Started: start, Finished: start.Add(time.Hour),
			Tool:     record.Tool{Version: "v1"},
			Host:     record.Host{Name: fmt.Sprintf("bench%d", i), Hard: map[string]string{"cpu": "a processor", "os": "linux"}},
			Plan:     record.Plan{ID: fmt.Sprintf("part-%d", i), Seed: 7, Blocks: 2, Repetitions: 1, Trials: 6, Shard: &record.Shard{Index: i + 1, Of: 2, Plan: "whole"}},
			Baseline: "base",
			Arms: []record.Arm{
				{Name: "base", Build: record.Build{SHA256: "aaa"}},
				{Name: "head", Build: record.Build{SHA256: "bbb"}},
				{Name: "base~control", ControlOf: "base", Build: record.Build{SHA256: "aaa"}},
			},
			Models: []record.Model{{Name: model, SHA256: "sum-" + model}},
			Cells:  []record.Cell{cell},
			Notes:  []string{"a note"},
		}
		for b := range 2 {
			for a, arm := range run.Arms {
				run.Trials = append(run.Trials, record.Trial{
					ID: fmt.Sprintf("b%02d.c%04d.%s", b, i, arm.Name), Arm: arm.Name, Cell: cell.Key, Block: b, Order: 3*b + a,
					Outcome: record.OK, Measurements: []record.Measurement{{Metric: "pp512", Values: []float64{100}}},
				})
			}
		}
		runs = append(runs, run)
	}
	return runs
}

var shardNames = []string{"one", "two", "three"}

func TestMerge(t *testing.T) {
	parts := shards(t)
	before, _ := json.Marshal(parts)
	parts[0], parts[1] = parts[1], parts[0] // in whatever order they are named
	run, err := runner.Merge(parts, shardNames[:2], runner.Merging{})
	if err != nil {
		t.Fatal(err)
	}
	if len(run.Cells) != 2 || len(run.Trials) != 12 || len(run.Models) != 2 || run.Plan.Trials != 12 {
		t.Errorf("%d cells, %d trials of %d, %d models", len(run.Cells), len(run.Trials), run.Plan.Trials, len(run.Models))
	}
	for i, trial := range run.Trials {
		if trial.Order != i {
			t.Errorf("trial %d %s has order %d", i, trial.ID, trial.Order)
		}
	}
	if run.Plan.ID != "whole" || run.Plan.Shard != nil || run.Host.Name != "bench0, bench1" || run.Host.Hard["cpu"] != "a processor" {
		t.Errorf("plan %+v, host %+v", run.Plan, run.Host)
	}
	if p := run.Parts; len(p) != 2 || p[0].Host.Name != "bench0" || p[1].Cells[0] != run.Cells[1].Key {
		t.Errorf("parts %+v", p)
	}
	if !run.Started.Equal(parts[1].Started) || !run.Finished.Equal(parts[0].Finished) {
		t.Errorf("from %v to %v", run.Started, run.Finished)
	}
	if len(run.Notes) != 2 || run.Notes[0] != "shard 1/2: a note" {
		t.Errorf("notes %q", run.Notes)
	}
	path := filepath.Join(t.TempDir(), "run.json")
	if err := record.WriteFile(path, run); err != nil {
		t.Fatal(err)
	}
	if again, err := record.ReadFile(path); err != nil || len(again.Parts) != 2 || again.PartOfCells()[run.Cells[1].Key] != 1 {
		t.Errorf("read again: %v", err)
	}
	parts[0], parts[1] = parts[1], parts[0]
	if after, _ := json.Marshal(parts); string(after) != string(before) {
		t.Error("the shards' own records were changed")
	}
}

// Machines may differ, and the record then says which had what: it matches
// stored ones of the same machines and no others.
func TestMergeOfDifferentMachines(t *testing.T) {
	parts := shards(t)
	parts[1].Host.Hard["cpu"] = "another"
	delete(parts[0].Host.Hard, "os")
	run, err := runner.Merge(parts, shardNames[:2], runner.Merging{})
	if err != nil {
		t.Fatal(err)
	}
	if got := run.Host.Hard["cpu"] + " | " + run.Host.Hard["os"]; got != "1/2 a processor; 2/2 another | 1/2 unknown; 2/2 linux" {
		t.Errorf("host keys %s", got)
	}
	if hard, _ := run.Host.Compare(parts[0].Host); len(hard) != 1 {
		t.Errorf("the merged host differs from a shard's in %v", hard)
	}
	if note := run.Notes[len(run.Notes)-1]; !strings.Contains(note, "differ in cpu, os") {
		t.Errorf("the last note is %q", note)
	}

	parts = shards(t)
	parts[1].Host.Hard["cpu"] = "another"
	run, err = runner.Merge(parts, shardNames[:2], runner.Merging{})
	if err != nil || !strings.Contains(strings.Join(run.Notes, "\n"), "differ in cpu:") {
		t.Errorf("one difference: %v, notes %q", err, run.Notes)
	}
}

// Each inconsistency is named, all of them at once.
func TestMergeNamesWhatDoesNotFit(t *testing.T) {
	for name, c := range map[string]struct {
		change func(p []*record.Run) []*record.Run
		want   []string
		how    runner.Merging // with which it is put up with
	}{
		"nothing":   {func([]*record.Run) []*record.Run { return nil }, []string{"nothing to merge"}, runner.Merging{}},
		"no shard":  {func(p []*record.Run) []*record.Run { p[0].Plan.Shard = nil; return p }, []string{"one: it is no shard", "shard 1/2 is missing"}, runner.Merging{}},
		"merged":    {func(p []*record.Run) []*record.Run { p[0].Parts = make([]record.Part, 1); return p }, []string{"one: it is merged already"}, runner.Merging{}},
		"no such":   {func(p []*record.Run) []*record.Run { p[0].Plan.Shard.Index = 3; return p }, []string{"there is no shard 3/2"}, runner.Merging{}},
		"missing":   {func(p []*record.Run) []*record.Run { return p[1:] }, []string{"shard 1/2 is missing: name its record too, or merge what there is with --partial"}, runner.Merging{Partial: true}},
		"twice":     {func(p []*record.Run) []*record.Run { return append(p, p[0]) }, []string{"one and three: both are shard 1/2", "cell bench/tiny is in one and in three"}, runner.Merging{}},
		"cut twice": {func(p []*record.Run) []*record.Run { p[1].Plan.Shard.Of = 3; return p }, []string{"cut in two ways"}, runner.Merging{}},
		"plan": {func(p []*record.Run) []*record.Run {
			p[1].Plan.Shard.Plan, p[1].Plan.Blocks = "other", 9
			return p
		}, []string{"of different plans (whole and other): blocks (2 and 9) differ"}, runner.Merging{}},
		"model": {func(p []*record.Run) []*record.Run {
			p[1].Models = append(p[1].Models, record.Model{Name: "tiny", SHA256: "x"})
			return p
		}, []string{"model tiny is sha256 sum-tiny in one and x in two"}, runner.Merging{}},
		"dataset": {func(p []*record.Run) []*record.Run {
			p[0].Datasets = []record.Dataset{{Name: "chats", SHA256: "x"}}
			p[1].Datasets = []record.Dataset{{Name: "chats", SHA256: "y"}}
			return p
		}, []string{"dataset chats is sha256 x in one and y in two"}, runner.Merging{}},
		"model by its size": {func(p []*record.Run) []*record.Run {
			p[0].Models = append(p[0].Models, record.Model{Name: "shared", Bytes: 7})
			p[1].Models = append(p[1].Models, record.Model{Name: "shared", Bytes: 13})
			return p
		}, []string{"model shared is bytes 7 in one and 13 in two"}, runner.Merging{}},
		"model that one does not know": {func(p []*record.Run) []*record.Run {
			p[0].Models = append(p[0].Models, record.Model{Name: "shared", SHA256: "x"})
			p[1].Models = append(p[1].Models, record.Model{Name: "shared"})
			return p
		}, nil, runner.Merging{}},
		"arms":     {func(p []*record.Run) []*record.Run { p[1].Arms = p[1].Arms[:2]; return p }, []string{"one has 3 arms, two has 2"}, runner.Merging{}},
		"settings": {func(p []*record.Run) []*record.Run { p[1].Arms[1].Env = map[string]string{"A": "1"}; return p }, []string{"arm 2 is head"}, runner.Merging{}},
		"build and model": {func(p []*record.Run) []*record.Run {
			p[1].Arms[1].Build.SHA256 = "ccc"
			p[1].Models[0] = record.Model{Name: "tiny", SHA256: "x"}
			return p
		}, []string{`arm head: llama-bench is "bbb" in one and "ccc" in two`, "model tiny"}, runner.Merging{}},
		"build":  {func(p []*record.Run) []*record.Run { p[1].Arms[1].Build.SHA256 = "ccc"; return p }, []string{"--mixed"}, runner.Merging{Mixed: true}},
		"server": {func(p []*record.Run) []*record.Run { p[0].Arms[1].Build.ServerSHA256 = "s"; return p }, nil, runner.Merging{}},
	} {
		parts := c.change(shards(t))
		_, err := runner.Merge(parts, shardNames[:len(parts)], runner.Merging{})
		if len(c.want) == 0 && err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, want := range c.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: want %q, have %v", name, want, err)
			}
		}
		if c.how != (runner.Merging{}) {
			run, err := runner.Merge(parts, shardNames[:len(parts)], c.how)
			if err != nil || len(run.Notes) < 2 {
				t.Errorf("%s, put up with: %v", name, err)
			}
		}
	}
}
