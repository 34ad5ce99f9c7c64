package sched_test

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/llama-regress/llama-regress/ci/gguf"
	"github.com/llama-regress/llama-regress/ci/provision"
	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/fixtures/vm"
)

// The system tests run the finished program with the real llama-bench on a real
// kernel, under its real schedulers. A guest takes minutes on a busy machine;
// the limit is only there to end what hangs.
const guestLimit = 15 * time.Minute

//go:embed testdata/guest.sh
var guestScript string

// guest is the machine with this project's program, llama-bench and a model.
// Without a machine a test is skipped, or fails where LLAMA_REGRESS_REQUIRE_VM=1
// demands it.
func guest(t *testing.T) vm.Guest {
	t.Helper()
	m, err := vm.Prepared()
	switch {
	case err == nil:
	case os.Getenv("LLAMA_REGRESS_REQUIRE_VM") == "1":
		t.Fatal(err)
	default:
		t.Skip(err)
	}
	for _, why := range m.LeftOut() {
		t.Logf("left out: %s", why)
	}

	dir := t.TempDir()
	model := filepath.Join(dir, "tiny.gguf")
	shape, _ := gguf.Preset("tiny")
	if _, err := gguf.WriteFile(t.Context(), model, shape, 1); err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, "llama-regress")
	build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-ldflags=-s -w", "-o", program,
		"github.com/llama-regress/llama-regress/cmd/llama-regress")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return vm.Guest{Machine: m, Files: append(llamaBench(t),
		vm.File{Path: "/bin/llama-regress", From: program},
		vm.File{Path: "/models/tiny.gguf", From: model},
		vm.File{Path: "/test/guest.sh", Data: guestScript})}
}

// llamaBench is the real one, with the CPU backend that every processor runs,
// as 'provision' lays it out.
func llamaBench(t *testing.T) []vm.File {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	found, err := provision.Find(ctx, provision.Options{Log: func(line string) { t.Log(line) }})
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(found.Backends(), func(b provision.Backend) bool { return b.Name == "x64" })
	if i < 0 {
		t.Fatalf("%s has no CPU backend x64: it was not unpacked from packages", found)
	}
	bin := found.Backends()[i].Dir
	files := []vm.File{{Path: "/llama/bin/x64/llama-bench", From: filepath.Join(bin, "llama-bench")}}
	for _, part := range []string{"usr/bin/llama-bench", "usr/lib64", "usr/lib/x86_64-linux-gnu"} {
		files = append(files, vm.File{Path: "/llama/files/" + part, From: filepath.Join(bin, "../../files", part)})
	}
	return files
}

// run boots the guest with a script in which guest.sh is included, and checks
// that it came to its end.
func run(t *testing.T, g vm.Guest, script string) *vm.Result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), guestLimit)
	defer cancel()
	g.Script = "#!/bin/sh\n. /test/guest.sh\n" + script + "\necho done\n"
	r, err := g.Run(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, why := range r.Panics {
		t.Logf("booted again: %s", why)
	}
	t.Cleanup(func() {
		if t.Failed() {
			keep(t, r)
		}
	})
	if r.Code != 0 || !strings.HasSuffix(r.Output, "done\n") {
		t.Fatalf("exit %d, output:\n%s", r.Code, r.Output)
	}
	return r
}

// keep writes what a guest left to a folder that outlives the test.
func keep(t *testing.T, r *vm.Result) {
	dir, err := os.MkdirTemp("", "llama-regress-guest-")
	if err != nil {
		t.Error(err)
		return
	}
	for name, data := range r.Files {
		file := filepath.Join(dir, name)
		_ = os.MkdirAll(filepath.Dir(file), 0o755)
		_ = os.WriteFile(file, data, 0o644)
	}
	t.Logf("what the guest left is in %s; its output:\n%s", dir, r.Output)
}

// measured is the run record in a folder of the guest's /out.
func measured(t *testing.T, r *vm.Result, dir string) *record.Run {
	t.Helper()
	run, err := record.Read(bytes.NewReader(r.Files[dir+"/run.json"]), dir)
	if err != nil {
		t.Fatalf("%s: %v\n%s", dir, err, r.Files[dir+"/log"])
	}
	return run
}

// said finds "NAME: VALUE" in a guest's output.
func said(t *testing.T, r *vm.Result, name string) string {
	t.Helper()
	m := regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(name) + `: (.*)$`).FindStringSubmatch(r.Output)
	if m == nil {
		t.Fatalf("the guest did not say %q; its output:\n%s", name, r.Output)
	}
	return m[1]
}

