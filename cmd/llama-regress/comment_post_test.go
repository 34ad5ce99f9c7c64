package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/llama-regress/llama-regress/ci/github"
	"github.com/llama-regress/llama-regress/ci/github/githubtest"
	"github.com/llama-regress/llama-regress/cmd/internal/cli"
	"github.com/llama-regress/llama-regress/report/reporttest"
)

// measured writes a case's run record and returns its path.
func measured(t *testing.T, c reporttest.Case) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "run.json")
	if err := os.WriteFile(path, recordOf(t, c), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestCommentPolicies(t *testing.T) {
	const list, create = "issues/list-comments", "issues/create-comment"
	cases := map[string]struct {
		run   reporttest.Case
		args  []string
		calls []string
		says  string
	}{
		"nothing wrong":         {reporttest.Pass(), nil, []string{list}, "skipped: nothing is wrong"},
		"nothing wrong, always": {reporttest.Pass(), []string{"--policy", "always"}, []string{list, create}, "created"},
		"undecided":             {reporttest.Undecided(), nil, []string{list, create}, "created"},
		"regression":            {reporttest.Regression(), nil, []string{list, create}, "pull request 7 created https://"},
		"never":                 {reporttest.Regression(), []string{"--policy", "never"}, nil, "skipped: the policy"},
		"with a check":          {reporttest.Regression(), []string{"--check", "llama-regress"}, []string{list, create, "checks/list-for-ref", "checks/create"}, "check run created"},
		"check alone":           {reporttest.Regression(), []string{"--check", "llama-regress", "--policy", "never"}, []string{"checks/list-for-ref", "checks/create"}, "check run created"},
		"large margins":         {reporttest.Regression(), []string{"--margin", "45%", "--margin", "ttft_p50=45%", "--margin", "ttft_p95=45%"}, []string{list, create}, "created"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			s := githubtest.New(t, c.calls...)
			j := newJob(t, s, "pull_request", pullEvent())
			j.run(cli.ExitPass, append([]string{"comment", measured(t, c.run)}, c.args...)...)
			if !strings.Contains(j.out.String(), c.says) {
				t.Errorf("said %q, want %q", &j.out, c.says)
			}
			for _, check := range s.Checks() {
				if check.Body["conclusion"] != "failure" || check.SHA != headSHA {
					t.Errorf("got %+v", check)
				}
			}
			checkLog(t, j)
		})
	}
}

// A post that fails is said, shown in the summary, and changes the exit code
// only on demand.
func TestCommentThatFails(t *testing.T) {
	const list, create = "issues/list-comments", "issues/create-comment"
	run := measured(t, reporttest.Regression())
	for _, require := range []bool{false, true} {
		s := githubtest.New(t, list, create)
		s.Fail(create, githubtest.Fault{Status: 403, Body: `{"message":"Resource not accessible by integration ##[error]x\n::error::x"}`})
		j := newJob(t, s, "pull_request", pullEvent())
		code, args := cli.ExitPass, []string{"comment", run}
		if require {
			code, args = cli.ExitBroken, append(args, "--require-post")
		}
		j.run(code, args...)
		if !strings.Contains(j.err.String(), "pull-requests: write") {
			t.Errorf("require %v: stderr is %s", require, &j.err)
		}
		summary := j.file("GITHUB_STEP_SUMMARY")
		if !require && (!strings.Contains(j.out.String(), "::warning title=llama-regress%3A not posted::") || !strings.Contains(summary, "could not be posted") || !strings.Contains(summary, "## ❌")) {
			t.Errorf("stdout is %s, the summary %.200s", &j.out, summary)
		}
		checkLog(t, j)
	}
}

func TestCommentWithoutToken(t *testing.T) {
	run := measured(t, reporttest.Regression())
	j := newJob(t, githubtest.New(t), "pull_request", pullEvent())
	delete(j.env, "GITHUB_TOKEN")
	j.run(cli.ExitPass, "comment", run)
	for _, want := range []string{"GITHUB_TOKEN", "pull-requests: write", "--dry-run"} {
		if !strings.Contains(j.err.String(), want) {
			t.Errorf("stderr lacks %q: %s", want, &j.err)
		}
	}
	j.run(cli.ExitBroken, "comment", run, "--require-post")
	j.env["GH_TOKEN"], j.env["GITHUB_API_URL"] = githubtest.Token, "http://ghes.example/api/v3"
	j.run(cli.ExitBroken, "comment", run)
	if !strings.Contains(j.err.String(), "https") {
		t.Errorf("stderr is %s", &j.err)
	}
}

