package sched

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A scheduler that hears neither signal is killed, by the guard itself and not
// only when the guard ends.
func TestEndProcessKills(t *testing.T) {
	cmd := exec.Command("/bin/sh", "-c", `trap "" INT TERM; echo deaf; while :; do sleep 1; done`)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	bufio.NewReader(out).ReadString('\n')
	patience := guardPatience
	t.Cleanup(func() { guardPatience = patience })
	guardPatience = 50 * time.Millisecond // it hears nothing, however long
	ended, done := make(chan struct{}), make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	go func() { endProcess(cmd.Process, ended); close(done) }()
	select {
	case <-done:
	case <-time.After(time.Minute):
		_ = cmd.Process.Kill()
		t.Fatal("it still runs")
	}
}

// That nobody reads what a guard says ends neither it nor its scheduler.
func TestGuardOutlivesItsReader(t *testing.T) {
	_, k := rig(t)
	guard := exec.Command(os.Args[0], "guard", filepath.Join(string(k), "bin", "scx_simple"))
	in, err := guard.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := guard.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := guard.Start(); err != nil {
		t.Fatal(err)
	}
	if said, err := bufio.NewReader(out).ReadString('\n'); !strings.HasPrefix(said, "started") {
		t.Fatalf("%q, %v", said, err)
	}
	out.Close()
	for range 20 {
		if err := guard.Process.Signal(syscall.SIGPIPE); err != nil {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Millisecond)
	}
	if k.PID() == 0 || !alive(k.PID()) || !alive(guard.Process.Pid) {
		t.Error("the scheduler or its guard is gone")
	}
	in.Close()
	_ = guard.Wait()
}

// Another program that loads a scheduler while ours loads is noticed by the
// kernel's count, even when what is in force is ours.
func TestLoadInBetweenIsRefused(t *testing.T) {
	m, _ := rig(t)
	trial := under(t, m, "scx_simple --twice", ok)
	if trial.Failure == nil || !strings.Contains(trial.Failure.Message, "something else loads schedulers too") {
		t.Errorf("%+v", trial.Failure)
	}
}
