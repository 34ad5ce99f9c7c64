package llama

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/fixtures/effort"
)

func importText(t *testing.T, opts ImportOptions, lines ...string) (*record.Run, error) {
	t.Helper()
	for i := range lines { // distinct times, so that they are not copies of each other
		lines[i] = strings.TrimSuffix(lines[i], "}") + fmt.Sprintf(`, "test_time": "2026-11-23T12:00:%02dZ"}`, i)
	}
	return Import("dir/base.jsonl", strings.NewReader(strings.Join(lines, "\n")), opts)
}

func keys(run *record.Run) []string {
	var list []string
	for _, c := range run.Cells {
		list = append(list, c.Key)
	}
	return list
}

func TestImportRecorded(t *testing.T) {
	t.Parallel()
	run, err := ImportFile(recorded+"matrix-jsonl.jsonl", ImportOptions{Tool: record.Tool{Version: "v1"}})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"bench/tiny/flash_attn=auto,gpu_layers=auto,mmap=auto,threads=1",
		"bench/tiny/flash_attn=auto,gpu_layers=auto,mmap=auto,threads=2",
		"bench/small/flash_attn=auto,gpu_layers=auto,mmap=auto,threads=1",
		"bench/small/flash_attn=auto,gpu_layers=auto,mmap=auto,threads=2",
	}
	if diff := cmp.Diff(want, keys(run)); diff != "" {
		t.Error(diff)
	}
	if len(run.Trials) != 32 || len(run.Arms) != 1 || run.Arms[0].Name != "matrix-jsonl" || run.Baseline != "matrix-jsonl" || run.Tool.Version != "v1" {
		t.Errorf("%d trials, arms %+v", len(run.Trials), run.Arms)
	}
	if b := run.Arms[0].Build; b.Commit != "Debian" || b.Number != 11669 || b.Backends != "CPU" || b.CPU != "AMD EPYC" {
		t.Errorf("build %+v", b)
	}
	if diff := cmp.Diff(record.Host{Hard: map[string]string{"cpu": "AMD EPYC"}, Soft: map[string]string{"backends": "CPU"}}, run.Host); diff != "" {
		t.Error(diff)
	}
	if len(run.Models) != 2 || run.Models[0].Name != "tiny" || run.Models[0].Path != "models/tiny.gguf" || run.Models[0].Parameters != 2885888 {
		t.Errorf("models %+v", run.Models)
	}
	for i, trial := range run.Trials {
		if trial.Block != record.NoBlock || trial.Order != i || len(trial.Measurements) != 1 || len(trial.Measurements[0].Values) != 3 || trial.Start.IsZero() || !(trial.Seconds > 0) {
			t.Errorf("trial %d: %+v", i, trial)
		}
	}
	if run.Started.IsZero() || !run.Finished.After(run.Started) {
		t.Errorf("from %v to %v", run.Started, run.Finished)
	}
	other, err := ImportFile(recorded+"matrix-json.json", ImportOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(keys(run), keys(other)); diff != "" {
		t.Errorf("json and jsonl of one command: %s", diff)
	}
	if again, _ := ImportFile(recorded+"matrix-jsonl.jsonl", ImportOptions{}); again.ID != run.ID || other.ID == run.ID {
		t.Errorf("ids %s, %s, %s", run.ID, again.ID, other.ID)
	}
}

