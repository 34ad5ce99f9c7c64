package provision

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// The test binary plays apt-get, dpkg and dpkg-deb when it is called by these
// names, and a process that provisions when called find.
func TestMain(m *testing.M) {
	fakes := map[string]func(world, []string) int{
		"apt-get": fakeAptGet, "dpkg": fakeDpkg, "dpkg-deb": fakeDpkgDeb, "find": findChild,
	}
	if fake, ok := fakes[filepath.Base(os.Args[0])]; ok {
		os.Exit(fake(world(os.Getenv("FAKE_WORLD")), os.Args[1:]))
	}
	os.Exit(m.Run())
}

// A world is a folder with a machine (root), a cache, fake programs (bin), a
// log of their calls, and the faults that they are to have. A fault is a file:
//
//	fault-update-SUITE    apt-get update of the suite fails with its text
//	fault-install-SUITE   the package is not to be had from the suite, likewise
//	fault-beside          the suite has neither llama.cpp-tools-extra nor llama.cpp-tests
//	fault-download        what apt-get downloads is not what it announced
//	fault-hang-WHAT       the step starts a child, and both hang: update, download, dpkg-deb
//	fault-backend-NAME    the CPU backend does not load
//	fault-bench           llama-bench does not start
//	fault-folder          the mirror is a folder of this machine, pool/
//	fault-foreign         it prefers a CPU backend of the system
type world string

