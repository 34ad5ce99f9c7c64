package llama

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// shell is a child that runs a script; the script's own pid is $$.
func shell(script string) childSpec {
	return childSpec{program: "/bin/sh", args: []string{"-c", script}, env: os.Environ(), maxStdout: 1 << 20, grace: 50 * time.Millisecond}
}

// waitForPid waits until a script has written its pid, and returns it.
func waitForPid(t *testing.T, path string) int {
	t.Helper()
	for range 6000 {
		if data, err := os.ReadFile(path); err == nil && strings.HasSuffix(string(data), "\n") {
			pid, err := strconv.Atoi(strings.TrimSpace(string(data)))
			if err != nil {
				t.Fatal(err)
			}
			return pid
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("%s: no pid in a minute", path)
	return 0
}

// groupGone fails the test if a process of the group is left that is not a zombie.
func groupGone(t *testing.T, group int) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("walks /proc")
	}
	var left []string
	for range 300 { // the kernel takes a moment to end what was killed
		left = nil
		stats, _ := filepath.Glob("/proc/[0-9]*/stat")
		for _, path := range stats {
			data, err := os.ReadFile(path)
			if err != nil {
				continue // ended meanwhile
			}
			_, after, _ := strings.Cut(string(data), ") ") // the name before may hold blanks
			fields := strings.Fields(after)                // state, parent, group
			if fields[2] == strconv.Itoa(group) && fields[0] != "Z" {
				left = append(left, string(data))
			}
		}
		if left == nil {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("left of group %d: %q", group, left)
}

func TestChildEndsByItself(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		script string
		stdout string
		stderr string
		signal syscall.Signal
		code   int
	}{
		{script: "echo out; echo err >&2", stdout: "out\n", stderr: "err\n"},
		{script: "exit 7", code: 7},
		{script: "kill -SEGV $$", signal: syscall.SIGSEGV, code: -1},
		{script: "exec >&- 2>&-; exit 3", code: 3},        // closes its pipes first
		{script: "read x; echo got:$x", stdout: "got:\n"}, // its input is empty, not ours
	} {
		end, err := runChild(t.Context(), shell(c.script))
		if err != nil {
			t.Fatal(err)
		}
		if end.reason != endedItself || string(end.stdout) != c.stdout || end.stderr != c.stderr ||
			endSignal(end.state) != c.signal || end.state.ExitCode() != c.code || end.heldOpen {
			t.Errorf("%s: %+v", c.script, end)
		}
	}
}

// A child that ignores SIGTERM, and one in its group that does too, are gone
// when runChild returns.
func TestChildCancelled(t *testing.T) {
	t.Parallel()
	pidFile := filepath.Join(t.TempDir(), "pid")
	ctx, cancel := context.WithCancel(t.Context())
	group := make(chan int, 1)
	go func() {
		group <- waitForPid(t, pidFile)
		cancel()
	}()
	script := `trap "" TERM; (while :; do sleep 1; done) & echo $$ > ` + pidFile + `; echo half; while :; do sleep 1; done`
	end, err := runChild(ctx, shell(script))
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v", err)
	}
	if end.reason != endedCancel || endSignal(end.state) != syscall.SIGKILL || string(end.stdout) != "half\n" {
		t.Errorf("%+v", end)
	}
	groupGone(t, <-group)
}

func TestChildTimesOut(t *testing.T) {
	t.Parallel()
	pidFile := filepath.Join(t.TempDir(), "pid")
	spec := shell(`echo $$ > ` + pidFile + `; while :; do sleep 1; done`)
	spec.timeout = 300 * time.Millisecond
	end, err := runChild(t.Context(), spec)
	if err != nil || end.reason != endedTimeout {
		t.Fatalf("%+v, %v", end, err)
	}
	if data, err := os.ReadFile(pidFile); err == nil {
		pid, _ := strconv.Atoi(strings.TrimSpace(string(data)))
		groupGone(t, pid)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := runChild(ctx, spec); !errors.Is(err, context.Canceled) {
		t.Errorf("started under a context that was done: %v", err)
	}
}

func TestChildFloods(t *testing.T) {
	t.Parallel()
	spec := shell(`while :; do echo yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy; done`)
	end, err := runChild(t.Context(), spec)
	if err != nil || end.reason != endedFlood {
		t.Fatalf("%+v, %v", end.reason, err)
	}
	if len(end.stdout) != spec.maxStdout {
		t.Errorf("kept %d bytes, want %d", len(end.stdout), spec.maxStdout)
	}
}

// A process that the child leaves in its group is ended with it; one that left
// the group and dropped its environment but holds the output open is given up on
// where nobody adopts it.
func TestChildLeavesProcesses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	end, err := runChild(t.Context(), shell(`echo $$ > `+dir+`/group; sleep 1000 & echo out`))
	if err != nil || string(end.stdout) != "out\n" || end.heldOpen {
		t.Fatalf("%+v, %v", end, err)
	}
	groupGone(t, waitForPid(t, dir+"/group"))

	if _, err := exec.LookPath("setsid"); err != nil {
		t.Skip("no setsid")
	}
	end, err = runChild(t.Context(), shell(`env -i setsid sh -c 'echo $$ > `+dir+`/daemon; exec sleep 1000' & while [ ! -s `+dir+`/daemon ]; do :; done; echo out`))
	daemon := waitForPid(t, dir+"/daemon")
	defer func() { _ = syscall.Kill(daemon, syscall.SIGKILL) }()
	if err != nil || string(end.stdout) != "out\n" || !end.heldOpen || end.reason != endedItself {
		t.Fatalf("%+v, %v", end, err)
	}
}

// childHelperVar makes the test binary start a child and wait to be killed.
const childHelperVar = "LLAMA_REGRESS_TEST_CHILD"

// When llama-regress is killed, without any chance to act, its child dies too.
func TestChildDiesWithUs(t *testing.T) {
	t.Parallel()
	if pidFile := os.Getenv(childHelperVar); pidFile != "" {
		_, err := runChild(context.Background(), shell(`echo $$ > `+pidFile+`; exec sleep 1000`))
		t.Fatalf("the child ended: %v", err)
	}
	if runtime.GOOS != "linux" {
		t.Skip("only Linux ties a child's life to ours")
	}
	pidFile := filepath.Join(t.TempDir(), "pid")
	us := exec.Command(os.Args[0], "-test.run=^TestChildDiesWithUs$")
	us.Env = append(os.Environ(), childHelperVar+"="+pidFile)
	if err := us.Start(); err != nil {
		t.Fatal(err)
	}
	pid := waitForPid(t, pidFile)
	if err := us.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = us.Wait()
	groupGone(t, pid)
	if unix.Kill(pid, 0) == nil {
		_ = unix.Kill(pid, unix.SIGKILL)
	}
}

// All processes of a child are asked to end, not its first one alone: behind a
// wrapper it is the second that has something to finish.
func TestChildAsksItsWholeGroup(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		waitForPid(t, dir+"/pid")
		cancel()
	}()
	worker := `trap "echo finished >` + dir + `/end; exit" TERM; echo $$ >` + dir + `/pid; while :; do sleep 0.05; done`
	spec := shell(`trap : TERM; sh -c '` + worker + `' & wait; wait`) // the first wait ends with the signal, the second with the worker
	spec.grace = time.Minute                                          // nobody is killed for being slow
	_, err := runChild(ctx, spec)
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v", err)
	}
	if data, err := os.ReadFile(dir + "/end"); err != nil || string(data) != "finished\n" {
		t.Errorf("%q, %v: the worker behind the wrapper was not asked", data, err)
	}
}
