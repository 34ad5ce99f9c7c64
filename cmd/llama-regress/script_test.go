package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/llama-regress/llama-regress/ci/gguf"
	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/cmd/internal/measure"
	"github.com/llama-regress/llama-regress/fixtures/effort"
	"github.com/llama-regress/llama-regress/fixtures/fakebench"
	"github.com/llama-regress/llama-regress/fixtures/fakeserver"
	"github.com/llama-regress/llama-regress/fixtures/faketools"
	"github.com/llama-regress/llama-regress/fixtures/fakevalgrind"
)

func TestMain(m *testing.M) {
	fakebench.TakeOver() // does not return in a process named llama-bench
	fakeserver.TakeOver()
	faketools.TakeOver()
	takeOverScheduler()
	effort.SideBySide(3)
	testscript.Main(m, map[string]func(){"llama-regress": main})
}

// The command as users meet it, on a llama-bench whose truth is known.
func TestScripts(t *testing.T) { testscript.Run(t, scripts("testdata/script")) }

// scripts are those of a folder, with the commands that they have.
func scripts(dir string) testscript.Params {
	return testscript.Params{
		Dir: dir,
		Setup: func(env *testscript.Env) error {
			dir, err := programFolder()
			if err != nil {
				return err
			}
			env.Setenv("PATH", dir+string(filepath.ListSeparator)+env.Getenv("PATH"))
			env.Setenv("CI", "true")
			env.Setenv("GORACE", "atexit_sleep_ms=0")                                    // else each process of a race build waits a second at its end
			env.Setenv(measure.LockVariable, filepath.Join(env.WorkDir, "machine.lock")) // scripts run side by side
			env.Setenv("LLAMA_REGRESS_CACHE", filepath.Join(env.WorkDir, "cache"))
			_, err = gguf.WriteFile(context.Background(), filepath.Join(env.WorkDir, "model.gguf"), scriptModel, 1)
			return err
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "fake": fake, "fakeserver": fakeServer, "faketool": fakeTool, "valgrind": fakeValgrind, "serves": serves, "bench": bench, "results": results, "edit": edit, "nights": nights, "night": night, "for-nights": forNights, "join": join, "no-process": noProcess, "kernel": fakeKernel, "raced": raced, "repository": makeRepository,
		},
	}
}

// scriptModel is the smallest thing that is a model: the fake does not load it.
var scriptModel = gguf.Shape{Name: "m", Layers: 1, Width: 32, Heads: 1, KVHeads: 1, FeedForward: 32, Vocab: 259, Context: 64, Type: gguf.F16}

// exits CODE COMMAND... fails unless the command ends with exactly that code:
// testscript's own "! exec" takes any failure for the expected one.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND [ARG...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	code := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		code = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if code != want {
		ts.Fatalf("exit code %d, want %d", code, want)
	}
}

// fake DIR [SETTING...] puts a fake llama-bench with these settings into DIR.
func fake(ts *testscript.TestScript, _ bool, args []string) {
	_, err := fakebench.Install(ts.MkAbs(args[0]), args[1:]...)
	ts.Check(err)
}

// fakeServer DIR [SETTING...] puts a fake llama-server with these settings into DIR.
func fakeServer(ts *testscript.TestScript, _ bool, args []string) {
	_, err := fakeserver.Install(ts.MkAbs(args[0]), args[1:]...)
	ts.Check(err)
}

// fakeTool NAME DIR [SETTING...] puts a fake llama-batched-bench or test-backend-ops with
// these settings into DIR, in place of another.
func fakeTool(ts *testscript.TestScript, _ bool, args []string) {
	_ = os.Remove(filepath.Join(ts.MkAbs(args[1]), args[0])) // of an earlier call
	_, err := faketools.Install(ts.MkAbs(args[1]), args[0], args[2:]...)
	ts.Check(err)
}

// fakeValgrind DIR VERSION puts a fake valgrind of that version into DIR.
func fakeValgrind(ts *testscript.TestScript, _ bool, args []string) {
	dir := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(dir, 0o755))
	_, err := fakevalgrind.Install(dir, args[1])
	ts.Check(err)
}

