package llama

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/fixtures/fakebench"
)

// Without noise the fake's truth is what a trial measures, test by test.
func TestMeasureTruth(t *testing.T) {
	t.Parallel()
	log := filepath.Join(t.TempDir(), "log")
	bin := fake(t, "FAKE_TOKS=pp512=1000,tg128=50,pp512@d64=800", "FAKE_SD=0,0", "FAKE_LOG="+log)
	p := onePlan(bin, modelFile(t), map[string]string{"threads": "2"}, "pp512", "tg128", "pp512@d64")
	p.Arms[0].Params = map[string]string{"batch": "64"}
	logs := t.TempDir()
	b := &Bench{LogDir: logs, Environ: append(os.Environ(), "GGML_CUDA_FORCE_MMQ=1")}
	trial, err := b.Measure(t.Context(), p, p.Trials[0])
	if err != nil {
		t.Fatal(err)
	}
	if trial.Outcome != record.OK || trial.Failure != nil {
		t.Fatalf("%+v", trial.Failure)
	}
	for i, want := range []float64{1000, 50, 800} {
		m := trial.Measurements[i]
		if m.Metric != p.Cells[0].Tests[i].Name() || len(m.Values) != 3 || len(m.Warmup) != 1 {
			t.Errorf("measurement %d: %+v", i, m)
		}
		for _, v := range slices.Concat(m.Values, m.Warmup) {
			if math.Abs(v/want-1) > 1e-6 {
				t.Errorf("%s: %v, want %v", m.Metric, v, want)
			}
		}
	}
	if trial.Echo["threads"] != "2" || trial.Echo["batch"] != "64" || trial.Echo["build_number"] != "11669" || trial.Echo["model_filename"] != p.Cells[0].ModelPath {
		t.Errorf("echo %v", trial.Echo)
	}
	if len(trial.Warnings) != 1 || !strings.Contains(trial.Warnings[0], "not passed on from the environment: GGML_CUDA_FORCE_MMQ") {
		t.Errorf("warnings %q", trial.Warnings)
	}
	runs, err := fakebench.Invocations(log)
	if err != nil {
		t.Fatal(err)
	}
	var ran []string
	for _, run := range runs {
		if run.Args[0] == "-m" {
			ran = append(ran, bin+"/llama-bench "+strings.Join(run.Args, " "))
		}
	}
	if got := strings.Join(trial.Command, " "); got != strings.Join(ran, " ; ") || len(ran) != 2 {
		t.Errorf("command %s\n    ran %s", got, strings.Join(ran, " ; "))
	}
	text, err := os.ReadFile(filepath.Join(logs, p.Trials[0].ID+".log"))
	if err != nil || strings.Count(string(text), "$ "+bin) != 2 || !strings.Contains(string(text), "load_backend") {
		t.Errorf("log %q, %v", text, err)
	}
}

// What goes wrong with the program is a failure of the trial, with its class,
// a message that names the cause, and what was finished before.
func TestMeasureFaults(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		fault string
		class record.FailureClass
		says  string
		done  int // measurements
	}{
		{"exit:3", record.ExitStatus, "ended with exit status 3", 0},
		{"exit:3@1", record.ExitStatus, "ended with exit status 3", 1},
		{"exit:137", record.Crashed, "killed from outside (exit status 137, a shell's word for killed)", 0},
		{"exit:139", record.Crashed, "segmentation fault", 0},
		{"crash:abort", record.Crashed, "crashed (aborted): ggml.c:3395: GGML_ASSERT(fake) failed", 0},
		{"crash:segv@1", record.Crashed, "segmentation fault", 1},
		{"crash:kill", record.Crashed, "killed from outside (killed); look for", 0},
		{"load", record.OutOfMemory, "unable to allocate CPU buffer, llama_bench: error: failed to load model", 0},
		{"context", record.ExitStatus, "failed to create context", 0},
		{"stdout:8M", record.BadOutput, "printed more than 1 MiB of results", 0},
		{"truncate", record.BadOutput, "stdout:2: the last result breaks off", 1},
		{"text", record.BadOutput, "stdout:1: not a llama-bench result", 2},
		{"inline", record.BadOutput, "stdout:1: the line breaks off", 0},
		{"twice", record.BadOutput, "pp512 is in the output 2 times", 2},
		{"short", record.BadOutput, "pp512 has 3 repetitions, asked for 4", 2},
		{"empty", record.BadOutput, "samples_ns: want at least one repetition", 0},
		{"zero", record.BadOutput, "samples_ns[0]: want nanoseconds greater than 0", 0},
		{"missing", record.MissingTest, "tg128 is not in the output, which has pp512", 1},
		{"missing:pp512", record.MissingTest, "pp512 is not in the output, which has tg128", 1},
		{"echo:n_threads=7", record.ParametersDiffer, "threads asked 2, got 7", 2},
		{"echo:flash_attn=-1,echo:poll=3", record.ParametersDiffer, "asked", 2},
		{"echo:model_filename=/other.gguf", record.ParametersDiffer, "got /other.gguf", 2},
		{"drop:samples_ns", record.BadOutput, "samples_ns: want at least one repetition", 0},
	} {
		t.Run(strings.ReplaceAll(c.fault, ",", " "), func(t *testing.T) {
			t.Parallel()
			p := onePlan(fake(t, "FAKE_FAULT="+c.fault), modelFile(t), map[string]string{"threads": "2", "flash_attn": "off", "poll": "50"}, "pp512", "tg128")
			trial, err := (&Bench{maxResults: 1 << 20}).Measure(t.Context(), p, p.Trials[0])
			if err != nil {
				t.Fatal(err)
			}
			if trial.Outcome != record.Failed || trial.Failure.Class != c.class || !strings.Contains(trial.Failure.Message, c.says) {
				t.Errorf("%s: %s: %+v; want %s: %s", c.fault, trial.Outcome, trial.Failure, c.class, c.says)
			}
			if len(trial.Measurements) != c.done {
				t.Errorf("%s: %d measurements, want %d", c.fault, len(trial.Measurements), c.done)
			}
			if strings.HasPrefix(c.fault, "crash") && trial.Failure.Signal == "" || strings.HasPrefix(c.fault, "exit") && trial.Failure.ExitCode == nil {
				t.Errorf("%s: no evidence: %+v", c.fault, trial.Failure)
			}
		})
	}
}

