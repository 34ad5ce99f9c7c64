package export_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/csv"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/llama-regress/llama-regress/ci/export"
	"github.com/llama-regress/llama-regress/ci/llama"
	"github.com/llama-regress/llama-regress/ci/record"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// example has two of everything, names that ask for trouble, and a trial of
// each kind.
func example() *record.Run {
	start := time.Date(2026, 3, 9, 22, 15, 0, 0, time.FixedZone("", 3600))
	exit := 1
	run := &record.Run{
		Schema: record.Schema, ID: "20260309T211500Z-3f2a", Started: start, Finished: start.Add(time.Minute), Baseline: "base",
		Host: record.Host{Name: "=1+1|'a'", Hard: map[string]string{"cpu": "EPYC 9654", "os": "linux", "arch": "amd64"}},
		Arms: []record.Arm{
			{Name: "base", Bin: "/opt/base", Build: record.Build{Commit: "5aa1105d", Number: 6082, Backends: "CPU"}},
			{Name: "head two", Bin: "/opt/head", Params: map[string]string{"poll": "0"}, Build: record.Build{Commit: "c0ffee11", Number: 6090}},
		},
		Models: []record.Model{{Name: "tiny-1", Path: "/models/tiny.gguf", Bytes: 123, Type: "llama ?B F16", Parameters: 3_000_000}, {Name: "s/m\nall", Path: "/m/s.gguf"}},
	}
	bench := []record.Metric{record.Test{Prompt: 512}.Metric(), record.Test{Gen: 128, Depth: 4096}.Metric()}
	for i, m := range run.Models {
		params := map[string]string{"threads": fmt.Sprint(i + 1), "flash_attn": "on"}
		run.Cells = append(run.Cells, record.Cell{Key: record.CellKey("bench", m.Name, params), Workload: "bench", Model: m.Name, Params: params, Metrics: bench})
	}
	run.Cells = append(run.Cells, record.Cell{Key: record.CellKey("serve", "tiny-1", nil), Workload: "serve", Model: "tiny-1", Metrics: []record.Metric{
		{Name: record.SuccessRate, Kind: record.SuccessRate, Unit: "1", Better: record.Higher}, {Name: record.TTFTp50, Kind: record.TTFTp50, Unit: "s", Better: record.Lower},
	}})
	add := func(arm string, cell int, t record.Trial) {
		t.ID, t.Arm, t.Cell, t.Start = fmt.Sprint("t", len(run.Trials)), arm, run.Cells[cell].Key, start.Add(time.Duration(len(run.Trials))*time.Second)
		t.Order = len(run.Trials)
		run.Trials = append(run.Trials, t)
	}
	add("base", 0, record.Trial{Outcome: record.OK, Echo: map[string]string{"threads": "1", "flash_attn": "auto", "mmap": "on", "kv_offload": "on", "cpu_mask": "0x3", "repack": "true", "model_type": "llama 1B"},
		Measurements: []record.Measurement{{Metric: "pp512", Values: []float64{100, 102, 101}}, {Metric: "tg128@d4096", Values: []float64{40}}}})
	add("head two", 1, record.Trial{Block: 1, Outcome: record.OK, Measurements: []record.Measurement{{Metric: "pp512", Values: []float64{1e3, 1100}}}})
	add("head two", 0, record.Trial{Block: record.NoBlock, Outcome: record.Failed, Failure: &record.Failure{Class: record.ExitStatus, ExitCode: &exit}})
	add("base", 2, record.Trial{Outcome: record.OK, Measurements: []record.Measurement{
		{Metric: record.SuccessRate, Values: []float64{0.75}, Count: &record.Count{Succeeded: 3, Total: 4}},
		{Metric: record.TTFTp50, Values: []float64{1.5}, Censored: true},
	}})
	add("head two", 2, record.Trial{Outcome: record.OK, Measurements: []record.Measurement{
		{Metric: record.SuccessRate, Values: []float64{1}, Count: &record.Count{Succeeded: 4, Total: 4}},
		{Metric: record.TTFTp50, Values: []float64{0.25}},
	}})
	return run
}

