package github_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/llama-regress/llama-regress/ci/github"
	"github.com/llama-regress/llama-regress/ci/github/githubtest"
)

const listPulls = "pulls/list"

// forkRun is the event of a finished run on a fork's pull request, with the
// fields that GitHub sends and this tool reads. It lists no pull request, as
// for every fork.
func forkRun() map[string]any {
	return map[string]any{
		"action": "completed",
		"workflow_run": map[string]any{
			"id": 100, "run_attempt": 2, "event": "pull_request", "path": ".github/workflows/pr.yml", "conclusion": "failure",
			"head_branch": "faster", "head_sha": sha, "pull_requests": []any{},
			"head_repository": map[string]any{"id": 555, "full_name": "octocat/llama.cpp", "owner": map[string]any{"login": "octocat"}},
		},
		"repository": map[string]any{"id": githubtest.RepoID, "full_name": githubtest.Repo},
	}
}

// readEvent writes an event where the runner would and reads it.
func readEvent(t testing.TB, name string, payload any) *github.Event {
	t.Helper()
	data, err := json.Marshal(payload)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "event.json")
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	e, err := github.ReadEvent(path, name)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// forkPull is the open pull request that the fork's run belongs to.
func forkPull() githubtest.Pull {
	return githubtest.Pull{Number: 7, Owner: "octocat", Branch: "faster", SHA: sha, HeadRepoID: 555, BaseRepoID: githubtest.RepoID}
}

func TestFindPullOfARun(t *testing.T) {
	change := func(f func(*githubtest.Pull)) githubtest.Pull { p := forkPull(); p.Number = 8; f(&p); return p }
	cases := map[string]struct {
		pulls []githubtest.Pull
		want  int // 0 means none is found
	}{
		"the one":               {[]githubtest.Pull{forkPull()}, 7},
		"none":                  {nil, 0},
		"newer commits":         {[]githubtest.Pull{change(func(p *githubtest.Pull) { p.SHA = strings.Repeat("a", 40) })}, 0},
		"same name, other fork": {[]githubtest.Pull{change(func(p *githubtest.Pull) { p.HeadRepoID = 666 })}, 0},
		"deleted fork":          {[]githubtest.Pull{change(func(p *githubtest.Pull) { p.HeadRepoID = 0 })}, 0},
		"into another":          {[]githubtest.Pull{change(func(p *githubtest.Pull) { p.BaseRepoID = 9 })}, 0},
		"other branch":          {[]githubtest.Pull{change(func(p *githubtest.Pull) { p.Branch = "slower" }), forkPull()}, 7},
		"two":                   {[]githubtest.Pull{forkPull(), change(func(*githubtest.Pull) {})}, 0},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			s := githubtest.New(t, listPulls)
			s.Pulls = c.pulls
			client, _ := dial(t, s)
			got, err := client.FindPull(context.Background(), readEvent(t, "workflow_run", forkRun()), ".github/workflows/pr.yml")
			var none *github.NoPullError
			switch {
			case c.want == 0 && !errors.As(err, &none):
				t.Errorf("%+v, %v; want none", got, err)
			case c.want != 0 && (err != nil || got != github.Pull{Number: c.want, SHA: sha}):
				t.Errorf("%+v, %v; want %d", got, err, c.want)
			}
		})
	}
}

func TestFindPullOverAllPages(t *testing.T) {
	s := githubtest.New(t, listPulls, listPulls)
	s.PageSize = 1
	other := forkPull()
	other.Number, other.BaseRepoID = 3, 9
	s.Pulls = []githubtest.Pull{other, forkPull()}
	client, _ := dial(t, s)
	if got, err := client.FindPull(context.Background(), readEvent(t, "workflow_run", forkRun()), ""); err != nil || got.Number != 7 {
		t.Errorf("%+v, %v", got, err)
	}
}

// Events that lead nowhere are refused before anything is asked.
func TestEventsWithoutAPull(t *testing.T) {
	run := func(key string, value any) map[string]any {
		e := forkRun()
		e["workflow_run"].(map[string]any)[key] = value
		return e
	}
	own := map[string]any{"repository": map[string]any{"id": 1, "full_name": "mallory/llama.cpp"}, "pull_request": map[string]any{"number": 7, "head": map[string]any{"sha": sha}}}
	cases := map[string]struct {
		name     string
		payload  any
		workflow string
	}{
		"push":             {"push", map[string]any{"ref": "refs/heads/main"}, ""},
		"of another event": {"workflow_run", run("event", "push"), ""},
		"of another file":  {"workflow_run", run("path", ".github/workflows/evil.yml"), ".github/workflows/pr.yml"},
		"no commit":        {"workflow_run", run("head_sha", "HEAD"), ""},
		"no branch":        {"workflow_run", run("head_branch", ""), ""},
		"no head":          {"workflow_run", run("head_repository", nil), ""},
		"odd owner":        {"workflow_run", run("head_repository", map[string]any{"id": 5, "owner": map[string]any{"login": "a:b/../c"}}), ""},
		"no run":           {"workflow_run", map[string]any{"repository": map[string]any{"id": githubtest.RepoID}}, ""},
		"other repository": {"pull_request", own, ""},
		"privileged":       {"pull_request_target", map[string]any{"pull_request": map[string]any{"number": 7, "head": map[string]any{"sha": sha}}}, ""},
		"no number":        {"pull_request", map[string]any{"pull_request": map[string]any{"head": map[string]any{"sha": sha}}}, ""},
		"no head commit":   {"pull_request", map[string]any{"pull_request": map[string]any{"number": 7}}, ""},
		"no event at all":  {"pull_request", map[string]any{}, ""},
	}
	for name, c := range cases {
		client, _ := dial(t, githubtest.New(t))
		if got, err := client.FindPull(context.Background(), readEvent(t, c.name, c.payload), c.workflow); err == nil {
			t.Errorf("%s: found %+v", name, got)
		}
	}
}

func TestFindPullOfAPullRequest(t *testing.T) {
	client, _ := dial(t, githubtest.New(t))
	e := readEvent(t, "pull_request", map[string]any{"number": 9, "pull_request": map[string]any{"number": 7, "head": map[string]any{"sha": sha}, "merge_commit_sha": strings.Repeat("e", 40)},
		"repository": map[string]any{"full_name": "Octo-Org/llama.cpp"}})
	if got, err := client.FindPull(context.Background(), e, ""); err != nil || got != (github.Pull{Number: 7, SHA: sha}) {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestReadEventErrors(t *testing.T) {
	dir := t.TempDir()
	bad := filepath.Join(dir, "bad.json")
	if err := os.WriteFile(bad, []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	large := filepath.Join(dir, "large.json")
	if err := os.WriteFile(large, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(large, 33<<20); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{"": "--pr", bad: "bad.json", large: "larger than 32 MiB", filepath.Join(dir, "none"): "none"} {
		if _, err := github.ReadEvent(path, "pull_request"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", path, err, want)
		}
	}
}
