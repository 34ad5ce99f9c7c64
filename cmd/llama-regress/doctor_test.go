package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/llama-regress/llama-regress/ci/host"
)

func TestConsider(t *testing.T) {
	hard := host.Finding{Check: "disk", Severity: host.Hard, Found: "3 MiB free", Why: "no room"}
	soft := host.Finding{Check: "turbo", Severity: host.Soft, Found: "on"}
	fine := host.Finding{Check: "thp", Severity: host.Fine, Found: "madvise"}
	for name, tt := range map[string]struct {
		found    []host.Finding
		override bool
		err      string // a part of it
		notes    string
		said     string
	}{
		"fine":       {[]host.Finding{fine}, false, "", "", ""},
		"soft":       {[]host.Finding{fine, soft}, false, "", "", "doctor: numbers may spread: turbo: on; see 'llama-regress doctor'\n"},
		"hard":       {[]host.Finding{hard, fine}, false, "disk: 3 MiB free (no room)", "", ""},
		"overridden": {[]host.Finding{hard, fine}, true, "", "measured with --ignore-doctor although disk: 3 MiB free (no room)", ""},
	} {
		var said bytes.Buffer
		a := &app{streams: streams{err: &said}}
		notes, err := a.consider(tt.found, tt.override)
		if (err != nil) != (tt.err != "") || err != nil && !strings.Contains(err.Error(), tt.err) {
			t.Errorf("%s: %v", name, err)
		}
		var exit *exitError
		if err != nil && !(errors.As(err, &exit) && exit.code == exitUnmeasured) {
			t.Errorf("%s: %v is not a failed measurement", name, err)
		}
		if strings.Join(notes, "; ") != tt.notes || said.String() != tt.said {
			t.Errorf("%s: notes %q, said %q", name, notes, said.String())
		}
	}
}

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
		"it passes":         {[]string{sh, "-c", "cat " + setting}, false, exitPass, "madvise\n"},
		"it fails":          {[]string{sh, "-c", "echo hello; exit 7"}, false, 7, "hello\n"},
		"there is none":     {[]string{filepath.Join(dir, "none")}, false, exitUnmeasured, ""},
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
		a := &app{streams: streams{out: &out, err: &said}}
		err := a.fixAround(ctx, []host.Finding{{Check: "thp", Settings: []host.Setting{{Path: setting, Value: "madvise"}}}}, tt.command)
		cancel()
		if got := codeOf(t.Context(), err); got != tt.code || out.String() != tt.out {
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
