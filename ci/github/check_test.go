package github_test

import (
	"context"
	"strings"
	"testing"

	"github.com/llama-regress/llama-regress/ci/github"
	"github.com/llama-regress/llama-regress/ci/github/githubtest"
)

const (
	listChecks  = "checks/list-for-ref"
	createCheck = "checks/create"
	updateCheck = "checks/update"
)

func checkRun() github.CheckRun {
	return github.CheckRun{Name: "llama-regress", Marker: marker(100, 1), Title: "1 regression", Summary: "## 1 regression"}
}

func TestPostCheck(t *testing.T) {
	s := githubtest.New(t, listChecks, createCheck)
	client, _ := dial(t, s)
	if posted, err := client.PostCheck(context.Background(), checkRun()); err != nil || posted.Action != github.Created {
		t.Fatalf("%+v, %v", posted, err)
	}
	got := s.Checks()[0]
	if got.SHA != sha || got.Body["status"] != "completed" || got.Body["conclusion"] != "failure" {
		t.Errorf("got %+v", got)
	}

	again := checkRun()
	again.Marker, again.Passed = marker(100, 2), true
	s.Expect(listChecks, updateCheck)
	if posted, err := client.PostCheck(context.Background(), again); err != nil || posted.Action != github.Updated {
		t.Errorf("a second attempt: %+v, %v", posted, err)
	}
	if got := s.Checks(); len(got) != 1 || got[0].Body["conclusion"] != "success" {
		t.Errorf("got %+v", got)
	}

	s.Expect(listChecks)
	if posted, err := client.PostCheck(context.Background(), checkRun()); err != nil || posted.Action != github.Skipped {
		t.Errorf("the first attempt, late: %+v, %v", posted, err)
	}
}

// The check run of another machine on the same commit is left alone, whatever its name.
func TestPostCheckOfAnotherKey(t *testing.T) {
	s := githubtest.New(t, listChecks, createCheck, listChecks, createCheck)
	client, _ := dial(t, s)
	for _, key := range []string{"bench1", "bench2"} {
		c := checkRun()
		c.Marker.Key = key
		if posted, err := client.PostCheck(context.Background(), c); err != nil || posted.Action != github.Created {
			t.Errorf("%s: %+v, %v", key, posted, err)
		}
	}
	if got := s.Checks(); len(got) != 2 {
		t.Errorf("there are %d check runs, want 2", len(got))
	}
}

func TestPostCheckAfterAnUnknownEnd(t *testing.T) {
	s := githubtest.New(t, listChecks, createCheck, listChecks, updateCheck)
	s.Fail(createCheck, githubtest.Fault{Status: 502, Written: true})
	client, _ := dial(t, s)
	if _, err := client.PostCheck(context.Background(), checkRun()); err != nil {
		t.Error(err)
	}
	if got := s.Checks(); len(got) != 1 {
		t.Errorf("there are %d check runs, want 1", len(got))
	}
}

func TestCheckRunsThatAreRefusedUnsent(t *testing.T) {
	for name, change := range map[string]func(*github.CheckRun){
		"no name":       func(c *github.CheckRun) { c.Name = "" },
		"odd name":      func(c *github.CheckRun) { c.Name = "a\nb" },
		"long summary":  func(c *github.CheckRun) { c.Summary = strings.Repeat("ä", 32_768) },
		"merge commits": func(c *github.CheckRun) { c.Marker.SHA = "" },
	} {
		client, _ := dial(t, githubtest.New(t))
		c := checkRun()
		change(&c)
		if _, err := client.PostCheck(context.Background(), c); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestPostCheckWithoutPermission(t *testing.T) {
	s := githubtest.New(t, listChecks, createCheck)
	s.Fail(createCheck, githubtest.Fault{Status: 403})
	client, _ := dial(t, s)
	if _, err := client.PostCheck(context.Background(), checkRun()); err == nil || !strings.Contains(err.Error(), "checks: write") {
		t.Errorf("got %v", err)
	}
}
