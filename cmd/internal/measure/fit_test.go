package measure

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/llama-regress/llama-regress/ci/host"
	"github.com/llama-regress/llama-regress/cmd/internal/cli"
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
		a := &cli.App{Streams: cli.Streams{Err: &said}}
		notes, err := consider(a, tt.found, tt.override)
		if (err != nil) != (tt.err != "") || err != nil && !strings.Contains(err.Error(), tt.err) {
			t.Errorf("%s: %v", name, err)
		}
		var exit *cli.ExitError
		if err != nil && !(errors.As(err, &exit) && exit.Code == cli.ExitUnmeasured) {
			t.Errorf("%s: %v is not a failed measurement", name, err)
		}
		if strings.Join(notes, "; ") != tt.notes || said.String() != tt.said {
			t.Errorf("%s: notes %q, said %q", name, notes, said.String())
		}
	}
}
