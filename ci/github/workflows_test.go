package github_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/llama-regress/llama-regress/ci/github"
)

// A workflow file, or the file of a composite action.
type workflow struct {
	name        string
	text        string
	On          any            `yaml:"on"`
	Permissions map[string]any `yaml:"permissions"`
	Concurrency any            `yaml:"concurrency"`
	Jobs        map[string]struct {
		Permissions map[string]string `yaml:"permissions"`
		Timeout     int               `yaml:"timeout-minutes"`
		Steps       []step            `yaml:"steps"`
	} `yaml:"jobs"`
	Runs struct {
		Steps []step `yaml:"steps"`
	} `yaml:"runs"`
}

type step struct {
	Uses string         `yaml:"uses"`
	Run  string         `yaml:"run"`
	With map[string]any `yaml:"with"`
}

// steps lists those of all jobs.
func (w workflow) steps() []step {
	all := w.Runs.Steps
	for _, job := range w.Jobs {
		all = append(all, job.Steps...)
	}
	return all
}

// workflows reads everything below .github, and what repositories without a machine
// are given.
func workflows(t *testing.T) map[string]workflow {
	t.Helper()
	all := make(map[string]workflow)
	read := func(path string, d fs.DirEntry, err error) error {
		if d != nil && d.IsDir() && d.Name() == "examples" { // of other forges
			return fs.SkipDir
		}
		if err != nil || filepath.Ext(path) != ".yml" {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		w := workflow{name: filepath.Base(path), text: string(data)}
		if err := yaml.Unmarshal(data, &w); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		all[w.name] = w
		return nil
	}
	for _, root := range []string{filepath.Join("..", "..", ".github"), filepath.Join("workflows", "hosted")} {
		if err := filepath.WalkDir(root, read); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"action.yml", "ci.yml", "nightly.yml", "pr-count-report.yml", "pr-count.yml", "pr-report.yml", "pr.yml", "release.yml"} {
		if len(all[name].steps()) == 0 {
			t.Errorf("%s is not there or has no steps", name)
		}
	}
	return all
}

// Whoever moves a tag of an action must not move us.
func TestActionsArePinned(t *testing.T) {
	pinned := regexp.MustCompile(`^actions/[a-z-]+@[0-9a-f]{40}$`)
	noted := regexp.MustCompile(`(?m)uses: actions/\S+@([0-9a-f]{40}) # v\d+\.\d+\.\d+$`)
	for _, w := range workflows(t) {
		used := 0
		for _, s := range w.steps() {
			if s.Uses == "" || strings.HasPrefix(s.Uses, "./") {
				continue
			}
			used++
			if !pinned.MatchString(s.Uses) {
				t.Errorf("%s uses %s", w.name, s.Uses)
			}
		}
		if n := len(noted.FindAllString(w.text, -1)); n != used {
			t.Errorf("%s: %d of %d uses say their version", w.name, n, used)
		}
	}
}

// An expression within a script is a script of whoever filled it in.
func TestScriptsHoldNoExpressions(t *testing.T) {
	for _, w := range workflows(t) {
		for _, s := range w.steps() {
			if strings.Contains(s.Run, "${{") {
				t.Errorf("%s: an expression within %q", w.name, s.Run)
			}
		}
	}
}

func TestPermissionsAreMinimal(t *testing.T) {
	allowed := map[string][]string{ // beyond contents: read
		"pr-report.yml comment": {"actions: read", "pull-requests: write"},

		"pr-count-report.yml comment": {"actions: read", "pull-requests: write"},
		"nightly.yml record":          {"actions: read", "contents: write"},
		"nightly.yml report":          {"issues: write"},
		"release.yml publish":         {"actions: read", "contents: write", "id-token: write", "attestations: write"},
	}
	for _, w := range workflows(t) {
		if w.name == "action.yml" {
			continue
		}
		if w.Permissions == nil || len(w.Permissions) > 0 {
			t.Errorf("%s: permissions of the workflow are %v, want {}", w.name, w.Permissions)
		}
		for name, job := range w.Jobs {
			if job.Permissions == nil || job.Timeout == 0 {
				t.Errorf("%s %s: permissions %v, timeout %d: want both", w.name, name, job.Permissions, job.Timeout)
			}
			for scope, level := range job.Permissions {
				if right := scope + ": " + level; right != "contents: read" && !slices.Contains(allowed[w.name+" "+name], right) {
					t.Errorf("%s %s: may %s", w.name, name, right)
				}
			}
		}
	}
}

// Where code of a pull request runs there is nothing to steal, and where there
// is a token no such code runs.
func TestPullRequestCodeAndTokensStayApart(t *testing.T) {
	all := workflows(t)
	for _, w := range all {
		if strings.Contains(w.text, "pull_request_target") {
			t.Errorf("%s: pull_request_target", w.name)
		}
		for _, s := range w.steps() {
			if strings.HasPrefix(s.Uses, "actions/checkout@") && s.With["persist-credentials"] != false {
				t.Errorf("%s: a checkout leaves the token in the clone", w.name)
			}
		}
	}
	for _, name := range []string{"pr.yml", "pr-count.yml"} {
		if pr := all[name].text; strings.Contains(pr, "secrets.") || strings.Contains(pr, "github.token") || strings.Contains(pr, "GITHUB_ENV") || strings.Contains(pr, "GITHUB_PATH") {
			t.Errorf("%s: a secret, a token, or a way into the next step's environment", name)
		}
	}
	for _, name := range []string{"pr-report.yml", "pr-count-report.yml"} {
		report := all[name]
		for _, s := range report.steps() {
			if s.With["ref"] != nil || s.With["repository"] != nil || strings.Contains(s.Uses, "download-artifact") {
				t.Errorf("%s: %+v: only the default branch is checked out, and the tool itself reads the artifact", name, s)
			}
		}
		if strings.Contains(report.text, "pull_requests") {
			t.Errorf("%s: the event's list of pull requests is empty for forks", name)
		}
	}
}

// The machine is one, however many jobs want it, and none is dropped.
func TestOneMeasurementAMachine(t *testing.T) {
	all := workflows(t)
	for _, name := range []string{"pr.yml", "nightly.yml"} {
		if !strings.Contains(all[name].text, "    concurrency:\n      group: llama-regress-${{ matrix.machine }}\n      queue: max\n") {
			t.Errorf("%s: measuring jobs of one machine do not queue", name)
		}
	}
}

// What 'config init --workflows' writes is what this repository runs.
// What a night finds no hole in is what a release is built from: the same standard
// library, looked at by the same program.
func TestReleasesAreLookedAtEveryNight(t *testing.T) {
	all := workflows(t)
	for _, what := range []string{`GOTOOLCHAIN: (go1\.\d+\.\d+)`, `(govulncheck@v\S+ \./cmd/llama-regress)`} {
		night, release := regexp.MustCompile(what).FindStringSubmatch(all["ci.yml"].text), regexp.MustCompile(what).FindStringSubmatch(all["release.yml"].text)
		if night == nil || release == nil || night[1] != release[1] {
			t.Errorf("%s: %q by night, %q in a release", what, night, release)
		}
	}
}

func TestWorkflowsAreThisRepositorysOwn(t *testing.T) {
	own, err := github.Workflows(github.OwnAction, github.OwnConfig)
	if err != nil {
		t.Fatal(err)
	}
	all := workflows(t)
	for _, name := range []string{"pr.yml", "pr-report.yml", "nightly.yml"} {
		if string(own[name]) != all[name].text || len(own) != 3 {
			t.Errorf("ci/github/workflows/%s and .github/workflows/%s differ", name, name)
		}
	}
}

func TestWorkflowsOfAnotherRepository(t *testing.T) {
	const action = "llama-regress/llama-regress/.github/actions/llama-regress@0123456789abcdef0123456789abcdef01234567"
	files, err := github.Workflows(action, ".github/perf.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range files {
		if strings.Contains(string(data), "./.github") || !strings.Contains(string(data), "uses: "+action+"\n") {
			t.Errorf("%s does not use %s alone", name, action)
		}
		if strings.Contains(string(data), github.OwnConfig) || name != "pr-report.yml" && !strings.Contains(string(data), "config: .github/perf.yaml\n") {
			t.Errorf("%s does not use the configuration that was named", name)
		}
	}
	for _, bad := range []string{"", "/etc/x.yaml", "../x.yaml", "a b.yaml", "x.yaml\n# y", "${{ x }}", "-x"} {
		if _, err := github.Workflows(action, bad); err == nil {
			t.Errorf("configuration %q was taken", bad)
		}
	}
	for _, bad := range []string{"", "llama-regress/llama-regress@v1", "llama-regress/llama-regress@main", action + "\n      - run: evil", "../x@0123456789abcdef0123456789abcdef01234567"} {
		if _, err := github.Workflows(bad, github.OwnConfig); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

// What a pull request compiles, no other finds: its builds are kept where it alone
// reads them, and no compiler's results are shared. A push finds the base that an
// earlier one built, by a key that begins with all that decides about it.
func TestBuildsOfPullRequestsStayApart(t *testing.T) {
	for name, text := range map[string]string{
		"pr.yml": workflows(t)["pr.yml"].text, "pr-count.yml": workflows(t)["pr-count.yml"].text, "nightly.yml": workflows(t)["nightly.yml"].text, "measure.yml": example(t, "measure.yml"),
		"Jenkinsfile": example(t, "Jenkinsfile"), "gitlab-ci.yml": example(t, "gitlab-ci.yml"),
	} {
		if !strings.Contains(text, "-DGGML_CCACHE=OFF") {
			t.Errorf("%s: llama.cpp's CMake takes ccache by itself, and its folder is the machine's", name)
		}
	}
	for name, text := range map[string]string{"pr.yml": workflows(t)["pr.yml"].text, "pr-count.yml": workflows(t)["pr-count.yml"].text, "measure.yml": example(t, "measure.yml")} {
		key, restore := regexp.MustCompile(`(?m)^ +key: (.*)$`).FindStringSubmatch(text), regexp.MustCompile(`(?m)^ +restore-keys: (.*)$`).FindStringSubmatch(text)
		if key == nil || restore == nil || !strings.HasPrefix(key[1], restore[1]) || !strings.HasSuffix(restore[1], "-") {
			t.Fatalf("%s: key %q, restore-keys %q: want the one to begin with the other", name, key, restore)
		}
		machine := "machine"
		if name == "pr-count.yml" { // any of GitHub's, whose code is the same by its flags
			machine = "runner.arch"
		}
		for _, part := range []string{machine, "base", "workflow"} {
			if !strings.Contains(restore[1], part) {
				t.Errorf("%s: what is restored need not be of the same %s: %s", name, part, restore[1])
			}
		}
		if strings.Contains(restore[1], "head") {
			t.Errorf("%s: only the same head is restored: %s", name, restore[1])
		}
	}
}

// Workflows for repositories without a machine ask for none, lie beside the others, and
// post what their own measuring workflow left: names on both sides are the same.
func TestHostedWorkflows(t *testing.T) {
	const action = "llama-regress/llama-regress/.github/actions/llama-regress@0123456789abcdef0123456789abcdef01234567"
	files, err := github.HostedWorkflows(action, "perf.yaml")
	if err != nil {
		t.Fatal(err)
	}
	others, err := github.Workflows(action, "perf.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range files {
		text := string(data)
		if others[name] != nil || strings.Contains(text, "self-hosted") || strings.Contains(text, "vars.") || strings.Contains(text, "./.github") || strings.Contains(text, github.OwnConfig) {
			t.Errorf("%s needs a machine, a variable, or this repository, or takes another's name", name)
		}
	}
	count, report := string(files["pr-count.yml"]), string(files["pr-count-report.yml"])
	if len(files) != 2 || !strings.Contains(count, "config: perf.yaml\n") || !strings.Contains(count, "-DGGML_NATIVE=OFF\n") || regexp.MustCompile("AVX512|OPENMP=ON").MatchString(count) {
		t.Errorf("%d files; %s", len(files), count)
	}
	title := regexp.MustCompile(`(?m)^name: (.*)$`).FindStringSubmatch(count)[1]
	artifact := regexp.MustCompile(`name: (llama-regress-count)-\$\{\{ github.run_attempt`).FindStringSubmatch(count)[1]
	for _, want := range []string{`workflows: ["` + title + `"]`, "artifact: " + artifact + "\n", "workflow: .github/workflows/pr-count.yml\n"} {
		if !strings.Contains(report, want) {
			t.Errorf("pr-count-report.yml has no %q", want)
		}
	}
}

func example(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", ".github", "examples", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
