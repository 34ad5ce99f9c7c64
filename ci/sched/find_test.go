//go:build linux

package sched

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// Programs named like schedulers are found beside the catalogue's, each once, and
// what is no program is not.
func TestInstalled(t *testing.T) {
	root := t.TempDir()
	one, two := filepath.Join(root, "one"), filepath.Join(root, "two")
	for path, mode := range map[string]os.FileMode{
		"one/scx_simple": 0o755, "one/scx_mine": 0o755, "one/scx_loader": 0o755, "one/scx_plain": 0o644, "one/other": 0o755,
		"two/scx_simple": 0o755, "two/scx_mine": 0o755, "two/scx_also": 0o755,
	} {
		put(t, filepath.Join(root, path), "")
		if err := os.Chmod(filepath.Join(root, path), mode); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(filepath.Join(one, "scx_rusty"), 0o755); err != nil { // no program
		t.Fatal(err)
	}
	m := New(Options{Path: []string{one, filepath.Join(root, "none"), two}})
	found := make(map[string]string)
	all := m.Installed()
	for _, i := range all {
		if i.Path != "" {
			found[i.Name], _ = filepath.Rel(root, i.Path)
			if want := map[bool]string{true: "kernel", false: "unknown"}[i.Name == "scx_simple"]; i.Source != want {
				t.Errorf("%+v, want source %s", i, want)
			}
		}
	}
	if len(all) != len(Catalogue)+2 || len(found) != 3 || found["scx_simple"] != "one/scx_simple" || found["scx_mine"] != "one/scx_mine" || found["scx_also"] != "two/scx_also" {
		t.Errorf("%d, of them installed: %v", len(all), found)
	}
	if !slices.IsSortedFunc(all, func(a, b Installed) int { return strings.Compare(a.Name, b.Name) }) {
		t.Error("not sorted")
	}
}

func TestDefaultsOfAManager(t *testing.T) {
	t.Setenv("PATH", "/usr/bin:/opt/x")
	t.Setenv("HOME", "/home/me")
	o := New(Options{}).opts
	if got := strings.Join(o.Sudo, " "); got != "sudo -n" || o.StartTimeout != 30*time.Second || o.Poll != 100*time.Millisecond {
		t.Errorf("%+v", o)
	}
	if got, want := strings.Join(o.Path, ":"), "/usr/bin:/opt/x:/usr/local/sbin:/usr/local/bin:/usr/sbin:/home/me/.cargo/bin"; got != want {
		t.Errorf("looks in %s, want %s", got, want)
	}
	given := Options{Sudo: []string{}, StartTimeout: time.Nanosecond, Poll: time.Nanosecond, Path: []string{}}
	if o := New(given).opts; o.Sudo == nil || len(o.Sudo) != 0 || o.StartTimeout != 1 || o.Poll != 1 || len(o.Path) != 0 {
		t.Errorf("%+v", o)
	}
}

// Whoever may have loaded a scheduler is named, three of them at most.
func TestOwners(t *testing.T) {
	files := map[string]string{"proc/9/comm": "other\n"}
	m := &Manager{root: fakeTree(t, files)}
	if got := m.owners(); got != "" {
		t.Errorf("nobody: %q", got)
	}
	for _, pid := range []string{"5", "6", "7", "8"} {
		files["proc/"+pid+"/comm"] = "scx_x\n"
	}
	if got := (&Manager{root: fakeTree(t, files)}).owners(); strings.Count(got, "process ") != 3 || !strings.HasPrefix(got, ", loaded by scx_x, process ") {
		t.Errorf("four of them: %q", got)
	}
}

// What loads schedulers by itself is named once, whichever hierarchy tells of it.
func TestServices(t *testing.T) {
	procs := func(hierarchy, unit string) string {
		return "sys/fs/cgroup/" + hierarchy + "system.slice/" + unit + "/cgroup.procs"
	}
	for _, c := range []struct {
		files map[string]string
		want  string
	}{
		{map[string]string{procs("", "scx.service"): ""}, ""},
		{map[string]string{procs("unified/", "scx.service"): "1\n", procs("systemd/", "scx.service"): "1\n"}, "scx.service"},
		{map[string]string{procs("systemd/", "scx_loader.service"): "1\n", "proc/7/comm": "scx_loader\n"}, "scx_loader.service"},
		{map[string]string{procs("", "scx.service"): "1\n", procs("", "scx_loader.service"): "2\n"}, "scx.service scx_loader.service"},
		{map[string]string{procs("", "scx.service"): "1\n", "proc/7/comm": "scx_loader\n"}, "scx.service scx_loader"},
	} {
		m := &Manager{root: fakeTree(t, c.files)}
		if got := strings.Join(m.services(), " "); got != c.want {
			t.Errorf("%v: %q, want %q", c.files, got, c.want)
		}
	}
}

// A sudo that answers nothing, or something else, gives no rights and its words.
func TestSudoThatSaysNothing(t *testing.T) {
	t.Setenv("USER", "")
	t.Setenv("LOGNAME", "me")
	for script, says := range map[string]string{
		"exit 0":                 "me ALL=(root) NOPASSWD: g * (/bin/sh -c exit 0 says: nothing)",
		"exit 1":                 "says: exit status 1)",
		"echo no; exit 1":        "says: no)",
		"echo no":                "says: no)",
		"echo privileged;exit 1": "says: privileged)",
	} {
		m := &Manager{opts: Options{Guard: []string{"g"}, Sudo: []string{"/bin/sh", "-c", script}}}
		if r := m.rights(t.Context()); r == nil || r.Kind != NoRights || !strings.Contains(r.Message, says) {
			t.Errorf("%s: %v, want %q", script, r, says)
		}
	}
	t.Setenv("LOGNAME", "")
	if got := userName(); got != "USER" {
		t.Errorf("user %q", got)
	}
	t.Setenv("USER", "you")
	if got := userName(); got != "you" {
		t.Errorf("user %q", got)
	}
}