// config is a configuration in which each scheduler is an arm of its own name.
func config(tests string, repetitions, blocks int, schedulers ...string) string {
	var b strings.Builder
	b.WriteString("version: 1\narms:\n")
	for _, s := range schedulers {
		name, _, _ := strings.Cut(strings.TrimPrefix(s, "scx_"), " ")
		fmt.Fprintf(&b, "  - {name: %s, bin: /llama/bin/x64, scheduler: %q}\n", name, s)
	}
	fmt.Fprintf(&b, "models: [{path: /models/tiny.gguf}]\nmatrix: {threads: [2]}\nbench: {tests: [%s], repetitions: %d}\n", tests, repetitions)
	fmt.Fprintf(&b, "sampling: {blocks: %d, warmup: 1, control: none, repeat_contaminated: 0}\nschedulers: {start_timeout: 5m}\n", blocks)
	return b.String()
}

// Every scheduler is an arm beside the kernel's own, and the record proves for
// every trial which one was in force, by the kernel's word, and that it was the
// same load from beginning to end.
func TestStudyOnRealKernel(t *testing.T) {
	if left := study(t, 2, "default", "scx_simple", "scx_qmap", "scx_central", "scx_flatcg"); len(left) > 0 {
		t.Errorf("not loaded: %v", left)
	}
}

// The same with those that production machines run. They are not of the kernel's
// own source, so a newer kernel may leave some behind, not all.
func TestRustStudyOnRealKernel(t *testing.T) {
	m, err := vm.Prepared()
	if err != nil {
		guest(t) // says what is missing
	}
	rust, err := m.RustSchedulers()
	if err != nil {
		t.Fatal(err)
	}
	if len(rust) == 0 {
		t.Skipf("left out: %s", strings.Join(m.LeftOut(), "; "))
	}
	left := study(t, 1, append([]string{"default"}, rust...)...)
	if len(left) == len(rust) {
		t.Error("none of the Rust schedulers loads: is there a newer version for fixtures/vm/rust.sh?")
	}
	for arm, why := range left {
		t.Logf("left out: %s: %s", arm, why)
	}
}

// study measures schedulers and returns why an arm's could not be loaded.
func study(t *testing.T, blocks int, schedulers ...string) (left map[string]string) {
	t.Helper()
	g := guest(t)
	g.Files = append(g.Files, vm.File{Path: "/test/study.yaml", Data: config(`"pp16", "tg4"`, 2, blocks, schedulers...)})
	r := run(t, g, `
llama-regress schedulers >/out/schedulers.txt 2>&1; echo "schedulers: $?"
measure study /test/study.yaml
ended study
state after
`)
	for _, s := range schedulers[1:] {
		if !strings.Contains(string(r.Files["schedulers.txt"]), s) {
			t.Errorf("'llama-regress schedulers' does not list %s:\n%s", s, r.Files["schedulers.txt"])
		}
	}
	got := measured(t, r, "study")
	if want := len(schedulers) * blocks; len(got.Trials) != want {
		t.Errorf("%d trials, want %d", len(got.Trials), want)
	}
	left = map[string]string{}
	loads := map[int]string{} // count of loads: the arm whose load it was
	for _, trial := range got.Trials {
		in := trial.Scheduler
		if f := trial.Failure; f != nil && f.Class == record.SchedulerNotLoaded {
			left[trial.Arm] = f.Message
			continue
		}
		if trial.Outcome != record.OK || in == nil {
			t.Errorf("%s: %s, %+v, %+v", trial.ID, trial.Outcome, trial.Failure, in)
			continue
		}
		for _, name := range []string{"pp16", "tg4"} { // beside what the trial took
			if m, _ := trial.Measurement(name); len(m.Values) == 0 {
				t.Errorf("%s: no %s", trial.ID, name)
			}
		}
		asked := schedulers[slices.IndexFunc(schedulers, func(s string) bool { return strings.TrimPrefix(s, "scx_") == trial.Arm })]
		if in.Asked != asked || in.SeqBefore != in.SeqAfter || in.Ejected != "" {
			t.Errorf("%s: %+v", trial.ID, *in)
		}
		if asked == "default" {
			if in.State != "disabled" || in.Ops != "" || len(in.Command) != 0 {
				t.Errorf("%s: %+v, want the kernel's own scheduler", trial.ID, *in)
			}
			continue
		}
		if in.State != "enabled" || !strings.HasPrefix(in.Ops, trial.Arm) || !strings.HasSuffix(in.Command[0], "/"+asked) {
			t.Errorf("%s: %+v, want %s in force", trial.ID, *in, asked)
		}
		if other := loads[in.SeqBefore]; other != "" && other != trial.Arm {
			t.Errorf("%s: load %d was that of %s", trial.ID, in.SeqBefore, other)
		}
		loads[in.SeqBefore] = trial.Arm
	}
	if got := said(t, r, "after"); got != fmt.Sprintf("disabled, load %d, processes 0", slices.Max(slices.Collect(maps.Keys(loads)))) {
		t.Errorf("after the run: %s; loads %v", got, loads)
	}
	if code := said(t, r, "study"); code != "exit 0" && len(left) == 0 {
		t.Errorf("%s\n%s", code, r.Files["study/log"])
	}
	if dir := os.Getenv("LLAMA_REGRESS_KEEP_STUDY"); dir != "" {
		if err := record.WriteFile(filepath.Join(dir, "run.json"), got); err != nil {
			t.Error(err)
		}
	}
	return left
}

