package runner_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/llama-regress/llama-regress/ci/plan"
	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/ci/runner"
)

// refuse runs p and checks that it is refused with all of these words, before
// anything is measured, and that the folder is as it was.
func refuse(t *testing.T, p *plan.Plan, opts runner.Options, words ...string) {
	t.Helper()
	before := contents(t, opts.Dir)
	bench := &fakeBench{}
	run, err := runner.Run(context.Background(), p, bench, opts)
	if err == nil {
		t.Fatalf("not refused: %d trials", len(run.Trials))
	}
	if run != nil {
		t.Errorf("refused, yet a run of %d trials is returned", len(run.Trials))
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("error does not say %q: %v", w, err)
		}
	}
	if len(bench.measured) > 0 {
		t.Errorf("measured all the same: %v", bench.measured)
	}
	if after := contents(t, opts.Dir); after != before {
		t.Errorf("the folder changed from\n%s\nto\n%s", before, after)
	}
}

// contents is a folder's files, but for the lock.
func contents(t *testing.T, dir string) string {
	t.Helper()
	var all strings.Builder
	names, _ := os.ReadDir(dir)
	for _, f := range names {
		data, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if f.Name() != ".lock" && err == nil {
			all.WriteString(f.Name() + ":\n" + string(data))
		}
	}
	return all.String()
}

func TestFoldersThatHoldSomethingAreRefused(t *testing.T) {
	dir := t.TempDir()
	p, other := makePlan(t, dir, 2), makePlan(t, dir, 3)
	other.Arms[0].Env = map[string]string{"A": "b"}

	cut := options(filepath.Join(dir, "cut"))
	interruptAt(t, p, cut.Dir, 3)
	refuse(t, p, cut, "cut", "not complete", "--resume", "another folder")
	cut.Resume = true
	refuse(t, other, cut, "journal.jsonl", "another plan", "blocks (2, now 3)", "trials (8, now 12)", "arms", "another folder")

	full := options(filepath.Join(dir, "full"))
	if _, err := runner.Run(context.Background(), p, &fakeBench{}, full); err != nil {
		t.Fatal(err)
	}
	refuse(t, p, full, "full", "run.json", "another folder")
	full.Resume = true
	refuse(t, other, full, "run.json", "another plan", "blocks (2, now 3)")

	order := makePlan(t, dir, 2)
	order.ID = "same but for what a record does not keep"
	refuse(t, order, full, "another plan", "tests, load, dataset, time limit or seed")

	if err := os.Remove(filepath.Join(cut.Dir, runner.JournalFile)); err != nil {
		t.Fatal(err)
	}
	refuse(t, p, cut, "run.json", "cut short (interrupt)", "journal is gone")
}

func TestJournalsThatCannotBeTrustedAreRefused(t *testing.T) {
	dir := t.TempDir()
	p := makePlan(t, dir, 2)
	journal := string(interruptAt(t, p, filepath.Join(dir, "whole"), 4))
	lines := strings.SplitAfter(journal, "\n")
	lines = lines[:len(lines)-1]
	join := func(parts ...string) string { return strings.Join(parts, "") }
	cellOf := regexp.MustCompile(`"cell":"[^"]*"`)
	mine := cellOf.FindString(lines[1])
	other := mine
	for _, line := range lines[2:] {
		if cell := cellOf.FindString(line); cell != "" && cell != mine {
			other = cell
		}
	}
	if other == mine {
		t.Fatal("all trials are of one cell")
	}
	cases := map[string]struct {
		journal string
		words   []string
	}{
		"another block":   {join(lines[0], strings.Replace(lines[1], `"block":0`, `"block":1`, 1)), []string{"journal.jsonl:2:", "edited"}},
		"another cell":    {join(lines[0], strings.Replace(lines[1], mine, other, 1)), []string{"journal.jsonl:2:", "edited"}},
		"empty":           {"", []string{"journal.jsonl:1:", "no header"}},
		"torn header":     {lines[0][:50], []string{"journal.jsonl:1:", "no header"}},
		"not a journal":   {join("[]\n", lines[1]), []string{"journal.jsonl:1:", "not a journal"}},
		"newer":           {join(strings.Replace(lines[0], "journal/v1", "journal/v2", 1), lines[1]), []string{"journal.jsonl:1:", `"llama-regress/journal/v2"`, "v1"}},
		"newer and other": {join(`{"schema":"llama-regress/journal/v9","run":[1]}`+"\n", lines[1]), []string{"journal.jsonl:1:", "v9"}},
		"no run":          {join(`{"schema":"llama-regress/journal/v1"}`+"\n", lines[1]), []string{"journal.jsonl:1:", "no run"}},
		"corrupt middle":  {join(lines[0], lines[1], lines[2][:40]+"\n", lines[3]), []string{"journal.jsonl:3:", "corrupt"}},
		"joined lines":    {join(lines[0], strings.TrimSuffix(lines[1], "\n"), lines[2], lines[3]), []string{"journal.jsonl:2:", "corrupt"}},
		"neither":         {join(lines[0], lines[1], "{}\n"), []string{"journal.jsonl:3:", "want a trial, interim analyses or a resumption"}},
		"twice":           {join(lines[0], lines[1], lines[1]), []string{"journal.jsonl:3:", "b00.c0000.base", "is there twice"}},
		"out of order":    {join(lines[0], lines[2], lines[1]), []string{"journal.jsonl:3:", "b00.c0000.base", "edited"}},
		"another arm":     {join(lines[0], strings.Replace(lines[1], `"arm":"base"`, `"arm":"head"`, 1)), []string{"journal.jsonl:2:", "edited"}},
		"unknown arm":     {join(lines[0], strings.Replace(lines[1], `"arm":"base"`, `"arm":"lost"`, 1)), []string{"journal.jsonl:2:", "lost"}},
		"unknown trial":   {join(lines[0], strings.Replace(lines[1], "b00.c0000.base", "b99.c0000.base", 1)), []string{"journal.jsonl:2:", "b99", "edited"}},
		"unusable trial":  {join(lines[0], strings.Replace(lines[1], `"outcome":"ok"`, `"outcome":"?"`, 1)), []string{"journal.jsonl:2:", "outcome"}},
		"header without":  {join(lines[1], lines[2]), []string{"journal.jsonl:1:"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			opts := options(filepath.Join(dir, fmt.Sprintf("%x", name))) // a folder whose name says nothing
			writeFile(t, filepath.Join(opts.Dir, runner.JournalFile), c.journal)
			opts.Resume = true
			refuse(t, p, opts, c.words...)
		})
	}
}

