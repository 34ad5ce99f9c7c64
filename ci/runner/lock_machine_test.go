package runner_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/llama-regress/llama-regress/ci/runner"
)

const lockVar = "RUNNER_TEST_LOCK" // the machine lock that the process takes and keeps

// holdLock is the process that has the machine until it is killed or its
// standard input ends.
func holdLock(file string) int {
	lock, err := runner.LockMachine(context.Background(), file, "their/out", runner.Waiting{})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println("held")
	bufio.NewReader(os.Stdin).ReadByte()
	lock.Unlock()
	return 0
}

// holding starts a process that has the lock.
func holding(t *testing.T, file string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), lockVar+"="+file, "GORACE=atexit_sleep_ms=0")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	if line, _ := bufio.NewReader(out).ReadString('\n'); line != "held\n" {
		t.Fatalf("the holder says %q", line)
	}
	return cmd
}

// Another process has the machine: who it is is told, and a kill frees it.
func TestMachineLockOfAKilledProcess(t *testing.T) {
	file := filepath.Join(t.TempDir(), "lock")
	other := holding(t, file)
	_, err := runner.LockMachine(t.Context(), file, "mine", runner.Waiting{})
	if !errors.Is(err, runner.ErrMachineBusy) {
		t.Fatalf("locked by another process: %v", err)
	}
	for _, want := range []string{fmt.Sprintf("process %d", other.Process.Pid), filepath.Join("their", "out"), "--wait"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v: does not name %q", err, want)
		}
	}

	told := make(chan runner.MachineUse, 1)
	waiting := runner.Waiting{For: time.Minute, Notify: func(u runner.MachineUse, waited, left time.Duration) {
		if left <= 0 || left > time.Minute {
			t.Errorf("%v left of a minute", left)
		}
		told <- u
	}}
	done := make(chan error)
	go func() {
		lock, err := runner.LockMachine(t.Context(), file, "mine", waiting)
		if err == nil {
			lock.Unlock()
		}
		done <- err
	}()
	if u := <-told; u.PID != other.Process.Pid { // it waits by now
		t.Errorf("waits for %v", u)
	}
	other.Process.Kill()
	if err := <-done; err != nil {
		t.Errorf("after the holder was killed: %v", err)
	}
}

func TestMachineLockGivesUp(t *testing.T) {
	file := filepath.Join(t.TempDir(), "lock")
	holding(t, file)
	if _, err := runner.LockMachine(t.Context(), file, "mine", runner.Waiting{For: time.Millisecond}); !errors.Is(err, runner.ErrMachineBusy) {
		t.Errorf("waited its time: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	wait := runner.Waiting{For: time.Hour, Notify: func(runner.MachineUse, time.Duration, time.Duration) { cancel() }}
	if _, err := runner.LockMachine(ctx, file, "mine", wait); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
}

// What is left of others neither holds anybody up nor is believed.
func TestMachineLockFile(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink(write("theirs", "precious"), link); err != nil {
		t.Fatal(err)
	}
	second := filepath.Join(dir, "second")
	if err := os.Link(write("first", "precious"), second); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		file string
		ok   bool
	}{
		"stale":         {write("stale", `{"pid":1,"dir":"long ago"}`), true},
		"torn":          {write("torn", `{"pid":`), true},
		"link":          {link, false},
		"second name":   {second, false},
		"folder":        {dir, false},
		"no such place": {filepath.Join(dir, "none", "lock"), false},
	} {
		lock, err := runner.LockMachine(t.Context(), tt.file, "mine", runner.Waiting{})
		if (err == nil) != tt.ok {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil {
			lock.Unlock()
		} else if errors.Is(err, runner.ErrMachineBusy) || !strings.Contains(err.Error(), "LLAMA_REGRESS_LOCK") {
			t.Errorf("%s: %v: does not say what to do", name, err)
		}
	}
	for _, name := range []string{"theirs", "first"} {
		if text, err := os.ReadFile(filepath.Join(dir, name)); string(text) != "precious" {
			t.Errorf("%s was written to: %q, %v", name, text, err)
		}
	}
}

func TestMachineUse(t *testing.T) {
	for name, text := range map[string]string{"noise": "\x1b[31mhello", "negative": `{"pid":-4}`, "empty": ""} {
		file := filepath.Join(t.TempDir(), "lock")
		holding(t, file)
		if err := os.WriteFile(file, []byte(text), 0o666); err != nil { // as anybody may
			t.Fatal(err)
		}
		_, err := runner.LockMachine(t.Context(), file, "mine", runner.Waiting{})
		if err == nil || !strings.Contains(err.Error(), "did not say who it is") {
			t.Errorf("%s: %v", name, err)
		}
	}
	u := runner.MachineUse{PID: 7, Dir: "a\x1b[2J\n::error::b" + strings.Repeat("x", 4000)}
	if s := u.String(); strings.ContainsAny(s, "\x1b\n") || len(s) > 400 {
		t.Errorf("%q", s)
	}
}

// The file of the lock is everybody's.
func TestMachineLockFileMode(t *testing.T) {
	file := filepath.Join(t.TempDir(), "lock")
	lock, err := runner.LockMachine(t.Context(), file, "mine", runner.Waiting{})
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Unlock()
	if info, err := os.Stat(file); err != nil || info.Mode()&fs.FileMode(0o666) != 0o666 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

// A run has the machine from before its first look at a model to its end, and
// says in its record how it was called.
func TestRunAlone(t *testing.T) {
	dir := t.TempDir()
	p := makePlan(t, dir, 1)
	opts := options(filepath.Join(dir, "out"))
	has := false
	opts.Alone = func(context.Context) (func(), []string, error) {
		has = true
		return func() { has = false }, []string{"called in haste"}, nil
	}
	opts.CheckModel = func(string) error {
		if !has {
			t.Error("a model is looked at beside others")
		}
		return nil
	}
	run, err := runner.Run(t.Context(), p, &fakeBench{}, opts)
	if err != nil || has {
		t.Fatalf("released: %v; %v", !has, err)
	}
	if len(run.Notes) != 1 || run.Notes[0] != "called in haste" {
		t.Errorf("%q", run.Notes)
	}

	opts.Dir = filepath.Join(dir, "busy")
	opts.Alone = func(context.Context) (func(), []string, error) { return nil, nil, runner.ErrMachineBusy }
	if run, err := runner.Run(t.Context(), p, &fakeBench{}, opts); run != nil || !errors.Is(err, runner.ErrMachineBusy) {
		t.Errorf("%v, %v", run, err)
	}
}