func TestCommentWithNowhereToGo(t *testing.T) {
	archive := zipped(t, map[string][]byte{"run.json": recordOf(t, reporttest.Regression())})
	t.Run("no artifact", func(t *testing.T) {
		s := githubtest.New(t, download[0], "pulls/list", "issues/list-comments", "issues/update-comment", download[0])
		fork(s, nil)
		s.Artifacts = nil
		s.Write(7, github.ActionsBot, "Bot", github.Marker{Key: "main", Run: 99, Attempt: 1, SHA: strings.Repeat("1", 40)}.String()+"\n## ✅ Pass")
		j := newJob(t, s, "workflow_run", forkEvent())
		j.run(cli.ExitPass, "comment", "--artifact", "event")
		if !strings.Contains(j.err.String(), "nothing to report") {
			t.Errorf("stderr is %s", &j.err)
		}
		if body := s.Comments(7)[0].Body; !strings.Contains(body, "Of an earlier commit.") || !strings.Contains(j.out.String(), "updated") {
			t.Errorf("the comment of the commit before is left as it was: %s\n%s", body, &j.out)
		}
		j.run(cli.ExitBroken, "comment", "--artifact", "event", "--require-post")
	})
	t.Run("no pull request", func(t *testing.T) {
		s := githubtest.New(t, find...)
		fork(s, archive)
		s.Pulls = nil
		j := newJob(t, s, "workflow_run", forkEvent())
		j.run(cli.ExitPass, "comment", "--artifact", "event")
		if !strings.Contains(j.err.String(), "no comment") {
			t.Errorf("stderr is %s", &j.err)
		}
	})
	t.Run("another workflow", func(t *testing.T) {
		s := githubtest.New(t, download...)
		fork(s, archive)
		newJob(t, s, "workflow_run", forkEvent()).run(cli.ExitBroken, "comment", "--artifact", "event", "--workflow", ".github/workflows/other.yml", "--require-post")
	})
}

// A dry run prints everything and writes nothing; what it prints may hold
// commands, so the runner is told not to look.
func TestCommentDryRun(t *testing.T) {
	s := githubtest.New(t) // and asks nobody
	path := filepath.Join(t.TempDir(), "run.zip")
	evil := evilRun()
	evil.Notes = []string{"a"}
	if err := os.WriteFile(path, zipped(t, map[string][]byte{"run.json": recordOf(t, reporttest.Case{Source: sourceOf(evil)})}), 0o644); err != nil {
		t.Fatal(err)
	}
	j := newJob(t, s, "pull_request", pullEvent())
	j.run(cli.ExitPass, "comment", "--artifact", path, "--dry-run", "--check", "llama-regress")
	for _, want := range []string{"::stop-commands::", "comment on pull request 7, if none is there:\n<!-- llama-regress:v1:key=main", "would POST " + s.URL + "/repos/octo-org/llama.cpp/check-runs"} {
		if !strings.Contains(j.out.String(), want) {
			t.Errorf("stdout lacks %q", want)
		}
	}
	checkLog(t, j)
	if len(s.Comments(7)) > 0 {
		t.Error("a comment was written")
	}
}

// A dry run needs neither GitHub nor an event: it shows what it would say.
func TestCommentDryRunWithoutGitHub(t *testing.T) {
	s := githubtest.New(t)
	j := newJob(t, s, "", nil)
	for _, name := range []string{"GITHUB_EVENT_NAME", "GITHUB_EVENT_PATH", "GITHUB_RUN_ID", "GITHUB_RUN_ATTEMPT", "GITHUB_ACTIONS", "GITHUB_REPOSITORY", "GITHUB_TOKEN"} {
		delete(j.env, name)
	}
	run := measured(t, reporttest.Regression())
	for _, where := range [][]string{{"--pr", "7", "--sha", headSHA}, nil} {
		j.run(cli.ExitPass, append([]string{"comment", run, "--dry-run", "--check", "llama-regress"}, where...)...)
		if out := j.out.String(); !strings.Contains(out, "<!-- llama-regress:v1:key=main") || !strings.Contains(out, "regression") {
			t.Errorf("stdout is %.300s\nstderr is %s", out, &j.err)
		}
	}
	j.run(cli.ExitPass, "track", run, "--machine", "bench-01", "--dry-run")
	if out := j.out.String(); !strings.Contains(out, "would POST") || !strings.Contains(out, "/issues") {
		t.Errorf("stdout is %.300s\nstderr is %s", out, &j.err)
	}
}

// Outside of an event the pull request is named by hand; such a comment never
// replaces one of a run.
func TestCommentByHand(t *testing.T) {
	s := githubtest.New(t, "issues/list-comments")
	s.Write(7, github.ActionsBot, "Bot", github.Marker{Key: "main", Run: 2, Attempt: 1, SHA: headSHA}.String()+"\n## ✅ Pass")
	j := newJob(t, s, "", nil)
	for _, name := range []string{"GITHUB_EVENT_NAME", "GITHUB_EVENT_PATH", "GITHUB_RUN_ID", "GITHUB_RUN_ATTEMPT", "GITHUB_ACTIONS"} {
		delete(j.env, name)
	}
	run := measured(t, reporttest.Regression())
	j.run(cli.ExitPass, "comment", run, "--pr", "7", "--sha", headSHA)
	if !strings.Contains(j.out.String(), "is newer") {
		t.Errorf("stdout is %s", &j.out)
	}
	j.run(cli.ExitBroken, "comment", run)
	if !strings.Contains(j.err.String(), "--pr") {
		t.Errorf("stderr is %s", &j.err)
	}
	j.run(cli.ExitBroken, "comment", run, "--pr", "7")
	j.run(cli.ExitBroken, "comment", run, "--pr", "7", "--sha", headSHA, "--policy", "sometimes")
	j.run(cli.ExitBroken, "comment", run, "--pr", "7", "--sha", headSHA, "--artifact", "event")
	j.run(cli.ExitBroken, "comment", "--pr", "7", "--sha", headSHA, "--artifact", "event")
	j.run(cli.ExitBroken, "comment", run, "--pr", "7", "--sha", headSHA, "--repo", "o/..")
	j.run(cli.ExitBroken, "comment", run, "--pr", "7", "--sha", "main", "--require-post")
}