func TestResumeRefusesOtherSubjects(t *testing.T) {
	dir := t.TempDir()
	p := makePlan(t, dir, 2)
	opts := options(filepath.Join(dir, "out"))
	interruptAt(t, p, opts.Dir, 3)
	opts.Resume = true

	opts.Host.Hard = map[string]string{"cpu": "another processor"}
	refuse(t, p, opts, "host cpu", `"a processor"`, `"another processor"`)
	opts.Host = options("").Host

	writeFile(t, p.Models[1].Path, "GGUFother")
	refuse(t, p, opts, "model small changed")
	writeFile(t, p.Models[1].Path, "GGUFsmall")

	program := filepath.Join(p.Arms[1].Bin, "llama-bench")
	writeFile(t, program, "program rebuilt")
	refuse(t, p, opts, "arm head", "program changed")
	writeFile(t, program, "program head")

	for _, arm := range []string{"base", "head"} {
		bench := &fakeBench{identify: func(a record.Arm) (record.Build, error) {
			build := buildOf(t, a)
			if a.Name == arm {
				build.Version = "with other libraries"
			}
			return build, nil
		}}
		if _, err := runner.Run(context.Background(), p, bench, opts); err == nil || !strings.Contains(err.Error(), "arm "+arm+": the build changed") {
			t.Errorf("error is %v", err)
		}
	}

	opts.Host.Soft = map[string]string{"microcode": "2"}
	opts.Tool.Version = "v0.2.0"
	run, err := runner.Run(context.Background(), p, &fakeBench{}, opts)
	if err != nil {
		t.Fatal(err)
	}
	notes := strings.Join(run.Notes, "\n")
	if !strings.Contains(notes, `microcode changed from "1" to "2"`) || !strings.Contains(notes, "llama-regress changed from v0.1.0 to v0.2.0") {
		t.Errorf("notes: %s", notes)
	}
}

func buildOf(t *testing.T, arm record.Arm) record.Build {
	t.Helper()
	build, err := new(fakeBench).Identify(context.Background(), arm)
	if err != nil {
		t.Fatal(err)
	}
	return build
}

// Everything wrong with models and builds is told at once.
func TestWhatCannotBeMeasuredIsRefused(t *testing.T) {
	dir := t.TempDir()
	p := makePlan(t, dir, 1)
	p.Models[0].SHA256 = strings.Repeat("0", 64)
	writeFile(t, p.Models[1].Path, "PK not a model")
	p.Models = append(p.Models, plan.Model{Name: "gone", Path: filepath.Join(dir, "gone.gguf")}, plan.Model{Name: "folder", Path: dir})
	p.Arms[1].Bin = filepath.Join(dir, "nowhere")
	refuse(t, p, options(filepath.Join(dir, "out")),
		"model tiny:", "the configuration demands 0000",
		"model small:", "not a GGUF file", `"PK n"`,
		"model gone:", "no such file",
		"model folder:",
		"arm head:", "nowhere")

	_, err := runner.Run(context.Background(), p, &fakeBench{}, options(filepath.Join(dir, "out")))
	if unmeasurable := new(runner.UnmeasurableError); !errors.As(err, &unmeasurable) {
		t.Errorf("error is a %T", err)
	}
}