// Files that other code compares: six invocations a side are six trials of a metric.
func TestImportSixRuns(t *testing.T) {
	t.Parallel()
	base, err := ImportFile(constructed+"six-runs.jsonl", ImportOptions{Arm: "base"})
	if err != nil {
		t.Fatal(err)
	}
	slow, err := ImportFile(constructed+"six-runs-slower.jsonl", ImportOptions{Arm: "slow"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(base.Cells, slow.Cells); diff != "" {
		t.Error(diff)
	}
	count := make(map[string]int)
	for _, trial := range base.Trials {
		count[trial.Measurements[0].Metric]++
	}
	for _, m := range base.Cells[0].Metrics {
		if count[m.Name] != 6 {
			t.Errorf("%s: %d trials", m.Name, count[m.Name])
		}
	}
}

// One setting has one key whatever build reported it, and one that a build
// does not report matches its default.
func TestImportErasMatch(t *testing.T) {
	t.Parallel()
	b6082 := object("n_batch=2048", "n_ubatch=512", "flash_attn=false", "n_gpu_layers=99", "use_mmap=true", `type_k="f16"`, "no_op_offload=0", `tensor_split="0.00"`, "defrag_thold=-1.000000", "poll=50", `tensor_buft_overrides="none"`)
	head := object("n_batch=2048", "n_ubatch=512", "flash_attn=0", "n_gpu_layers=99", `load_mode="mmap"`, `type_k="f16"`, "no_op_offload=false", `tensor_split="0.00"`, "n_cpu_moe=0", `devices="auto"`, `lazy_mode="auto"`, "repack=true", "no_host=false", "fit_target=0", "poll=50", "spectre=7")
	for _, c := range []struct{ a, b string }{
		{b6082, head},
		{object("flash_attn=true"), object("flash_attn=1")},
		{object("use_mmap=false"), object(`load_mode="none"`)},
		{object("no_kv_offload=true"), object("no_kv_offload=1")},
		{object(`model_filename="C:\\models\\a.gguf"`), object(`model_filename="/other/place/a.gguf"`)},
	} {
		a, err := importText(t, ImportOptions{}, c.a)
		if err != nil {
			t.Fatal(err)
		}
		b, err := importText(t, ImportOptions{}, c.b)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(keys(a), keys(b)); diff != "" {
			t.Errorf("%s\n%s\n%s", c.a, c.b, diff)
		}
	}
}

// What is different is kept apart.
func TestImportKeepsApart(t *testing.T) {
	t.Parallel()
	for _, field := range []string{
		"n_threads=4", "n_batch=64", "flash_attn=true", "flash_attn=-1", "n_gpu_layers=-1", `type_k="q8_0"`, "use_mmap=false", "poll=0",
		`split_mode="row"`, "main_gpu=1", `tensor_split="1.00/1.00"`, "no_kv_offload=true", "no_op_offload=1", `cpu_mask="0x3"`,
		"cpu_strict=true", "n_cpu_moe=1", `devices="CUDA0"`, "embeddings=true", "no_host=true", "repack=false",
		`tensor_buft_overrides="exps=CPU"`, "fit_target=512", `lazy_mode="on"`, `model_filename="b.gguf"`,
	} {
		run, err := importText(t, ImportOptions{}, object(), object(field))
		if err != nil {
			t.Fatal(err)
		}
		if len(run.Cells) != 2 {
			t.Errorf("%s: cells %v", field, keys(run))
		}
	}
	// A setting that nobody knows counts where it varies.
	run, err := importText(t, ImportOptions{}, object("spectre=7"), object("spectre=8"), object("spectre=7"))
	if err != nil || cmp.Diff(keys(run), []string{"bench/a/spectre=7,threads=2", "bench/a/spectre=8,threads=2"}) != "" {
		t.Errorf("cells %v, %v", keys(run), err)
	}
}

func TestImportIgnore(t *testing.T) {
	t.Parallel()
	two, one := object(), object("n_threads=1")
	a, err := importText(t, ImportOptions{Ignore: []string{"threads"}}, two, two)
	if err != nil {
		t.Fatal(err)
	}
	b, err := importText(t, ImportOptions{Ignore: []string{"threads"}}, one)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(keys(a), keys(b)); diff != "" || keys(a)[0] != "bench/a" {
		t.Errorf("%v %s", keys(a), diff)
	}
	if a.Trials[0].Echo["threads"] != "2" {
		t.Errorf("echo %v", a.Trials[0].Echo)
	}
	if a.Arms[0].Params["threads"] != "2" || b.Arms[0].Params["threads"] != "1" {
		t.Errorf("what is ignored became no parameter of the arms: %v, %v", a.Arms[0].Params, b.Arms[0].Params)
	}
	moved, err := importText(t, ImportOptions{Ignore: []string{"flash_attn", "numa", "spectre"}}, object(`flash_attn="false"`))
	if diff := cmp.Diff(map[string]string{"flash_attn": "off"}, moved.Arms[0].Params); err != nil || diff != "" {
		t.Errorf("a default that is ignored: %v %s", err, diff)
	}
	want := "dir/base.jsonl:2: threads is ignored, but it is 1 here and 2 before"
	if _, err := importText(t, ImportOptions{Ignore: []string{"threads"}}, two, one); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%v, want %s", err, want)
	}
}

func TestImportMixed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ field, want, note string }{
		{"build_number=6083", "dir/base.jsonl:3: results of 2 builds in one file (5aa1105d 6082; 5aa1105d 6083): split it, choose one of them (compare FILE -b COMMIT -c COMMIT; --build elsewhere), or mix them with --mixed", "mixes results of 2 builds"},
		{`cpu_info="another"`, "dir/base.jsonl:3: results of 2 machines in one file", "mixes results of 2 machines"},
		{`backends="SYCL"`, "dir/base.jsonl:3: results of 2 backends in one file (; SYCL): split it, or mix them with --mixed", "mixes results of 2 backends"},
	} {
		lines := func() []string { return []string{object(), object(), object(c.field)} }
		if _, err := importText(t, ImportOptions{}, lines()...); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.field, err)
		}
		run, err := importText(t, ImportOptions{Mixed: true}, lines()...)
		if err != nil || len(run.Trials) != 3 || !strings.Contains(strings.Join(run.Notes, "\n"), c.note) {
			t.Errorf("%s: %v, %+v", c.field, err, run)
		}
	}
	_, err := importText(t, ImportOptions{}, object(), object(`model_type="llama 7B Q4_0"`))
	if err == nil || !strings.Contains(err.Error(), "dir/base.jsonl:2: model a is llama 7B Q4_0") {
		t.Errorf("two models of one name: %v", err)
	}
}

