//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/llama-regress/llama-regress/ci/gguf"
	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/ci/runner"
	"github.com/llama-regress/llama-regress/cmd/internal/measure"
	"github.com/llama-regress/llama-regress/fixtures/fakebench"
	"github.com/llama-regress/llama-regress/fixtures/fakeprogram"
	"github.com/llama-regress/llama-regress/fixtures/fakeserver"
)

// A killing is a command that is killed again and again, each time at a random
// moment of what was left of it, and gone on with.
type killing struct {
	t       *testing.T
	dir     string // all that it starts has this in its environment or on its command line
	program string
	args    []string
	out     string // its folder, below dir
	span    time.Duration
}

// newKilling has two builds whose programs are scripts that start the program
// itself, instead of becoming it, and two daemons that leave their group, one of
// which drops its environment as well.
func newKilling(t *testing.T, args ...string) *killing {
	t.Helper()
	k := &killing{t: t, dir: t.TempDir(), args: args, out: "out", span: 2 * time.Second}
	dir, err := programFolder()
	if err != nil {
		t.Fatal(err)
	}
	k.program = filepath.Join(dir, "llama-regress")
	if _, err := gguf.WriteFile(context.Background(), filepath.Join(k.dir, "model.gguf"), scriptModel, 1); err != nil {
		t.Fatal(err)
	}
	k.sh("ln -s \"$(command -v sleep)\" sleep")
	for _, build := range []string{"base", "head"} {
		real := filepath.Join(k.dir, "real", build)
		if _, err := fakebench.Install(real, "FAKE_SLEEP=30ms"); err != nil {
			t.Fatal(err)
		}
		if _, err := fakeserver.Install(real, "FAKE_TOKS=pp=2000,tg=400"); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"llama-bench", "llama-server"} {
			k.write(filepath.Join(build, name), fmt.Sprintf("#!/bin/sh\nsetsid sleep 600 >/dev/null 2>&1 &\nenv -i setsid %q 600 >/dev/null 2>&1 &\n%q \"$@\"\n", filepath.Join(k.dir, "sleep"), filepath.Join(real, name)))
		}
	}
	var chats strings.Builder
	for i := range 8 {
		fmt.Fprintf(&chats, "{\"id\": \"c%d\", \"prompt\": \"%s\", \"response\": \"yes\"}\n", i, strings.Repeat("word ", 10+i))
	}
	k.write("chats.jsonl", chats.String())
	return k
}

func (k *killing) write(name, text string) {
	k.t.Helper()
	path := filepath.Join(k.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		k.t.Fatal(err)
	}
	if err := fakeprogram.WriteScript(path, text); err != nil {
		k.t.Fatal(err)
	}
}

func (k *killing) sh(script string) {
	k.t.Helper()
	cmd := exec.Command("sh", "-ec", script)
	cmd.Dir = k.dir
	if out, err := cmd.CombinedOutput(); err != nil {
		k.t.Fatalf("%v\n%s", err, out)
	}
}

