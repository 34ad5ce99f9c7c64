package provision

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The whole way with fake programs: what was fetched, that the programs run
// with the right backend, and that the second time nothing is fetched.
func TestAptColdAndWarm(t *testing.T) {
	w := newWorld(t)
	l, log := w.find(t, func(o *Options) { o.Need = []string{"llama-server"} })
	if l.Source != SourceApt || l.Version != "1:9.9+fake-1" || l.Backend != "haswell" {
		t.Errorf("source %q version %q backend %q", l.Source, l.Version, l.Backend)
	}
	if got := w.calls("update "); !slices.Equal(got, []string{"update bookworm", "update sid"}) {
		t.Errorf("suites asked: %q", got)
	}
	for _, want := range []string{"http://mirror.example/debian sid", "downloading 4 packages", "nothing is installed", "using " + l.Dir} {
		if !strings.Contains(log, want) {
			t.Errorf("log does not say %q:\n%s", want, log)
		}
	}
	var names []string
	for _, b := range l.Backends() {
		names = append(names, b.Name)
		if b.Usable != (b.Name != "skylakex") {
			t.Errorf("%s: usable %v", b.Name, b.Usable)
		}
	}
	if want := []string{"skylakex", "haswell", "x64"}; !slices.Equal(names, want) {
		t.Errorf("backends %v, want %v", names, want)
	}

	before := len(w.calls(""))
	again, _ := w.find(t, nil)
	if again.Dir != l.Dir || len(w.calls("")) != before {
		t.Errorf("a warm cache gave %s, and these calls: %q", again.Dir, w.calls("")[before:])
	}
	offline, _ := w.find(t, func(o *Options) { o.Offline = true })
	if offline.Dir != l.Dir {
		t.Errorf("offline gave %s", offline.Dir)
	}
	w.find(t, func(o *Options) { o.Refresh = true })
	if len(w.calls("--download-only")) != 2 {
		t.Error("refresh downloaded nothing")
	}
	if _, err := os.Stat(w.path("cache/apt")); !os.IsNotExist(err) {
		t.Errorf("apt's state was left behind: %v", err)
	}
}

// Programs that few need come with the others; a suite without them is taken all the
// same, and an entry without them does not stand in for one that has them.
func TestAptBeside(t *testing.T) {
	w := newWorld(t)
	w.write("fault-beside", "")
	l, log := w.find(t, nil)
	if !strings.Contains(log, "has no llama.cpp-tools-extra or llama.cpp-tests: llama.cpp-tools comes without") || !strings.Contains(log, "downloading 2 packages") {
		t.Errorf("log:\n%s", log)
	}
	w.mend("beside")
	if again, _ := w.find(t, nil); again.Dir != l.Dir {
		t.Errorf("fetched anew although nobody needs more: %s", again.Dir)
	}
	more, _ := w.find(t, func(o *Options) { o.Need = []string{"llama-batched-bench", "test-backend-ops"} })
	if more.Dir == l.Dir {
		t.Fatal("the old entry lacks both programs")
	}
	t.Setenv("PATH", "/usr/bin:/bin")
	ops, err := more.Program("test-backend-ops")
	if err != nil {
		t.Fatal(err)
	}
	got := lines(t, exec.Command(ops, "perf"))
	if len(got) != 1 || !strings.HasPrefix(got[0], "ops ") || !strings.HasSuffix(got[0], "libggml-cpu-haswell.so perf") {
		t.Errorf("test-backend-ops got %q", got)
	}
	if _, err := more.Program("test-sampling"); err == nil {
		t.Error("tests that measure nothing have wrappers too")
	}
}

