package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/llama-regress/llama-regress/ci/github/githubtest"
	"github.com/llama-regress/llama-regress/cmd/internal/cli"
	"github.com/llama-regress/llama-regress/cmd/internal/measure"
)

// actionCommit stands for the commit that a user pins.
const actionCommit = "0123456789abcdef0123456789abcdef01234567"

// GitHub's own actions cannot be fetched here, so these do what the workflows
// need of them.
var standIns = map[string]string{
	"actions/checkout@8e8c483db84b4bee98b60c0593521ed34d9990e8": `
runs:
  using: composite
  steps:
    - shell: bash
      env: {REF: "${{ inputs.ref }}", TO: "${{ inputs.path }}", DEPTH: "${{ inputs.fetch-depth }}"}
      run: |
        [ "$DEPTH" = 0 ] || { echo "a shallow clone has no merge base"; exit 1; }
        git clone --quiet "$STAND_IN_ORIGIN" "$TO"
        if [ -n "$REF" ]; then git -C "$TO" checkout --quiet --detach "$REF"; fi
inputs: {ref: {default: ""}, path: {default: ""}, fetch-depth: {default: "1"}, persist-credentials: {default: "true"}}
`,
	"actions/cache@9255dc7a253b0ccc959486e2bca901246202afeb": `
runs: {using: composite, steps: [{shell: bash, run: "true"}]}
inputs: {path: {required: true}, key: {required: true}, restore-keys: {default: ""}}
`,
	"actions/upload-artifact@b7c566a772e6b6bfb58ed0dc250532a479d7789f": `
runs:
  using: composite
  steps:
    - shell: bash
      env: {NAME: "${{ inputs.name }}", FILES: "${{ inputs.path }}"}
      run: |
        mkdir -p "$STAND_IN_ARTIFACTS/$NAME"
        while read -r file; do [ -z "$file" ] || cp -r "$file" "$STAND_IN_ARTIFACTS/$NAME/"; done <<<"$FILES"
inputs: {name: {required: true}, path: {required: true}, if-no-files-found: {default: ""}, retention-days: {default: ""}}
`,
}

// An actRun is act, to run the workflows of a repository without containers.
type actRun struct {
	*clone
	act   string
	local []string // stand-ins, as act wants them
}

func newActRun(t *testing.T) *actRun {
	t.Helper()
	act := os.Getenv("LLAMA_REGRESS_ACT")
	if act == "" {
		if os.Getenv("LLAMA_REGRESS_REQUIRE_ACT") != "" {
			t.Fatal("LLAMA_REGRESS_ACT names no act")
		}
		t.Skip("LLAMA_REGRESS_ACT does not name act: go install github.com/nektos/act@v0.2.89")
	}
	a := &actRun{clone: newClone(t), act: act}
	for name, text := range standIns {
		folder := filepath.Join(a.dir, strings.NewReplacer("/", "-", "@", "-").Replace(name))
		a.write(filepath.Join(folder, "action.yml"), "name: stand-in\n"+text)
		a.local = append(a.local, "--local-repository", name+"="+folder)
	}
	self, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	a.local = append(a.local, "--local-repository", "llama-regress/llama-regress@"+actionCommit+"="+self)
	return a
}

// run runs a job of a workflow and those it needs as an event would start them,
// and returns the log and whether all succeeded.
func (a *actRun) run(workflow, job, event string, payload any, env map[string]string) (string, bool) {
	a.t.Helper()
	data, err := json.Marshal(payload)
	if err != nil {
		a.t.Fatal(err)
	}
	path := filepath.Join(a.dir, "event.json")
	a.write(path, string(data))
	args := append([]string{event, "--workflows", filepath.Join(".github", "workflows", workflow), "--job", job, "--eventpath", path, "--pull=false", "--no-cache-server",
		"-P", "ubuntu-latest=-self-hosted", "-P", "self-hosted=-self-hosted", "--action-cache-path", filepath.Join(a.dir, "actions"),
		"--var", `LLAMA_REGRESS_MACHINES=["bench-01"]`, "--secret", "GITHUB_TOKEN=" + githubtest.Token}, a.local...)
	for name, value := range env {
		args = append(args, "--env", name+"="+value)
	}
	cmd := exec.Command(a.act, args...)
	cmd.Dir = a.path
	out, err := cmd.CombinedOutput()
	a.t.Cleanup(func() {
		if a.t.Failed() {
			a.t.Logf("%s:\n%s", workflow, out)
		}
	})
	return string(out), err == nil
}

