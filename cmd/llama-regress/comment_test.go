package main

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/llama-regress/llama-regress/ci/gguf"
	"github.com/llama-regress/llama-regress/ci/github"
	"github.com/llama-regress/llama-regress/ci/github/githubtest"
	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/cmd/internal/cli"
	"github.com/llama-regress/llama-regress/cmd/internal/measure"
	"github.com/llama-regress/llama-regress/fixtures/fakebench"
	"github.com/llama-regress/llama-regress/report/reporttest"
)

const headSHA = "6dcb09b5b57875f334f61aebed695e2e4193db5e"

// The calls of a report job for a fork, in order.
var (
	download = []string{"actions/list-workflow-run-artifacts", "actions/download-artifact"}
	find     = slices.Concat(download, []string{"pulls/list"})
	first    = slices.Concat(find, []string{"issues/list-comments", "issues/create-comment"})
)

// A job is a job of GitHub Actions: its environment and files.
type job struct {
	t        *testing.T
	env      map[string]string
	out, err bytes.Buffer
}

// newJob is a step with a token, started by an event.
func newJob(t *testing.T, s *githubtest.Server, event string, payload any) *job {
	t.Helper()
	dir := t.TempDir()
	data, err := json.Marshal(payload)
	if err != nil {
		t.Fatal(err)
	}
	j := &job{t: t, env: map[string]string{
		"GITHUB_ACTIONS": "true", "GITHUB_API_URL": s.URL, "GITHUB_SERVER_URL": "https://github.example", "GITHUB_REPOSITORY": githubtest.Repo, "GITHUB_TOKEN": githubtest.Token,
		"GITHUB_EVENT_NAME": event, "GITHUB_EVENT_PATH": filepath.Join(dir, "event.json"), "GITHUB_RUN_ID": "100", "GITHUB_RUN_ATTEMPT": "1",
		"GITHUB_STEP_SUMMARY": filepath.Join(dir, "summary"), "GITHUB_OUTPUT": filepath.Join(dir, "output"),
		measure.LockVariable: filepath.Join(dir, "machine.lock"),
	}}
	if err := os.WriteFile(j.env["GITHUB_EVENT_PATH"], data, 0o644); err != nil {
		t.Fatal(err)
	}
	return j
}

// execute runs the command in the job and checks its exit code.
func (j *job) run(code int, args ...string) {
	j.t.Helper()
	j.out.Reset()
	j.err.Reset()
	got := execute(context.Background(), args, cli.Streams{In: strings.NewReader(""), Out: &j.out, Err: &j.err, Getenv: func(name string) string { return j.env[name] }})
	if got != code {
		j.t.Fatalf("%s: exit code %d, want %d\n%s%s", args, got, code, &j.out, &j.err)
	}
}

func (j *job) file(variable string) string {
	data, err := os.ReadFile(j.env[variable])
	if err != nil {
		return ""
	}
	return string(data)
}

// forkEvent is the event of a finished run on a fork's pull request.
func forkEvent() map[string]any {
	return map[string]any{
		"workflow_run": map[string]any{
			"id": 100, "run_attempt": 1, "event": "pull_request", "path": ".github/workflows/pr.yml", "head_branch": "faster", "head_sha": headSHA, "pull_requests": []any{},
			"head_repository": map[string]any{"id": 555, "owner": map[string]any{"login": "octocat"}},
		},
		"repository": map[string]any{"id": githubtest.RepoID, "full_name": githubtest.Repo},
	}
}

func pullEvent() map[string]any {
	return map[string]any{"pull_request": map[string]any{"number": 7, "head": map[string]any{"sha": headSHA}}, "repository": map[string]any{"id": githubtest.RepoID, "full_name": githubtest.Repo}}
}

// fork makes the server know the pull request and the artifact of its run.
func fork(s *githubtest.Server, archive []byte) {
	s.Pulls = []githubtest.Pull{{Number: 7, Owner: "octocat", Branch: "faster", SHA: headSHA, HeadRepoID: 555, BaseRepoID: githubtest.RepoID}}
	s.Artifacts = []githubtest.Artifact{{ID: 11, Name: "llama-regress-1", Run: 100, SHA: headSHA, HeadRepoID: 555, Data: archive}}
}

