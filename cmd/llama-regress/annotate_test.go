package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/llama-regress/llama-regress/ci/github/githubtest"
	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/cmd/internal/cli"
	"github.com/llama-regress/llama-regress/report"
	"github.com/llama-regress/llama-regress/report/reporttest"
)

func sourceOf(run *record.Run) report.Source { return report.Source{Base: run, Head: run} }

// outputs reads what later steps see.
func (j *job) outputs() map[string]string {
	values := make(map[string]string)
	for _, m := range regexp.MustCompile(`(?m)^([\w-]+)<<(\w+)\n((?s:.*?))\n?(llama_regress_\w+)$`).FindAllStringSubmatch(j.file("GITHUB_OUTPUT"), -1) {
		values[m[1]] = m[3]
	}
	return values
}

func TestAnnotate(t *testing.T) {
	dir := t.TempDir()
	for name, data := range map[string][]byte{"run.json": recordOf(t, reporttest.Regression()), "report.html": []byte("<p>"), "junit.xml": []byte("<testsuites/>")} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	j := newJob(t, githubtest.New(t), "pull_request", pullEvent())
	j.run(cli.ExitPass, "annotate", dir)
	for _, want := range []string{"::error title=Regression%3A pp512", "::error title=Not measured%3A", "::warning title=Suspected", "::notice title=Improvement%3A"} {
		if !strings.Contains(j.out.String(), want) {
			t.Errorf("stdout lacks %q:\n%s", want, &j.out)
		}
	}
	if summary := j.file("GITHUB_STEP_SUMMARY"); !strings.HasPrefix(summary, "## ❌ ") {
		t.Errorf("the summary begins with %.100q", summary)
	}
	got := j.outputs()
	for name, want := range map[string]string{"verdict": "regression", "exit-code": "1", "run": filepath.Join(dir, "run.json"), "report-html": filepath.Join(dir, "report.html"), "report-junit": filepath.Join(dir, "junit.xml")} {
		if got[name] != want {
			t.Errorf("output %s is %q, want %q", name, got[name], want)
		}
	}
	if got["regressions"] == "" || got["regressions"] == "0" || got["total"] == "" || got["report-json"] != "" {
		t.Errorf("outputs are %q", got)
	}
	checkLog(t, j)
}

func TestAnnotateOnly(t *testing.T) {
	run := measured(t, reporttest.Pass())
	j := newJob(t, githubtest.New(t), "push", nil)
	j.run(cli.ExitPass, "annotate", run, "--only", "outputs")
	if j.out.Len() > 0 || j.file("GITHUB_STEP_SUMMARY") != "" || j.outputs()["verdict"] != "pass" {
		t.Errorf("stdout %q, summary %q, outputs %q", &j.out, j.file("GITHUB_STEP_SUMMARY"), j.outputs())
	}
	delete(j.env, "GITHUB_STEP_SUMMARY")
	j.run(cli.ExitPass, "annotate", run)
	if !strings.Contains(j.err.String(), "GITHUB_STEP_SUMMARY") {
		t.Errorf("stderr is %s", &j.err)
	}
	j.run(cli.ExitBroken, "annotate", run, "--only", "summary")
	j.run(cli.ExitBroken, "annotate", run, "--only", "sumary")
	j.run(cli.ExitBroken, "annotate", filepath.Join(t.TempDir(), "nowhere"))
}

// Names out of a record reach the log only as escaped text.
func TestAnnotateHostileNames(t *testing.T) {
	for _, c := range []reporttest.Case{{Source: sourceOf(evilRun())}, reporttest.OnlyFailures(), reporttest.ControlFired()} {
		j := newJob(t, githubtest.New(t), "push", nil)
		j.run(cli.ExitPass, "annotate", measured(t, c))
		checkLog(t, j)
		if j.out.Len() == 0 {
			t.Error("nothing was said")
		}
	}
}

// With a configuration in the folder the margins are the gate's.
func TestJudgesByTheGatesMargins(t *testing.T) {
	run := measured(t, reporttest.Regression())
	dir := t.TempDir()
	t.Chdir(dir)
	j := newJob(t, githubtest.New(t), "push", nil)
	j.run(cli.ExitPass, "annotate", run, "--only", "outputs")
	if j.outputs()["verdict"] != "regression" {
		t.Fatalf("outputs are %q", j.outputs())
	}
	config := "version: 1\narms: [{name: a, bin: a}, {name: b, bin: b}]\nmodels: [{path: m.gguf}]\ngate:\n  throughput: {margin: 45%}\n  ttft_p50: {margin: 45%}\n  ttft_p95: {margin: 45%}\n  success_rate: {margin: 45pp}\n"
	if err := os.WriteFile(filepath.Join(dir, "llama-regress.yaml"), []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	j = newJob(t, githubtest.New(t), "push", nil)
	j.run(cli.ExitPass, "annotate", run, "--only", "outputs")
	if got := j.outputs()["regressions"]; got != "0" {
		t.Errorf("%s regressions by a margin of 45%%", got)
	}
	j.run(cli.ExitBroken, "annotate", run, "-c", "nowhere.yaml")
}
