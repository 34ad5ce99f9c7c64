package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/llama-regress/llama-regress/ci/github/githubtest"
	"github.com/llama-regress/llama-regress/cmd/internal/cli"
	"github.com/llama-regress/llama-regress/report/reporttest"
)

func TestTrack(t *testing.T) {
	const list, create, update = "issues/list-for-repo", "issues/create", "issues/update"
	s := githubtest.New(t, list, list, create, list, list, update, list, update, list, create)
	j := newJob(t, s, "schedule", nil)
	path := filepath.Join(t.TempDir(), "run.json")
	night := func(c reporttest.Case, says string) {
		t.Helper()
		if err := os.WriteFile(path, recordOf(t, c), 0o644); err != nil {
			t.Fatal(err)
		}
		j.run(cli.ExitPass, "track", path, "--machine", "Bench-01")
		if !strings.Contains(j.out.String(), says) {
			t.Errorf("said %q, want %q", &j.out, says)
		}
		checkLog(t, j)
	}
	night(reporttest.Pass(), "skipped: there is nothing to follow")
	night(reporttest.Regression(), "issue created https://")
	night(reporttest.Regression(), "issue unchanged")
	issue := s.Issues[0]
	if !strings.HasPrefix(issue.Body, "<!-- llama-regress:v1:issue=bench_01.") || len(issue.Labels) != 1 {
		t.Errorf("got %+v", issue)
	}
	unmeasured := reporttest.Regression()
	for i := range unmeasured.Source.Head.Trials {
		unmeasured.Source.Head.Trials[i].Measurements = nil
	}
	night(unmeasured, "left as it is") // what was not measured is not gone
	night(reporttest.Pass(), "issue updated")
	if issue.State != "closed" {
		t.Error("measured again, the same builds show nothing, and the issue is open")
	}
	night(reporttest.Regression(), "issue updated")
	if issue.State != "open" {
		t.Error("the regression is back, and its issue, which nobody but the tool closed, is closed")
	}
	night(reporttest.Case{Source: sourceOf(evilRun())}, "issue created")
	if body := s.Issues[1].Body; strings.Contains(skeleton(body[strings.Index(body, "\n"):]), "@octocat") {
		t.Error("somebody is mentioned")
	}
}

func TestTrackThatFails(t *testing.T) {
	s := githubtest.New(t, "issues/list-for-repo", "issues/create")
	s.Fail("issues/create", githubtest.Fault{Status: 403})
	j := newJob(t, s, "schedule", nil)
	run := measured(t, reporttest.Regression())
	j.run(cli.ExitPass, "track", run, "--machine", "bench-01")
	if !strings.Contains(j.err.String(), "issues: write") || j.file("GITHUB_STEP_SUMMARY") == "" {
		t.Errorf("stderr is %s", &j.err)
	}
	delete(j.env, "GITHUB_TOKEN")
	j.run(cli.ExitBroken, "track", run, "--machine", "bench-01", "--require-post")
	j.run(cli.ExitBroken, "track", run, "--machine", "a b")
	j.run(cli.ExitBroken, "track", run)
}
