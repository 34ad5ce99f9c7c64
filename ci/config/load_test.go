package config_test

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/llama-regress/llama-regress/ci/config"
	"github.com/llama-regress/llama-regress/ci/record"
)

func TestLoad(t *testing.T) {
	got, err := config.Load("testdata/full.yaml")
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile("testdata/full.yaml")
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(data)
	dir, err := filepath.Abs("testdata")
	if err != nil {
		t.Fatal(err)
	}
	want := &config.Config{
		Version: 1,
		Arms: []config.Arm{
			{Name: "old", Bin: "build-old/bin"},
			{
				Name: "new", Bin: "/opt/new/bin",
				Params: map[string]string{"mmap": "off", "tensor_split": "3/1", "cpu_mask": "0xff"},
				Args:   config.Args{Bench: []string{"--prio", "2", "-ot", "exps=CPU"}},
				Env:    map[string]string{"OMP_NUM_THREADS": "4", "GGML_X": "", "LANG": "C"},

				Scheduler: "scx_layered --run-example",
				Placement: map[string]string{"cpus": "0-3,8", "nice": "-5"},
			},
		},
		Baseline: "new",
		Models: []config.Model{
			{Name: "tiny", Path: "models/tiny.gguf", SHA256: strings.Repeat("0123456789abcdef", 4)},
			{Name: "small-Q4_K_M", Path: "../small-Q4_K_M.gguf"},
		},
		Matrix: config.Matrix{
			Params: map[string][]string{
				"threads": {"2", "8"}, "batch": {"512"}, "ubatch": {"256"}, "flash_attn": {"on", "auto", "off"},
				"gpu_layers": {"0"}, "type_k": {"f16"}, "type_v": {"f16", "q8_0"}, "poll": {"0"}, "split_mode": {"none"},
				"main_gpu": {"1"}, "kv_offload": {"on"}, "op_offload": {"on"}, "cpu_strict": {"off"}, "numa": {"distribute"},
				"n_cpu_moe": {"3"}, "devices": {"none"},
			},
			Include: []map[string]string{{"threads": "2", "poll": "0"}, {"threads": "16"}},
			Exclude: []map[string]string{{"threads": "8", "flash_attn": "off"}, {"type_v": "q8_0", "flash_attn": "on"}},
		},
		Bench: config.Bench{Tests: []record.Test{{Prompt: 64}, {Gen: 16, Depth: 32}, {Prompt: 8, Gen: 8}}, Repetitions: 3},
		Serve: &config.Serve{
			Args:        [][]string{nil, {"--threads-http", "2"}, {"-ot", "a=CPU,b=CPU"}},
			Dataset:     config.Dataset{Path: "chats.json.gz", Sample: 20, Seed: 3, Rule: "vllm", MinPromptTokens: 8, MaxPromptTokens: 1024, MaxTotalTokens: 2048},
			Concurrency: []int{4, 16}, Rate: []float64{2.5}, Arrivals: "constant", API: "chat",
			Requests: 80, PerUser: 3, Warmup: 2, OutputTokens: 32, Stop: true, RequestTimeout: 20 * time.Second, Retries: 2, RateLimit: 100, Connections: "reuse",
			Objectives: config.Objectives{TTFT: 500 * time.Millisecond, TPOT: 50 * time.Millisecond, E2E: 10 * time.Second},
			Server:     config.Server{Params: map[string]string{"ctx_size": "4096", "parallel": "8", "cont_batching": "off"}, StartTimeout: 2 * time.Minute},
		},
		Sampling:   config.Sampling{Blocks: 4, Adaptive: 20, ConfirmBlocks: 12, Warmup: 0, Seed: 18446744073709551615, Budget: 45 * time.Minute, Timeout: 90 * time.Second, Control: config.ControlAll, RepeatDisturbed: 1, CoolBelow: 60, CoolDevices: 55, CoolLimit: 90 * time.Second},
		Placement:  map[string]string{"numactl": "--interleave=0,3", "cpu_limit": "1.5", "memory_limit": "4G"},
		Schedulers: config.Schedulers{Settle: 500 * time.Millisecond, StartTimeout: time.Minute},
		Gate: config.Gate{
			Margins: map[string]float64{"throughput": 0.04, "ttft_p50": 0.06, "ttft_p95": 0.125, "tpot_p50": 0.07, "goodput": 0.1, "success_rate": 0.015, "latency_p50": 0.05, "latency_p95": 0.15, "op_time": 0.05, "tg16@d32": 0.005, "ttft_later_p50": 0.05, "cache_hit_rate": 0.05, "completed_conversations": 0.02, "instructions": 0.005},
			Fail:    "suspected",
		},
		Build: config.Build{Command: "make all", Bin: "out"},

		Sentinel: &config.Sentinel{Bin: "pinned/bin", Cells: config.ControlAll, Blocks: 4},
		Store:    "dir:.llama-regress/store",
		Dir:      dir,
		SHA256:   hex.EncodeToString(sum[:]),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if err := got.Validate(); err != nil {
		t.Errorf("Validate: %v", err)
	}
}

const minimal = "version: 1\narms: [{name: base, bin: b}]\nmodels: [{path: m.gguf}]\n"

// What a file leaves out has a default, and Default is where they all stand.
func TestDefaults(t *testing.T) {
	for name, text := range map[string]string{
		"absent":               minimal,
		"empty":                minimal + "matrix: {}\nbench: {}\nsampling: {}\ngate: {}\n",
		"commented out matrix": minimal + "matrix:\n  # threads: [1]\n",
		"windows":              "\xef\xbb\xbf" + strings.ReplaceAll(minimal, "\n", "\r\n"),
		"document marks":       "%YAML 1.2\n---\n" + minimal + "...\n",
	} {
		t.Run(name, func(t *testing.T) {
			got, err := config.Parse([]byte(text), "/etc/llama-regress.yaml")
			if err != nil {
				t.Fatal(err)
			}
			want := config.Default()
			want.Arms = []config.Arm{{Name: "base", Bin: "b"}}
			want.Baseline = "base"
			want.Models = []config.Model{{Name: "m", Path: "m.gguf"}}
			want.Dir = "/etc"
			got.SHA256 = ""
			if len(got.Matrix.Params) == 0 {
				got.Matrix.Params = nil
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if points, err := got.Matrix.Combinations(); err != nil || len(points) != 1 || len(points[0]) != 0 {
				t.Errorf("combinations %v, %v; want one that sets nothing", points, err)
			}
		})
	}
	want := config.Sampling{Blocks: 6, ConfirmBlocks: config.AutoConfirm, Warmup: 1, Timeout: 10 * time.Minute, Control: config.ControlOne, RepeatDisturbed: 1, CoolBelow: 75, CoolLimit: 30 * time.Second}
	if got := config.Default().Sampling; got != want {
		t.Errorf("default sampling %+v, want %+v", got, want)
	}
}

func TestStarter(t *testing.T) {
	c, err := config.Parse([]byte(config.Starter()), "llama-regress.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Arms) != 2 || c.Baseline != "base" {
		t.Errorf("got %+v", c)
	}
	// What is commented out is valid as well.
	var all []string
	for _, line := range strings.Split(config.Starter(), "\n") {
		if before, after, ok := strings.Cut(line, "# "); ok && strings.TrimSpace(before) == "" && before != "" {
			line = before + after
		}
		all = append(all, line)
	}
	text := strings.Join(all, "\n")
	c, err = config.Parse([]byte(text), "llama-regress.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Arms) != 4 || len(c.Arms[2].Args.Bench) != 2 || c.Sampling.Budget == 0 || len(c.Matrix.Exclude) != 1 {
		t.Errorf("the comments were not taken in: %+v", c)
	}
}

func TestLoadWithoutFile(t *testing.T) {
	_, err := config.Load(filepath.Join(t.TempDir(), "llama-regress.yaml"))
	if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "llama-regress.yaml") {
		t.Errorf("error %v", err)
	}
	if _, err := config.Load(t.TempDir()); err == nil {
		t.Error("a folder is no configuration")
	}
}

func TestAbs(t *testing.T) {
	wd, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ dir, path, want string }{
		{"/etc", "build/bin", "/etc/build/bin"},
		{"/etc/x", "../build/./bin/", "/etc/build/bin"},
		{"/etc", "/opt/bin", "/opt/bin"},
		{"", "build/bin", filepath.Join(wd, "build/bin")},
		{"conf", "m.gguf", filepath.Join(wd, "conf/m.gguf")},
	} {
		got, err := (&config.Config{Dir: c.dir}).Abs(c.path)
		if err != nil || got != c.want {
			t.Errorf("%q in %q: got %q, %v; want %q", c.path, c.dir, got, err, c.want)
		}
	}
}

