package llama

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/llama-regress/llama-regress/ci/gguf"
	"github.com/llama-regress/llama-regress/ci/record"
)

// realLlama returns the folder of real llama.cpp programs and a tiny model.
func realLlama(t *testing.T) (dir, model string) {
	t.Helper()
	dir = os.Getenv("LLAMA_REGRESS_LLAMA_DIR")
	if dir == "" {
		const missing = "LLAMA_REGRESS_LLAMA_DIR does not name a folder with llama-bench"
		if os.Getenv("LLAMA_REGRESS_REQUIRE_LLAMA") == "1" {
			t.Fatal(missing)
		}
		t.Skip(missing)
	}
	shape, _ := gguf.Preset("tiny")
	model = filepath.Join(t.TempDir(), "tiny.gguf")
	if _, err := gguf.WriteFile(t.Context(), model, shape, 1); err != nil {
		t.Fatal(err)
	}
	return dir, model
}

// Every parameter that this build takes is passed, reported back, and the same.
func TestRealBench(t *testing.T) {
	dir, model := realLlama(t)
	params := map[string]string{
		"threads": "1", "batch": "256", "ubatch": "128", "flash_attn": "on", "gpu_layers": "0",
		"type_k": "q8_0", "type_v": "q8_0", "mmap": "off", "poll": "10", "split_mode": "none",
		"tensor_split": "3/1", "kv_offload": "off", "op_offload": "off", "cpu_mask": "0x01",
		"cpu_strict": "on", "n_cpu_moe": "1", "devices": "none", "override_tensor": "blk\\.0.*=CPU;exps=CPU", "repack": "off",
	}
	p := onePlan(dir, model, params, "pp32", "tg4", "pp16+tg4", "pp32@d64")
	b := &Bench{LogDir: t.TempDir()}
	build, err := b.Identify(t.Context(), p.Arms[0])
	if err != nil {
		t.Fatal(err)
	}
	trial, err := b.Measure(t.Context(), p, p.Trials[0])
	if err != nil {
		t.Fatal(err)
	}
	if trial.Outcome != record.OK {
		t.Fatalf("%+v\n%s", trial.Failure, trial.Failure.Stderr)
	}
	for name, asked := range params {
		if name == "cpu_mask" {
			asked = "1"
		}
		if got, reported := trial.Echo[name]; reported && got != asked {
			t.Errorf("%s: asked %s, got %s", name, asked, got)
		}
	}
	for i, test := range p.Cells[0].Tests {
		m := trial.Measurements[i]
		if m.Metric != test.Name() || len(m.Values) != p.Repetitions || len(m.Warmup) != p.Warmup {
			t.Errorf("measurement %d: %+v", i, m)
		}
	}
	if n := len(slices.DeleteFunc(slices.Clone(trial.Command), func(a string) bool { return a != ";" })); n != 1 {
		t.Errorf("%d processes, want 2: %q", n+1, trial.Command)
	}
	if trial.Resources == nil || trial.Resources.UserSeconds == 0 {
		t.Errorf("resources %+v", trial.Resources)
	}
	t.Logf("build %+v", build)
	t.Logf("command %q", trial.Command)
	t.Logf("warnings %q", trial.Warnings)
	for _, name := range slices.Sorted(maps.Keys(trial.Echo)) {
		t.Logf("echo %s=%s", name, trial.Echo[name])
	}
}

// A model that cannot be loaded is told from other failures, with the cause.
func TestRealModelLoad(t *testing.T) {
	dir, model := realLlama(t)
	if err := os.Truncate(model, 1<<20); err != nil {
		t.Fatal(err)
	}
	p := onePlan(dir, model, map[string]string{"threads": "1"}, "pp8")
	trial, err := new(Bench).Measure(t.Context(), p, p.Trials[0])
	if err != nil {
		t.Fatal(err)
	}
	if trial.Outcome != record.Failed || trial.Failure.Class != record.ModelLoad || trial.Failure.Stderr == "" {
		t.Errorf("%+v", trial.Failure)
	}
	t.Log(trial.Failure.Message)
}
