package record_test

import (
	"encoding/json"
	"flag"
	"os"
	"testing"
	"time"

	"github.com/llama-regress/llama-regress/ci/record"
)

var update = flag.Bool("update", false, "rewrite the golden files")

const golden = "testdata/run.json"

// example is a run with at least two of everything and no field left empty.
func example() *record.Run {
	start := time.Date(2026, 3, 9, 22, 15, 0, 0, time.FixedZone("", 3600))
	metrics := []record.Metric{
		record.Test{Prompt: 512}.Metric(),
		{Name: "model_size", Kind: "size", Unit: "B", Better: record.Lower, Exact: true},
	}
	cell := func(model, threads string) record.Cell {
		params := map[string]string{"threads": threads, "flash_attn": "on"}
		return record.Cell{Key: record.CellKey("bench", model, params), Workload: "bench", Model: model, Params: params, Metrics: metrics}
	}
	cells := []record.Cell{cell("tiny", "1"), cell("small", "2")}
	exit, warm := 1, 51.5
	return &record.Run{
		Schema:   record.Schema,
		ID:       "20260309T211500Z-3f2a",
		Started:  start,
		Finished: start.Add(time.Minute),
		Tool:     record.Tool{Version: "0.1.0", Commit: "0123abc"},
		Host:     record.Host{Name: "runner-1", Hard: map[string]string{"cpu": "EPYC 9654", "os": "linux"}, Soft: map[string]string{"microcode": "0xa10", "memory": "24 GiB"}},
		Plan:     record.Plan{ID: "d41d8cd98f00b204", ConfigSHA: "e3b0c442", Seed: 18446744073709551615, Blocks: 2, Warmup: 1, Repetitions: 3, Trials: 8},
		Baseline: "base",
		Arms: []record.Arm{
			{Name: "base", Bin: "/opt/base", Build: record.Build{Program: "/opt/base/llama-bench", SHA256: "aa", Commit: "5aa1105d", Number: 6082, Version: "6082", Backends: "CPU", CPU: "EPYC", GPU: "none"}},
			{Name: "base~control", Bin: "/opt/base", ControlOf: "base"},
			{Name: "head", Bin: "/opt/head", Params: map[string]string{"poll": "0", "mmap": "off"}, Env: map[string]string{"OMP_NUM_THREADS": "2", "GGML_LOG": "<&>"}},
		},
		Models: []record.Model{
			{Name: "tiny", Path: "/models/tiny.gguf", SHA256: "bb", Bytes: 123, Type: "llama ?B F16", Parameters: 3_000_000},
			{Name: "small", Path: "/models/small.gguf", Bytes: 456},
		},
		Cells: cells,
		Devices: []record.Device{
			{Name: "gpu0", ID: "GPU-0", PCI: "0000:01:00.0", Vendor: "nvidia", Model: "NVIDIA L4", Driver: "nvidia 580.1", VBIOS: "95", MemoryBytes: 1 << 34, PowerLimit: &warm, Persistence: "Enabled", ECC: "Enabled", MIG: "Enabled", Display: "Disabled", Slices: []string{"1g.10gb MIG-0"}, Link: "gen 4 x16", LinkNow: "gen 1 x16"},
			{Name: "gpu1", ID: "0000:03:00.0", Default: &warm, MostClock: &warm, Slowdown: &warm},
		},
		Trials: []record.Trial{
			{
				ID: "b00.c0001.head", Arm: "head", Cell: cells[1].Key, Start: start, Seconds: 1.25, Outcome: record.OK,
				Measurements: []record.Measurement{
					{Metric: "pp512", Values: []float64{137.70512345, 138, 1e-9}, Warmup: []float64{90.5, 91}},
					{Metric: "model_size", Values: []float64{1 << 53}},
				},
				Command:     []string{"/opt/head/llama-bench", "-m", "/models/small.gguf"},
				Echo:        map[string]string{"n_threads": "2", "flash_attn": "true"},
				Resources:   &record.Resources{UserSeconds: 2.5, SystemSeconds: 0.25, MaxRSSBytes: 1 << 33},
				Warnings:    []string{"debug build", "asserts enabled"},
				Preparation: &record.Preparation{Padding: 1234, Link: "/out/.paths/0001/llama-bench", Cooled: 2.5, TemperatureC: &warm, DeviceC: &warm},
				Devices:     []string{"GPU-0"},
				Counting: &record.Counting{
					Tool: record.Valgrind, Version: "valgrind-3.19.0", Threads: 1, CPU: "EPYC 9654", CLibrary: "glibc 2.36", Tunables: "glibc.cpu.x86_non_temporal_threshold=786432",
					Tests: []record.CountedTest{{
						Test: "pp512", Few: record.Invocation{Repetitions: 1, Instructions: 1 << 40}, Many: record.Invocation{Repetitions: 3, Instructions: 1 << 41},
						Functions: []record.Function{{Name: "ggml_vec_dot_f16", File: "vec.cpp", Object: "libggml-cpu.so", PerToken: 3e6}}, Rest: 12.5,
					}},
				},
			},
			{
				ID: "b00.c0000.base", Arm: "base", Cell: cells[0].Key, Block: 0, Order: 1, Start: start.Add(2 * time.Second), Outcome: record.Failed,
				Failure: &record.Failure{Class: record.ExitStatus, Message: "llama-bench ended with status 1; see stderr", ExitCode: &exit, Stderr: "line 1\nline 2 \u2028\n"},
			},
			{
				ID: "raw-1", Arm: "base", Cell: cells[0].Key, Block: record.NoBlock, Order: 2, Start: start.Add(3 * time.Second), Outcome: record.Failed,
				Failure: &record.Failure{Class: record.Crashed, Message: "llama-bench crashed", Signal: "segmentation fault"},
			},
		},
		Interrupted: "budget",
		Parts: []record.Part{
			{Shard: record.Shard{Index: 1, Of: 2, Plan: "d41d"}, ID: "one", Started: start, Finished: start.Add(time.Minute), Host: record.Host{Name: "runner-1", Hard: map[string]string{"cpu": "EPYC 9654", "os": "linux"}}, Cells: []string{cells[0].Key}},
			{Shard: record.Shard{Index: 2, Of: 2, Plan: "d41d"}, ID: "two", Started: start, Finished: start.Add(time.Second), Host: record.Host{Name: "runner-2", Soft: map[string]string{"microcode": "0xa10", "memory": "24 GiB"}}, Cells: []string{cells[1].Key}, Interrupted: "budget"},
		},
		Notes: []string{"the budget ended after block 0", "the machine was busy"},
	}
}

// encode writes v as a record file has it.
func encode(t testing.TB, v any) []byte {
	t.Helper()
	data, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return append(data, '\n')
}

func readGolden(t testing.TB) []byte {
	t.Helper()
	data, err := os.ReadFile(golden)
	if err != nil {
		t.Fatalf("%v; write it with go test ./ci/record -update", err)
	}
	return data
}
