package store

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/fixtures/effort"
)

func TestMain(m *testing.M) {
	if ref := os.Getenv("BASELINE_TEST_WRITE"); ref != "" {
		writeForEver(ref, os.Getenv("BASELINE_TEST_CACHE"))
	}
	effort.SideBySide(4)
	os.Exit(m.Run())
}

// writeForEver stores session after session and prints the key of each that is
// stored.
func writeForEver(ref, cache string) {
	s, err := Open(ref, Options{Cache: cache})
	for i := 0; err == nil; i++ {
		var r Receipt
		run := testRun(night.Add(time.Duration(i)*time.Minute), 40, 6)
		if r, err = Record(context.Background(), s, run, RecordOptions{Now: night.AddDate(1, 0, 0)}); err == nil {
			fmt.Println(r.Key)
		}
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// A killed writer loses at most what it had not yet said to be stored, and
// leaves a store that can be read and written.
func TestKilledWriter(t *testing.T) {
	t.Parallel()
	for _, p := range places(t)[:2] {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			s := p.open(t)
			cache := t.TempDir()
			stored := make(map[string]bool)
			kills := effort.Draws(4, 2)
			for range kills {
				cmd := exec.Command(os.Args[0])
				cmd.Env = append(os.Environ(), "BASELINE_TEST_WRITE="+s.String(), "BASELINE_TEST_CACHE="+cache)
				cmd.Stderr = os.Stderr
				out, err := cmd.StdoutPipe()
				if err != nil {
					t.Fatal(err)
				}
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				lines := bufio.NewScanner(out)
				for want := len(stored) + 2; len(stored) < want && lines.Scan(); {
					stored[lines.Text()] = true
				}
				cmd.Process.Kill()
				for lines.Scan() { // stored before the signal came
					stored[lines.Text()] = true
				}
				cmd.Wait()
			}
			if len(stored) <= kills {
				t.Fatalf("only %d sessions were stored", len(stored))
			}
			keep(t, s, testRun(night.AddDate(0, 1, 0), 1, 1))
			c := load(t, s, LoadOptions{})
			if len(c.Faults) > 0 {
				t.Errorf("faults %v", c.Faults)
			}
			there := make(map[string]bool)
			for _, x := range c.Sessions {
				there[x.Key.String()] = true
			}
			for key := range stored {
				if !there[key] {
					t.Errorf("%s was said to be stored", key)
				}
			}
		})
	}
}

func TestRecord(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	s := open(t, "dir:"+t.TempDir(), Options{})
	run := testRun(night, 2, 2)
	run.Extra = record.Extra{"newer": []byte("1")}
	now := RecordOptions{Now: night.Add(time.Hour)}
	r, err := Record(ctx, s, run, now)
	want := Receipt{Key: "runs/runner-1/2026/03/20260309T211500Z-5aa1105dc0ff-20260309t211500z-3f2a.1.json"}
	if diff := cmp.Diff(want, r); err != nil || diff != "" {
		t.Fatal(err, diff)
	}
	got, err := Fetch(ctx, s, r.Key)
	if diff := cmp.Diff(run, got); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
	want.Was = true
	if r, err = Record(ctx, s, run, now); err != nil || !cmp.Equal(want, r) {
		t.Errorf("stored again: %+v, %v", r, err)
	}
	run.Notes = []string{"changed"}
	if _, err = Record(ctx, s, run, now); !errors.Is(err, ErrExists) {
		t.Errorf("another record under the same key: %v", err)
	}
	wantError(t, err, r.Key, "next attempt")
	if _, err = Record(ctx, s, run, RecordOptions{Now: now.Now, Attempt: 2}); err != nil {
		t.Error(err)
	}
	if _, err := Fetch(ctx, s, strings.Replace(r.Key, "3f2a", "none", 1)); !errors.Is(err, ErrNotFound) {
		t.Errorf("what is not there: %v", err)
	}
}

func TestRecordRefusesAndWarns(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	s := open(t, "dir:"+t.TempDir(), Options{})
	keep(t, s, testRun(night, 1, 2))
	for name, c := range map[string]struct {
		change  func(*record.Run)
		refusal string
		warning string
	}{
		"invalid":       {func(r *record.Run) { r.Baseline = "x" }, "no arm is named", ""},
		"empty":         {func(r *record.Run) { r.Trials = nil }, "no trial", ""},
		"clock not set": {func(r *record.Run) { r.Started = time.Unix(0, 0) }, "set the machine's clock", ""},
		"clock ahead":   {func(r *record.Run) { r.Started = night.AddDate(30, 0, 0) }, "still to come", ""},
		"clock back":    {func(r *record.Run) { r.Finished = r.Started.Add(-time.Minute) }, "", "clock went back during the session: it ended 1m0s before"},
		"dated before":  {func(r *record.Run) { r.Started = night.AddDate(0, 0, -1) }, "", "dated before the latest one stored, runs/runner-1/"},
		"cut short":     {func(r *record.Run) { r.Interrupted, r.Plan.Trials = "budget", 9 }, "", "cut short (budget): 2 of 9 trials"},
		"bad attempt":   {func(r *record.Run) { r.ID = "attempt" }, "is not the key", ""},
	} {
		t.Run(name, func(t *testing.T) {
			run := testRun(night.Add(time.Hour), 1, 2)
			run.ID += "-" + strings.ReplaceAll(name, " ", "")
			c.change(run)
			o := RecordOptions{Now: night.Add(2 * time.Hour)}
			if name == "bad attempt" {
				o.Attempt = -1
			}
			r, err := Record(ctx, s, run, o)
			if c.refusal != "" {
				wantError(t, err, c.refusal)
				return
			}
			if err != nil || len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0], c.warning) {
				t.Errorf("%v, warnings %q", err, r.Warnings)
			}
		})
	}
	// Whatever the clocks said, sessions stand in the order of their dates.
	c := load(t, s, LoadOptions{})
	for i := 1; i < len(c.Sessions); i++ {
		if c.Sessions[i].Run.Started.Before(c.Sessions[i-1].Run.Started) {
			t.Error("sessions are not in order")
		}
	}
	if len(c.Sessions) != 4 {
		t.Errorf("%d sessions", len(c.Sessions))
	}
}

// What a writer left behind long ago goes; what another is writing now stays.
func TestDirSweepsLeftovers(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, "dir:"+dir, Options{})
	put(t, s, "runs/a.json", "a")
	fresh, stale := filepath.Join(dir, "runs", unfinished+"fresh"), filepath.Join(dir, "runs", unfinished+"stale")
	for _, path := range []string{fresh, stale} {
		if err := os.WriteFile(path, []byte("{"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	old := time.Now().AddDate(0, 0, -2)
	if err := os.Chtimes(stale, old, old); err != nil {
		t.Fatal(err)
	}
	put(t, s, "runs/b.json", "b")
	if _, err := os.Stat(stale); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("stale: %v", err)
	}
	if _, err := os.Stat(fresh); err != nil {
		t.Errorf("fresh: %v", err)
	}
	if objects, err := s.List(context.Background(), ""); err != nil || len(objects) != 2 {
		t.Errorf("%v, %v", objects, err)
	}
	wantError(t, open(t, "dir:"+filepath.Join(dir, "runs", "a.json"), Options{}).Put(context.Background(), "runs/x.json", nil), "a.json")
}
