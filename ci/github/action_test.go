package github_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A step runs one script of the action as the runner would.
type scriptStep struct {
	t   *testing.T
	dir string
	env map[string]string
}

func newStep(t *testing.T) *scriptStep {
	t.Helper()
	dir := t.TempDir()
	s := &scriptStep{t: t, dir: dir, env: map[string]string{"PATH": filepath.Join(dir, "bin") + ":" + os.Getenv("PATH"), "HOME": dir, "GITHUB_OUTPUT": filepath.Join(dir, "output"), "RUNNER_TEMP": dir}}
	if err := os.Mkdir(filepath.Join(dir, "bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	return s
}

// program puts a shell script into PATH and returns its path.
func (s *scriptStep) program(name, script string) string {
	s.t.Helper()
	path := filepath.Join(s.dir, "bin", name)
	if err := os.WriteFile(path, []byte("#!/usr/bin/env bash\n"+script), 0o755); err != nil {
		s.t.Fatal(err)
	}
	return path
}

func (s *scriptStep) command(script string) *exec.Cmd {
	path, err := filepath.Abs(filepath.Join("..", "..", ".github", "actions", "llama-regress", script))
	if err != nil {
		s.t.Fatal(err)
	}
	cmd := exec.Command(path)
	cmd.Dir = s.dir
	for name, value := range s.env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	return cmd
}

// run checks the exit code and returns what was printed.
func (s *scriptStep) run(script string, code int) string {
	s.t.Helper()
	out, err := s.command(script).CombinedOutput()
	got := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else if err != nil {
		s.t.Fatal(err)
	}
	if got != code {
		s.t.Fatalf("%s: exit code %d, want %d:\n%s", script, got, code, out)
	}
	return string(out)
}

func (s *scriptStep) read(name string) string {
	data, err := os.ReadFile(filepath.Join(s.dir, name))
	if err != nil {
		return ""
	}
	return string(data)
}

// gate is a step with every input at its default.
func gateStep(t *testing.T, tool string) *scriptStep {
	s := newStep(t)
	s.env["TOOL"] = s.program("tool", `printf '%s\n' "$@" "--" >>args
[ "$1" != gate ] || echo "${LLAMA_REGRESS_LOCK-none}" >lock
`+tool)
	for _, name := range []string{"CONFIG", "BASE", "HEAD", "MODEL", "TESTS", "BLOCKS", "BUDGET", "MARGIN", "FAIL", "LOCK"} {
		s.env[name] = ""
	}
	s.env["DIR"], s.env["ACCEPT"], s.env["WAIT"] = "out", "false", "2h"
	return s
}

const measures = `if [ "$1" = gate ]; then mkdir -p out; : >out/run.json; echo ::error::not mine; exit "${CODE-0}"; fi
echo "verdict=x" >>"$GITHUB_OUTPUT"
`

func TestGateScript(t *testing.T) {
	s := gateStep(t, measures)
	evil := "$(touch pwned)`touch pwned`; touch pwned; --help"
	s.env["CONFIG"], s.env["MODEL"], s.env["MARGIN"], s.env["FAIL"] = evil, "a b.gguf\n\n-rf", "3%\nttft_p50=5%", "suspected"
	s.env["CODE"] = "1"
	out := s.run("gate.sh", 1)
	want := "gate\n--dir=out\n--wait=2h\n--config=" + evil + "\n--margin=3%\n--margin=ttft_p50=5%\n--fail=suspected\n--model=a b.gguf\n--model=-rf\n--\n" +
		"annotate\n--config=" + evil + "\n--margin=3%\n--margin=ttft_p50=5%\n--fail=suspected\n--\nout\n--\n"
	if got := s.read("args"); got != want {
		t.Errorf("the tool was called with\n%s\nwant\n%s", got, want)
	}
	if _, err := os.Stat(filepath.Join(s.dir, "pwned")); err == nil {
		t.Error("an input was run as code")
	}
	if got := s.read("lock"); got != "none\n" {
		t.Errorf("the lock is %q", got)
	}
	if got := s.read("output"); got != "verdict=x\nexit-code=1\n" {
		t.Errorf("outputs are %q", got)
	}
	if !regexp.MustCompile(`(?s)^::stop-commands::([0-9a-f]{32})\n::error::not mine\n\n::([0-9a-f]{32})::\n$`).MatchString(out) {
		t.Errorf("the log is %q", out)
	}
}

func TestGateScriptExitCodes(t *testing.T) {
	for code, want := range map[string]int{"0": 0, "1": 0, "2": 2, "3": 3, "4": 4, "130": 130} {
		s := gateStep(t, measures)
		s.env["CODE"], s.env["ACCEPT"] = code, "true"
		out := s.run("gate.sh", want)
		if strings.Contains(out, "accepted") != (code == "1") || !strings.Contains(s.read("output"), "exit-code="+code+"\n") {
			t.Errorf("%s: %q, outputs %q", code, out, s.read("output"))
		}
	}
	s := gateStep(t, "exit 4")
	if out := s.run("gate.sh", 4); !strings.Contains(out, "::error title=llama-regress::nothing was measured") {
		t.Errorf("without a record: %q", out)
	}
	s = gateStep(t, measures)
	s.env["LOCK"] = "/srv/lock"
	if s.run("gate.sh", 0); s.read("lock") != "/srv/lock\n" {
		t.Errorf("the lock is %q", s.read("lock"))
	}
}

// An interrupt reaches the tool, whose report and exit code still count.
func TestGateScriptInterrupted(t *testing.T) {
	s := gateStep(t, `[ "$1" = gate ] || exit 0
trap 'mkdir -p out; : >out/run.json; exit 130' TERM
echo ready
while :; do sleep 0.05; done
`)
	cmd := s.command("gate.sh")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var seen bytes.Buffer
	for buffer := make([]byte, 100); !strings.Contains(seen.String(), "ready"); {
		n, err := out.Read(buffer)
		if err != nil {
			t.Fatal(err)
		}
		seen.Write(buffer[:n])
	}
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	stuck := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() })
	defer stuck.Stop()
	if err := cmd.Wait(); cmd.ProcessState.ExitCode() != 130 {
		t.Errorf("%v, want 130", err)
	}
	if got := s.read("args"); !strings.Contains(got, "annotate") {
		t.Errorf("what was measured is not reported: %q", got)
	}
}