// What ends a scheduler during a trial is found out, whoever does it: the trial
// has failed, has no numbers, and has the kernel's reason.
func TestEjectionsOnRealKernel(t *testing.T) {
	g := guest(t)
	const long = `"tg256"` // minutes: nobody waits for its end
	for _, c := range []struct {
		name, config, during, reason string
	}{
		{"killed", config(`"tg64"`, 3, 2, "scx_simple"), "kill -9 $(pidof scx_simple)", "its program ended (signal: killed)"},
		{"stalled", config(long, 50, 1, "scx_qmap -t 100"), "", "runnable task stall: "},                       // -t: one thread of so many never runs
		{"failing", config(long, 50, 1, "scx_qmap -e 1000"), "", "scx_bpf_error: "},                            // -e: so many tasks later
		{"thrown out", config(long, 50, 1, "scx_central"), "echo S >/proc/sysrq-trigger", "disabled by sysrq"}, // as an administrator does
	} {
		t.Run(c.name, func(t *testing.T) {
			g := g
			g.Files = append(slices.Clone(g.Files), vm.File{Path: "/test/run.yaml", Data: c.config})
			script := "measure run /test/run.yaml\n"
			if c.during != "" {
				script += "wait_until during\n" + c.during + "\n"
			}
			r := run(t, g, script+"ended run\nstate after")
			if code := said(t, r, "run"); code != "exit 4" {
				t.Errorf("%s, want exit 4\n%s", code, r.Files["run/log"])
			}
			if state := said(t, r, "after"); !strings.HasPrefix(state, "disabled, ") || !strings.HasSuffix(state, ", processes 0") {
				t.Errorf("after it: %s", state)
			}
			trials := measured(t, r, "run").Trials
			trial := trials[0]
			in, f := trial.Scheduler, trial.Failure
			if trial.Outcome != record.Failed || f == nil || f.Class != record.SchedulerEjected || in == nil {
				t.Fatalf("%s: %+v, %+v", trial.Outcome, f, in)
			}
			if len(trial.Measurements) > 0 {
				t.Errorf("%d measurements are left", len(trial.Measurements))
			}
			if !strings.Contains(in.Ejected, c.reason) || !strings.Contains(f.Message, c.reason) || len(in.Kernel) == 0 {
				t.Errorf("reason %q, message %q, the kernel's messages %q; want %q", in.Ejected, f.Message, in.Kernel, c.reason)
			}
			if len(trials) == 2 && (trials[1].Outcome != record.OK || trials[1].Scheduler.SeqBefore != in.SeqAfter+1) {
				t.Errorf("the block after it, for which it is loaded again: %+v, %+v", trials[1].Failure, trials[1].Scheduler)
			}
		})
	}
}

// Another's scheduler is refused and left alone, and whatever ends the program,
// no scheduler of its own stays.
func TestNoSchedulerStaysOnRealKernel(t *testing.T) {
	g := guest(t)
	g.Files = append(g.Files,
		vm.File{Path: "/test/refused.yaml", Data: config(`"pp16"`, 1, 1, "scx_central")},
		vm.File{Path: "/test/long.yaml", Data: config(`"tg256"`, 50, 2, "scx_flatcg")})
	r := run(t, g, `
scx_simple >/out/occupant 2>&1 &
wait_until loaded simple
measure refused /test/refused.yaml
ended refused
state "after refused"
kill -INT $(pidof scx_simple)
wait_until unloaded

measure interrupted /test/long.yaml
wait_until during
kill -INT $pid
ended interrupted
state "after interrupted"

measure shot /test/long.yaml
wait_until during
kill -9 $pid
ended shot
wait_until unloaded
wait_until gone
state "after shot"
`)
	for name, want := range map[string]string{"refused": "exit 4", "interrupted": "exit 130", "shot": "exit 137"} {
		if got := said(t, r, name); got != want {
			t.Errorf("%s: %s, want %s\n%s", name, got, want, r.Files[name+"/log"])
		}
	}
	if text := string(r.Files["refused/log"]); !strings.Contains(text, `another scheduler is active: "simple"`) || !strings.Contains(text, "loaded by scx_simple, process ") {
		t.Errorf("the refusal says:\n%s", text)
	}
	for name, want := range map[string]string{
		"after refused": "enabled simple, load 1, processes 1", "after interrupted": "disabled, load 2, processes 0", "after shot": "disabled, load 3, processes 0",
	} {
		if got := said(t, r, name); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}
