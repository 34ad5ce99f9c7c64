package provision

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// valgrind finds in the world or fails the test.
func (w world) valgrind(t *testing.T, change func(*Options)) (*Valgrind, string) {
	t.Helper()
	o, log := w.options()
	if change != nil {
		change(&o)
	}
	v, err := FindValgrind(t.Context(), o)
	if err != nil {
		t.Fatalf("%v\nlog:\n%s", err, log())
	}
	return v, log()
}

// The package is unpacked alone, found again without the network, and its wrapper
// tells the program where its tools lie, from wherever the cache folder went.
func TestValgrindColdAndWarm(t *testing.T) {
	w := newWorld(t)
	w.mend("install-bookworm")
	v, log := w.valgrind(t, nil)
	_, sum := fakeDeb(fakeValgrind["valgrind_1%3a3.19.0-1_amd64.deb"])
	if v.Source != SourceApt || v.Version != "valgrind-3.19.0" || v.SHA256 != sum {
		t.Errorf("%+v, want the checksum %s", v, sum)
	}
	for _, want := range []string{"path: no valgrind in PATH", "downloading 1 package,", "nothing is installed", "using " + v.Path} {
		if !strings.Contains(log, want) {
			t.Errorf("log does not say %q:\n%s", want, log)
		}
	}
	before := len(w.calls("apt-get"))
	for _, offline := range []bool{false, true} {
		if again, _ := w.valgrind(t, func(o *Options) { o.Offline = offline }); *again != *v || len(w.calls("apt-get")) != before {
			t.Errorf("a warm cache gave %+v after %q", again, w.calls("apt-get")[before:])
		}
	}
	w.valgrind(t, func(o *Options) { o.Refresh = true })
	if len(w.calls(" download valgrind")) != 4 { // twice each: which it is, and itself
		t.Errorf("refresh downloaded nothing: %q", w.calls("apt-get"))
	}

	moved := w.path("moved cache")
	if err := os.Rename(w.path("cache"), moved); err != nil {
		t.Fatal(err)
	}
	rel, err := filepath.Rel(w.path("cache"), v.Path)
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(filepath.Join(moved, rel), "--tool=callgrind", "a b", "$x").CombinedOutput()
	if err != nil || !strings.HasSuffix(strings.TrimSpace(string(out)), `/files/usr/libexec/valgrind --tool=callgrind a b $x`) || !strings.HasPrefix(string(out), moved) {
		t.Errorf("the wrapper ran %q, %v", out, err)
	}
}

// What is in PATH is taken first, and is not fetched.
func TestValgrindInPath(t *testing.T) {
	w := newWorld(t)
	w.write("bin/valgrind", "#!/bin/sh\necho valgrind-3.26.0.GIT\n")
	v, _ := w.valgrind(t, nil)
	if v.Source != SourcePath || v.Path != w.path("bin/valgrind") || v.Version != "valgrind-3.26.0.GIT" || v.SHA256 != "" || len(w.calls("apt-get")) != 0 {
		t.Errorf("%+v after %q", v, w.calls(""))
	}
}

// What is too old, or none, is said with what to do; the package is asked for then.
func TestValgrindThatWillNotDo(t *testing.T) {
	for says, want := range map[string]string{
		"echo valgrind-3.14.0": "is valgrind-3.14.0; 3.15 or later is needed",
		"echo 1.2.3":           "is not valgrind: to --version it printed \"1.2.3\"",
		"exit 3":               "does not start",
	} {
		w := newWorld(t)
		w.write("bin/valgrind", "#!/bin/sh\n"+says+"\n")
		o, _ := w.options()
		o.Offline = true
		_, err := FindValgrind(t.Context(), o)
		for _, want := range []string{want, "nothing in the cache folder", "apt-get install valgrind"} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%q: error %v, want %q", says, err, want)
			}
		}
		w.mend("install-bookworm")
		if v, _ := w.valgrind(t, nil); v.Source != SourceApt {
			t.Errorf("%q: %+v", says, v)
		}
	}
}

// A damaged download is not unpacked, and a cache whose program went is fetched anew.
func TestValgrindDamaged(t *testing.T) {
	w := newWorld(t)
	w.mend("install-bookworm")
	w.write("fault-download", "")
	o, _ := w.options()
	if _, err := FindValgrind(t.Context(), o); err == nil || !strings.Contains(err.Error(), "SHA-256 is") {
		t.Errorf("error %v", err)
	}
	w.mend("download")
	v, _ := w.valgrind(t, nil)
	if err := os.Remove(v.Path); err != nil {
		t.Fatal(err)
	}
	if again, log := w.valgrind(t, nil); again.Path != v.Path || !strings.Contains(log, "passing over a damaged cache entry") {
		t.Errorf("%+v, log:\n%s", again, log)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	o.Refresh = true
	if _, err := FindValgrind(ctx, o); err == nil || !strings.Contains(err.Error(), "context canceled") {
		t.Errorf("after a cancel: %v", err)
	}
}
