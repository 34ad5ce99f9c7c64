package runner_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/llama-regress/llama-regress/ci/plan"
	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/ci/runner"
)

// The test binary is also the process that tests kill: with childVar set it
// runs a plan instead of tests.
const (
	childVar  = "RUNNER_TEST_CHILD"   // the folder of the plan's files; the run is in its "out"
	killVar   = "RUNNER_TEST_KILL_AT" // the event at which the process kills itself, from 1
	limitVar  = "RUNNER_TEST_LIMIT"   // bytes a file may grow to
	napVar    = "RUNNER_TEST_NAP"     // how long a process that a trial starts sleeps
	childPlan = 2                     // blocks
)

func TestMain(m *testing.M) {
	if nap, err := time.ParseDuration(os.Getenv(napVar)); err == nil && os.Getenv(childVar) == "" {
		time.Sleep(nap)
		os.Exit(0)
	}
	if file := os.Getenv(lockVar); file != "" {
		os.Exit(holdLock(file))
	}
	if dir := os.Getenv(childVar); dir != "" {
		os.Exit(runChild(dir))
	}
	os.Exit(m.Run())
}

// child is a process that runs the plan whose files are in dir.
func child(dir string, env ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), append(env, childVar+"="+dir, "GORACE=atexit_sleep_ms=0")...)
	return cmd
}

func runChild(dir string) int {
	limitFiles(os.Getenv(limitVar))
	killAt, _ := strconv.Atoi(os.Getenv(killVar)) // none: 0, which no event is
	e := &events{killAt: killAt, log: filepath.Join(dir, "begun.log")}
	opts := options(filepath.Join(dir, "out"))
	opts.Resume = true
	opts.Observer = e
	opts.Now = func() time.Time { e.tick(); return time.Now() }
	opts.NewID = func(time.Time) string { e.tick(); return "an-id" }
	opts.CheckModel = func(string) error { e.tick(); return nil }
	bench := &fakeBench{
		identify: func(arm record.Arm) (record.Build, error) { e.tick(); return record.Build{}, nil },
		before:   e.measure,
	}
	if _, err := runner.Run(context.Background(), makePlan(stderr{}, dir, childPlan), bench, opts); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	e.tick()
	return 0
}

// Events count whatever a run calls, and end the process without warning at
// one of them: a kill at every place where the runner lets others act.
type events struct {
	killAt, n int
	log       string // trials that began to be measured, a line each
}

func (e *events) tick() {
	if e.n++; e.n == e.killAt {
		kill(os.Getpid())
		select {}
	}
}

func (e *events) measure(_ context.Context, t plan.Trial) {
	f, err := os.OpenFile(e.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		panic(err)
	}
	fmt.Fprintln(f, t.ID)
	f.Close()
	e.tick()
	if nap := os.Getenv(napVar); nap != "" {
		cmd := exec.Command(os.Args[0])
		cmd.Env = []string{napVar + "=" + nap, "GORACE=atexit_sleep_ms=0"} // it would sleep a second of its own
		if err := cmd.Run(); err != nil {
			panic(err)
		}
	}
	e.tick()
}

func (e *events) Begin(*plan.Plan, []record.Trial)  { e.tick() }
func (e *events) Started(plan.Trial)                { e.tick() }
func (e *events) Finished(plan.Trial, record.Trial) { e.tick() }
func (e *events) Repeated(plan.Trial, record.Trial) { e.tick() }
func (e *events) Analysed([]record.Interim)         { e.tick() }
func (e *events) Skipped(plan.Trial, string)        { e.tick() }
func (e *events) End(*record.Run, error)            { e.tick() }

// stderr is the helper of a child.
type stderr struct{}

func (stderr) Helper() {}
func (stderr) Fatal(args ...any) {
	fmt.Fprintln(os.Stderr, args...)
	os.Exit(3)
}