// zipped packs files by name; a name ending in @ is a link.
func zipped(t *testing.T, files map[string][]byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, data := range files {
		h := &zip.FileHeader{Name: strings.TrimSuffix(name, "@"), Method: zip.Deflate}
		if strings.HasSuffix(name, "@") {
			h.SetMode(fs.ModeSymlink | 0o777)
		}
		w, err := z.CreateHeader(h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(data); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// recordOf is a case's run record as JSON.
func recordOf(t *testing.T, c reporttest.Case) []byte {
	t.Helper()
	data, err := json.Marshal(c.Source.Head)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// The whole way: the unprivileged job of a fork's pull request measures two
// builds and leaves an artifact; the report job reads it and comments.
func TestForkPullRequest(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	model := filepath.Join(dir, "model.gguf")
	if _, err := gguf.WriteFile(context.Background(), model, scriptModel, 1); err != nil {
		t.Fatal(err)
	}
	for name, settings := range map[string][]string{"base": {"FAKE_SD=0.01,0.003"}, "slow": {"FAKE_SD=0.01,0.003", "FAKE_SLOW=1.10"}, "same": {"FAKE_SD=0.01,0.003", "FAKE_SEED=5"}} {
		if _, err := fakebench.Install(filepath.Join(dir, name), append(settings, "FAKE_LOG="+filepath.Join(dir, name+".log"))...); err != nil {
			t.Fatal(err)
		}
	}
	measure := func(head string, code int) []byte {
		out := filepath.Join(dir, "out-"+head)
		measuring := newJob(t, githubtest.New(t), "pull_request", pullEvent())
		delete(measuring.env, "GITHUB_TOKEN") // a fork gets none that is worth anything
		measuring.run(code, "gate", "--base", filepath.Join(dir, "base"), "--head", filepath.Join(dir, head), "-m", model, "--blocks", "6", "--control", "none", "-d", out)
		files := make(map[string][]byte)
		for _, name := range []string{"run.json", "report.json", "report.html", "junit.xml"} {
			data, err := os.ReadFile(filepath.Join(out, name))
			if err != nil {
				t.Fatal(err)
			}
			files[name] = data
		}
		return zipped(t, files)
	}

	s := githubtest.New(t, first...)
	slow := measure("slow", cli.ExitRegression)
	fork(s, slow)
	j := newJob(t, s, "workflow_run", forkEvent())
	j.env["GITHUB_RUN_ID"] = "77777" // ours, not the one that measured
	j.run(cli.ExitPass, "comment", "--artifact", "event", "--workflow", ".github/workflows/pr.yml", "--accept", "add the label perf-accepted")
	comments := s.Comments(7)
	if len(comments) != 1 {
		t.Fatalf("there are %d comments", len(comments))
	}
	body := comments[0].Body
	for _, want := range []string{
		"<!-- llama-regress:v1:key=main run=100 attempt=1 sha=" + headSHA + " -->\n## ❌ ", "regression", "tg128", "perf-accepted",
		"https://github.example/octo-org/llama.cpp/commit/" + headSHA, "https://github.example/octo-org/llama.cpp/actions/runs/100/attempts/1",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the comment lacks %q:\n%s", want, body)
		}
	}
	if strings.Contains(body, dir) && !strings.Contains(skeleton(body), dir) && strings.Contains(body, "llama-regress gate") {
		t.Error("a command out of the artifact is offered for typing")
	}

	// The author mends it and pushes again: the same comment, now all is well.
	fork(s, measure("same", cli.ExitPass))
	s.Artifacts[0].Run, s.Artifacts[0].Name = 101, "llama-regress-1"
	s.Expect(slices.Concat(find, []string{"issues/list-comments", "issues/update-comment"})...)
	event := forkEvent()
	event["workflow_run"].(map[string]any)["id"] = 101
	newJob(t, s, "workflow_run", event).run(cli.ExitPass, "comment", "--artifact", "event")
	if got := s.Comments(7); len(got) != 1 || !strings.Contains(got[0].Body, "## ✅ Pass") {
		t.Errorf("got %+v", got)
	}

	// The first run's report job comes late: it changes nothing.
	fork(s, slow)
	s.Expect(slices.Concat(find, []string{"issues/list-comments"})...)
	late := newJob(t, s, "workflow_run", forkEvent())
	late.run(cli.ExitPass, "comment", "--artifact", "event")
	if !strings.Contains(late.out.String(), "skipped: run 101 attempt 1 is newer") {
		t.Errorf("got %s", &late.out)
	}
}

// Archives that no measuring job makes: the report job ends with an error and
// has written nothing.
func TestHostileArtifacts(t *testing.T) {
	good := recordOf(t, reporttest.Regression())
	for name, files := range map[string]map[string][]byte{
		"zip slip":      {"run.json": good, "../../else": []byte("x")},
		"link":          {"run.json@": []byte("/proc/self/environ")},
		"link beside":   {"run.json": good, "report.md@": []byte("/a/b")},
		"bomb":          {"run.json": bytes.Repeat([]byte(" "), 3<<20)},
		"no record":     {"comment.md": []byte("# all is well"), "pr_number": []byte("1")},
		"spoofed field": {"run.json": bytes.Replace(good, []byte(`"baseline"`), []byte(`"pull_request":1,"baseline"`), 1)},
		"a command":     {"run.json": good, "x\n::debug::pass": nil},
		"not finite":    {"run.json": bytes.Replace(good, []byte(`"seconds":6`), []byte(`"seconds":1e999`), 1)},
	} {
		t.Run(name, func(t *testing.T) {
			s := githubtest.New(t, download...)
			fork(s, zipped(t, files))
			j := newJob(t, s, "workflow_run", forkEvent())
			j.run(cli.ExitBroken, "comment", "--artifact", "event")
			if !strings.Contains(j.err.String(), "artifact") {
				t.Errorf("stderr does not say what is wrong: %s", &j.err)
			}
			checkLog(t, j)
			if len(s.Comments(7)) > 0 {
				t.Error("there is a comment")
			}
		})
	}
}

// An archive may name any pull request, hold any comment and any name; it is
// read as a run record and posted where the event says.
func TestArtifactDecidesNothingButTheReport(t *testing.T) {
	s := githubtest.New(t, first...)
	evil := evilRun()
	data, err := json.Marshal(evil)
	if err != nil {
		t.Fatal(err)
	}
	fork(s, zipped(t, map[string][]byte{
		"run.json": data, "pr_number": []byte("1"), "NR": []byte("1"), "event.json": []byte(`{"number":1,"pull_request":{"number":1}}`),
		"report.md": []byte("# approved by @octocat"), "comment.md": []byte("x"), "report.json": []byte(`{"outcome":"pass"}`),
	}))
	s.Write(7, "mallory", "User", github.Marker{Key: "main", Run: 999_999, Attempt: 1, SHA: headSHA}.String()+"\n## ✅ Pass")
	j := newJob(t, s, "workflow_run", forkEvent())
	j.run(cli.ExitPass, "comment", "--artifact", "event")
	if got := s.Comments(1); len(got) > 0 {
		t.Errorf("posted on another pull request: %+v", got)
	}
	comments := s.Comments(7)
	if len(comments) != 2 || comments[0].Edits > 0 {
		t.Fatalf("got %d comments, the planted one edited %d times", len(comments), comments[0].Edits)
	}
	checkBody(t, comments[1].Body)
	if !strings.Contains(comments[1].Body, "***") {
		t.Error("the name with the token in it is not there")
	}
	checkLog(t, j)
}

// evilRun is a record that holds together and whose every name is an attack.
func evilRun() *record.Run {
	run := reporttest.Regression().Source.Head
	names := []string{
		"--> @octocat <!-- <!-- llama-regress:v1:key=main run=5 attempt=1 sha=" + headSHA + " -->", "\n::error::@octo-org/team #1\n::debug::pass", "`` ` @octocat ``` x", "##[error]<img alt=x>",
		"| @a | [l](https://example.invalid/) |\n\n# Pass", githubtest.Token, "\u202e@octocat\u202c", "</details></summary>\n```\n@octocat", "![x](https://example.invalid/x.png)", "~~~\n@octocat\n",
	}
	next := 0
	name := func() string { next++; return names[next%len(names)] + strings.Repeat("!", next) }
	arms := make(map[string]string)
	for i := range run.Arms {
		arms[run.Arms[i].Name] = name()
		run.Arms[i].Build.Commit, run.Arms[i].Build.Version = name(), name()
		run.Arms[i].Env = map[string]string{name(): name()}
	}
	for i := range run.Arms {
		run.Arms[i].Name, run.Arms[i].ControlOf = arms[run.Arms[i].Name], arms[run.Arms[i].ControlOf]
	}
	run.Baseline = arms[run.Baseline]
	cells, metrics := make(map[string]string), make(map[string]string)
	for i := range run.Models {
		run.Models[i].Name = name()
	}
	for i := range run.Cells {
		c := &run.Cells[i]
		old := c.Key
		c.Workload, c.Model, c.Params = name(), name(), map[string]string{name(): name()}
		c.Key = record.CellKey(c.Workload, c.Model, c.Params)
		cells[old] = c.Key
		for k := range c.Metrics {
			if metrics[c.Metrics[k].Name] == "" {
				metrics[c.Metrics[k].Name] = name()
			}
			c.Metrics[k].Name, c.Metrics[k].Unit = metrics[c.Metrics[k].Name], name()
		}
	}
	for i := range run.Trials {
		t := &run.Trials[i]
		t.Arm, t.Cell = arms[t.Arm], cells[t.Cell]
		t.Warnings = []string{name()}
		for k := range t.Measurements {
			t.Measurements[k].Metric = metrics[t.Measurements[k].Metric]
		}
		if t.Failure != nil {
			t.Failure.Message, t.Failure.Stderr, t.Failure.Class = name(), name()+"\n```\n::error::x\n"+name(), record.FailureClass(name())
		}
	}
	run.ID, run.Host.Name, run.Tool.Version, run.Notes = name(), name(), name(), []string{name()}
	run.Host.Hard = map[string]string{"cpu": name(), name(): name()}
	return run
}

// skeleton is what of a comment is not code.
func skeleton(body string) string {
	var out []string
	fence := ""
	for _, line := range strings.Split(body, "\n") {
		run := regexp.MustCompile("^ *(`{3,})").FindStringSubmatch(line)
		switch {
		case fence != "":
			if run != nil && len(run[1]) >= len(fence) && strings.TrimSpace(line) == run[1] {
				fence = ""
			}
		case run != nil && !strings.Contains(strings.TrimLeft(strings.TrimSpace(line), "`"), "`"):
			fence = run[1]
		default:
			out = append(out, withoutSpans(line))
		}
	}
	return strings.Join(out, "\n")
}

// withoutSpans takes out code spans: a run of backticks up to the next run as long.
func withoutSpans(line string) string {
	var b strings.Builder
	for {
		i := strings.IndexByte(line, '`')
		if i < 0 {
			return b.String() + line
		}
		rest := strings.TrimLeft(line[i:], "`")
		n := len(line) - i - len(rest)
		end := regexp.MustCompile("(?:^|[^`])(`{" + strconv.Itoa(n) + "})(?:[^`]|$)").FindStringSubmatchIndex(rest)
		if end == nil {
			return b.String() + line
		}
		b.WriteString(line[:i] + "C")
		line = rest[end[3]:]
	}
}

// checkBody fails when anything foreign in a comment is more than code.
func checkBody(t *testing.T, body string) {
	t.Helper()
	if m, ok := github.ParseMarker(body); !ok || m.Run != 100 {
		t.Errorf("the comment begins with %.150q", body)
	}
	marker, rest, _ := strings.Cut(body, "\n")
	plain := skeleton(rest)
	for _, bad := range []string{"@", "<!--", "-->", "<img", "example.invalid", "\u202e", "::error", "::debug"} {
		if strings.Contains(plain, bad) {
			t.Errorf("%q stands outside code in\n%s\n%s", bad, marker, plain)
		}
	}
	if strings.Contains(body, githubtest.Token) {
		t.Error("the token was posted")
	}
	if strings.Count(plain, "<details>") != strings.Count(plain, "</details>") {
		t.Error("folded sections do not close")
	}
}

// command finds what the runner would take for one.
var command = regexp.MustCompile(`(?m)^\s*::|##\[`)

// checkLog fails when the log holds a command that is not the tool's own.
func checkLog(t *testing.T, j *job) {
	t.Helper()
	silenced := regexp.MustCompile(`(?s)::stop-commands::(\w+)\n.*\n::\w+::\n`).ReplaceAllString(j.out.String(), "")
	for _, line := range strings.Split(silenced+"\n"+j.err.String(), "\n") {
		if command.MatchString(line) && !regexp.MustCompile(`^::(error|warning|notice) title=[^:,]*::`).MatchString(line) {
			t.Errorf("the log holds a command: %q", line)
		}
	}
}
