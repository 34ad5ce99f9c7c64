package llama

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
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
	for _, kind := range []struct {
		build, fault string
		invocations  int  // as it is, and counted
		warm         bool // after the program's own warm-up
		avx512       bool // the processor has it, which valgrind has not
	}{
		{"11669", "", 1 + 1, true, false},
		{"11669", "nomarks", 1 + 1 + 2, false, false}, // the repetition cannot be told apart
		{"4000", "nomarks", 1 + 1 + 2, true, false},   // nor is there a --no-warmup
		{"11669", "", 1 + 1, true, true},
	} {
		build := kind.build
		processor(t, kind.avx512)
		log := filepath.Join(t.TempDir(), "log")
		bin := fake(t, "FAKE_BUILD="+build, "FAKE_LOG="+log)
		withTruth(t, bin, "BASE=123456789 PP=3202282 TG=4673385 HOT=1000000 FAULT="+kind.fault)
		p := countPlan(bin, modelFile(t), "valgrind", "pp64", "tg16")
		trial := counted1(t, &Counter{CPU: "EPYC", workers: 1}, p)
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
		want := 1 + 2*(kind.invocations-1)
		if kind.avx512 {
			want++ // one token, to see whether the build runs
		}
		if err != nil || len(runs) != want {
			t.Fatalf("%s %s: %d invocations, want %d (%v)", build, kind.fault, len(runs), want, err)
		}
		for i, run := range runs {
			words := strings.Join(run.Args, " ")
			if !strings.Contains(words, "-t 1") {
				t.Errorf("not one thread: %s", words)
			}
			if cold := strings.Contains(words, "--no-warmup"); i == len(runs)-1 && cold == kind.warm {
				t.Errorf("build %s %s, invocation %d: %s", build, kind.fault, i, words)
			}
		}
	}
}

// The trials of a block are measured at once, each as the one it is; no other is
// begun with them.
func TestCountBeside(t *testing.T) {
	valgrindInPath(t, "3.19.0")
	processor(t, false)
	log := filepath.Join(t.TempDir(), "log")
	base, head := fake(t, "FAKE_LOG="+log), fake(t, "FAKE_LOG="+log)
	withTruth(t, base, "PP=1000")
	withTruth(t, head, "PP=2000")
	p := countPlan(base, modelFile(t), "valgrind", "pp64")
	p.Arms = append(p.Arms, record.Arm{Name: "head", Bin: head})
	p.Trials = []plan.Trial{{ID: "b0.head", Arm: 1}, {ID: "b0.base", Order: 1}, {ID: "b1.base", Block: 1, Order: 2}}
	c := &Counter{workers: 2, Find: func(context.Context) (string, error) {
		if runs, _ := fakebench.Invocations(log); len(runs) > 2 { // each arm was asked for its help
			t.Errorf("valgrind is looked for while programs run: %+v", runs)
		}
		return exec.LookPath("valgrind")
	}}
	for i, want := range []float64{2000, 1000, 1000} {
		trial, err := c.Measure(t.Context(), p, p.Trials[i])
		if m, _ := trial.Measurement("pp64_instructions"); err != nil || !slices.Equal(m.Values, []float64{want}) {
			t.Errorf("%s: %v (%v, %+v), want %v", p.Trials[i].ID, m.Values, err, trial.Failure, want)
		}
		runs, err := fakebench.Invocations(log)
		runs = slices.DeleteFunc(runs, func(run fakebench.Invocation) bool { return !slices.Contains(run.Args, "-r") })
		if n := []int{4, 4, 6}[i]; err != nil || len(runs) != n {
			t.Errorf("%d invocations after trial %d, want %d (%v)", len(runs), i, n, err)
		}
	}
	again := p.Trials[0]
	again.ID = "b0.head.again1"
	if _, err := c.Measure(t.Context(), p, again); err != nil || len(c.ahead) > 0 {
		t.Errorf("%v: a trial that is run again has %d beside it", err, len(c.ahead))
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
		if _, err := new(Counter).chooseTool(t.Context(), "valgrind"); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "apt-get install valgrind") {
			t.Errorf("%v does not say %q", err, want)
		}
	}
}

// A valgrind that never says its version is ended with the run, and is no tool that
// was refused; one outside of PATH is used where it is found.
func TestCountFindsValgrind(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "valgrind")
	asked := filepath.Join(dir, "asked")
	if err := syscall.Mkfifo(asked, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := fakeprogram.WriteScript(path, "#!/bin/sh\necho >"+asked+"\nexec sleep 600\n"); err != nil {
		t.Fatal(err)
	}
	c := &Counter{Find: func(context.Context) (string, error) { return path, nil }}
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		_, _ = os.ReadFile(asked)
		cancel()
	}()
	if _, err := c.tool(ctx, "valgrind"); !errors.Is(err, context.Canceled) || c.refused != nil {
		t.Errorf("%v, %v", err, c.refused)
	}
	if _, err := fakevalgrind.Install(dir, "3.21.0"); err != nil {
		t.Fatal(err)
	}
	if tool, err := c.tool(t.Context(), "valgrind"); err != nil || tool.version != "valgrind-3.21.0" || tool.path != path {
		t.Errorf("%+v, %v", tool, err)
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
	if !strings.Contains(why, "25m0s") || !strings.Contains(why, "at most 256 fit") {
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
	if other := filepath.Join(filepath.Dir(dir), "haswell"); BeyondValgrind() {
		if _, err := os.Stat(other); err == nil {
			dir = other // of the same build, without AVX-512
		}
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
