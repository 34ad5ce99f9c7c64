package runner_test

import (
	"context"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/llama-regress/llama-regress/ci/plan"
	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/ci/runner"
	"github.com/llama-regress/llama-regress/fixtures/effort"
)

func kill(pid int) { syscall.Kill(pid, syscall.SIGKILL) }

// limitFiles keeps every file from growing beyond so many bytes: a disk that
// is full for those who write more. "" sets no limit.
func limitFiles(bytes string) {
	if n, err := strconv.ParseUint(bytes, 10, 64); err == nil {
		signal.Ignore(syscall.SIGXFSZ) // the write fails instead
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: n, Max: n}); err != nil {
			panic(err)
		}
	}
}

// begun lists the trials that began to be measured in dir so far.
func begun(t *testing.T, dir string) []string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, "begun.log"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return strings.Fields(string(data))
}

// finishedIn lists the trials that the folder of a killed run holds.
func finishedIn(t *testing.T, out string) []string {
	t.Helper()
	run, err := runner.Recover(out)
	// What the killed process was about to start holds the lock until it is
	// started, or has died too.
	for begun := time.Now(); err != nil && strings.Contains(err.Error(), "still under way") && time.Since(begun) < time.Minute; run, err = runner.Recover(out) {
		time.Sleep(5 * time.Millisecond)
	}
	if errors.Is(err, fs.ErrNotExist) {
		run, err = record.ReadFile(filepath.Join(out, runner.RecordFile))
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, trial := range run.Trials {
		ids = append(ids, trial.ID)
	}
	return ids
}

// resumeKilled goes on with the run in dir and checks that it measures exactly
// what was not finished, and ends as a run that was never killed.
func resumeKilled(t *testing.T, dir string, p *plan.Plan, want *record.Run) {
	t.Helper()
	out := filepath.Join(dir, "out")
	done := finishedIn(t, out)
	var left []string
	for _, trial := range p.Trials {
		if !slices.Contains(done, trial.ID) {
			left = append(left, trial.ID)
		}
	}
	bench := &fakeBench{identify: func(record.Arm) (record.Build, error) { return record.Build{}, nil }}
	opts := options(out)
	opts.Resume = true
	run, err := runner.Run(context.Background(), p, bench, opts)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(left, bench.measured); diff != "" {
		t.Errorf("measured after the kill (-unfinished +measured):\n%s", diff)
	}
	if diff := cmp.Diff(want, run, butTimes); diff != "" {
		t.Errorf("record (-uninterrupted +resumed):\n%s", diff)
	}
	names, err := os.ReadDir(out)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range names {
		if f.Name() != runner.RecordFile && f.Name() != runner.LogFolder && f.Name() != ".lock" {
			t.Errorf("left behind: %s", f.Name())
		}
	}
}

func uninterruptedChild(t *testing.T, p *plan.Plan) *record.Run {
	t.Helper()
	bench := &fakeBench{identify: func(record.Arm) (record.Build, error) { return record.Build{}, nil }}
	run, err := runner.Run(context.Background(), p, bench, options(t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	return run
}

// The process kills itself at each place where the runner calls anything.
func TestKilledAtEveryEvent(t *testing.T) {
	root := t.TempDir()
	p := makePlan(t, root, childPlan)
	want := uninterruptedChild(t, p)
	out := filepath.Join(root, "out")
	step := effort.Every(5)
	sizes := make(map[int]bool)
	for at := 1; ; at += step {
		if at > 1000 {
			t.Fatal("the run never ends")
		}
		for _, path := range []string{out, filepath.Join(root, "begun.log")} {
			if err := os.RemoveAll(path); err != nil {
				t.Fatal(err)
			}
		}
		text, err := child(root, killVar+"="+strconv.Itoa(at)).CombinedOutput()
		if err == nil { // fewer events than that
			if at < 40 {
				t.Fatalf("the run ended after %d events, which cannot be all", at)
			}
			break
		}
		if want := "signal: killed"; err.Error() != want {
			t.Fatalf("event %d: %v, want %q: %s", at, err, want, text)
		}
		sizes[len(finishedIn(t, out))] = true
		resumeKilled(t, root, p, want)
		if t.Failed() {
			t.Fatalf("killed at event %d", at)
		}
	}
	if step == 1 && len(sizes) != len(p.Trials)+1 {
		t.Errorf("the kills left %d different numbers of trials, want %d", len(sizes), len(p.Trials)+1)
	}
}

// The process is killed from outside, again and again, at moments nobody
// chose, while real processes run as its trials.
func TestKilledAgainAndAgain(t *testing.T) {
	root := t.TempDir()
	p := makePlan(t, root, childPlan)
	want := uninterruptedChild(t, p)
	out := filepath.Join(root, "out")
	random := rand.New(rand.NewPCG(1, 2))
	kills := 0
	for {
		before, done := len(begun(t, root)), finishedIn(t, out)
		cmd := child(root, napVar+"=30ms")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		timer := time.AfterFunc(time.Duration(random.IntN(250)+2*kills)*time.Millisecond, func() { cmd.Process.Kill() })
		err := cmd.Wait()
		timer.Stop()
		now := finishedIn(t, out)
		if len(now) < len(done) || !slices.Equal(now[:len(done)], done) {
			t.Fatalf("finished trials were lost: %v, before %v", now, done)
		}
		for _, id := range begun(t, root)[before:] {
			if slices.Contains(done, id) {
				t.Fatalf("%s was measured again", id)
			}
		}
		if err == nil {
			break
		}
		if kills++; kills > 500 {
			t.Fatal("500 kills and no end")
		}
	}
	t.Logf("ended after %d kills", kills)
	run, err := record.ReadFile(filepath.Join(out, runner.RecordFile))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, run, butTimes); diff != "" {
		t.Errorf("record (-uninterrupted +killed):\n%s", diff)
	}
}

// A disk that fills up ends the run with an error; all that was measured
// before stays readable, and the run goes on once there is room.
func TestDiskFull(t *testing.T) {
	root := t.TempDir()
	p := makePlan(t, root, childPlan)
	want := uninterruptedChild(t, p)
	whole := interruptAt(t, p, filepath.Join(t.TempDir(), "out"), 7)
	header := strings.IndexByte(string(whole), '\n') + 1
	for _, limit := range []int{header - 1, header, header + 10, (header + len(whole)) / 2, len(whole) - 1} {
		if err := os.RemoveAll(filepath.Join(root, "out")); err != nil {
			t.Fatal(err)
		}
		text, err := child(root, limitVar+"="+strconv.Itoa(limit)).CombinedOutput()
		if err == nil || !strings.Contains(string(text), "file too large") {
			t.Fatalf("limit %d: error %v, says %q", limit, err, text)
		}
		done := finishedIn(t, filepath.Join(root, "out"))
		if limit >= len(whole)/2 && len(done) == 0 || len(done) >= len(p.Trials) {
			t.Errorf("limit %d of %d: %d trials are kept", limit, len(whole), len(done))
		}
		journal, err := os.ReadFile(filepath.Join(root, "out", runner.JournalFile))
		if limit >= header && (err != nil || !strings.HasSuffix(string(journal), "\n")) {
			t.Errorf("limit %d: the journal was left torn: %v", limit, err)
		}
		resumeKilled(t, root, p, want)
		if t.Failed() {
			t.Fatalf("limit %d", limit)
		}
	}
}

// Two processes, one folder.
func TestSecondProcessIsRefused(t *testing.T) {
	root := t.TempDir()
	p := makePlan(t, root, childPlan)
	hold := make(chan struct{})
	began := make(chan struct{})
	bench := &fakeBench{
		identify: func(record.Arm) (record.Build, error) { return record.Build{}, nil },
		before: func(_ context.Context, t plan.Trial) {
			if t.Order == 0 {
				close(began)
				<-hold
			}
		},
	}
	result := make(chan error)
	go func() {
		_, err := runner.Run(context.Background(), p, bench, options(filepath.Join(root, "out")))
		result <- err
	}()
	<-began
	text, err := child(root).CombinedOutput()
	wantPid := "pid " + strconv.Itoa(os.Getpid())
	if err == nil || !strings.Contains(string(text), wantPid) || !strings.Contains(string(text), "in use by another run") {
		t.Errorf("the second process: %v: %s", err, text)
	}
	_, err = runner.Run(context.Background(), p, bench, options(filepath.Join(root, "out")))
	if err == nil || !strings.Contains(err.Error(), wantPid) {
		t.Errorf("a second run in the same process: %v", err)
	}
	close(hold)
	if err := <-result; err != nil {
		t.Errorf("the first run: %v", err)
	}
}
