package cli

import (
	"regexp"
	"runtime/debug"

	"github.com/llama-regress/llama-regress/ci/record"
)

// Tool identifies this program from what the Go toolchain built into it.
func Tool() record.Tool {
	t := record.Tool{Version: "devel"}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return t
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		t.Version = v
	}
	dirty := ""
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			t.Commit = s.Value
		case "vcs.modified":
			if s.Value == "true" {
				dirty = "+dirty"
			}
		}
	}
	if t.Commit != "" {
		t.Commit += dirty
	}
	return t
}

// CommitHash matches a whole commit's SHA-1 in hexadecimal.
var CommitHash = regexp.MustCompile(`^[0-9a-f]{40}$`)
