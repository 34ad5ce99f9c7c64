package record_test

import (
	"fmt"
	"path/filepath"
	"time"

	"os"

	"github.com/llama-regress/llama-regress/ci/record"
)

// oneTrial is a run of one trial.
func oneTrial() *record.Run {
	start := time.Date(2026, 3, 9, 22, 15, 0, 0, time.UTC)
	metrics := []record.Metric{record.Test{Prompt: 512}.Metric()}
	key := record.CellKey(record.BenchWorkload, "tiny", map[string]string{"threads": "2"})
	return &record.Run{
		Schema: record.Schema, ID: "20260309T221500Z-3f2a", Started: start, Finished: start.Add(time.Minute),
		Tool: record.Tool{Version: "1"}, Plan: record.Plan{ID: "p", Blocks: 1, Repetitions: 3, Trials: 1},
		Baseline: "base", Arms: []record.Arm{{Name: "base", Bin: "build/bin"}},
		Models: []record.Model{{Name: "tiny", Path: "tiny.gguf", Bytes: 1}},
		Cells:  []record.Cell{{Key: key, Workload: record.BenchWorkload, Model: "tiny", Params: map[string]string{"threads": "2"}, Metrics: metrics}},
		Trials: []record.Trial{{ID: "b0", Arm: "base", Cell: key, Start: start, Seconds: 2, Outcome: record.OK,
			Measurements: []record.Measurement{{Metric: "pp512", Values: []float64{812, 815, 811}}}}},
	}
}

// A record is written once and read by every other command.
func ExampleWriteFile() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "run.json")
	if err := record.WriteFile(path, oneTrial()); err != nil {
		panic(err)
	}
	run, err := record.ReadFile(path)
	if err != nil {
		panic(err)
	}
	for _, t := range run.Trials {
		fmt.Println(t.Cell, t.Measurements[0].Values)
	}
	// Output:
	// bench/tiny/threads=2 [812 815 811]
}

// The rows of a serve trial's requests lie beside the record.
func ExampleReadRequests() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "requests.jsonl.gz")
	rows := []record.Request{
		{Trial: "b0", Index: 0, Prompt: "p1", TTFT: 0.12, Elapsed: 1.5, InFlight: 1, Attempts: 1},
		{Trial: "b0", Index: 1, Prompt: "p2", Elapsed: 0.01, InFlight: 2, Attempts: 1,
			Failure: &record.RequestFailure{Class: record.Rejected, Message: "the server was busy", Status: 503}},
	}
	if err := record.AppendRequests(path, rows); err != nil {
		panic(err)
	}
	for r, err := range record.ReadRequests(path) {
		switch {
		case err != nil:
			panic(err)
		case r.Failure != nil:
			fmt.Println(r.Prompt, "failed:", r.Failure.Class)
		default:
			fmt.Println(r.Prompt, r.TTFT)
		}
	}
	// Output:
	// p1 0.12
	// p2 failed: rejected
}

// The catalogue says what every metric is.
func ExampleDefinitionOf() {
	d, workload, ok := record.DefinitionOf("ttft_p50")
	fmt.Println(workload, d.Unit, d.Better, d.Margin, ok)
	// Output:
	// serve s lower 0.05 true
}

// Names of llama-bench's tests, without blanks.
func ExampleParseTest() {
	t, err := record.ParseTest("tg128 @ d4096")
	fmt.Println(t.Name(), t.Depth, err)
	// Output:
	// tg128@d4096 4096 <nil>
}