// serves NAME [SETTING...] starts a fake llama-server with these settings that nobody
// stops before the script's end, and puts its address into the variable NAME.
func serves(ts *testscript.TestScript, _ bool, args []string) {
	settings, err := fakeserver.Read(args[1:]...)
	ts.Check(err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	srv := fakeserver.New(settings)
	go srv.Serve(l)
	ts.Defer(srv.Close)
	ts.Setenv(args[0], "http://"+l.Addr().String())
}

// bench N FILE DIR [ARG...] runs the llama-bench of DIR N times, as a user
// would, and collects its results in FILE.
func bench(ts *testscript.TestScript, _ bool, args []string) {
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	f, err := os.OpenFile(ts.MkAbs(args[1]), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	ts.Check(err)
	defer f.Close()
	for i := range n {
		cmd := exec.Command(filepath.Join(ts.MkAbs(args[2]), "llama-bench"), append([]string{"-m", ts.MkAbs("model.gguf"), "-o", "jsonl"}, args[3:]...)...)
		cmd.Stdout = f
		cmd.Env = append(os.Environ(), "FAKE_LOG="+ts.MkAbs(args[1])+".invocations")
		if err := cmd.Run(); err != nil {
			ts.Fatalf("%s", fmt.Sprint("invocation ", i, ": ", err))
		}
	}
}

// nights N RUN DIR [NAME=VALUE...] writes N copies of a run record into DIR as
// if it had been measured on the days before, its values scattered a little.
// The host's hard keys are changed as NAME=VALUE says.
func nights(ts *testscript.TestScript, _ bool, args []string) {
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	ts.Check(os.MkdirAll(ts.MkAbs(args[2]), 0o755))
	for i := range n {
		run, err := record.ReadFile(ts.MkAbs(args[1]))
		ts.Check(err)
		run.ID = fmt.Sprintf("night-%s-%02d", filepath.Base(args[2]), i)
		run.Started, run.Finished = run.Started.AddDate(0, 0, -1-i), run.Finished.AddDate(0, 0, -1-i)
		for _, pair := range args[3:] {
			name, value, _ := strings.Cut(pair, "=")
			run.Host.Hard[name] = value
		}
		for _, t := range run.Trials {
			for _, m := range t.Measurements {
				for k := range m.Values {
					m.Values[k] *= 1 + 0.002*float64(i%5-2)
				}
			}
		}
		ts.Check(record.WriteFile(filepath.Join(ts.MkAbs(args[2]), fmt.Sprintf("%02d.json", i)), run))
	}
}

// makeRepository DIR SPEED... makes a repository to bisect: see testdata/repository.sh.
func makeRepository(ts *testscript.TestScript, _ bool, args []string) {
	script, err := filepath.Abs("testdata/repository.sh")
	ts.Check(err)
	ts.Check(ts.Exec("sh", append([]string{script}, args...)...))
}

// night DAYS RUN FILE writes a copy of a run record as if it had been measured so
// many days later, earlier where DAYS is below 0, its values scattered a little.
func night(ts *testscript.TestScript, _ bool, args []string) {
	days, err := strconv.Atoi(args[0])
	ts.Check(err)
	writeNight(ts, days, ts.MkAbs(args[1]), ts.MkAbs(args[2]))
}

func writeNight(ts *testscript.TestScript, days int, from, to string) {
	run, err := record.ReadFile(from)
	ts.Check(err)
	if from != to {
		run.ID = fmt.Sprintf("%s-%03d", run.ID[len(run.ID)-4:], days+500)
	}
	run.Started, run.Finished = run.Started.AddDate(0, 0, days), run.Finished.AddDate(0, 0, days)
	trials := run.Trials
	if run.Sentinel != nil {
		trials = slices.Concat(trials, run.Sentinel.Trials)
	}
	for _, t := range trials {
		for _, m := range t.Measurements {
			for k := range m.Values {
				m.Values[k] *= 1 + 0.002*float64((days%5+5)%5-2)
			}
		}
	}
	ts.Check(record.WriteFile(to, run))
}

// for-nights FROM TO RUN COMMAND FILE copies a run record to night.json as if it had
// been measured FROM, FROM-1, ... TO days before, has a shell run the command with
// each, and collects what that prints in FILE.
func forNights(ts *testscript.TestScript, _ bool, args []string) {
	from, err := strconv.Atoi(args[0])
	ts.Check(err)
	to, err := strconv.Atoi(args[1])
	ts.Check(err)
	base, err := record.ReadFile(ts.MkAbs(args[2]))
	ts.Check(err)
	shift := 0
	if base.Started.Before(time.Now().AddDate(0, 0, -1)) {
		shift = 13 // it was moved a fortnight back itself
	}
	var all strings.Builder
	for days := from; days >= to; days-- {
		writeNight(ts, shift-days, ts.MkAbs(args[2]), ts.MkAbs("night.json"))
		_ = ts.Exec("sh", "-c", args[3])
		all.WriteString(ts.ReadFile("stdout") + ts.ReadFile("stderr"))
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[4]), []byte(all.String()), 0o644))
}