// A user's way from a repository without any of this to a pull request that is
// measured, fails, and carries a comment.
func TestGatedPullRequestWithAct(t *testing.T) {
	a := newActRun(t)
	j := newJob(t, githubtest.New(t), "", nil)
	j.run(cli.ExitPass, "config", "init", "--workflows", "--action", "llama-regress/llama-regress/.github/actions/llama-regress@"+actionCommit, filepath.Join(a.path, "llama-regress.yaml"))
	for _, name := range []string{"pr.yml", "pr-report.yml", "nightly.yml"} { // act 0.2.89 does not know what GitHub has since May 2026
		path := filepath.Join(a.path, ".github", "workflows", name)
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		a.write(path, strings.ReplaceAll(string(text), "      queue: max\n", ""))
	}
	a.write(filepath.Join(a.path, "llama-regress.yaml"), fmt.Sprintf(`version: 1
arms:
  - {name: base, bin: build/base/bin}
  - {name: head, bin: build/head/bin}
models: [{path: %s}]
sampling: {blocks: 8}
`, a.model))
	a.commits()

	pull := map[string]any{"action": "opened", "number": 7, "pull_request": map[string]any{"number": 7,
		"head": map[string]any{"sha": a.head, "ref": "faster", "repo": map[string]any{"full_name": githubtest.Repo}}, "base": map[string]any{"sha": a.base, "ref": "main"}},
		"repository": map[string]any{"id": githubtest.RepoID, "full_name": githubtest.Repo, "default_branch": "main"}}
	artifacts := filepath.Join(a.dir, "artifacts")
	env := map[string]string{"STAND_IN_ORIGIN": a.path, "STAND_IN_ARTIFACTS": artifacts, "GITHUB_REPOSITORY": githubtest.Repo, measure.LockVariable: filepath.Join(a.dir, "lock")}
	log, passed := a.run("pr.yml", "measure", "pull_request", pull, env)
	if passed || !strings.Contains(log, "2 regressions") {
		t.Fatal("the measuring job did not fail for the regression")
	}
	uploaded, err := filepath.Glob(filepath.Join(artifacts, "llama-regress-bench-01-*", "run.json"))
	if err != nil || len(uploaded) != 1 {
		t.Fatalf("artifacts are %v, %v", uploaded, err)
	}
	record, err := os.ReadFile(uploaded[0])
	if err != nil {
		t.Fatal(err)
	}

	s := githubtest.New(t, first...)
	fork(s, zipped(t, map[string][]byte{"run.json": record}))
	s.Pulls[0].SHA, s.Artifacts[0].SHA, s.Artifacts[0].Name = a.head, a.head, "llama-regress-bench-01-1"
	done := forkEvent()
	done["workflow_run"].(map[string]any)["head_sha"] = a.head
	env["GITHUB_API_URL"] = s.URL
	log, passed = a.run("pr-report.yml", "comment", "workflow_run", done, env)
	if !passed {
		t.Fatal("the report job failed")
	}
	comments := s.Comments(7)
	if len(comments) != 1 || !regexp.MustCompile(`^<!-- llama-regress:v1:key=bench_01 run=100 attempt=1 sha=`+a.head+` -->\n## ❌ 2 regressions`).MatchString(comments[0].Body) {
		t.Errorf("comments are %+v", comments)
	}
	if strings.Contains(log, githubtest.Token) {
		t.Error("the token is in the log")
	}

	// Somebody merges it all the same: the night finds it.
	a.git("checkout", "--quiet", "main")
	a.git("merge", "--quiet", "--ff-only", "faster")
	delete(env, "GITHUB_API_URL")
	if log, passed = a.run("nightly.yml", "measure", "schedule", map[string]any{"schedule": "17 2 * * *", "repository": pull["repository"]}, env); passed || !strings.Contains(log, "2 regressions") {
		t.Error("the night did not find the regression")
	}
	if reports, err := filepath.Glob(filepath.Join(artifacts, "llama-regress-nightly-bench-01-*", "llama-regress-out", "report.html")); err != nil || len(reports) != 1 {
		t.Errorf("the night's reports are %v, %v", reports, err)
	}
}

