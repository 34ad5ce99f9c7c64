package main

import (
	"encoding/xml"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/llama-regress/llama-regress/cmd/internal/cli"
	"github.com/llama-regress/llama-regress/cmd/internal/measure"
)

// example reads one of the files that users copy.
func example(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", ".github", "examples", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// shell runs a script in the repository and returns its exit code.
func (r *clone) shell(script string, env ...string) int {
	r.t.Helper()
	cmd := exec.Command("bash", "-eo", "pipefail", "-c", script)
	cmd.Dir, cmd.Env = r.path, append(os.Environ(), append(env, "LLAMA_REGRESS_MODEL="+r.model, measure.LockVariable+"="+filepath.Join(r.dir, "lock"))...)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() {
		if r.t.Failed() {
			r.t.Logf("%s", out)
		}
	})
	return cmd.ProcessState.ExitCode()
}

// collected fails the test unless every file that a forge collects is there,
// and the tests among them say what the exit code does.
func (r *clone) collected(junit string, files []string) {
	r.t.Helper()
	for _, file := range append(files, junit) {
		if info, err := os.Stat(filepath.Join(r.path, file)); err != nil || info.Size() == 0 {
			r.t.Errorf("%q is to be collected and is not there", file)
		}
	}
	data, err := os.ReadFile(filepath.Join(r.path, junit))
	if err != nil {
		r.t.Fatal(err)
	}
	var suites struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
	}
	if err := xml.Unmarshal(data, &suites); err != nil || suites.Tests == 0 || suites.Failures != 2 {
		r.t.Errorf("%s says %+v, %v; want 2 failures", junit, suites, err)
	}
}

func TestGitLabExample(t *testing.T) {
	var file struct {
		Performance struct {
			Script       []string
			AllowFailure struct {
				ExitCodes []int `yaml:"exit_codes"`
			} `yaml:"allow_failure"`
			Artifacts struct {
				Paths   []string
				Reports struct{ JUnit string }
			}
		}
	}
	if err := yaml.Unmarshal([]byte(example(t, "gitlab-ci.yml")), &file); err != nil {
		t.Fatal(err)
	}
	job := file.Performance
	if !slices.Equal(job.AllowFailure.ExitCodes, []int{cli.ExitInconclusive}) {
		t.Errorf("allowed to fail: %v", job.AllowFailure.ExitCodes)
	}
	r := newClone(t)
	r.commits()
	if code := r.shell(strings.Join(job.Script, "\n"), "CI_MERGE_REQUEST_DIFF_BASE_SHA="+r.base, "CI_COMMIT_SHA="+r.head); code != cli.ExitRegression {
		t.Errorf("exit code %d", code)
	}
	r.collected(job.Artifacts.Reports.JUnit, job.Artifacts.Paths)
}

func TestJenkinsExample(t *testing.T) {
	text := example(t, "Jenkinsfile")
	scripts := regexp.MustCompile(`(?s)'''(.*?)'''`).FindAllStringSubmatch(text, -1)
	junit := regexp.MustCompile(`testResults: '([^']+)'`).FindStringSubmatch(text)
	archived := regexp.MustCompile(`artifacts: '([^']+)'`).FindStringSubmatch(text)
	if len(scripts) != 2 || junit == nil || archived == nil || !strings.Contains(text, "if (code == 3)") || cli.ExitInconclusive != 3 {
		t.Fatalf("the example has %d scripts, %q, %q", len(scripts), junit, archived)
	}
	r := newClone(t)
	r.commits()
	r.git("update-ref", "refs/remotes/origin/main", r.base)
	if code := r.shell(scripts[0][1], "LLAMA_REGRESS_TARGET=main"); code != 0 {
		t.Fatalf("the build exits %d", code)
	}
	if code := r.shell(scripts[1][1]); code != cli.ExitRegression {
		t.Errorf("exit code %d", code)
	}
	r.collected(junit[1], strings.Split(archived[1], ", "))
}
