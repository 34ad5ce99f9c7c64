package provision

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The real thing: packages from this machine's own mirror, into the user's
// cache folder, where quickstart finds them too. The first run downloads about
// 40 MB, later ones nothing. Without apt-get or network it is skipped, unless
// LLAMA_REGRESS_REQUIRE_LLAMA is set.
func TestRealApt(t *testing.T) {
	skip := t.Skipf
	if os.Getenv("LLAMA_REGRESS_REQUIRE_LLAMA") != "" {
		skip = t.Fatalf
	}
	if testing.Short() {
		skip("not in short mode")
	}
	if _, err := exec.LookPath("apt-get"); err != nil {
		skip("no apt-get here: %v", err)
	}
	l, err := Find(t.Context(), Options{
		Sources: []Source{SourceApt},
		Need:    []string{"llama-bench", "llama-server", "llama-quantize"},
		Log:     func(line string) { t.Log(line) },
	})
	if err != nil {
		skip("cannot provision by apt: %v", err)
	}

	for _, b := range l.Backends() {
		err := checkBackend(t.Context(), b.Dir, b.Path)
		if b.Usable != (err == nil) {
			t.Errorf("by the kernel's features %s is usable: %v; when run: %v", b.Name, b.Usable, err)
		}
	}
	if l.Backend == "" && len(l.Backends()) > 0 {
		t.Error("no backend was chosen")
	}

	bench, err := l.Program("llama-bench")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(bench, "-m", filepath.Join(t.TempDir(), "no model.gguf"))
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != 1 || !strings.Contains(string(out), "no model.gguf") {
		t.Errorf("a model that is not there: %v\n%s", err, out)
	}
	server, err := l.Program("llama-server")
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(server, "--version").CombinedOutput(); err != nil || !strings.Contains(string(out), "version: ") {
		t.Errorf("llama-server --version: %v\n%s", err, out)
	}
}