// A repository without a machine: the workflows for GitHub's own runners build both
// revisions with their flags, make the model, gate, and comment. What a program
// executes the fake does not have, so its speed stands for it.
func TestHostedPullRequestWithAct(t *testing.T) {
	a := newActRun(t)
	j := newJob(t, githubtest.New(t), "", nil)
	j.run(cli.ExitPass, "config", "init", "--workflows", "--hosted", "--action", "llama-regress/llama-regress/.github/actions/llama-regress@"+actionCommit, filepath.Join(a.path, "llama-regress.yaml"))
	report := filepath.Join(a.path, ".github", "workflows", "pr-count-report.yml")
	text, err := os.ReadFile(report)
	if err != nil {
		t.Fatal(err)
	}
	a.write(report, strings.ReplaceAll(string(text), "      queue: max\n", "")) // act 0.2.89 does not know it
	a.write(filepath.Join(a.path, "llama-regress.yaml"), `version: 1
arms:
  - {name: base, bin: build/base/bin}
  - {name: head, bin: build/head/bin}
models: [{path: model.gguf}]
sampling: {blocks: 8}
`)
	a.write(filepath.Join(a.dir, "bin", "valgrind"), "#!/bin/sh\n") // so that nothing is installed here
	if err := os.Chmod(filepath.Join(a.dir, "bin", "valgrind"), 0o755); err != nil {
		t.Fatal(err)
	}
	a.commits()

	pull := map[string]any{"action": "opened", "number": 7, "pull_request": map[string]any{"number": 7,
		"head": map[string]any{"sha": a.head, "ref": "faster", "repo": map[string]any{"full_name": "someone/fork"}}, "base": map[string]any{"sha": a.base, "ref": "main"}},
		"repository": map[string]any{"id": githubtest.RepoID, "full_name": githubtest.Repo, "default_branch": "main"}}
	artifacts := filepath.Join(a.dir, "artifacts")
	env := map[string]string{"STAND_IN_ORIGIN": a.path, "STAND_IN_ARTIFACTS": artifacts, "GITHUB_REPOSITORY": githubtest.Repo, measure.LockVariable: filepath.Join(a.dir, "lock")}
	log, passed := a.run("pr-count.yml", "count", "pull_request", pull, env)
	if passed || !strings.Contains(log, "2 regressions") || !strings.Contains(log, "model: making model.gguf") {
		t.Fatal("the counting job did not fail for the regression, or made no model")
	}
	record, err := os.ReadFile(filepath.Join(artifacts, "llama-regress-count-1", "run.json"))
	if err != nil {
		t.Fatal(err)
	}

	s := githubtest.New(t, first...)
	fork(s, zipped(t, map[string][]byte{"run.json": record}))
	s.Pulls[0].SHA, s.Artifacts[0].SHA, s.Artifacts[0].Name = a.head, a.head, "llama-regress-count-1"
	done := forkEvent()
	done["workflow_run"].(map[string]any)["head_sha"] = a.head
	done["workflow_run"].(map[string]any)["path"] = ".github/workflows/pr-count.yml"
	env["GITHUB_API_URL"] = s.URL
	if _, passed = a.run("pr-count-report.yml", "comment", "workflow_run", done, env); !passed {
		t.Fatal("the report job failed")
	}
	if comments := s.Comments(7); len(comments) != 1 || !strings.HasPrefix(comments[0].Body, "<!-- llama-regress:v1:key=count run=100 attempt=1 sha="+a.head+" -->\n## ❌ 2 regressions") {
		t.Errorf("comments are %+v", comments)
	}
}
