package provision

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// running tells whether a process is there and no zombie.
func running(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !strings.Contains(string(stat), ") Z ")
}

func waitGone(t *testing.T, pids ...int) {
	t.Helper()
	for _, pid := range pids {
		for i := 0; running(pid); i++ {
			if i > 1000 {
				t.Fatalf("process %d is still there", pid)
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
}

// lockedBy returns what Find says while it waits for another process, and makes
// it give up then.
func lockedBy(t *testing.T, w world) (who string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	o, _ := w.options()
	o.Log = func(line string) {
		if strings.Contains(line, "locked by") {
			who = line
			cancel()
		}
	}
	if _, err := Find(ctx, o); !errors.Is(err, context.Canceled) {
		t.Errorf("it did not wait: %v", err)
	}
	return who
}

func needsProc(t *testing.T) {
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		t.Skip("no /proc to see processes in")
	}
}

// Two processes at once: one fetches, the other waits, says for whom, and finds
// what the first made.
func TestTwoProcesses(t *testing.T) {
	w := newWorld(t)
	w.write("fault-hang-download", "")
	var stderr [2]bytes.Buffer
	var stdout [2]bytes.Buffer
	var cmds [2]*exec.Cmd
	start := func(i int) {
		cmds[i] = exec.Command(w.path("bin/find"))
		cmds[i].Stdout, cmds[i].Stderr = &stdout[i], &stderr[i]
		if err := cmds[i].Start(); err != nil {
			t.Fatal(err)
		}
	}
	start(0)
	pid, child := w.hanging(t)
	start(1)
	if who := lockedBy(t, w); !strings.Contains(who, fmt.Sprintf("locked by process %d on ", cmds[0].Process.Pid)) {
		t.Errorf("while process %d fetches: %q", cmds[0].Process.Pid, who)
	}
	w.mend("hang-download")
	syscall.Kill(child, syscall.SIGKILL)
	syscall.Kill(pid, syscall.SIGKILL) // the first process fails now, and the second takes over
	first, second := cmds[0].Wait(), cmds[1].Wait()
	if first == nil || second != nil {
		t.Fatalf("first: %v\n%s\nsecond: %v\n%s", first, &stderr[0], second, &stderr[1])
	}
	if got := len(w.calls("--download-only")); got != 2 {
		t.Errorf("%d downloads, want the first's and the second's", got)
	}
	start(0)
	start(1)
	if err := errors.Join(cmds[0].Wait(), cmds[1].Wait()); err != nil {
		t.Fatal(err)
	}
	if got := len(w.calls("--download-only")); got != 2 {
		t.Errorf("%d downloads with a warm cache, want no more", got)
	}
}

// Many at once on a cold cache fetch once.
func TestManyProcesses(t *testing.T) {
	w := newWorld(t)
	var cmds []*exec.Cmd
	for range 5 {
		cmd := exec.Command(w.path("bin/find"))
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		cmds = append(cmds, cmd)
	}
	for _, cmd := range cmds {
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	}
	if got := len(w.calls("--download-only")); got != 1 {
		t.Errorf("%d downloads, want 1", got)
	}
}

// Killed at any point, the next run starts from what there is. A child that
// outlived the killed process keeps the lock for as long as it may write.
func TestKilled(t *testing.T) {
	needsProc(t)
	for _, step := range []string{"update", "download", "dpkg-deb"} {
		t.Run(step, func(t *testing.T) {
			w := newWorld(t)
			w.write("fault-hang-"+step, "")
			cmd := exec.Command(w.path("bin/find"))
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			pid, child := w.hanging(t)
			cmd.Process.Kill()
			cmd.Wait()
			if entries, _ := filepath.Glob(w.path("cache/llama.cpp/apt-*")); len(entries) > 0 {
				t.Errorf("an entry appeared: %v", entries)
			}

			if who := lockedBy(t, w); !strings.Contains(who, fmt.Sprintf("locked by process %d on ", cmd.Process.Pid)) {
				t.Errorf("while the orphan is at work: %q", who)
			}
			w.mend("hang-" + step)
			syscall.Kill(pid, syscall.SIGKILL)
			syscall.Kill(child, syscall.SIGKILL)
			waitGone(t, pid, child)

			w.find(t, nil)
			if left, _ := filepath.Glob(w.path("cache/llama.cpp/" + unfinished + "*")); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

// A cancelled Find returns at once and leaves no process behind.
func TestCancelled(t *testing.T) {
	needsProc(t)
	for _, step := range []string{"update", "download", "dpkg-deb"} {
		t.Run(step, func(t *testing.T) {
			w := newWorld(t)
			w.write("fault-hang-"+step, "")
			ctx, cancel := context.WithCancelCause(t.Context())
			stopped := errors.New("stopped by the user")
			done := make(chan error, 1)
			go func() {
				o, _ := w.options()
				_, err := Find(ctx, o)
				done <- err
			}()
			pid, child := w.hanging(t)
			cancel(stopped)
			var notFound *NotFoundError
			if err := <-done; !errors.Is(err, stopped) || errors.As(err, &notFound) {
				t.Errorf("got %v, want the cause, and not that nothing was found", err)
			}
			waitGone(t, pid, child)
			w.mend("hang-" + step)
			w.find(t, nil)
		})
	}
}

func TestLockNeedsFolder(t *testing.T) {
	w := newWorld(t)
	w.write("cache", "a file where the folder should be")
	o, _ := w.options()
	if _, err := Find(t.Context(), o); err == nil || !strings.Contains(err.Error(), "set LLAMA_REGRESS_CACHE to a folder that can be written") {
		t.Errorf("got %v", err)
	}
}
