package llama

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/llama-regress/llama-regress/ci/config"
	"github.com/llama-regress/llama-regress/ci/plan"
	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/fixtures/fakebench"
	"github.com/llama-regress/llama-regress/fixtures/fakeprogram"
	"github.com/llama-regress/llama-regress/fixtures/fakevalgrind"
)

// countPlan is a plan of one count trial.
func countPlan(bin, model, tool string, tests ...string) *plan.Plan {
	p := onePlan(bin, model, nil, tests...)
	p.Cells[0].Cell.Workload = record.CountWorkload
	p.Count = &config.Count{Tests: p.Cells[0].Tests, Tool: tool, Threads: 1, Trials: 2}
	return p
}

// withTruth writes what the fake valgrind counts of a program in dir.
func withTruth(t *testing.T, dir, truth string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, "llama-bench.count"), []byte(truth), 0o644); err != nil {
		t.Fatal(err)
	}
}

// valgrindInPath puts the fake into PATH.
func valgrindInPath(t *testing.T, version string) {
	t.Helper()
	dir := t.TempDir()
	if _, err := fakevalgrind.Install(dir, version); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
}

func counted1(t *testing.T, c *Counter, p *plan.Plan) record.Trial {
	t.Helper()
	trial, err := c.Measure(t.Context(), p, p.Trials[0])
	if err != nil {
		t.Fatal(err)
	}
	return trial
}

// processor is one with AVX-512, or without.
func processor(t *testing.T, avx512 bool) {
	t.Helper()
	flags := "flags : fpu avx2\n"
	if avx512 {
		flags = "flags : fpu avx2 avx512f avx512bw\n"
	}
	file := filepath.Join(t.TempDir(), "cpuinfo")
	if err := os.WriteFile(file, []byte(flags), 0o600); err != nil {
		t.Fatal(err)
	}
	was := cpuInfo
	cpuInfo = file
	t.Cleanup(func() { cpuInfo = was })
}

// Start-up, loading and warm-up cancel; what is left is the truth, by function too.
func TestCount(t *testing.T) {
	valgrindInPath(t, "3.19.0")
	for i, build := range []string{"11669", "4000", "11669"} { // with --no-warmup, without, and on a processor that valgrind knows in part
		want := 5
		processor(t, i == 2)
		if i == 2 {
			want++
		}
		log := filepath.Join(t.TempDir(), "log")
		bin := fake(t, "FAKE_BUILD="+build, "FAKE_LOG="+log)
		withTruth(t, bin, "BASE=123456789 PP=3202282 TG=4673385 HOT=1000000")
		p := countPlan(bin, modelFile(t), "valgrind", "pp64", "tg16")
		trial := counted1(t, &Counter{CPU: "EPYC"}, p)
		if trial.Failure != nil {
			t.Fatalf("%+v", trial.Failure)
		}
		for name, want := range map[string]float64{"pp64_instructions": 3202282, "tg16_instructions": 4673385} {
			if m, _ := trial.Measurement(name); !slices.Equal(m.Values, []float64{want}) {
				t.Errorf("%s: %v, want %v", name, m.Values, want)
			}
		}
		c := trial.Counting
		if c.Tool != record.Valgrind || c.Version != "valgrind-3.19.0" || c.CPU != "EPYC" || c.Threads != 1 || !strings.Contains(c.Tunables, "non_temporal") {
			t.Errorf("%+v", c)
		}
		if f := c.Tests[0].Functions; len(f) != 2 || f[1].Name != "hot_loop" || f[1].Object != "libggml.so" || f[1].PerToken != 1e6 {
			t.Errorf("functions: %+v", f)
		}
		runs, err := fakebench.Invocations(log)
		runs = slices.DeleteFunc(runs, func(run fakebench.Invocation) bool { return !slices.Contains(run.Args, "-r") })
		if err != nil || len(runs) != want {
			t.Fatalf("%d invocations, want one as it is, with AVX-512 one of a token, and two of each test (%v)", len(runs), err)
		}
		for i, run := range runs {
			words := strings.Join(run.Args, " ")
			if !strings.Contains(words, "-t 1") {
				t.Errorf("not one thread: %s", words)
			}
			if warm := strings.Contains(words, "--no-warmup"); warm != (i > 0 && build == "11669") {
				t.Errorf("build %s, invocation %d: %s", build, i, words)
			}
		}
	}
}

// What goes wrong is told in one sentence with what to do, and measures nothing.
func TestCountFails(t *testing.T) {
	t.Setenv("PATH", t.TempDir()+":/usr/bin:/bin")
	for _, c := range []struct {
		name, version, truth string
		class                record.FailureClass
		says                 []string
	}{
		{"too old", "3.9.0", "", record.NoCounter, []string{"valgrind-3.9.0 is older", "apt-get install"}},
		{"AVX-512", "3.19.0", "FAULT=sigill", record.NoCounter, []string{"AVX-512", "-DGGML_NATIVE=OFF"}},
		{"killed", "3.19.0", "FAULT=kill", record.Crashed, []string{"killed from outside"}},
		{"nothing", "3.19.0", "FAULT=zero", record.BadOutput, []string{"counted no instruction", "wrapper"}},
		{"falls", "3.19.0", "FAULT=fewer", record.BadOutput, []string{"more repetitions are no more work", "ignore -r"}},
		{"no profile", "3.19.0", "FAULT=noprofile", record.BadOutput, []string{"wrote no profile"}},
		{"garbage", "3.19.0", "FAULT=garbage", record.BadOutput, []string{"line 1"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			valgrindInPath(t, c.version)
			bin := fake(t)
			withTruth(t, bin, c.truth)
			trial := counted1(t, new(Counter), countPlan(bin, modelFile(t), "valgrind", "pp64"))
			if trial.Failure == nil || trial.Failure.Class != c.class || trial.Outcome != record.Failed || len(trial.Measurements) > 0 {
				t.Fatalf("%+v, %+v", trial.Failure, trial.Measurements)
			}
			for _, word := range c.says {
				if !strings.Contains(trial.Failure.Message, word) {
					t.Errorf("%q does not say %q", trial.Failure.Message, word)
				}
			}
		})
	}
}