func TestText(t *testing.T) {
	for name, open := range map[string]func(io.Writer) export.Writer{"export.csv": export.NewCSV, "export.bench": export.NewBenchfmt} {
		run := example()
		if err := run.Validate(); err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		w := open(&out)
		second := example()
		second.ID = "another"
		for _, r := range []*record.Run{run, second} {
			if err := w.Add(r); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(example(), run); diff != "" {
			t.Errorf("%s changed the run", name)
		}
		golden := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(golden, out.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatalf("%v; write it with -update", err)
		}
		if diff := cmp.Diff(string(want), out.String()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// A full disk is an error, at the latest when the output is closed.
func TestFullDisk(t *testing.T) {
	for _, open := range []func(io.Writer) export.Writer{export.NewCSV, export.NewBenchfmt} {
		w := open(full{})
		w.Add(example())
		if w.Close() == nil {
			t.Error("no error")
		}
	}
	if _, err := export.NewSQLite(filepath.Join(t.TempDir(), "none", "x.sqlite")); err == nil {
		t.Error("a folder that is not there: no error")
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, fmt.Errorf("no space left on device") }

// Every number of a CSV can be read back, and no field is a formula.
func TestCSVFields(t *testing.T) {
	var out bytes.Buffer
	w := export.NewCSV(&out)
	w.Add(example())
	w.Close()
	rows, err := csv.NewReader(&out).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		for i, field := range row {
			if strings.HasPrefix(field, "=") || strings.ContainsAny(field, "\n\x1b") {
				t.Errorf("%s: %q", rows[0][i], field)
			}
		}
	}
	if len(rows) != 10 {
		t.Errorf("%d rows", len(rows))
	}
}

// What the real llama-bench wrote into a database and what we write of the same
// measurements are the same table: its SQL is the oracle, its JSON the input.
func TestSQLiteAgainstLlamaBench(t *testing.T) {
	fixtures := filepath.Join("..", "..", "fixtures", "llamabench", "b11669")
	for _, pair := range [][2]string{{"matrix-jsonl.jsonl", "matrix-sql.sql"}} {
		run, err := llama.ImportFile(filepath.Join(fixtures, pair[0]), llama.ImportOptions{Arm: "x"})
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "llama-bench.sqlite")
		ours := rows(t, write(t, path, run))
		script, err := os.ReadFile(filepath.Join(fixtures, pair[1]))
		if err != nil {
			t.Fatal(err)
		}
		real := filepath.Join(t.TempDir(), "real.sqlite")
		db, err := sql.Open("sqlite", real)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := db.Exec(string(script)); err != nil {
			t.Fatal(err)
		}
		db.Close()
		theirs := rows(t, real)
		if len(ours) != len(theirs) || len(ours) == 0 {
			t.Fatalf("%d rows, llama-bench has %d", len(ours), len(theirs))
		}
		measured := map[string]bool{"avg_ns": true, "stddev_ns": true, "avg_ts": true, "stddev_ts": true, "test_time": true} // of another invocation
		for i := range ours {
			for name, want := range theirs[i] {
				got, ok := ours[i][name]
				if !ok {
					t.Errorf("no column %s", name)
				}
				if !measured[name] && fmt.Sprint(got) != fmt.Sprint(want) && !equivalent(name, got, want) {
					t.Errorf("row %d, %s: have %v, llama-bench has %v", i, name, got, want)
				}
			}
			for name, got := range ours[i] {
				if got == nil {
					t.Errorf("row %d: %s is NULL, which equals nothing", i, name)
				}
			}
		}
	}
}

// equivalent knows the settings that records keep in one form for all builds.
func equivalent(name string, got, want any) bool {
	pair := fmt.Sprint(got, "|", want)
	switch name {
	case "cpu_mask":
		return pair == "0|0x0"
	case "tensor_split":
		return pair == "0|0.00"
	}
	return false
}

// compare-llama-bench.py joins the rows of two commits on these columns, all of
// them equal, and averages avg_ts (scripts/compare-llama-bench.py of llama.cpp,
// both before and after load_mode took the place of use_mmap).
const joinedOn = `cpu_info gpu_info backends n_gpu_layers n_cpu_moe tensor_buft_overrides model_filename model_type n_batch
	n_ubatch embeddings cpu_mask cpu_strict poll n_threads type_k type_v use_mmap load_mode no_kv_offload split_mode main_gpu tensor_split
	flash_attn n_prompt n_gen n_depth fit_target fit_min_ctx`

func TestSQLiteJoinsTwoCommits(t *testing.T) {
	base, head := example(), example()
	base.Trials, head.Trials = base.Trials[:1], head.Trials[:1]
	head.Arms[0].Build = record.Build{Commit: "c0ffee11", Number: 6090, Backends: "CPU"}
	for i := range head.Trials[0].Measurements {
		values := head.Trials[0].Measurements[i].Values
		for j := range values {
			values[j] *= 1.1
		}
	}
	path := write(t, filepath.Join(t.TempDir(), "x.sqlite"), base, head)
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var on []string
	for _, name := range strings.Fields(joinedOn) {
		on = append(on, "tb."+name+" = tc."+name)
	}
	found, err := db.Query("SELECT AVG(tc.avg_ts) / AVG(tb.avg_ts) FROM llama_bench tb JOIN llama_bench tc ON " + strings.Join(on, " AND ") +
		" AND tb.build_commit = '5aa1105d' AND tc.build_commit = 'c0ffee11' GROUP BY tb.n_prompt, tb.n_gen, tb.n_depth")
	if err != nil {
		t.Fatal(err)
	}
	defer found.Close()
	var speedups []string
	for found.Next() {
		var v float64
		if err := found.Scan(&v); err != nil {
			t.Fatal(err)
		}
		speedups = append(speedups, fmt.Sprintf("%.3f", v))
	}
	if diff := cmp.Diff([]string{"1.100", "1.100"}, speedups); diff != "" {
		t.Error(diff)
	}
}

func TestSQLiteNumbers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.sqlite")
	got := rows(t, write(t, path, example()))
	if len(got) != 3 {
		t.Fatalf("%d rows, want those of the bench trials that measured", len(got))
	}
	for name, want := range map[string]any{
		"build_commit": "5aa1105d", "build_number": int64(6082), "n_threads": int64(1), "flash_attn": int64(-1), "use_mmap": int64(1), "load_mode": "mmap",
		"no_kv_offload": int64(0), "cpu_mask": "0x3", "repack": int64(1), "model_type": "llama 1B", "model_size": int64(123), "poll": int64(50),
		"n_prompt": int64(512), "n_gen": int64(0), "n_depth": int64(0), "test_time": "2026-03-09T21:15:00Z", "avg_ts": 101.0, "stddev_ts": 1.0,
		// Python: x = [512e9/v for v in (100, 102, 101)]; statistics.mean(x), statistics.stdev(x)
		"avg_ns": int64(5069638258), "stddev_ns": int64(50196899),
	} {
		if have := got[0][name]; have != want {
			t.Errorf("%s: have %v, want %v", name, have, want)
		}
	}
	if r := got[1]; r["n_gen"] != int64(128) || r["n_depth"] != int64(4096) || r["stddev_ns"] != int64(0) {
		t.Errorf("a test in depth: %v", r)
	}
	if r := got[2]; r["poll"] != int64(0) || r["model_type"] != "" || r["flash_attn"] != int64(1) {
		t.Errorf("settings that no program reported: %v", r)
	}
	if _, err := export.NewSQLite(path); err == nil {
		t.Error("a database that has the table already: no error")
	}
}

func write(t *testing.T, path string, runs ...*record.Run) string {
	t.Helper()
	w, err := export.NewSQLite(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, run := range runs {
		if err := w.Add(run); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// rows reads the table in the order in which it was written.
func rows(t *testing.T, path string) []map[string]any {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	found, err := db.QueryContext(context.Background(), "SELECT * FROM llama_bench ORDER BY rowid")
	if err != nil {
		t.Fatal(err)
	}
	defer found.Close()
	names, _ := found.Columns()
	var all []map[string]any
	for found.Next() {
		values, into := make([]any, len(names)), make([]any, len(names))
		for i := range values {
			into[i] = &values[i]
		}
		if err := found.Scan(into...); err != nil {
			t.Fatal(err)
		}
		row := make(map[string]any)
		for i, name := range names {
			row[name] = values[i]
		}
		all = append(all, row)
	}
	return all
}
