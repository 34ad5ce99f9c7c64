package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/llama-regress/llama-regress/fixtures/effort"
)

// programFolder holds the llama-regress that tests start as a process: in front
// of PATH, it is found before this test binary under that name.
//
// It is built without the race detector, which makes a process twice as dear and
// learns nothing from what is seen of it on a command line. The detector sees the
// command in raced.txtar, in the tests that run it in this process, such as
// TestForkPullRequest, and its parts in the tests of their packages.
var programFolder = sync.OnceValues(func() (string, error) {
	self, err := exec.LookPath("llama-regress") // of testscript.Main, which removes what lies beside it in the end
	if err != nil || !effort.Race {
		return filepath.Dir(self), err
	}
	dir, err := os.MkdirTemp(filepath.Dir(self), "plain")
	if err != nil {
		return "", err
	}
	cmd := exec.Command("go", "build", "-buildvcs=false", "-ldflags=-s -w", "-o", dir, "github.com/llama-regress/llama-regress/cmd/llama-regress")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%v: %w: %s", cmd.Args, err, out)
	}
	return dir, nil
})

// withProgram puts the program in front of PATH.
func withProgram(t *testing.T) {
	t.Helper()
	dir, err := programFolder()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+string(filepath.ListSeparator)+os.Getenv("PATH"))
}

// raced lets the rest of a script start this test binary, so that the race
// detector sees it if it is there.
func raced(ts *testscript.TestScript, _ bool, _ []string) {
	ts.Setenv("PATH", os.Getenv("PATH"))
}
