//go:build unix

package llama

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/llama-regress/llama-regress/ci/record"
)

// What is measured may be anybody's code: neither llama-bench nor llama-server
// inherits a secret, in no call, and both inherit what else there is.
func TestMeasuredProgramsInheritNoSecrets(t *testing.T) {
	for _, name := range []string{"GITHUB_TOKEN", "LLAMA_REGRESS_GIT_TOKEN", "AWS_SECRET_ACCESS_KEY", "ACTIONS_RUNTIME_TOKEN", "GITHUB_ENV", "GITHUB_PATH"} {
		t.Setenv(name, "not-for-you")
	}
	t.Setenv("A_SETTING", "for-you")
	dump := filepath.Join(t.TempDir(), "dump")
	wrap := func(dir, program string) {
		path := filepath.Join(dir, program)
		inner := filepath.Join(dir, "inner")
		if err := os.MkdirAll(inner, 0o755); err != nil {
			t.Fatal(err)
		}
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries { // the program finds its settings beside itself
			if !e.IsDir() {
				if err := os.Rename(filepath.Join(dir, e.Name()), filepath.Join(inner, e.Name())); err != nil {
					t.Fatal(err)
				}
			}
		}
		script := "#!/bin/sh\nenv >>'" + dump + "'\nexec '" + filepath.Join(inner, program) + "' \"$@\"\n"
		if err := os.WriteFile(path, []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	check := func(what string) {
		t.Helper()
		data, err := os.ReadFile(dump)
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if strings.Contains(string(data), "not-for-you") {
			t.Errorf("%s inherits a secret:\n%s", what, data)
		}
		if !strings.Contains(string(data), "A_SETTING=for-you") {
			t.Errorf("%s does not inherit a setting", what)
		}
		if err := os.Remove(dump); err != nil {
			t.Fatal(err)
		}
	}

	bin := fake(t)
	wrap(bin, "llama-bench")
	p := onePlan(bin, modelFile(t), nil, "pp512")
	trial, err := new(Bench).Measure(t.Context(), p, p.Trials[0])
	if err != nil || trial.Outcome != record.OK {
		t.Fatalf("%+v, %v", trial.Failure, err)
	}
	check("llama-bench")

	server := installServer(t)
	wrap(server.dir, "llama-server")
	srv, fault, err := new(Servers).Start(t.Context(), server.spec(t))
	if err != nil || srv == nil {
		t.Fatalf("%+v, %v", fault, err)
	}
	if _, failed := srv.Stop(t.Context()); failed != nil {
		t.Errorf("%+v", failed)
	}
	check("llama-server")
}
