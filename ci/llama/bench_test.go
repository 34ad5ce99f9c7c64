package llama

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/fixtures/fakeprogram"
)

// script writes an executable shell script called llama-bench and returns its folder.
func script(t *testing.T, text string) string {
	t.Helper()
	dir := t.TempDir()
	if err := fakeprogram.WriteScript(filepath.Join(dir, "llama-bench"), text); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestIdentify(t *testing.T) {
	for _, bin := range []string{
		fake(t),
		filepath.Join(fake(t), "llama-bench"),
		filepath.Dir(fake(t)), // the build folder, with bin/ inside
	} {
		build, err := new(Bench).Identify(t.Context(), record.Arm{Name: "a", Bin: bin})
		if err != nil {
			t.Fatal(err)
		}
		if !filepath.IsAbs(build.Program) || len(build.SHA256) != 64 || build.Number != 11669 || !strings.Contains(build.Version, "build 11669") {
			t.Errorf("%s: %+v", bin, build)
		}
	}
	build, err := new(Bench).Identify(t.Context(), record.Arm{Name: "a", Bin: fake(t, "FAKE_BUILD=6082")})
	if err != nil || build.Number != 0 || build.Version != "" {
		t.Errorf("a build without --version: %+v, %v", build, err)
	}
	t.Setenv("PATH", fake(t))
	if _, err := new(Bench).Identify(t.Context(), record.Arm{Name: "a"}); err != nil {
		t.Errorf("from PATH: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := new(Bench).Identify(ctx, record.Arm{Name: "a", Bin: fake(t)}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestIdentifyRefuses(t *testing.T) {
	t.Parallel()
	empty := t.TempDir()
	plain := filepath.Join(t.TempDir(), "llama-bench")
	if err := os.WriteFile(plain, []byte("#!/bin/sh\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, bin, want string }{
		{"nothing there", filepath.Join(empty, "nope"), "build llama.cpp there first"},
		{"empty folder", empty, "holds no llama-bench; build it with"},
		{"not executable", plain, "is not executable; `chmod +x` it"},
		{"other architecture", script(t, "\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xff\xff"), "no program, or one for another processor"},
		{"missing interpreter", script(t, "#!/no/such/loader\n"), "not the interpreter or loader it names"},
		{"missing library", script(t, "#!/bin/sh\necho './llama-bench: error while loading shared libraries: libllama.so: cannot open shared object file' >&2; exit 127\n"), `libllama.so: cannot open shared object file"; its libraries are not where it looks`},
		{"another program", script(t, "#!/bin/sh\necho 'usage: llama-server [options]'\n"), `is not llama-bench: to -h it printed "usage: llama-server [options]"; point bin at`},
		{"a silent program", script(t, "#!/bin/sh\n"), "to -h it printed nothing"},
		{"an endless one", script(t, "#!/bin/sh\nwhile :; do echo yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy; done\n"), "prints without end"},
		{"a failing one", script(t, "#!/bin/sh\necho '\033[31mboom' >&2; exit 3\n"), `failed (exit status 3): it printed "[31mboom"; run it by hand`},
	} {
		_, err := new(Bench).Identify(t.Context(), record.Arm{Name: "head", Bin: c.bin})
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "arm head: ") {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
	}
	_, err := new(Bench).Identify(t.Context(), record.Arm{Name: "head", Bin: fake(t, "FAKE_BUILD=6082"), Params: map[string]string{"n_cpu_moe": "4"}})
	if err == nil || !strings.Contains(err.Error(), "n_cpu_moe=4 cannot be passed: this build has no such flag (flag -ncmoe); llama.cpp has it since build 6490") {
		t.Errorf("an arm's parameter that the build lacks: %v", err)
	}
}

func TestReadVersion(t *testing.T) {
	t.Parallel()
	for output, want := range map[string]version{
		"version: 6082 (5aa1105d)\nbuilt with cc":                                     {"6082 (5aa1105d)", "5aa1105d", 6082, "cc"},
		"noise\nversion: 0.7.0 (build 11669, commit Debian)\nbuilt with GNU\n":        {"0.7.0 (build 11669, commit Debian)", "Debian", 11669, "GNU"},
		"version: 6082 (5aa1105d)":                                                    {"6082 (5aa1105d)", "5aa1105d", 6082, ""},
		"version: 1 (a)\nbuilt with cc (Ubuntu 13.2.0) 13.2.0 for x86_64-linux-gnu\n": {"1 (a)", "a", 1, "cc (Ubuntu 13.2.0) 13.2.0 for x86_64-linux-gnu"},
	} {
		if got, ok := readVersion(output); !ok || got != want {
			t.Errorf("%q: %+v", output, got)
		}
	}
	if _, ok := readVersion("llama-bench version unknown"); ok {
		t.Error("found a version where there is none")
	}
}

func TestEnvironment(t *testing.T) {
	t.Parallel()
	inherited := []string{"PATH=/bin", "GGML_CUDA_FORCE_MMQ=1", "LLAMA_ARG_THREADS=4", "LLAMA_CACHE=/c", "LLAMA_REGRESS_X=1", "GGML_BACKEND_PATH=/a", "LC_ALL=de_DE", "OMP_NUM_THREADS=1"}
	env, dropped := environment(inherited, map[string]string{"GGML_BACKEND_PATH": "/b", "PATH": "/p"})
	if got, want := strings.Join(env, " "), "PATH=/bin LLAMA_CACHE=/c LLAMA_REGRESS_X=1 OMP_NUM_THREADS=1 LC_ALL=C GGML_NO_BACKTRACE=1 GGML_BACKEND_PATH=/b PATH=/p"; got != want {
		t.Errorf("environment %s\n       want %s", got, want)
	}
	if got, want := strings.Join(dropped, " "), "GGML_CUDA_FORCE_MMQ LLAMA_ARG_THREADS"; got != want {
		t.Errorf("dropped %s, want %s", got, want)
	}
}

// Every build from mid-2024 on is asked for every parameter that it has, and
// says back what was asked.
func TestMeasureEveryEra(t *testing.T) {
	t.Parallel()
	model := modelFile(t)
	for _, build := range []int{3083, 3644, 3660, 4079, 4080, 5200, 5212, 5346, 5361, 6082, 6245, 6490, 6522, 6700, 7718, 7755, 8247, 8679, 9436, 9437, 10104, 10105, 10364, 10700, 11469, 11669} {
		since := func(first int, name, value string, params map[string]string) {
			if build >= first {
				params[name] = value
			}
		}
		params := map[string]string{
			"threads": "3", "batch": "256", "ubatch": "128", "flash_attn": "on", "gpu_layers": "7", "type_k": "q8_0", "type_v": "q4_0",
			"mmap": "off", "split_mode": "row", "main_gpu": "1", "tensor_split": "3/1", "kv_offload": "off",
		}
		since(3644, "poll", "10", params)
		since(3644, "cpu_mask", "0xF0", params)
		since(3644, "cpu_strict", "on", params)
		since(5346, "op_offload", "off", params)
		since(6490, "n_cpu_moe", "2", params)
		since(6522, "devices", "none", params)
		since(9437, "flash_attn", "auto", params)
		p := onePlan(fake(t, "FAKE_BUILD="+strconv.Itoa(build)), model, params, "pp512", "tg128", "pp64+tg8")
		trial, err := new(Bench).Measure(t.Context(), p, p.Trials[0])
		if err != nil {
			t.Fatal(err)
		}
		if trial.Outcome != record.OK || trial.Warnings != nil {
			t.Errorf("b%d: %+v %q", build, trial.Failure, trial.Warnings)
			continue
		}
		params["cpu_mask"] = "f0"
		for name, asked := range params {
			if got, reported := trial.Echo[name]; got != asked && (reported || name != "cpu_mask") {
				t.Errorf("b%d: %s asked %s, got %s", build, name, asked, got)
			}
		}
		if trial.Echo["build_number"] != strconv.Itoa(build) || trial.Echo["build_commit"] == "" || trial.Echo["backends"] == "" {
			t.Errorf("b%d: echo %v", build, trial.Echo)
		}
	}
}