// join FILE PART... writes the parts one after another.
func join(ts *testscript.TestScript, _ bool, args []string) {
	var all []byte
	for _, part := range args[1:] {
		all = append(all, ts.ReadFile(part)...)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), all, 0o644))
}

// noProcess PATH fails if a program of that path runs, going by the process table.
func noProcess(ts *testscript.TestScript, _ bool, args []string) {
	path := ts.MkAbs(args[0])
	lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	ts.Check(err)
	for _, line := range lines {
		if command, _ := os.ReadFile(line); strings.HasPrefix(string(command), path+"\x00") {
			ts.Fatalf("%s is %q", filepath.Dir(line), command)
		}
	}
}

// results N FILE RATE [FIELD=JSON...] appends N results of llama-bench -o jsonl to
// FILE, each of one invocation at about RATE tok/s: of tg128, unless fields say so.
func results(ts *testscript.TestScript, _ bool, args []string) {
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	rate, err := strconv.ParseFloat(args[2], 64)
	ts.Check(err)
	fields := map[string]any{
		"build_commit": "aaaa1111", "build_number": 6082, "cpu_info": "C", "gpu_info": "", "backends": "CPU",
		"model_filename": "models/7B/ggml-model-q4_0.gguf", "model_type": "llama 7B Q4_0", "model_size": 3825065984, "model_n_params": 6738415616,
		"n_threads": 8, "n_gpu_layers": 99, "flash_attn": false, "n_prompt": 0, "n_gen": 128,
	}
	for _, pair := range args[3:] {
		name, text, _ := strings.Cut(pair, "=")
		var value any
		if json.Unmarshal([]byte(text), &value) != nil {
			value = text
		}
		fields[name] = value
	}
	tokens := 0.0
	for _, name := range []string{"n_prompt", "n_gen"} {
		x, err := strconv.ParseFloat(fmt.Sprint(fields[name]), 64)
		ts.Check(err)
		tokens += x
	}
	f, err := os.OpenFile(ts.MkAbs(args[1]), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	ts.Check(err)
	defer f.Close()
	for i := range n {
		fields["test_time"] = fmt.Sprintf("2026-11-01T%02d:%02d:00Z", i/60, i%60)
		fields["samples_ns"] = []int64{int64(1e9 * tokens / (rate * (1 + .002*float64(i%3))))}
		ts.Check(json.NewEncoder(f).Encode(fields))
	}
}

// edit FILE PATTERN TEXT replaces what matches the pattern, which something must.
func edit(ts *testscript.TestScript, _ bool, args []string) {
	pattern, err := regexp.Compile(args[1])
	ts.Check(err)
	text := ts.ReadFile(args[0])
	if !pattern.MatchString(text) {
		ts.Fatalf("%s: nothing matches %s", args[0], args[1])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(pattern.ReplaceAllString(text, args[2])), 0o644))
}