func TestModelName(t *testing.T) {
	for path, want := range map[string]string{"m.gguf": "m", "/a/b.Q4_K_M.gguf": "b.Q4_K_M", "x/y": "y", "x.bin": "x.bin",
		"a b=c%d.gguf": "a-b-c-d", "-.gguf": "model", "..": "model", "模型 7b (1).gguf": "7b-1", strings.Repeat("x", 80) + ".gguf": strings.Repeat("x", 64)} {
		if got := config.ModelName(path); got != want {
			t.Errorf("%q: got %q, want %q", path, got, want)
		}
	}
}

func TestMargin(t *testing.T) {
	g := config.Gate{Margins: map[string]float64{"throughput": 0.03, "pp512": 0.05}}
	for _, c := range []struct {
		name, kind string
		want       float64
		ok         bool
	}{
		{"pp512", "throughput", 0.05, true},
		{"tg128", "throughput", 0.03, true},
		{"ttft_p50", "ttft_p50", 0, false},
	} {
		if got, ok := g.Margin(record.Metric{Name: c.name, Kind: c.kind}); got != c.want || ok != c.ok {
			t.Errorf("%s: got %v, %v; want %v, %v", c.name, got, ok, c.want, c.ok)
		}
	}
	want := map[string]float64{"throughput": 0.03, "ttft_p50": 0.05, "ttft_p95": 0.15, "tpot_p50": 0.05, "success_rate": 0.02, "latency_p50": 0.05, "latency_p95": 0.15, "op_time": 0.05, "ttft_later_p50": 0.05, "cache_hit_rate": 0.05, "completed_conversations": 0.02, "instructions": 0.005}
	if diff := cmp.Diff(want, config.Default().Gate.Margins); diff != "" {
		t.Errorf("default margins, -want +got:\n%s", diff)
	}
}

