package main

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/llama-regress/llama-regress/ci/github/githubtest"
	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/ci/store"
	"github.com/llama-regress/llama-regress/cmd/internal/cli"
	"github.com/llama-regress/llama-regress/compare/history/historytest"
)

// Night after night there is one issue of a change point: opened when it is
// first seen, brought up to date, closed when it is over.
func TestNightlyTrack(t *testing.T) {
	t.Setenv("LLAMA_REGRESS_CACHE", t.TempDir())
	const list, create, update = "issues/list-for-repo", "issues/create", "issues/update"
	s := githubtest.New(t,
		list, // 50 nights
		list, list, create,
		list, list,
		list, list, update,
		list, list, update,
		list, list, create,
		list, list, update)
	j := newJob(t, s, "schedule", nil)
	runs := historytest.Story{Machine: "bench-01", Nights: 130, Noise: 0.005, Seed: 8, Cells: []historytest.Cell{
		{Model: "a", Test: "pp512", Level: 500, Steps: map[int]float64{50: 0.9, 80: 1 / 0.9, 110: 0.9}},
		{Model: "b", Test: "pp512", Level: 100, Steps: map[int]float64{50: 0.93, 80: 1 / 0.93}},
	}}.Runs()
	ref := stored(t, nil)
	after := func(nights int, says string) {
		t.Helper()
		write(t, ref, runs[:nights])
		j.run(cli.ExitPass, "nightly", "track", "--store", ref)
		if !strings.Contains(j.out.String(), says) {
			t.Errorf("after %d nights it said %q, want %q", nights, &j.out, says)
		}
		checkLog(t, j)
	}
	after(50, "no change point to follow")
	// Dry, so nothing is written.
	write(t, ref, runs[:56])
	j.run(cli.ExitPass, "nightly", "track", "--store", ref, "--dry-run")
	if len(s.Issues) != 0 || !strings.Contains(j.out.String(), "since 2025-12-2") {
		t.Errorf("a dry run made %d issues and said %s", len(s.Issues), &j.out)
	}
	after(56, "issue created https://")
	after(56, "issue unchanged")
	after(70, "issue updated")
	issue := s.Issues[0]
	if !strings.HasPrefix(issue.Body, "<!-- llama-regress:v1:issue=cp.bench_01_") || !strings.Contains(issue.Body, "<!-- llama-regress:v1:series=") || !strings.Contains(issue.Body, "pp512") {
		t.Errorf("got %s", issue.Body)
	}
	after(90, "issue updated")
	if issue.State != "closed" || !strings.Contains(issue.Body, "**Over:** over since 2026-01-20") {
		t.Errorf("the loss was taken back, and the issue is %s:\n%s", issue.State, issue.Body)
	}
	after(117, "issue created") // another loss, another issue
	if len(s.Issues) != 2 {
		t.Fatalf("%d issues", len(s.Issues))
	}
	// What is accepted is over, also where it is no change point any more.
	st, err := store.Open(ref, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.Promote(context.Background(), st, store.Segment{Machine: "bench-01", From: store.KeyOf(runs[110], "", 1).String(), Reason: "agreed with @octocat", Made: time.Now()}); err != nil {
		t.Fatal(err)
	}
	after(118, "issue updated")
	if last := s.Issues[1]; last.State != "closed" || !strings.Contains(last.Body, "accepted") || strings.Contains(skeleton(last.Body), "@octocat") {
		t.Errorf("accepted, and the issue is %s:\n%s", last.State, last.Body)
	}
}

// write puts runs into a store that is a folder.
func write(t *testing.T, ref string, runs []*record.Run) {
	t.Helper()
	writeRuns(t, strings.TrimPrefix(ref, "dir:"), runs)
}

func TestNightlyTrackThatFails(t *testing.T) {
	t.Setenv("LLAMA_REGRESS_CACHE", t.TempDir())
	s := githubtest.New(t, "issues/list-for-repo")
	s.Fail("issues/list-for-repo", githubtest.Fault{Status: 403})
	j := newJob(t, s, "schedule", nil)
	ref := stored(t, historytest.Story{Machine: "bench-01", Nights: 10, Noise: 0.005, Cells: []historytest.Cell{{Model: "a", Test: "pp512", Level: 500}}}.Runs())
	j.run(cli.ExitPass, "nightly", "track", "--store", ref)
	if !strings.Contains(j.err.String(), "issues: read") {
		t.Errorf("stderr is %s", &j.err)
	}
	delete(j.env, "GITHUB_TOKEN")
	j.run(cli.ExitBroken, "nightly", "track", "--store", ref, "--require-post")
	j.env["GITHUB_EVENT_NAME"] = "pull_request"
	j.run(cli.ExitBroken, "nightly", "track", "--store", ref)
}
