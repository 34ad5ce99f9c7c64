package github_test

import (
	"context"
	"strings"
	"testing"

	"github.com/llama-regress/llama-regress/ci/github"
	"github.com/llama-regress/llama-regress/ci/github/githubtest"
)

const (
	listIssues  = "issues/list-for-repo"
	createIssue = "issues/create"
	updateIssue = "issues/update"
)

func finding(lasts bool, text string) github.Issue {
	return github.Issue{Key: "bench_01.0123", Lasts: lasts, Title: "Performance on bench-01: 1 regression", Body: github.IssueMarker("bench_01.0123") + "\n" + text}
}

func TestTrackIssue(t *testing.T) {
	label := []string{github.IssueLabel}
	ours := func(state, text string) *githubtest.Issue {
		return &githubtest.Issue{Number: 5, Login: github.ActionsBot, Type: "Bot", Labels: label, State: state, Body: finding(true, text).Body}
	}
	planted := ours("open", "old")
	planted.Number, planted.Login, planted.Type = 3, "mallory", "User"
	pull := ours("open", "old")
	pull.Number, pull.Pull = 4, true
	other := ours("open", "old")
	other.Number, other.Body = 6, github.IssueMarker("bench_02.0123")+"\nold"
	cases := map[string]struct {
		issues []*githubtest.Issue
		want   github.Issue
		fault  githubtest.Fault // of the first creation
		calls  []string
		action github.Action
		state  string // of our issue afterwards; "" for none
	}{
		"new":            {nil, finding(true, "new"), githubtest.Fault{}, []string{listIssues, createIssue}, github.Created, "open"},
		"nothing":        {nil, finding(false, "pass"), githubtest.Fault{}, []string{listIssues}, github.Skipped, ""},
		"again":          {[]*githubtest.Issue{ours("open", "old")}, finding(true, "new"), githubtest.Fault{}, []string{listIssues, updateIssue}, github.Updated, "open"},
		"same":           {[]*githubtest.Issue{ours("open", "new")}, finding(true, "new"), githubtest.Fault{}, []string{listIssues}, github.Unchanged, "open"},
		"gone":           {[]*githubtest.Issue{ours("open", "old")}, finding(false, "pass"), githubtest.Fault{}, []string{listIssues, updateIssue}, github.Updated, "closed"},
		"closed by hand": {[]*githubtest.Issue{ours("closed", "old")}, finding(true, "new"), githubtest.Fault{}, []string{listIssues}, github.Skipped, "closed"},
		"back":           {[]*githubtest.Issue{ours("closed", "old\n\n<!-- llama-regress:v1:closed -->")}, finding(true, "new"), githubtest.Fault{}, []string{listIssues, updateIssue}, github.Updated, "open"},
		"still gone":     {[]*githubtest.Issue{ours("closed", "old\n\n<!-- llama-regress:v1:closed -->")}, finding(false, "new"), githubtest.Fault{}, []string{listIssues}, github.Skipped, "closed"},
		"not ours":       {[]*githubtest.Issue{planted, pull, other}, finding(true, "new"), githubtest.Fault{}, []string{listIssues, createIssue}, github.Created, "open"},
		"lost after it":  {nil, finding(true, "new"), githubtest.Fault{Status: 502, Written: true}, []string{listIssues, createIssue, listIssues}, github.Unchanged, "open"},
		"lost before it": {nil, finding(true, "new"), githubtest.Fault{Status: 502}, []string{listIssues, createIssue, listIssues, createIssue}, github.Created, "open"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			s := githubtest.New(t, c.calls...)
			s.Issues = c.issues
			s.Fail(createIssue, c.fault)
			client, _ := dial(t, s)
			posted, err := client.TrackIssue(context.Background(), c.want)
			if err != nil || posted.Action != c.action {
				t.Fatalf("%+v, %v; want %s", posted, err, c.action)
			}
			var states []string
			for _, issue := range s.Issues {
				if issue != planted && issue != pull && issue != other {
					states = append(states, issue.State)
				} else if issue.Edits > 0 {
					t.Errorf("touched %+v", issue)
				}
			}
			if strings.Join(states, " ") != c.state {
				t.Errorf("our issues are %v, want %q", states, c.state)
			}
		})
	}
}

// Only what we wrote ourselves counts, whatever others write into an issue.
func TestTrackedIssues(t *testing.T) {
	s := githubtest.New(t, listIssues)
	issue := func(number int, login, kind, state, body string) *githubtest.Issue {
		return &githubtest.Issue{Number: number, Login: login, Type: kind, Labels: []string{github.IssueLabel}, State: state, Body: body}
	}
	s.Issues = []*githubtest.Issue{
		issue(1, github.ActionsBot, "Bot", "open", github.IssueMarker("cp.a.1")+"\ntext"),
		issue(2, github.ActionsBot, "Bot", "closed", github.IssueMarker("cp.a.2")+"\ntext"),
		issue(3, github.ActionsBot, "Bot", "open", github.IssueMarker("bench.1")+"\ntext"),
		issue(4, "mallory", "User", "open", github.IssueMarker("cp.a.3")+"\ntext"),
		issue(5, github.ActionsBot, "Bot", "open", "quoted: "+github.IssueMarker("cp.a.4")),
	}
	client, _ := dial(t, s)
	got, err := client.TrackedIssues(context.Background(), "cp.a.", "")
	if err != nil || len(got) != 2 || got[0].Key != "cp.a.1" || !got[0].Open || got[1].Key != "cp.a.2" || got[1].Open {
		t.Errorf("%+v, %v", got, err)
	}
}

// An issue without its label would be opened anew every night.
func TestTrackIssueWithoutItsLabel(t *testing.T) {
	s := githubtest.New(t, listIssues, createIssue)
	s.DropLabels = true
	client, _ := dial(t, s)
	if _, err := client.TrackIssue(context.Background(), finding(true, "new")); err == nil || !strings.Contains(err.Error(), "without its label") {
		t.Errorf("got %v", err)
	}
}

func TestIssuesThatAreRefusedUnsent(t *testing.T) {
	for name, change := range map[string]func(*github.Issue){
		"key":       func(i *github.Issue) { i.Key = "a--b" },
		"title":     func(i *github.Issue) { i.Title = "a\nb" },
		"no marker": func(i *github.Issue) { i.Body = "text" },
	} {
		client, _ := dial(t, githubtest.New(t))
		i := finding(true, "new")
		change(&i)
		if _, err := client.TrackIssue(context.Background(), i); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