// run runs the command, goes on with what is there, and kills it after a while; it
// says whether the command came to its end by itself.
func (k *killing) run(after time.Duration) (code int, ended bool) {
	k.t.Helper()
	args := k.args
	if _, err := os.Stat(filepath.Join(k.dir, k.out)); err == nil {
		args = append(args[:len(args):len(args)], "--resume")
	}
	cmd := exec.Command(k.program, args...)
	cmd.Dir = k.dir
	cmd.Env = append(os.Environ(), "KILL_TEST="+k.dir, "GORACE=atexit_sleep_ms=0", "LLAMA_REGRESS_CACHE="+filepath.Join(k.dir, "cache"),
		measure.LockVariable+"="+filepath.Join(k.dir, "machine.lock"),
		"GIT_AUTHOR_NAME=A", "GIT_AUTHOR_EMAIL=a@x", "GIT_COMMITTER_NAME=A", "GIT_COMMITTER_EMAIL=a@x")
	log, err := os.Create(filepath.Join(k.dir, "said"))
	if err != nil {
		k.t.Fatal(err)
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log // files: who survives holds no pipe
	if err := cmd.Start(); err != nil {
		k.t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	select {
	case err = <-done:
	case <-time.After(after):
		_ = cmd.Process.Signal(syscall.SIGKILL)
		err = <-done
	}
	k.alone()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() < 0 {
		return 0, false
	}
	if code = cmd.ProcessState.ExitCode(); code == 2 { // usage, or a fault of ours
		text, _ := os.ReadFile(log.Name())
		k.t.Fatalf("exit %d\n%s", code, text)
	}
	return code, true
}

// alone waits until nothing is left of what the command started; what stays
// hangs the test, whose time limit names it.
func (k *killing) alone() {
	k.t.Helper()
	for since := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		left := k.survivors()
		if len(left) == 0 {
			return
		}
		if time.Since(since) > time.Minute {
			k.t.Fatalf("still there: %q", left)
		}
	}
}

// survivors are the command lines of the processes that have the folder in their
// environment or on their command line.
func (k *killing) survivors() (lines []string) {
	folders, _ := filepath.Glob("/proc/[0-9]*")
	for _, folder := range folders {
		env, _ := os.ReadFile(filepath.Join(folder, "environ"))
		line, _ := os.ReadFile(filepath.Join(folder, "cmdline"))
		if bytes.Contains(env, []byte("KILL_TEST="+k.dir)) || bytes.Contains(line, []byte(k.dir)) {
			lines = append(lines, filepath.Base(folder)+" "+strings.ReplaceAll(string(line), "\x00", " "))
		}
	}
	return lines
}

// finished are the trials that a killed or ended run in a folder holds, by ID, with
// the moment they began.
func (k *killing) finished(folder string) map[string]time.Time {
	k.t.Helper()
	run, err := runner.Recover(filepath.Join(k.dir, folder))
	if err != nil {
		run, err = record.ReadFile(filepath.Join(k.dir, folder, runner.RecordFile))
	}
	done := make(map[string]time.Time)
	if err != nil {
		return done // nothing was begun
	}
	for _, t := range run.Trials {
		if _, twice := done[t.ID]; twice {
			k.t.Errorf("%s is there twice", t.ID)
		}
		done[t.ID] = t.Start
	}
	return done
}

// kills is how often a command is killed in all: often in the nightly run.
func kills() int {
	if os.Getenv("LLAMA_REGRESS_LONG") == "1" {
		return 34 // 102 of the three
	}
	return 3
}

// killAll kills the command so often, at most six times before it may come to
// its end, and calls again after each end and each kill.
func (k *killing) killAll(again func(ended bool)) {
	left := kills()
	for left > 0 {
		for i := 0; i < 6 && left > 0; i++ {
			if _, ended := k.run(time.Duration(rand.Int64N(int64(k.span)))); ended {
				break
			}
			left--
			again(false)
		}
		begun := time.Now()
		if _, ended := k.run(10 * time.Minute); !ended {
			k.t.Fatal("it does not end")
		}
		k.span = max(time.Since(begun), 500*time.Millisecond) // of what is left of it, so that later kills fall within
		again(true)
		if err := os.RemoveAll(filepath.Join(k.dir, k.out)); err != nil {
			k.t.Fatal(err)
		}
	}
}

// measured checks what a run keeps through kills: nothing is lost, nothing twice.
func (k *killing) measured(trials int, requests int) func(ended bool) {
	before := map[string]time.Time{}
	return func(ended bool) {
		now := k.finished(k.out)
		for id, start := range before {
			if !now[id].Equal(start) {
				k.t.Errorf("%s was finished and is lost", id)
			}
		}
		before = now
		if !ended {
			return
		}
		before = map[string]time.Time{}
		if len(now) != trials {
			k.t.Errorf("%d trials, want %d", len(now), trials)
		}
		rows := make(map[string]int)
		if requests > 0 {
			for row, err := range record.ReadRequests(filepath.Join(k.dir, k.out, record.RequestFile)) {
				if err != nil {
					k.t.Fatal(err)
				}
				if _, there := now[row.Trial]; !there {
					k.t.Errorf("a request of %s, which is no trial", row.Trial)
				}
				if !row.Warmup {
					rows[row.Trial]++
				}
			}
			for id := range now {
				if rows[id] != requests {
					k.t.Errorf("%s has %d requests, want %d", id, rows[id], requests)
				}
			}
		}
	}
}

func TestGateKilled(t *testing.T) {
	t.Parallel()
	k := newKilling(t, "gate", "--base", "base", "--head", "head", "-m", "model.gguf", "--tests", "pp16,tg8", "--blocks", "4", "--control", "none", "--ignore-doctor", "-d", "out")
	k.killAll(k.measured(8, 0))
}

func TestServeKilled(t *testing.T) {
	t.Parallel()
	k := newKilling(t, "run", "--base", "base", "--head", "head", "-m", "model.gguf", "--dataset", "chats.jsonl", "--num-samples", "8", "--max-concurrent", "4",
		"--output-tokens", "4", "--blocks", "2", "--control", "none", "--ignore-doctor", "-d", "out")
	k.killAll(k.measured(4, 8))
}

func TestBisectKilled(t *testing.T) {
	t.Parallel()
	k := newKilling(t, "bisect", "--repo", "repo", "--good", "c1", "--bad", "c6", "-m", "model.gguf", "--tests", "tg8", "--repetitions", "1",
		"--build", "sh build.sh", "--bin", "out", "--ignore-doctor", "-d", "out")
	for name, slow := range map[string]string{"fast": "1.00", "slow": "1.50"} {
		if _, err := fakebench.Install(filepath.Join(k.dir, "real", name), "FAKE_SD=0.001,0.001", "FAKE_SLOW="+slow); err != nil {
			t.Fatal(err)
		}
	}
	k.write("commits.sh", `git init -q -b main repo
for n in 1 2 3 4 5 6; do
  speed=fast; [ $n -lt 4 ] || speed=slow
  cat >repo/build.sh <<EOF
# $n
sleep 0.2 & wait
mkdir -p out
cp `+k.dir+`/real/$speed/* out/
EOF
  git -C repo add .
  git -C repo -c user.name=A -c user.email=a@x commit -q -m "commit $n"
  git -C repo tag c$n
done
`)
	k.sh("sh commits.sh")
	k.killAll(func(ended bool) {
		if !ended {
			return
		}
		log, err := os.ReadFile(filepath.Join(k.dir, "out", "bisect.json"))
		if err != nil || !bytes.Contains(log, []byte(`"subject": "commit 4"`)) {
			t.Errorf("the first bad commit is not found: %v\n%s", err, log)
		}
	})
}