// A file of many different results is refused before each is compared with all
// others: what a cell, an arm and a file may hold is bounded.
func TestImportBounded(t *testing.T) {
	line := func(i int, test string) string {
		return fmt.Sprintf(`{"build_commit":"x","build_number":1,"model_filename":"m.gguf","model_type":"t","model_size":1,"model_n_params":1,"n_threads":2,%s,"test_time":"2026-11-23T09:00:00Z","samples_ns":[%d]}`+"\n", test, 1000+i)
	}
	for name, c := range map[string]struct {
		n    int
		test func(i int) string
		want string
	}{
		"one test":       {2_501, func(int) string { return `"n_prompt":8,"n_gen":0` }, `more than 2500 trials of arm "f" in cell`},
		"many tests":     {1_001, func(i int) string { return fmt.Sprintf(`"n_prompt":%d,"n_gen":0`, i+1) }, "1001 metrics, at most 1000"},
		"many settings":  {20_001, func(i int) string { return fmt.Sprintf(`"n_prompt":8,"n_gen":0,"poll":%d`, i) }, "cells: 20001 of them, at most 20000"},
		"no such number": {1, func(int) string { return `"n_prompt":8,"n_gen":0` }, ""},
	} {
		if c.n > 20_000 && effort.Race {
			continue // record refuses as many cells in its own test
		}
		var file strings.Builder
		for i := range c.n {
			file.WriteString(line(i, c.test(i)))
		}
		_, err := Import("f", strings.NewReader(file.String()), ImportOptions{})
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: error %.300v, want %q", name, err, c.want)
		}
	}
}

func TestImportFaulty(t *testing.T) {
	t.Parallel()
	path := constructed + "truncated.jsonl"
	if _, err := ImportFile(path, ImportOptions{}); err == nil || !strings.Contains(err.Error(), "truncated.jsonl:") {
		t.Errorf("truncated: %v", err)
	}
	run, err := ImportFile(path, ImportOptions{Partial: true})
	if err != nil || len(run.Trials) == 0 || !strings.Contains(strings.Join(run.Notes, "\n"), "is not whole") {
		t.Errorf("truncated, partial: %v", err)
	}
	if _, err := ImportFile(constructed+"empty.jsonl", ImportOptions{Partial: true}); err == nil {
		t.Error("an empty file is imported")
	}
	if _, err := ImportFile(filepath.Join(t.TempDir(), "none"), ImportOptions{}); err == nil {
		t.Error("a missing file is imported")
	}
	// The same output twice is still one measurement.
	once, err := ImportFile(constructed+"six-runs.jsonl", ImportOptions{})
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(constructed + "six-runs.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	twice, err := Import("f", strings.NewReader(string(data)+string(data)), ImportOptions{})
	if err != nil || len(twice.Trials) != len(once.Trials) || !strings.Contains(strings.Join(twice.Notes, "\n"), "copies") {
		t.Errorf("%d trials, then %d, %v", len(once.Trials), len(twice.Trials), err)
	}
}
