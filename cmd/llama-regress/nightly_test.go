package main

import (
	"bytes"
	"context"
	stdjson "encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/ci/store"
	"github.com/llama-regress/llama-regress/cmd/internal/cli"
	"github.com/llama-regress/llama-regress/compare/history/historytest"
)

// stored puts runs into a folder that is a store.
func stored(t *testing.T, runs []*record.Run) string {
	t.Helper()
	dir := t.TempDir()
	writeRuns(t, dir, runs)
	return "dir:" + dir
}

func writeRuns(t *testing.T, dir string, runs []*record.Run) {
	t.Helper()
	for _, run := range runs {
		data, err := stdjson.Marshal(run)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, store.KeyOf(run, "", 1).String())
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// typed runs the command in this process.
func typed(t *testing.T, code int, args ...string) (out, errors string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cache := t.TempDir()
	t.Setenv("LLAMA_REGRESS_CACHE", cache)
	got := execute(context.Background(), args, cli.Streams{In: strings.NewReader(""), Out: &stdout, Err: &stderr, Getenv: func(string) string { return "" }})
	if got != code {
		t.Fatalf("%v: exit code %d, want %d\n%s\n%s", args, got, code, &stdout, &stderr)
	}
	return stdout.String(), stderr.String()
}

// started runs the command as a process: a year of nights takes the race detector
// half a minute, and TestNightlyExitCodes shows it all that runs at once.
func started(t *testing.T, code int, args ...string) (out, errors string) {
	t.Helper()
	dir, err := programFolder()
	if err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	cmd := exec.Command(filepath.Join(dir, "llama-regress"), args...)
	cmd.Env, cmd.Stdout, cmd.Stderr = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "LLAMA_REGRESS_CACHE=" + t.TempDir()}, &stdout, &stderr
	if err := cmd.Run(); cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != code {
		t.Fatalf("%v: %v, want exit code %d\n%s\n%s", args, err, code, &stdout, &stderr)
	}
	return stdout.String(), stderr.String()
}

// A year of nights, of which the report names the right commits in every
// format. One of its four losses is out of sight since another kernel: nothing says
// that it is over, so it is open.
func TestNightlyOfAYear(t *testing.T) {
	t.Parallel()
	checkout := t.TempDir()
	commits := historytest.Checkout(t, checkout, 365)
	store := stored(t, historytest.Year(commits).Runs())
	dir := t.TempDir()
	out, _ := started(t, cli.ExitRegression, "nightly", "--store", store, "--checkout", checkout, "--title", "llama.cpp",
		"--out", "json="+filepath.Join(dir, "n.json"), "--out", "markdown="+filepath.Join(dir, "n.md"), "--out", "html="+filepath.Join(dir, "n.html"))
	bad := commits[historytest.Recent]
	if !strings.Contains(out, "4 regressions open") || !strings.Contains(out, bad[:9]+"  A. Author") ||
		!strings.Contains(out, "$ llama-regress bisect --repo "+checkout+" --good "+commits[historytest.Recent-1][:12]+" --bad "+bad[:12]+" --metric tg128") {
		t.Errorf("got\n%s", out)
	}
	var doc struct {
		Machines []struct {
			ChangePoints []struct {
				State    string
				Worse    bool
				Drift    bool
				LastGood struct{ Commit string } `json:"last_good"`
				FirstBad struct{ Commit string } `json:"first_bad"`
				Commits  []struct{ SHA string }
			} `json:"change_points"`
		}
	}
	data, err := os.ReadFile(filepath.Join(dir, "n.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := stdjson.Unmarshal(data, &doc); err != nil || len(doc.Machines) != 1 {
		t.Fatal(err, len(doc.Machines))
	}
	steps := map[string]int{} // by commit of the first bad night
	for _, n := range []int{historytest.Recent, historytest.Mended, historytest.Bad, historytest.Failing, historytest.Faster, historytest.Slower} {
		steps[commits[n]] = n
	}
	for _, p := range doc.Machines[0].ChangePoints {
		if p.Drift {
			continue
		}
		n, ok := steps[p.FirstBad.Commit]
		if !ok || p.LastGood.Commit != commits[n-1] || len(p.Commits) != 3 || p.Commits[0].SHA != commits[n] {
			t.Errorf("%+v", p)
		}
		delete(steps, p.FirstBad.Commit)
	}
	if len(steps) > 0 || len(doc.Machines[0].ChangePoints) != 7 {
		t.Errorf("not found: %v; %d change points", steps, len(doc.Machines[0].ChangePoints))
	}
	for name, want := range map[string]string{"n.md": "❌", "n.html": "Open regressions on bench-01 (4)"} {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil || !strings.Contains(string(data), want) || !strings.Contains(string(data), bad[:12]) {
			t.Errorf("%s: %v\n%.2000s", name, err, data)
		}
	}
	if out, _ := started(t, cli.ExitPass, "nightly", "--store", store, "--exit-zero", "--json"); !strings.HasPrefix(out, `{"schema":"llama-regress/nightly/v1"`) {
		t.Errorf("got %.100s", out)
	}
	// A gate that allows such losses finds none.
	started(t, cli.ExitPass, "nightly", "--store", store, "--margin", "30%", "--margin", "success_rate=30pp")
}

func TestNightlyExitCodes(t *testing.T) {
	story := historytest.Story{Machine: "bench-01", Nights: 20, Noise: 0.005, Cells: []historytest.Cell{{Model: "m", Test: "pp512", Level: 500, Steps: map[int]float64{19: 0.8}}, {Model: "n", Test: "pp512", Level: 500}}}
	suspected := stored(t, story.Runs())
	failed := story.Runs()[:19]
	last := failed[18]
	for i := range last.Trials {
		if last.Trials[i].Cell == "bench/m" {
			last.Trials[i].Outcome, last.Trials[i].Measurements, last.Trials[i].Failure = record.Failed, nil, &record.Failure{Class: "crash", Message: "x"}
		}
	}
	unmeasured := stored(t, failed)
	empty := "dir:" + t.TempDir()
	for _, c := range []struct {
		code int
		says string
		args []string
	}{
		{cli.ExitPass, "1 suspected last night", []string{"--store", suspected}},
		{cli.ExitInconclusive, "1 suspected last night", []string{"--store", suspected, "--fail", "suspected"}},
		{cli.ExitUnmeasured, "Measurement failed", []string{"--store", unmeasured}},
		{cli.ExitInconclusive, "the store holds no session", []string{"--store", empty}},
		{cli.ExitInconclusive, "the store holds no session", []string{"--store", suspected, "--machine", "other"}},
		{cli.ExitBroken, "--false-alarms 0: want more than 0", []string{"--store", suspected, "--false-alarms", "0"}},
		{cli.ExitBroken, "is no git checkout", []string{"--store", suspected, "--checkout", t.TempDir()}},
		{cli.ExitBroken, "want dir:PATH", []string{"--store", "x"}},
		{cli.ExitBroken, "want one of html, json, markdown", []string{"--store", suspected, "--format", "pdf"}},
	} {
		out, errors := typed(t, c.code, append([]string{"nightly"}, c.args...)...)
		if !strings.Contains(out+errors, c.says) {
			t.Errorf("%v: said %s%s, want %q", c.args, out, errors, c.says)
		}
	}
	if out, _ := typed(t, cli.ExitPass, "nightly", "schema"); !strings.Contains(out, "llama-regress/nightly/v1") {
		t.Errorf("got %.200s", out)
	}
}
