package sched

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/llama-regress/llama-regress/ci/record"
)

// A value is judged by what its parameter is.
func TestCheckParam(t *testing.T) {
	for _, c := range []struct {
		name, value string
		good        bool
	}{
		{record.SchedulerParam, Default, true},
		{record.SchedulerParam, "scx_simple", true},
		{record.SchedulerParam, "a b=c", false},
		{Nice, "5", true},
		{Nice, "scx_simple", false},
		{CPUs, "0-3", true},
	} {
		if err := CheckParam(c.name, c.value); (err == nil) != c.good {
			t.Errorf("%s=%q: %v", c.name, c.value, err)
		}
	}
}

// Each parameter alone is something that is asked for.
func TestNone(t *testing.T) {
	if !(Placement{}).None() || !place(t, nil).None() {
		t.Error("nothing is something")
	}
	for name, value := range map[string]string{
		Numactl: "--interleave=0", CPUs: "0", Nice: "0", CPULimit: "1", MemoryLimit: "1M",
	} {
		if place(t, map[string]string{name: value}).None() {
			t.Errorf("%s=%s is nothing", name, value)
		}
	}
}

// After a change of scheduler a trial waits once, and never where no time is set.
func TestSettle(t *testing.T) {
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	m := &Manager{opts: Options{Settle: time.Hour}}
	if err := m.settle(ended); !errors.Is(err, context.Canceled) || m.settled {
		t.Errorf("it did not wait: %v", err)
	}
	m.opts.Settle = time.Nanosecond
	if err := m.settle(t.Context()); err != nil || !m.settled {
		t.Errorf("settled %t, %v", m.settled, err)
	}
	m.opts.Settle = time.Hour
	if err := m.settle(ended); err != nil {
		t.Errorf("a second wait: %v", err)
	}
	if err := (&Manager{}).settle(ended); err != nil {
		t.Errorf("without a time: %v", err)
	}
}

// Which scheduler was in force no longer is said by its name.
func TestEjectionNamesTheScheduler(t *testing.T) {
	e := &ejection{reason: "runnable task stall"}
	for scheduler, want := range map[string]string{
		"scx_simple": "scx_simple was in force no longer: runnable task stall",
		Default:      "the kernel's own scheduler was not in force all the time: runnable task stall",
	} {
		if f := e.failure(scheduler); f.Class != record.SchedulerEjected || !strings.HasPrefix(f.Message, want) {
			t.Errorf("%s: %s: %s", scheduler, f.Class, f.Message)
		}
	}
}

// A program that belongs to somebody else is refused for that, before its folders are.
func TestProgramOfSomebodyElse(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root gives files away")
	}
	path := filepath.Join(t.TempDir(), "scx_simple")
	if err := os.WriteFile(path, nil, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(path, 1, 1); err != nil {
		t.Fatal(err)
	}
	if err := onlyRootWrites(path); err == nil || !strings.HasSuffix(err.Error(), path) {
		t.Errorf("error %v, want one that names %s", err, path)
	}
}
