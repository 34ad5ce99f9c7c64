package llama

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestLinks(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	short, long := filepath.Join(root, "a", "llama-bench"), filepath.Join(root, "a-much-longer-name", "llama-bench")
	for _, path := range []string{short, long} {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(path), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	dir := filepath.Join(root, "out", ".paths")
	var l Links
	if got := l.program(long); got != long {
		t.Errorf("before Open: %s", got)
	}
	if err := l.Open(dir, []string{filepath.Dir(long), filepath.Dir(long)}); err != nil {
		t.Fatal(err)
	}
	if got := l.program(long); got != long {
		t.Errorf("folders of one length: %s", got)
	}
	if err := os.MkdirAll(filepath.Join(dir, "left-by-a-killed-run"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := l.Open(dir, []string{filepath.Dir(short), filepath.Dir(long)}); err != nil {
		t.Fatal(err)
	}
	a, b := l.program(short), l.program(long)
	if len(a) != len(b) || a == b || a != l.program(short) {
		t.Errorf("%s and %s", a, b)
	}
	for link, path := range map[string]string{a: short, b: long} {
		if text, err := os.ReadFile(link); err != nil || string(text) != path {
			t.Errorf("%s leads to %q: %v", link, text, err)
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if entries, _ := os.ReadDir(filepath.Dir(dir)); len(entries) > 0 || l.program(long) != long {
		t.Errorf("after Close %v is left", entries)
	}
	if _, err := os.Stat(long); err != nil {
		t.Errorf("the program is gone: %v", err)
	}
	if err := (&Links{}).Close(); err != nil || (*Links)(nil).program(long) != long {
		t.Error("links that were never opened")
	}
}

func TestPadded(t *testing.T) {
	t.Parallel()
	env := make([]string, 1, 8)
	env[0] = "A=1"
	one, two := padded(env, 3), padded(env, 0)
	if strings.Join(one, " ") != "A=1 LLAMA_REGRESS_PADDING="+strings.Repeat("x", 3) || strings.Join(two, " ") != "A=1 LLAMA_REGRESS_PADDING=" {
		t.Errorf("%q, %q", one, two)
	}
}
