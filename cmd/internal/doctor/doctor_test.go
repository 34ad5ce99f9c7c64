package doctor

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/llama-regress/llama-regress/ci/host"
	"github.com/llama-regress/llama-regress/cmd/internal/cli"
)

// Settings hold while a command runs and are put back however it ends.
func TestFixAround(t *testing.T) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip(err)
	}
	dir := t.TempDir()
	setting, ready := filepath.Join(dir, "thp"), filepath.Join(dir, "ready")
	for name, tt := range map[string]struct {
		command   []string
		interrupt bool
		code      int
		out       string
	}{
		"it passes":         {[]string{sh, "-c", "cat " + setting}, false, cli.ExitPass, "madvise\n"},
		"it fails":          {[]string{sh, "-c", "echo hello; exit 7"}, false, 7, "hello\n"},
		"there is none":     {[]string{filepath.Join(dir, "none")}, false, cli.ExitUnmeasured, ""},
		"it is interrupted": {[]string{sh, "-c", "trap 'exit 9' INT; : >" + ready + "; while :; do sleep 0.02; done"}, true, 9, ""},
	} {
		if err := os.WriteFile(setting, []byte("always\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		if tt.interrupt {
			go func() {
				for _, err := os.Stat(ready); err != nil; _, err = os.Stat(ready) {
					time.Sleep(5 * time.Millisecond)
				}
				cancel()
			}()
		}
		var out, said bytes.Buffer
		a := &cli.App{Streams: cli.Streams{Out: &out, Err: &said}}
		err := fixAround(ctx, a, []host.Finding{{Check: "thp", Settings: []host.Setting{{Path: setting, Value: "madvise"}}}}, tt.command)
		cancel()
		if got := cli.CodeOf(t.Context(), err); got != tt.code || out.String() != tt.out {
			t.Errorf("%s: exit code %d, want %d; %q; %v", name, got, tt.code, out.String(), err)
		}
		if now, err := os.ReadFile(setting); string(now) != "always\n" {
			t.Errorf("%s: left %q behind, %v", name, now, err)
		}
		if !strings.Contains(said.String(), "echo 'always' | sudo tee "+setting) {
			t.Errorf("%s: does not say how to undo it: %q", name, said.String())
		}
	}
}