func TestRecordScript(t *testing.T) {
	s := gateStep(t, "")
	s.env["STORE"], s.env["MACHINE"], s.env["GITHUB_RUN_ATTEMPT"] = "git:https://github.com/o/n#perf-data", "bench-01", "2"
	s.run("record.sh", 0)
	if got, want := s.read("args"), "baseline\nput\n--store=git:https://github.com/o/n#perf-data\n--machine=bench-01\n--attempt=2\n--\nout\n--\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestTrackScript(t *testing.T) {
	s := gateStep(t, "")
	s.env["MACHINE"], s.env["MARGIN"] = "bench-01", "3%"
	s.run("track.sh", 0)
	if got, want := s.read("args"), "track\n--margin=3%\n--machine=bench-01\n--\nout\n--\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestNightlyScript(t *testing.T) {
	s := gateStep(t, `[ "$2" = track ] || for a in "$@"; do case $a in --out=markdown=*) echo "a digest" >"${a#--out=markdown=}" ;; esac; done
`)
	evil := "$(touch pwned)`touch pwned`; --help"
	s.env["STORE"], s.env["CHECKOUT"], s.env["FALSE_ALARMS"], s.env["MARGIN"], s.env["GITHUB_TOKEN"] = "git:https://github.com/o/n#perf-data", evil, "2", "3%", "secret"
	s.env["GITHUB_STEP_SUMMARY"] = filepath.Join(s.dir, "summary")
	s.run("nightly.sh", 0)
	common := "--margin=3%\n--store=git:https://github.com/o/n#perf-data\n--checkout=" + evil + "\n--false-alarms=2\n"
	want := "nightly\n" + common + "--exit-zero\n--out=html=out/nightly.html\n--out=markdown=out/nightly.md\n--out=junit=out/nightly.xml\n--out=json=out/nightly.json\n--\n" +
		"nightly\ntrack\n" + common + "--\n"
	if got := s.read("args"); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := s.read("summary"); !strings.Contains(got, "a digest") {
		t.Errorf("the summary is %q", got)
	}
	if _, err := os.Stat(filepath.Join(s.dir, "pwned")); err == nil {
		t.Error("an input was run as code")
	}
	// Without a token there are no issues, and a store that cannot be read fails.
	s = gateStep(t, "exit 2\n")
	s.env["STORE"], s.env["CHECKOUT"], s.env["FALSE_ALARMS"], s.env["GITHUB_TOKEN"] = "", "", "", ""
	s.run("nightly.sh", 2)
	if got := s.read("args"); strings.Contains(got, "track") {
		t.Errorf("got %q", got)
	}
}

