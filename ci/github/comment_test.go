package github_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/llama-regress/llama-regress/ci/github"
	"github.com/llama-regress/llama-regress/ci/github/githubtest"
)

const sha = "6dcb09b5b57875f334f61aebed695e2e4193db5e"

// marker is that of run 100, first attempt.
func marker(run int64, attempt int) github.Marker {
	return github.Marker{Key: "main", Run: run, Attempt: attempt, SHA: sha}
}

// comment is what run 100 has to say on pull request 7.
func comment() github.Comment {
	return commentOf(marker(100, 1), "1 regression, in full", "1 regression")
}

func commentOf(m github.Marker, texts ...string) github.Comment {
	c := github.Comment{Pull: 7, Marker: m}
	for _, text := range texts {
		c.Bodies = append(c.Bodies, m.String()+"\n"+text)
	}
	return c
}

func TestPostComment(t *testing.T) {
	bot := func(s *githubtest.Server, body string) { s.Write(7, github.ActionsBot, "Bot", body) }
	all, same := marker(100, 1).String()+"\n1 regression, in full", marker(100, 1)
	lost := githubtest.Fault{Status: 502}
	done := githubtest.Fault{Status: 502, Written: true}
	cases := map[string]struct {
		before func(*githubtest.Server)
		change func(*github.Comment)
		calls  []string
		want   github.Action
		text   string // of our comment afterwards; "" for none
		others int    // comments that are not ours
	}{
		"first":                  {calls: []string{list, create}, want: github.Created, text: all},
		"again":                  {before: func(s *githubtest.Server) { bot(s, marker(99, 1).String()+"\nold") }, calls: []string{list, update}, want: github.Updated, text: all},
		"same":                   {before: func(s *githubtest.Server) { bot(s, all) }, calls: []string{list}, want: github.Unchanged, text: all},
		"same, stored with CRLF": {before: func(s *githubtest.Server) { bot(s, strings.ReplaceAll(all, "\n", "\r\n")+"\r\n") }, calls: []string{list}, want: github.Unchanged},
		"on the third page": {before: func(s *githubtest.Server) {
			s.PageSize = 2
			for range 5 {
				s.Write(7, "octocat", "User", "nice")
			}
			bot(s, marker(99, 1).String()+"\nold")
		}, calls: []string{list, list, list, update}, want: github.Updated, text: all, others: 5},

		"marker planted by a user": {before: func(s *githubtest.Server) {
			s.Write(7, "mallory", "User", marker(1, 1).String()+"\nall is well")
			s.Write(7, "github-actions", "User", marker(1, 1).String()+"\nall is well")
			s.Write(7, "mallory[bot]", "Bot", marker(1, 1).String()+"\nall is well")
			s.Write(7, github.ActionsBot, "User", marker(1, 1).String()+"\nall is well")
		}, calls: []string{list, create}, want: github.Created, text: all, others: 4},
		"marker of the future planted by a user": {before: func(s *githubtest.Server) {
			s.Write(7, "mallory", "User", marker(999_999_999_999, 1).String()+"\nall is well")
		}, calls: []string{list, create}, want: github.Created, text: all, others: 1},
		"marker quoted by a bot": {before: func(s *githubtest.Server) { bot(s, "> "+all); bot(s, "see:\n"+all) }, calls: []string{list, create}, want: github.Created, text: all, others: 2},
		"another configuration's": {before: func(s *githubtest.Server) {
			bot(s, "<!-- llama-regress:v1:key=other run=99 attempt=1 sha="+sha+" -->\nother")
		}, calls: []string{list, create}, want: github.Created, text: all, others: 1},

		"a newer run":     {before: func(s *githubtest.Server) { bot(s, marker(101, 1).String()+"\nnew") }, calls: []string{list}, want: github.Skipped},
		"a newer attempt": {before: func(s *githubtest.Server) { bot(s, marker(100, 2).String()+"\nnew") }, calls: []string{list}, want: github.Skipped},
		"a second attempt of an older run": {before: func(s *githubtest.Server) { bot(s, marker(101, 1).String()+"\nnew") },
			change: func(c *github.Comment) { *c = commentOf(marker(100, 2), "again") }, calls: []string{list}, want: github.Skipped},
		"an older attempt": {before: func(s *githubtest.Server) { bot(s, same.String()+"\nold") },
			change: func(c *github.Comment) { *c = commentOf(marker(100, 2), "again") }, calls: []string{list, update}, want: github.Updated, text: marker(100, 2).String() + "\nagain"},
		"two of ours, the second newer": {before: func(s *githubtest.Server) {
			bot(s, marker(98, 1).String()+"\nold")
			bot(s, marker(101, 1).String()+"\nnew")
		},
			calls: []string{list}, want: github.Skipped},

		"lost before it was written":  {before: func(s *githubtest.Server) { s.Fail(create, lost) }, calls: []string{list, create, list, create}, want: github.Created, text: all},
		"lost after it was written":   {before: func(s *githubtest.Server) { s.Fail(create, done) }, calls: []string{list, create, list}, want: github.Created, text: all},
		"broken after it was written": {before: func(s *githubtest.Server) { s.Fail(create, githubtest.Fault{Drop: true, Written: true}) }, calls: []string{list, create, list}, want: github.Created, text: all},
		"nonsense after it was written": {before: func(s *githubtest.Server) {
			s.Fail(create, githubtest.Fault{Status: 201, Body: "<html>", Written: true})
		}, calls: []string{list, create, list}, want: github.Created, text: all},
		"update lost after it was written": {before: func(s *githubtest.Server) { bot(s, marker(99, 1).String()+"\nold"); s.Fail(update, done) },
			calls: []string{list, update, list}, want: github.Updated, text: all},

		"too long":                {before: func(s *githubtest.Server) { s.MaxBody = len(all) - 1 }, calls: []string{list, create, create}, want: github.Created, text: same.String() + "\n1 regression"},
		"update too long":         {before: func(s *githubtest.Server) { s.MaxBody = len(all) - 1; bot(s, marker(99, 1).String()+"\nold") }, calls: []string{list, update, update}, want: github.Updated, text: same.String() + "\n1 regression"},
		"too long, then lost":     {before: func(s *githubtest.Server) { s.MaxBody = len(all) - 1; s.Fail(create, githubtest.Fault{}, done) }, calls: []string{list, create, create, list}, want: github.Created, text: same.String() + "\n1 regression"},
		"on change, quiet, first": {change: func(c *github.Comment) { c.Quiet = true }, calls: []string{list}, want: github.Skipped},
		"on change, quiet again":  {change: func(c *github.Comment) { c.Quiet = true }, before: func(s *githubtest.Server) { bot(s, marker(99, 1).String()+"\nold") }, calls: []string{list, update}, want: github.Updated, text: all},
		"always, quiet, first":    {change: func(c *github.Comment) { c.Quiet, c.Policy = true, github.Always }, calls: []string{list, create}, want: github.Created, text: all},
		"never":                   {change: func(c *github.Comment) { c.Policy = github.Never }, want: github.Skipped},
		"token in the text":       {change: func(c *github.Comment) { *c = commentOf(same, "env: "+githubtest.Token+" and other-secret!") }, calls: []string{list, create}, want: github.Created, text: same.String() + "\nenv: *** and ***"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			s := githubtest.New(t, c.calls...)
			if c.before != nil {
				c.before(s)
			}
			want := comment()
			if c.change != nil {
				c.change(&want)
			}
			client, _ := dial(t, s, func(o *github.Options) { o.Secrets = []string{"other-secret!", "short", ""} })
			posted, err := client.PostComment(context.Background(), want)
			if err != nil || posted.Action != c.want {
				t.Fatalf("%+v, %v; want %s", posted, err, c.want)
			}
			if c.text == "" {
				return
			}
			var ours []string
			for _, comment := range s.Comments(7) {
				if comment.Body == c.text {
					ours = append(ours, comment.Body)
				} else if comment.Edits > 0 {
					t.Errorf("touched %+v", comment)
				}
			}
			if len(ours) != 1 || len(s.Comments(7)) != 1+c.others {
				t.Errorf("comments are %+v, want one with %q and %d others", s.Comments(7), c.text, c.others)
			}
			if posted.URL == "" && c.want != github.Created {
				t.Error("no address")
			}
		})
	}
}