func TestPlansThatCannotBeWalkedAreRefused(t *testing.T) {
	dir := t.TempDir()
	for name, c := range map[string]struct {
		spoil func(p *plan.Plan)
		word  string
	}{
		"no trials":   {func(p *plan.Plan) { p.Trials = nil }, "no trials"},
		"twice":       {func(p *plan.Plan) { p.Trials[1].ID = p.Trials[0].ID }, "used twice"},
		"order":       {func(p *plan.Plan) { p.Trials[1].Order = 0 }, "order"},
		"no such arm": {func(p *plan.Plan) { p.Trials[1].Arm = 2 }, "no such arm"},
		"baseline":    {func(p *plan.Plan) { p.Baseline = "lost" }, "lost"},
	} {
		p := makePlan(t, dir, 1)
		c.spoil(p)
		t.Run(name, func(t *testing.T) {
			refuse(t, p, options(filepath.Join(t.TempDir(), "out")), "plan:", c.word)
		})
	}
}

func TestFoldersThatCannotBeUsedAreRefused(t *testing.T) {
	dir := t.TempDir()
	p := makePlan(t, dir, 1)
	writeFile(t, filepath.Join(dir, "file"), "")
	refuse(t, p, options(""), "no output folder")
	refuse(t, p, options(filepath.Join(dir, "file")), "output folder", "can be written to")
	refuse(t, p, options(filepath.Join(dir, "file", "below")), "output folder", "can be written to")
}

func TestRecoverNeedsAJournal(t *testing.T) {
	if _, err := runner.Recover(t.TempDir()); err == nil {
		t.Error("no error without a journal")
	}
}

// A run that is under way is not reported as one that was killed.
func TestRecoverLeavesARunAlone(t *testing.T) {
	dir := t.TempDir()
	p := makePlan(t, dir, 2)
	out := filepath.Join(dir, "out")
	asked := false
	bench := &fakeBench{before: func(_ context.Context, trial plan.Trial) {
		if trial.Order == 2 {
			asked = true
			if run, err := runner.Recover(out); err == nil || !strings.Contains(err.Error(), "still under way") {
				t.Errorf("read %v, error %v", run != nil, err)
			}
		}
	}}
	if _, err := runner.Run(context.Background(), p, bench, options(out)); err != nil || !asked {
		t.Fatalf("%v, asked %v", err, asked)
	}
}

// A journal from elsewhere is bounded as a record is.
func TestRecoverBoundsTrials(t *testing.T) {
	dir := t.TempDir()
	p := makePlan(t, dir, 2)
	opts := options(filepath.Join(dir, "out"))
	interruptAt(t, p, opts.Dir, 1)
	path := filepath.Join(opts.Dir, runner.JournalFile)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	header, rest, _ := strings.Cut(string(data), "\n")
	trial, _, _ := strings.Cut(rest, "\n")
	_, after, ok := strings.Cut(trial, `"id":"`)
	if !ok {
		t.Fatalf("no trial: %s", trial)
	}
	id, _, _ := strings.Cut(after, `"`)
	var all strings.Builder
	all.WriteString(header + "\n")
	for i := range 2_501 {
		all.WriteString(strings.Replace(trial, `"id":"`+id, fmt.Sprintf(`"id":"%s.%d`, id, i), 1) + "\n")
	}
	writeFile(t, path, all.String())
	if _, err := runner.Recover(opts.Dir); err == nil || !strings.Contains(err.Error(), "journal.jsonl:2502: trial "+id+".2500: more than 2500 trials") {
		t.Errorf("error is %v", err)
	}
}

// Reading a journal and resuming from it never panics, and what it yields can
// be written as a record.
func FuzzRecover(f *testing.F) {
	dir := f.TempDir()
	p := makePlan(f, dir, 2)
	opts := options(filepath.Join(dir, "out"))
	ctx, cancel := context.WithCancel(context.Background())
	bench := &fakeBench{before: func(_ context.Context, t plan.Trial) {
		if t.Order == 3 {
			cancel()
		}
	}}
	if _, err := runner.Run(ctx, p, bench, opts); err == nil {
		f.Fatal("not interrupted")
	}
	journal, err := os.ReadFile(filepath.Join(opts.Dir, runner.JournalFile))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(journal)
	f.Add(journal[:len(journal)-9])
	f.Add(bytes.Replace(journal, []byte(`"ok"`), []byte(`"failed"`), 1))
	f.Add([]byte(`{"schema":"llama-regress/journal/v1","run":{}}` + "\n"))
	f.Fuzz(func(t *testing.T, journal []byte) {
		dir := t.TempDir()
		writeFile(t, filepath.Join(dir, runner.JournalFile), string(journal))
		run, err := runner.Recover(dir)
		if err != nil {
			return
		}
		path := filepath.Join(dir, runner.RecordFile)
		if err := record.WriteFile(path, run); err != nil {
			t.Fatalf("recovered, yet not a record: %v", err)
		}
	})
}