// A wrapper passes on every argument, whatever is in it, finds its entry from
// wherever it is called, and lets GGML_BACKEND_PATH choose.
func TestWrapper(t *testing.T) {
	w := newWorld(t)
	l, _ := w.find(t, nil)
	bench, err := l.Program("llama-bench")
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", "/usr/bin:/bin")
	args := []string{"a b", "", "*", `"`, "$HOME", "-p"}
	if got, want := lines(t, exec.Command(bench, args...)), append(args, "backend haswell"); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	link := filepath.Join(t.TempDir(), "my-bench")
	if err := os.Symlink(bench, link); err != nil {
		t.Fatal(err)
	}
	inside := exec.Command("./llama-bench", "x")
	inside.Dir = l.Dir
	bare := exec.Command("/bin/sh", "llama-bench", "x")
	bare.Dir = l.Dir
	override := exec.Command(bench, "x")
	override.Env = append(os.Environ(), "GGML_BACKEND_PATH="+l.Backends()[2].Path)
	other := exec.Command(filepath.Join(l.Backends()[2].Dir, "llama-bench"), "x")
	for name, run := range map[string]struct {
		cmd  *exec.Cmd
		want string
	}{
		"through a link": {exec.Command(link, "x"), "backend haswell"},
		"from inside":    {inside, "backend haswell"},
		"by a shell":     {bare, "backend haswell"},
		"overridden":     {override, "backend x64"},
		"another folder": {other, "backend x64"},
	} {
		if got := lines(t, run.cmd); !slices.Equal(got, []string{"x", run.want}) {
			t.Errorf("%s: got %q, want x, %s", name, got, run.want)
		}
	}
	if err := os.Rename(w.path("cache"), w.path("moved")); err != nil {
		t.Fatal(err)
	}
	moved := w.path("moved" + strings.TrimPrefix(bench, w.path("cache")))
	if got := lines(t, exec.Command(moved, "x")); !slices.Equal(got, []string{"x", "backend haswell"}) {
		t.Errorf("moved: got %q", got)
	}
}

