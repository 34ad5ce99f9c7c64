//go:build linux

package sched

import (
	"io"
	"os"
	"os/signal"
	"strings"
	"testing"
)

// hold runs a guard within this process and returns its status and what it said on
// its output and its errors.
func hold(t *testing.T, root string, args ...string) (status int, said, errs string) {
	t.Helper()
	t.Cleanup(func() { signal.Reset(guardSignals...) })
	dir := t.TempDir()
	var files [2]*os.File
	for i := range files {
		f, err := os.CreateTemp(dir, "")
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		files[i] = f
	}
	in, open := io.Pipe() // nobody asks it to stop
	defer open.Close()
	status = Hold(root, args, in, files[0], files[1])
	var texts [2]string
	for i, f := range files {
		text, err := os.ReadFile(f.Name())
		if err != nil {
			t.Fatal(err)
		}
		texts[i] = string(text)
	}
	return status, texts[0], texts[1]
}

// A guard says how it went in its status and in its lines.
func TestHold(t *testing.T) {
	t.Setenv(sudoVariable, "")
	for name, c := range map[string]struct {
		args       []string
		caps       string
		status     int
		said, errs string
	}{
		"nothing to hold":    {nil, "", 2, "", "want the program of a sched_ext scheduler"},
		"rights":             {[]string{probeFlag}, "200000", 0, "privileged\n", ""},
		"no rights":          {[]string{probeFlag}, "1", 1, "failed neither CAP_SYS_ADMIN nor CAP_BPF", ""},
		"no such program":    {[]string{"/nowhere/scx_x"}, "", 1, "failed fork/exec /nowhere/scx_x: no such file", ""},
		"one that ends":      {[]string{"/bin/sh", "-c", "echo a; echo b >&2; exit 3"}, "", 0, "ended exit status 3\n", "a\nb\n"},
		"one that ends dead": {[]string{"/bin/sh", "-c", "kill -9 $$"}, "", 0, "ended signal: killed\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			root := fakeTree(t, map[string]string{"proc/self/status": "Name:\tx\nCapEff:\t" + c.caps + "\n"})
			status, said, errs := hold(t, string(root), c.args...)
			if status != c.status || !strings.Contains(said, c.said) || !strings.Contains(errs, c.errs) {
				t.Errorf("status %d, said %q, errors %q; want %+v", status, said, errs, c)
			}
			if strings.HasPrefix(c.said, "ended") && !strings.HasPrefix(said, "started ") {
				t.Errorf("said %q", said)
			}
		})
	}
}

// Either capability is enough; capability(7) numbers them 21 and 39.
func TestPrivileged(t *testing.T) {
	for status, says := range map[string]string{
		"CapEff:\t0000000000200000\n":           "",
		"CapEff:\t0000008000000000\n":           "",
		"CapEff:\t000001ffffffffff\n":           "",
		"CapPrm:\t1\nCapEff:\t0000017fffdfffff": "neither CAP_SYS_ADMIN nor CAP_BPF among the capabilities (CapEff 0000017fffdfffff)",
		"CapEff:\tnone\n":                       "its capabilities cannot be read",
		"CapPrm:\t200000\n":                     "its capabilities cannot be read",
	} {
		err := privileged(fakeTree(t, map[string]string{"proc/self/status": status}))
		if (err == nil) != (says == "") || err != nil && err.Error() != says {
			t.Errorf("%q: %v, want %q", status, err, says)
		}
	}
}