func TestPostCommentFails(t *testing.T) {
	cases := map[string]struct {
		faults map[string]githubtest.Fault
		calls  []string
		want   string
	}{
		"no permission to write": {map[string]githubtest.Fault{create: {Status: 403, Body: `{"message":"Resource not accessible by integration"}`}}, []string{list, create}, "pull-requests: write"},
		"fork token":             {map[string]githubtest.Fault{create: {Status: 403}}, []string{list, create}, "workflow_run"},
		"not found":              {map[string]githubtest.Fault{list: {Status: 404}}, []string{list}, "the token may not see it"},
		"bad token":              {map[string]githubtest.Fault{list: {Status: 401}}, []string{list}, "github.token"},
		"locked":                 {map[string]githubtest.Fault{create: {Status: 410}}, []string{list, create}, "switched off"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			s := githubtest.New(t, c.calls...)
			for operation, fault := range c.faults {
				s.Fail(operation, fault)
			}
			client, clock := dial(t, s)
			_, err := client.PostComment(context.Background(), comment())
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "pull request 7") {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if len(clock.slept) > 0 {
				t.Errorf("waited %v for what will not change", clock.slept)
			}
		})
	}
	t.Run("too long at every level", func(t *testing.T) {
		s := githubtest.New(t, list, create, create)
		s.MaxBody = 10
		client, _ := dial(t, s)
		if _, err := client.PostComment(context.Background(), comment()); err == nil || !strings.Contains(err.Error(), "too long") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("never says what it did", func(t *testing.T) {
		s := githubtest.New(t, list, create, list, create, list, create)
		fault := githubtest.Fault{Status: 500}
		s.Fail(create, fault, fault, fault)
		client, _ := dial(t, s)
		if _, err := client.PostComment(context.Background(), comment()); err == nil {
			t.Error("no error")
		}
	})
}

func TestCommentsThatAreRefusedUnsent(t *testing.T) {
	for name, change := range map[string]func(*github.Comment){
		"no pull request":  func(c *github.Comment) { c.Pull = 0 },
		"no bodies":        func(c *github.Comment) { c.Bodies = nil },
		"no marker":        func(c *github.Comment) { c.Bodies[1] = "1 regression" },
		"another's marker": func(c *github.Comment) { c.Bodies[1] = marker(5, 1).String() },
		"key that ends it": func(c *github.Comment) { c.Marker.Key = "a--b" },
		"no run":           func(c *github.Comment) { c.Marker.Run = 0 },
		"short commit":     func(c *github.Comment) { c.Marker.SHA = "abc" },
		"policy":           func(c *github.Comment) { c.Policy = "sometimes" },
	} {
		s := githubtest.New(t)
		client, _ := dial(t, s)
		c := comment()
		change(&c)
		if _, err := client.PostComment(context.Background(), c); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestMarker(t *testing.T) {
	m := marker(12345678901234567, 3)
	if got, ok := github.ParseMarker(m.String() + "\nbody"); !ok || got != m {
		t.Errorf("got %+v, %v", got, ok)
	}
	good := m.String()
	for _, text := range []string{"", "x" + good, "\n" + good, " " + good, "> " + good, good + "x", strings.Replace(good, "main", "a-->", 1), strings.Replace(good, "main", "A", 1), strings.Replace(good, "v1", "v2", 1),
		fmt.Sprintf("<!-- llama-regress:v1:key=main run=%s attempt=1 sha=%s -->", strings.Repeat("9", 19), sha)} {
		if got, ok := github.ParseMarker(text); ok {
			t.Errorf("%q was read as %+v", text, got)
		}
	}
}
