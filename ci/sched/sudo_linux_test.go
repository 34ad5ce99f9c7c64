package sched

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Through sudo, the guard runs nothing but schedulers that only root can replace.
func TestThroughSudo(t *testing.T) {
	dir := t.TempDir()
	mine := filepath.Join(dir, "scx_mine")
	if err := os.WriteFile(mine, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "scx_link")
	if err := os.Symlink("/bin/sh", link); err != nil {
		t.Fatal(err)
	}
	for program, want := range map[string]string{
		"/bin/sh":    "is no scheduler by its name",
		link:         "is no scheduler by its name",
		mine:         "others than root can write",
		"scx_mine":   "no such file",
		"/scx_none":  "no such file",
		dir + "/../": "is no scheduler by its name",
	} {
		if path, err := throughSudo(program); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %q, %v; want %q", program, path, err, want)
		}
	}
	system, err := filepath.EvalSymlinks("/usr/bin/env")
	if err != nil {
		t.Skip(err)
	}
	if err := onlyRootWrites(system); err != nil {
		t.Errorf("a program of the system: %v", err)
	}
}

// A scheduler that only root can replace is run through sudo, with its arguments.
func TestHoldRunsThroughSudo(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root has folders that nobody else can write")
	}
	home, _ := os.UserHomeDir()
	for _, above := range []string{"/run", home, "/var/lib"} {
		dir, err := os.MkdirTemp(above, "llama-regress-test-")
		if err != nil {
			continue
		}
		t.Cleanup(func() { os.RemoveAll(dir) })
		program := filepath.Join(dir, "scx_says")
		put(t, program, "#!/bin/sh\necho \"says $*\"\n")
		if err := os.Chmod(program, 0o755); err != nil || onlyRootWrites(program) != nil || exec.Command(program).Run() != nil {
			continue // a folder of somebody else, or one in which nothing is run
		}
		t.Setenv(sudoVariable, "1000")
		if status, said, errs := hold(t, "", program, "one", "two"); status != 0 || errs != "says one two\n" {
			t.Errorf("status %d, said %q, errors %q", status, said, errs)
		}
		return
	}
	t.Skip("no folder that only root can write")
}

// The guard itself asks, before it starts anything.
func TestHoldThroughSudo(t *testing.T) {
	ran := filepath.Join(t.TempDir(), "ran")
	cmd := exec.Command(os.Args[0], "guard", "/bin/sh", "-c", "echo x >"+ran)
	cmd.Env = append(os.Environ(), sudoVariable+"=1000")
	var out bytes.Buffer
	cmd.Stdout = &out
	if err := cmd.Run(); err == nil || !strings.Contains(out.String(), "failed") || !strings.Contains(out.String(), "no scheduler by its name") {
		t.Errorf("%v: %s", err, &out)
	}
	if _, err := os.Stat(ran); err == nil {
		t.Error("it was run")
	}
}