// What is odd but does no harm is a warning at most.
func TestMeasureTolerates(t *testing.T) {
	t.Parallel()
	for fault, warning := range map[string]string{
		"nan":             "",
		"extra":           "",
		"drop:flash_attn": "",
		"drop:n_threads":  "threads=2 was passed, but this build does not report it back",
		"stderr:10M":      "",
		"debug":           "warning: ",
		"daemon":          "left",
	} {
		p := onePlan(fake(t, "FAKE_FAULT="+fault), modelFile(t), map[string]string{"threads": "2"}, "pp512", "tg128")
		trial, err := new(Bench).Measure(t.Context(), p, p.Trials[0])
		if err != nil {
			t.Fatal(err)
		}
		if trial.Outcome != record.OK || len(trial.Measurements) != 2 {
			t.Errorf("%s: %+v", fault, trial.Failure)
		}
		if all := strings.Join(trial.Warnings, "\n"); (all == "") != (warning == "") || !strings.Contains(all, warning) {
			t.Errorf("%s: warnings %q, want %q", fault, trial.Warnings, warning)
		}
	}
}

// A gigabyte of log is read, so that the program is not held up, and not kept.
func TestMeasureBoundsTheLog(t *testing.T) {
	logs := t.TempDir()
	p := onePlan(fake(t, "FAKE_FAULT=stderr:1G"), modelFile(t), nil, "pp512")
	trial, err := (&Bench{LogDir: logs}).Measure(t.Context(), p, p.Trials[0])
	if err != nil || trial.Outcome != record.OK {
		t.Fatalf("%+v, %v", trial.Failure, err)
	}
	info, err := os.Stat(filepath.Join(logs, p.Trials[0].ID+".log"))
	if err != nil || info.Size() < maxLog || info.Size() > maxLog+100 {
		t.Errorf("the log has %d bytes, want %d and a last line: %v", info.Size(), maxLog, err)
	}
	if n := len(fmt.Sprint(trial)); n > 1<<20 {
		t.Errorf("the trial keeps %d bytes", n)
	}
}

func TestMeasureBadArgument(t *testing.T) {
	t.Parallel()
	model := modelFile(t)
	p := onePlan(fake(t, "FAKE_BUILD=5000"), model, map[string]string{"n_cpu_moe": "2"}, "pp512")
	for want, change := range map[string]func(){
		"n_cpu_moe=2 cannot be passed: this build has no such flag (flag -ncmoe); llama.cpp has it since build 6490": func() {},
		"flash_attn=auto cannot be passed": func() { p.Cells[0].Cell.Params = map[string]string{"flash_attn": "auto"} },
		"llama.cpp has it since build 5212": func() {
			p.Cells[0].Cell.Params = nil
			p.Cells[0].Tests = []record.Test{{Prompt: 8, Depth: 8}}
		},
		"bench_args=--prio 2 -zz 1 cannot be passed: this build has no such flag (flag -zz)": func() {
			p.Cells[0].Cell.Params = map[string]string{"bench_args": "--prio 2 -zz 1"}
		},
		"-o: llama-regress reads the results in a form of its own choice": func() {
			p.Cells[0].Cell.Params = map[string]string{"bench_args": "-o md"}
		},
		"the cell has no tests":           func() { p.Cells[0].Cell.Params, p.Cells[0].Tests = nil, nil },
		"takes a comma as several models": func() { p.Cells[0].ModelPath = "/a,b.gguf" },
	} {
		p.Cells[0] = onePlan("", model, map[string]string{"n_cpu_moe": "2"}, "pp512").Cells[0]
		change()
		trial, err := new(Bench).Measure(t.Context(), p, p.Trials[0])
		if err != nil || trial.Outcome != record.Failed || trial.Failure.Class != record.BadArgument || !strings.Contains(trial.Failure.Message, want) || trial.Command != nil {
			t.Errorf("%+v, %v; want %s", trial.Failure, err, want)
		}
	}
}