func newWorld(t *testing.T) world {
	t.Helper()
	w := world(filepath.Join(t.TempDir(), "a world")) // a space in every path
	w.write("root/etc/os-release", "ID=debian\nVERSION_CODENAME=bookworm\n")
	w.write("root/etc/apt/sources.list", "deb [signed-by=/keys.gpg] http://mirror.example/debian bookworm main\n")
	w.write("root/proc/cpuinfo", "flags : sse4_2 avx f16c fma avx2 bmi2\n")
	w.write("fault-install-bookworm", "E: Unable to locate package llama.cpp-tools\n")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(w.path("bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"apt-get", "dpkg", "dpkg-deb", "find"} {
		if err := os.Symlink(self, w.path("bin/"+name)); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", w.path("bin"))
	t.Setenv("FAKE_WORLD", string(w))
	t.Setenv("GGML_BACKEND_PATH", "")
	t.Setenv("GORACE", os.Getenv("GORACE")+" atexit_sleep_ms=0") // else each fake ends a second late under -race
	return w
}

func (w world) path(name string) string { return filepath.Join(string(w), name) }

func (w world) write(name, text string) {
	if err := os.MkdirAll(filepath.Dir(w.path(name)), 0o755); err != nil {
		panic(err)
	}
	if err := os.WriteFile(w.path(name), []byte(text), 0o755); err != nil {
		panic(err)
	}
}

// has returns the text of a fault, if the world has it.
func (w world) has(fault string) (string, bool) {
	text, err := os.ReadFile(w.path("fault-" + fault))
	return string(text), err == nil
}

func (w world) mend(fault string) { os.Remove(w.path("fault-" + fault)) }

// calls returns the logged calls whose line contains what.
func (w world) calls(what string) []string {
	text, _ := os.ReadFile(w.path("calls"))
	var found []string
	for line := range strings.Lines(string(text)) {
		if strings.Contains(line, what) {
			found = append(found, strings.TrimSpace(line))
		}
	}
	return found
}

func (w world) log(line string) {
	f, err := os.OpenFile(w.path("calls"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		panic(err)
	}
	defer f.Close()
	fmt.Fprintln(f, line)
}

// options finds in the world, with a log that the returned function reads.
func (w world) options() (Options, func() string) {
	var log safeLog
	return Options{CacheDir: w.path("cache"), root: w.path("root"), Log: log.add}, log.String
}

// find finds in the world or fails the test.
func (w world) find(t *testing.T, change func(*Options)) (*Llama, string) {
	t.Helper()
	o, log := w.options()
	if change != nil {
		change(&o)
	}
	l, err := Find(t.Context(), o)
	if err != nil {
		t.Fatalf("%v\nlog:\n%s", err, log())
	}
	return l, log()
}

// hang stays, together with a child of its own, until it is killed.
func (w world) hang(what string) {
	if _, ok := w.has("hang-" + what); !ok {
		return
	}
	child := exec.Command("/bin/sleep", "600")
	if err := child.Start(); err != nil {
		panic(err)
	}
	w.write("hanging.tmp", fmt.Sprintf("%d %d", os.Getpid(), child.Process.Pid))
	os.Rename(w.path("hanging.tmp"), w.path("hanging"))
	time.Sleep(10 * time.Minute)
}

// hanging waits until a fake hangs, and returns its process and its child's.
func (w world) hanging(t *testing.T) (pid, child int) {
	t.Helper()
	for range 12_000 { // two minutes: a machine may be slow
		if text, err := os.ReadFile(w.path("hanging")); err == nil {
			if _, err := fmt.Sscan(string(text), &pid, &child); err != nil {
				t.Fatal(err)
			}
			return pid, child
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("no fake program came to hang")
	return 0, 0
}

// fakePackages are the packages that the fake suites have, with what they hold.
var fakePackages = map[string]map[string]string{
	"llama.cpp-tools_1%3a9.9+fake-1_amd64.deb": {
		"usr/bin/llama-bench":    benchScript,
		"usr/bin/llama-server":   "#!/bin/sh\necho server \"$GGML_BACKEND_PATH\" \"$@\"\n",
		"usr/bin/llama-quantize": "#!/bin/sh\nexit 7\n",
	},
	"llama.cpp-tools-extra_1%3a9.9+fake-1_amd64.deb": {"usr/bin/llama-batched-bench": "#!/bin/sh\nexit 8\n"},
	"llama.cpp-tests_1%3a9.9+fake-1_amd64.deb": {
		"usr/libexec/x86_64-linux-gnu/llama.cpp-tests/test-backend-ops": "#!/bin/sh\necho ops \"$GGML_BACKEND_PATH\" \"$@\"\n",
		"usr/libexec/x86_64-linux-gnu/llama.cpp-tests/test-sampling":    "#!/bin/sh\nexit 6\n",
	},
	"libggml0_0.1-1_amd64.deb": {
		"usr/lib/x86_64-linux-gnu/libggml.so.0":                           "",
		"usr/lib/x86_64-linux-gnu/ggml/backends0/libggml-cpu-x64.so":      "x64",
		"usr/lib/x86_64-linux-gnu/ggml/backends0/libggml-cpu-haswell.so":  "haswell",
		"usr/lib/x86_64-linux-gnu/ggml/backends0/libggml-cpu-skylakex.so": "skylakex",
	},
}

// fakeValgrind is laid out as Debian's.
var fakeValgrind = map[string]map[string]string{
	"valgrind_1%3a3.19.0-1_amd64.deb": {
		"usr/bin/valgrind":                           "#!/bin/sh\nexit 9\n",
		"usr/bin/valgrind.bin":                       "#!/bin/sh\ncase $1 in --version) echo \"${FAKE_VALGRIND:-valgrind-3.19.0}\" ;; *) echo \"$VALGRIND_LIB\" \"$@\" ;; esac\n",
		"usr/libexec/valgrind/callgrind-amd64-linux": "tool",
		"usr/share/doc/valgrind/changelog.Debian.gz": "",
	},
}

// benchScript speaks as llama-bench does, as far as this package listens.
const benchScript = `#!/bin/sh
backend=${GGML_BACKEND_PATH##*/libggml-cpu-}
if [ -e "$FAKE_WORLD/fault-bench" ]; then echo "llama-bench: libgomp.so.1: no such file" >&2; exit 127; fi
case $1 in
-h) echo "usage: llama-bench [options]"; echo "  -n, --n-gen <n>" ;;
--list-devices)
  if [ -e "$FAKE_WORLD/fault-foreign" ]; then echo "load_backend: loaded CPU backend from /usr/lib/ggml/libggml-cpu-haswell.so" >&2; fi
  if [ -e "$FAKE_WORLD/fault-backend-${backend%.so}" ]; then
    echo "load_backend: backend $GGML_BACKEND_PATH is not supported on this system" >&2
  else
    echo "load_backend: loaded CPU backend from $GGML_BACKEND_PATH" >&2
  fi ;;
*) for arg; do echo "$arg"; done; echo "backend ${backend%.so}" ;;
esac
`

func fakeDpkg(world, []string) int { fmt.Println("amd64"); return 0 }

var directory = regexp.MustCompile(`(?m)^Dir::Cache::archives "(.*)";$`)

func fakeAptGet(w world, args []string) int {
	w.log("apt-get " + strings.Join(args, " "))
	conf, err := os.ReadFile(args[slices.Index(args, "-c")+1])
	if err != nil {
		fmt.Fprintln(os.Stderr, "E:", err)
		return 100
	}
	w.write("last-apt.conf", string(conf))
	archives := directory.FindStringSubmatch(string(conf))[1]
	source, _ := os.ReadFile(filepath.Join(filepath.Dir(archives), "archive.sources"))
	suite := regexp.MustCompile(`(?m)^Suites: (.*)$`).FindStringSubmatch(string(source))[1]
	fault := func(name string) bool {
		text, ok := w.has(name)
		fmt.Fprint(os.Stderr, text)
		return ok
	}
	packages, print := fakePackages, slices.Contains(args, "--print-uris")
	download := slices.Contains(args, "--download-only")
	if slices.Contains(args, "valgrind") { // alone, into the folder it runs in
		packages = fakeValgrind
		download = !print
		if !slices.Contains(args, "download") {
			fmt.Fprintln(os.Stderr, "E: its dependencies were asked for too")
			return 100
		}
		if !print {
			archives, _ = os.Getwd()
		}
	}
	if _, lacks := w.has("beside"); lacks {
		if slices.Contains(args, "llama.cpp-tests") {
			fmt.Fprintln(os.Stderr, "E: Unable to locate package llama.cpp-tests")
			return 100
		}
		packages = maps.Clone(packages)
		maps.DeleteFunc(packages, func(name string, _ map[string]string) bool {
			return strings.HasPrefix(name, "llama.cpp-tests_") || strings.HasPrefix(name, "llama.cpp-tools-extra_")
		})
	}
	switch {
	case slices.Contains(args, "update"):
		w.log("update " + suite)
		w.hang("update")
		if fault("update-" + suite) {
			return 100
		}
	case fault("install-" + suite):
		return 100
	case print:
		fmt.Println("Reading package lists...")
		if i := slices.Index(args, "-o"); i > 0 {
			archives = strings.TrimPrefix(args[i+1], "Dir::Cache::archives=")
		}
		for name, files := range packages {
			if _, err := os.Stat(filepath.Join(archives, name)); err == nil {
				continue // apt lists only what it lacks
			}
			body, sum := fakeDeb(files)
			if _, ok := w.has("folder"); ok {
				fmt.Printf("'file:%s' %s %d SHA256:%s\n", strings.ReplaceAll(w.path("pool/"+name), " ", "%20"), name, len(body), sum)
				continue
			}
			fmt.Printf("'http://mirror.example/debian/pool/%s' %s %d SHA256:%s\n", name, name, len(body), sum)
		}
	case download:
		for name, files := range packages {
			if _, err := os.Stat(filepath.Join(archives, name)); err == nil {
				continue // it was downloaded by an earlier try
			}
			if _, ok := w.has("folder"); ok {
				continue // apt leaves it where it is
			}
			body, _ := fakeDeb(files)
			if _, ok := w.has("download"); ok {
				body = body[:len(body)/2]
			}
			if err := os.WriteFile(filepath.Join(archives, name), body, 0o644); err != nil {
				fmt.Fprintln(os.Stderr, "E:", err)
				return 100
			}
			w.hang("download")
		}
	}
	return 0
}

func fakeDeb(files map[string]string) (body []byte, sum string) {
	body, err := json.Marshal(files) // keys in order, so the same bytes each time
	if err != nil {
		panic(err)
	}
	h := sha256.Sum256(body)
	return body, hex.EncodeToString(h[:])
}

func fakeDpkgDeb(w world, args []string) int {
	w.log("dpkg-deb " + filepath.Base(args[1]))
	body, err := os.ReadFile(args[1])
	if err != nil {
		panic(err)
	}
	var files map[string]string
	if err := json.Unmarshal(body, &files); err != nil {
		panic(err)
	}
	for name, text := range files {
		path := filepath.Join(args[2], name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			panic(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
			panic(err)
		}
	}
	w.hang("dpkg-deb")
	return 0
}

// findChild is a process that provisions, in the world that it is told.
func findChild(w world, _ []string) int {
	o, log := w.options()
	l, err := Find(context.Background(), o)
	fmt.Fprint(os.Stderr, log())
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Println(l.Dir)
	return 0
}

// lines returns a program's output line by line.
func lines(t *testing.T, cmd *exec.Cmd) []string {
	t.Helper()
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v", cmd, err)
	}
	var all []string
	for s := bufio.NewScanner(strings.NewReader(string(out))); s.Scan(); {
		all = append(all, s.Text())
	}
	return all
}