func TestSetMargin(t *testing.T) {
	var g config.Gate
	for metric, text := range map[string]string{"throughput": "4%", "tg128 @ d64": "0.01", "success_rate": "5pp"} {
		if err := g.SetMargin(metric, text); err != nil {
			t.Errorf("%s %s: %v", metric, text, err)
		}
	}
	want := map[string]float64{"throughput": 0.04, "tg128@d64": 0.01, "success_rate": 0.05}
	for _, c := range [][2]string{{"speed", "3%"}, {"throughput", "2pp"}, {"throughput", "50%"}, {"success_rate", "5%"}, {"pp512", ""}} {
		if err := g.SetMargin(c[0], c[1]); err == nil {
			t.Errorf("%v is accepted", c)
		}
	}
	if diff := cmp.Diff(want, g.Margins); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// Every Default is its own: changing one must not change the next.
func TestDefaultsAreNotShared(t *testing.T) {
	a := config.Default()
	a.Gate.Margins["throughput"] = 0.4
	a.Bench.Tests[0] = record.Test{Gen: 1}
	if b := config.Default(); reflect.DeepEqual(a, b) || b.Gate.Margins["throughput"] != 0.03 || b.Bench.Tests[0].Gen != 0 {
		t.Errorf("the next default is %+v", b)
	}
}