// Signature checks are on in what apt-get is told, hooks off, and the machine's
// own sources out of reach.
func TestAptConfiguration(t *testing.T) {
	w := newWorld(t)
	w.find(t, nil)
	conf, err := os.ReadFile(w.path("last-apt.conf"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`APT::Get::AllowUnauthenticated "false";`, `Acquire::AllowInsecureRepositories "false";`,
		`Acquire::AllowDowngradeToInsecureRepositories "false";`, "#clear APT::Update::Post-Invoke;",
		`Dir::Etc::sourcelist "` + w.path("cache/apt/archive.sources") + `";`,
	} {
		if !regexp.MustCompile("(?m)^" + regexp.QuoteMeta(want) + "$").Match(conf) {
			t.Errorf("the configuration lacks %s:\n%s", want, conf)
		}
	}
}

// The own release is preferred, and then the next suite is not even asked.
func TestAptOwnRelease(t *testing.T) {
	w := newWorld(t)
	w.mend("install-bookworm")
	w.find(t, nil)
	if got := w.calls("update "); !slices.Equal(got, []string{"update bookworm"}) {
		t.Errorf("suites asked: %q", got)
	}
}

// A mirror may be a folder. Its files are used where they lie, and are the
// user's: a wrong one is refused and left alone.
func TestAptMirrorFolder(t *testing.T) {
	for _, right := range []bool{true, false} {
		w := newWorld(t)
		w.write("fault-folder", "")
		for name, files := range fakePackages {
			body, _ := fakeDeb(files)
			if !right {
				body = body[1:]
			}
			w.write("pool/"+strings.ReplaceAll(name, "%3a", ":"), string(body))
		}
		o, _ := w.options()
		if _, err := Find(t.Context(), o); (err == nil) != right || err != nil && !strings.Contains(err.Error(), "SHA-256 is") {
			t.Errorf("right %v: %v", right, err)
		}
		if pool, _ := os.ReadDir(w.path("pool")); len(pool) != len(fakePackages) {
			t.Errorf("right %v: the mirror now has %v", right, pool)
		}
	}
}

// A machine that follows sid is asked for it once, by whatever name.
func TestAptSid(t *testing.T) {
	for _, suite := range []string{"sid", "unstable"} {
		w := newWorld(t)
		w.write("root/etc/apt/sources.list", "deb http://mirror.example/debian "+suite+" main\n")
		w.write("fault-install-"+suite, "E: Unable to locate package\n")
		o, _ := w.options()
		if _, err := Find(t.Context(), o); err == nil {
			t.Error("the package was found nevertheless")
		}
		if got := w.calls("update "); !slices.Equal(got, []string{"update " + suite}) {
			t.Errorf("suites asked: %q", got)
		}
	}
}

// Each failure names the source, the suite, and what apt said.
func TestAptFailures(t *testing.T) {
	tests := map[string]struct {
		prepare func(world)
		want    []string
	}{
		"no network": {
			func(w world) {
				w.write("fault-update-bookworm", "E: Failed to fetch http://mirror.example/bookworm\n")
				w.write("fault-update-sid", "W: noise\nE: Failed to fetch http://mirror.example/sid\n")
			},
			[]string{"debian bookworm: apt-get: exit status 100: E: Failed to fetch http://mirror.example/bookworm", "debian sid: apt-get", "E: Failed to fetch http://mirror.example/sid"},
		},
		"no key": {
			func(w world) {
				w.write("fault-update-sid", "W: GPG error: NO_PUBKEY 6ED0E7B82643E131\nE: The repository 'sid InRelease' is not signed.\n")
			},
			[]string{"sid: its signature cannot be verified with /keys.gpg", "keyring package", "NO_PUBKEY 6ED0E7B82643E131"},
		},
		"no such suite": {
			func(w world) {
				w.write("root/etc/os-release", "ID=ubuntu\nVERSION_CODENAME=bookworm\n")
				w.write("fault-update-devel", "E: The repository 'devel Release' does not have a Release file.\n")
			},
			[]string{"debian devel: apt-get", "does not have a Release file"},
		},
		"damaged download": {
			func(w world) { w.write("fault-download", "") },
			[]string{"SHA-256 is", "want"},
		},
		"no apt":     {func(w world) { os.Remove(w.path("bin/apt-get")) }, []string{"no apt-get: not a Debian or Ubuntu system"}},
		"no archive": {func(w world) { w.write("root/etc/apt/sources.list", "deb http://x.example/x other main\n") }, []string{"no archive of this distribution among the 1 configured sources"}},
		"no program": {func(w world) { w.write("fault-bench", "") }, []string{"no CPU backend runs", "libgomp.so.1: no such file"}},
		"no backend": {
			func(w world) { w.write("fault-backend-haswell", ""); w.write("fault-backend-x64", "") },
			[]string{"no CPU backend runs on this processor", "libggml-cpu-haswell.so is not supported", "libggml-cpu-x64.so is not supported"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			tt.prepare(w)
			o, _ := w.options()
			_, err := Find(t.Context(), o)
			var notFound *NotFoundError
			if !errors.As(err, &notFound) {
				t.Fatalf("got %v, want a *NotFoundError", err)
			}
			want := append(tt.want, "path:    no llama-bench in PATH", "release: no release is named", "by hand", "cmake --build")
			for _, text := range want {
				if !strings.Contains(err.Error(), text) {
					t.Errorf("the error does not say %q:\n%v", text, err)
				}
			}
		})
	}
}

// What failed once is not held against the next try.
func TestAptRecovers(t *testing.T) {
	for _, fault := range []string{"download", "update-sid", "bench"} {
		t.Run(fault, func(t *testing.T) {
			w := newWorld(t)
			w.write("fault-"+fault, "E: a fault\n")
			o, _ := w.options()
			if _, err := Find(t.Context(), o); err == nil {
				t.Fatal("the fault went unnoticed")
			}
			w.mend(fault)
			w.find(t, nil)
		})
	}
}

// GGML_BACKEND_PATH in the environment is told of, and does not mislead the choice.
func TestAptBackendInEnvironment(t *testing.T) {
	w := newWorld(t)
	t.Setenv("GGML_BACKEND_PATH", "/opt/libggml-cpu-x64.so")
	l, log := w.find(t, nil)
	if l.Backend != "haswell" || !strings.Contains(log, "GGML_BACKEND_PATH is set, so the programs will load /opt/libggml-cpu-x64.so") {
		t.Errorf("backend %q; log:\n%s", l.Backend, log)
	}
}

// A library of the system that the program would rather use is found out.
func TestAptForeignBackend(t *testing.T) {
	w := newWorld(t)
	w.write("fault-foreign", "")
	o, _ := w.options()
	if _, err := Find(t.Context(), o); err == nil || !strings.Contains(err.Error(), "uses /usr/lib/ggml/libggml-cpu-haswell.so instead") {
		t.Errorf("got %v", err)
	}
}

// A backend that the features allow but that does not load gives way to the next.
func TestAptNextBackend(t *testing.T) {
	w := newWorld(t)
	w.write("fault-backend-haswell", "")
	l, log := w.find(t, nil)
	if l.Backend != "x64" || !strings.Contains(log, "haswell") {
		t.Errorf("backend %q; log:\n%s", l.Backend, log)
	}
	// A machine that says nothing of its processor: all are tried, best first.
	w.write("root/proc/cpuinfo", "")
	if l, _ := w.find(t, nil); l.Backend != "skylakex" {
		t.Errorf("without features: backend %q, want the first that loads", l.Backend)
	}
}