// Without valgrind, and where it is something else.
func TestCountWithoutValgrind(t *testing.T) {
	other := t.TempDir()
	t.Setenv("PATH", other)
	for _, c := range [][2]string{{"", "not in PATH"}, {"#!/bin/sh\necho hello\n", "is not valgrind"}, {"#!/bin/sh\nexit 3\n", "failed"}} {
		text, want := c[0], c[1]
		if text != "" {
			if err := fakeprogram.WriteScript(filepath.Join(other, "valgrind"), text); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := new(Counter).chooseTool("valgrind"); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "apt-get install valgrind") {
			t.Errorf("%v does not say %q", err, want)
		}
	}
}

// fakeCounter counts what a test says, one invocation after the other.
type fakeCounter struct {
	counts []int64
	err    error
	read   *int
}

func (f fakeCounter) Begin() (countReading, error) {
	if f.err != nil {
		return nil, f.err
	}
	return f, nil
}

func (f fakeCounter) End() (int64, error) {
	n := f.counts[*f.read%len(f.counts)]
	*f.read++
	return n, nil
}

// The processor's counters go first where they are, and cost nothing but the runs.
func TestCountByProcessor(t *testing.T) {
	t.Setenv("PATH", "/usr/bin:/bin")
	at := 0
	p := countPlan(fake(t), modelFile(t), "auto", "pp64")
	// The first is asked whether there are counters; two repetitions run before one.
	c := &Counter{counters: fakeCounter{counts: []int64{0, 128_001_000, 64_001_000}, read: &at}, workers: 1}
	trial := counted1(t, c, p)
	if m, _ := trial.Measurement("pp64_instructions"); !slices.Equal(m.Values, []float64{1e6}) || trial.Counting.Tool != record.Perf || trial.Counting.Tests[0].Functions != nil {
		t.Errorf("%+v, %+v, %+v", m, trial.Failure, trial.Counting)
	}
	p.Count.Tool = "perf"
	if trial := counted1(t, &Counter{counters: fakeCounter{err: errors.New("forbidden")}}, p); trial.Failure == nil || trial.Failure.Class != record.NoCounter || trial.Failure.Message != "forbidden" {
		t.Errorf("%+v", trial.Failure)
	}
}

// A program that would not end in time is refused, with what fits.
func TestTooLarge(t *testing.T) {
	tests := []record.Test{{Prompt: 512}, {Gen: 128}}
	if why := tooLarge(tests, 0.05, 2, 10*time.Minute); why != "" {
		t.Errorf("a tiny model: %s", why)
	}
	why := tooLarge(tests, 100, 2, 10*time.Minute)
	if !strings.Contains(why, "37m30s") || !strings.Contains(why, "at most 170 fit") {
		t.Error(why)
	}
}

// Tunables that the arm sets win; without any, those that pin the C library are set.
func TestPinned(t *testing.T) {
	if env, in := pinned([]string{"A=1"}); in != tunables || !slices.Contains(env, "GLIBC_TUNABLES="+tunables) {
		t.Errorf("%v, %s", env, in)
	}
	if env, in := pinned([]string{"GLIBC_TUNABLES=x=1", "A=1"}); in != "x=1" || len(env) != 2 {
		t.Errorf("%v, %s", env, in)
	}
}

// Real valgrind and real llama.cpp: the parts of a count add up, and a second is alike.
func TestRealCount(t *testing.T) {
	dir, model := realLlama(t)
	if os.Getenv("LLAMA_REGRESS_REQUIRE_VALGRIND") != "1" {
		t.Skip("LLAMA_REGRESS_REQUIRE_VALGRIND is not 1: valgrind takes a minute on a busy machine")
	}
	p := countPlan(dir, model, "valgrind", "tg1")
	p.Timeout = 10 * time.Minute
	c := &Counter{Bench: Bench{LogDir: t.TempDir()}, CPU: "this"}
	var values []float64
	for range 2 {
		trial := counted1(t, c, p)
		if trial.Failure != nil {
			t.Fatalf("%+v", trial.Failure)
		}
		m, _ := trial.Measurement("tg1_instructions")
		sum := trial.Counting.Tests[0].Rest
		for _, f := range trial.Counting.Tests[0].Functions {
			sum += f.PerToken
		}
		if diff := sum/m.Values[0] - 1; diff > 1e-9 || diff < -1e-9 {
			t.Errorf("functions add up to %v of %v", sum, m.Values)
		}
		values = append(values, m.Values[0])
		t.Log(m.Values[0], trial.Counting.CLibrary, trial.Counting.Version)
	}
	if diff := values[1]/values[0] - 1; diff > 1e-3 || diff < -1e-3 {
		t.Errorf("%v differ by %v", values, diff)
	}
}