// Arguments of cell and arm are passed as they are, each a word of its own.
func TestMeasureArguments(t *testing.T) {
	t.Parallel()
	for _, ofArm := range []bool{false, true} {
		p := onePlan(fake(t), modelFile(t), map[string]string{"bench_args": `-ot "a b$HOME=CPU"`}, "pp8")
		if ofArm {
			p.Arms[0].Params, p.Cells[0].Cell.Params = p.Cells[0].Cell.Params, nil
		}
		trial, err := new(Bench).Measure(t.Context(), p, p.Trials[0])
		if err != nil || trial.Failure != nil {
			t.Fatalf("%v, %+v", err, trial.Failure)
		}
		if n := len(trial.Command); !slices.Equal(trial.Command[n-3:], []string{"-ot", "a b$HOME=CPU", "--progress"}) || trial.Echo["override_tensor"] != "a b$HOME=CPU" {
			t.Errorf("%q, echo %q", trial.Command, trial.Echo)
		}
	}
	arm := record.Arm{Name: "a", Bin: fake(t), Params: map[string]string{"bench_args": "--frob 1"}}
	if _, err := new(Bench).Identify(t.Context(), arm); err == nil || !strings.Contains(err.Error(), "arm a: ") || !strings.Contains(err.Error(), "this build has no such flag (flag --frob)") {
		t.Errorf("a flag that the build lacks: %v", err)
	}
}

// A program, a library beside it, or what it calls itself must not change
// while a run is under way; a file that is only touched has not changed.
func TestMeasureBuildChanged(t *testing.T) {
	t.Parallel()
	bin := fake(t)
	library := filepath.Join(bin, "libllama.so.0.7.0")
	if err := os.WriteFile(library, []byte("one"), 0o644); err != nil {
		t.Fatal(err)
	}
	p := onePlan(bin, modelFile(t), nil, "pp512")
	b := new(Bench)
	measure := func() *record.Failure {
		t.Helper()
		trial, err := b.Measure(t.Context(), p, p.Trials[0])
		if err != nil {
			t.Fatal(err)
		}
		return trial.Failure
	}
	if f := measure(); f != nil {
		t.Fatalf("%+v", f)
	}
	later := time.Now().Add(time.Hour)
	if err := os.Chtimes(library, later, later); err != nil {
		t.Fatal(err)
	}
	if f := measure(); f != nil {
		t.Errorf("touched: %+v", f)
	}
	if err := os.WriteFile(library, []byte("two"), 0o644); err != nil {
		t.Fatal(err)
	}
	if f := measure(); f == nil || f.Class != record.BuildChanged || !strings.Contains(f.Message, library+" has changed since the run began") {
		t.Errorf("rebuilt: %+v", f)
	}
	if err := os.Remove(library); err != nil {
		t.Fatal(err)
	}
	if f := measure(); f == nil || f.Class != record.BuildChanged {
		t.Errorf("removed: %+v", f)
	}

	b = new(Bench)
	p.Arms[0].Bin = fake(t, "FAKE_COMMIT=aaa")
	if f := measure(); f != nil {
		t.Fatalf("%+v", f)
	}
	if err := os.WriteFile(filepath.Join(p.Arms[0].Bin, "llama-bench.env"), []byte("FAKE_COMMIT=bbb\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if f := measure(); f == nil || f.Class != record.BuildChanged || !strings.Contains(f.Message, "bbb") {
		t.Errorf("another commit: %+v", f)
	}
}

// The cause of a failed start comes first in the log, that of a crash last.
func TestSentence(t *testing.T) {
	t.Parallel()
	const log = "ggml_backend_load_best: failed to load x\n0.00.001 first error\nfine\n0.01.002.003 E srv  second: failed\nthird error\nfourth error\nbye\n"
	for _, c := range []struct {
		text string
		last bool
		want string
	}{
		{log, false, "0.00.001 first error, second: failed"},
		{log, true, "third error, fourth error"},
		{"one error\n", true, "one error"},
		{"fine\n0.00.030.506 I srv  listening\n", false, "listening"},
		{"", true, "it said nothing"},
	} {
		if got := sentence(c.text, c.last); got != c.want {
			t.Errorf("%q: %q, want %q", c.text, got, c.want)
		}
	}
}
