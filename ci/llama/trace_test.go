package llama

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/llama-regress/llama-regress/ci/record"
)

// What glibc 2.43 said of Debian's build behind a wrapper script, shortened.
const debianTrace = `     29194:	file=libc.so.6 [0];  needed by /bin/sh [0]
     29194:	calling init: /lib/x86_64-linux-gnu/libc.so.6
     29194:	initialize program: /bin/sh
     29194:	transferring control: /bin/sh
     29194:	calling init: /p/bin/x64/../../files/usr/lib/libggml-base.so.0
     29194:	calling init: /p/bin/x64/../../files/usr/lib/libllama.so.0
     29194:	calling init: /p/bin/x64/../../files/usr/lib/llama/libllama-bench-impl.so
     29194:	initialize program: /p/bin/x64/../../files/usr/bin/llama-bench
     29194:	transferring control: /p/bin/x64/../../files/usr/bin/llama-bench
     29194:	calling init: /p/bin/x64/../../files/usr/lib/ggml/backends0/libggml-cpu-x64.so
`

func TestReadTrace(t *testing.T) {
	t.Parallel()
	l := readTrace(debianTrace, "llama-bench")
	want := []string{"/p/files/usr/lib/libggml-base.so.0", "/p/files/usr/lib/libllama.so.0", "/p/files/usr/lib/llama/libllama-bench-impl.so", "/p/files/usr/lib/ggml/backends0/libggml-cpu-x64.so"}
	if !l.known || l.program != "/p/files/usr/bin/llama-bench" || !slices.Equal(l.paths, want) {
		t.Errorf("%+v", l)
	}
	if l := readTrace("     1:\ttransferring control: /s/llama-bench\n", "llama-bench"); !l.known || l.paths != nil || l.program != "/s/llama-bench" {
		t.Errorf("a static build: %+v", l)
	}
	for _, text := range []string{"", "     1:\ttransferring control: /bin/sh\n"} {
		if l := readTrace(text, "llama-bench"); l.known {
			t.Errorf("of %q something is known: %+v", text, l)
		}
	}
}

func TestLibraryPath(t *testing.T) {
	t.Parallel()
	asks := record.Arm{Env: map[string]string{"LD_LIBRARY_PATH": "/asked"}}
	for _, test := range []struct {
		env  string
		arm  record.Arm
		want string
	}{
		{"A=1", record.Arm{}, "A=1 LD_LIBRARY_PATH=/own"},
		{"LD_LIBRARY_PATH=/shell A=1", record.Arm{}, "A=1 LD_LIBRARY_PATH=/own:/shell"},
		{"LD_LIBRARY_PATH=/asked A=1", asks, "A=1 LD_LIBRARY_PATH=/asked:/own"},
	} {
		if got := strings.Join(withLibraryPath(strings.Fields(test.env), test.arm, []string{"/own"}), " "); got != test.want {
			t.Errorf("%s: %s, want %s", test.env, got, test.want)
		}
	}
}

func TestBesideOfOlderRecords(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{"llama-bench": "p", "libllama.so": "l", "libggml-cpu.so": "c", "notes.txt": "n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	// The digest that earlier versions wrote of these files.
	const was = "2bd0eccbca4fe43d34adb526a308983d32d8a53d90e7c33c28743924e013c6eb"
	if got := LibrariesBeside(filepath.Join(dir, "llama-bench")); got != was {
		t.Errorf("digest %s, want %s", got, was)
	}
	if got := LibrariesBeside(filepath.Join(t.TempDir(), "llama-bench")); got != "" {
		t.Errorf("digest %q of no library", got)
	}
}