func TestCommentScript(t *testing.T) {
	s := gateStep(t, "")
	s.env["ARTIFACT"], s.env["KEY"], s.env["POLICY"], s.env["WORKFLOW"], s.env["CHECK"], s.env["MARGIN"] = "llama-regress-bench-01", "bench_01", "always", ".github/workflows/pr.yml", "", "3%"
	s.run("comment.sh", 0)
	want := "comment\n--artifact=event\n--accept=add the label perf-accepted\n--margin=3%\n--artifact-name=llama-regress-bench-01\n--key=bench_01\n--policy=always\n--workflow=.github/workflows/pr.yml\n--\n"
	if got := s.read("args"); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestMachinesScript(t *testing.T) {
	if _, err := exec.LookPath("jq"); err != nil {
		if os.Getenv("LLAMA_REGRESS_REQUIRE_ACT") == "1" {
			t.Fatal("no jq on this system")
		}
		t.Skip("no jq on this system")
	}
	s := newStep(t)
	s.env["MACHINES"] = `["bench-01", "RTX4090.b"]`
	s.run("machines.sh", 0)
	if got, want := s.read("output"), `matrix={"include":[{"machine":"bench-01","key":"bench_01"},{"machine":"RTX4090.b","key":"rtx4090.b"}]}`+"\ncount=2\n"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	for _, bad := range []string{"bench-01", `"bench-01"`, `[1]`, `["a b"]`, `["a\nx=y"]`, `["--x"]`, `{}`, `[["a"]]`, `["a-b", "c", "a_b"]`, `["A", "a"]`, `["a", "a"]`, "[" + strings.Repeat(`"a",`, 256) + `"a"]`} {
		s := newStep(t)
		s.env["MACHINES"] = bad
		s.run("machines.sh", 2)
		if got := s.read("output"); got != "" {
			t.Errorf("%s: outputs are %q", bad, got)
		}
	}
}

// The script looks its checksum up beside itself, so it is copied with a table.
func TestInstallScript(t *testing.T) {
	s := newStep(t)
	const program = "#!/bin/sh\necho installed\n"
	s.program("uname", `if [ "$1" = -s ]; then echo Linux; else echo x86_64; fi`)
	s.program("curl", `printf '%s\n' "$@" >asked
while [ $# -gt 0 ]; do [ "$1" != --output ] || to=$2; shift; done
printf '%s' "$PROGRAM" >"$to"`)
	script, err := os.ReadFile(filepath.Join("..", "..", ".github", "actions", "llama-regress", "install.sh"))
	if err != nil {
		t.Fatal(err)
	}
	copied := filepath.Join(s.dir, "install.sh")
	if err := os.WriteFile(copied, script, 0o755); err != nil {
		t.Fatal(err)
	}
	table := fmt.Sprintf("# sums\n%x  llama-regress_v1.2.3_linux_amd64\n", sha256.Sum256([]byte(program)))
	if err := os.WriteFile(filepath.Join(s.dir, "checksums.txt"), []byte(table), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		version, program string
		code             int
		says             string
	}{
		{"v1.2.3", program, 0, ""},
		{"v1.2.3", program + "evil", 2, "another SHA-256"},
		{"v1.2.4", program, 2, "not in checksums.txt"},
		{"../../x", program, 2, "neither"},
		{"v1.2.3\nv", program, 2, "neither"},
	} {
		s.env["VERSION"], s.env["PROGRAM"] = c.version, c.program
		_ = os.Remove(filepath.Join(s.dir, "llama-regress", "llama-regress"))
		cmd := s.command("install.sh")
		cmd.Path, cmd.Args = copied, []string{copied}
		out, _ := cmd.CombinedOutput()
		if cmd.ProcessState.ExitCode() != c.code || !strings.Contains(string(out), c.says) {
			t.Errorf("%q: %v: %s", c.version, cmd.ProcessState, out)
		}
		if got := s.read("llama-regress/llama-regress"); (got == program) != (c.code == 0) {
			t.Errorf("%q: installed %q", c.version, got)
		}
	}
	if asked := s.read("asked"); !strings.Contains(asked, "https://github.com/llama-regress/llama-regress/releases/download/v1.2.3/llama-regress_v1.2.3_linux_amd64\n") || !strings.Contains(asked, "=https") {
		t.Errorf("curl was asked for %s", asked)
	}
}

func TestBuildScript(t *testing.T) {
	s := newStep(t)
	s.program("cmake", `printf '%s ' "$@" >>"$BUILDS"; echo >>"$BUILDS"
[ "$1" = --build ] || exit 0
mkdir -p "$2/bin"; : >"$2/bin/llama-bench"; chmod 755 "$2/bin/llama-bench"; echo ::error::not mine`)
	s.env["BUILDS"] = filepath.Join(s.dir, "builds")
	git := func(args ...string) string {
		cmd := exec.Command("git", append([]string{"-C", s.dir, "-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "init.defaultBranch=main"}, args...)...)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("git %v: %v: %s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	source := filepath.Join(s.dir, "src")
	git("init", "--quiet", source)
	commit := func(text string) string {
		git("-C", source, "commit", "--quiet", "--allow-empty", "-m", text)
		return git("-C", source, "rev-parse", "HEAD")
	}
	fork := commit("where they part")
	git("-C", source, "checkout", "--quiet", "-b", "faster")
	head := commit("faster")
	git("-C", source, "checkout", "--quiet", "main")
	base := commit("meanwhile on main")

	s.env["SOURCE"], s.env["TO"], s.env["BASE_SHA"], s.env["HEAD_SHA"], s.env["FLAGS"] = "src", "build", base, head, "-DGGML_NATIVE=ON\n\n-DX=a b"
	out := s.run("build.sh", 0)
	if got := s.read("build/base/built") + s.read("build/head/built"); !strings.HasPrefix(got, fork+" ") || !strings.Contains(got, "\n"+head+" ") {
		t.Errorf("built %q, want %s, where they part, and %s", got, fork, head)
	}
	for _, side := range []string{"base", "head"} {
		if want := "-S build/" + side + "-source -B build/" + side + " -DCMAKE_BUILD_TYPE=Release -DLLAMA_CURL=OFF -DGGML_NATIVE=ON -DX=a b "; !strings.Contains(s.read("builds"), want) {
			t.Errorf("%s was built otherwise than by %q:\n%s", side, want, s.read("builds"))
		}
	}
	if lines := strings.Split(strings.TrimSpace(out), "\n"); !strings.HasPrefix(lines[0], "::stop-commands::") || lines[len(lines)-1] != strings.Replace(lines[0], "::stop-commands", "", 1)+"::" {
		t.Errorf("what a build prints is read as commands:\n%s", out)
	}
	before := s.read("builds")
	s.run("build.sh", 0)
	if s.read("builds") != before {
		t.Error("what is built already was built again")
	}
	s.env["HEAD_SHA"] = "--help"
	s.run("build.sh", 2)
}
