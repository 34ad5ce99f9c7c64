package host

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestFix(t *testing.T) {
	root := t.TempDir()
	put := func(path, text string) {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(root, path)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, path), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	get := func(path string) string {
		data, _ := os.ReadFile(filepath.Join(root, path))
		return strings.TrimSpace(string(data))
	}
	put("sys/thp", "[always] madvise never\n")
	put("sys/governor0", "powersave\n")
	put("sys/governor1", "performance\n")
	findings := []Finding{
		{Check: "thp", Settings: []Setting{{"/sys/thp", "madvise"}}},
		{Check: "governor", Settings: []Setting{{"/sys/governor0", "performance"}, {"/sys/governor1", "performance"}, {"/sys/none", "performance"}}},
		{Check: "turbo"},
	}
	fixed, err := fixIn(root, findings)
	if err == nil || !strings.Contains(err.Error(), "governor: ") || !strings.Contains(err.Error(), "/sys/none") {
		t.Errorf("what cannot be changed: %v", err)
	}
	if _, err := os.Stat(filepath.Join(root, "sys/none")); err == nil {
		t.Error("a file was made")
	}
	if got := []string{get("sys/thp"), get("sys/governor0"), get("sys/governor1")}; !slices.Equal(got, []string{"madvise", "performance", "performance"}) {
		t.Errorf("fixed: %q", got)
	}
	if got, want := fixed.UndoCommands(), []string{"echo 'powersave' | sudo tee /sys/governor0", "echo 'always' | sudo tee /sys/thp"}; !slices.Equal(got, want) {
		t.Errorf("undo by hand: %q", got)
	}
	if err := fixed.Undo(); err != nil {
		t.Error(err)
	}
	if got := []string{get("sys/thp"), get("sys/governor0"), get("sys/governor1")}; !slices.Equal(got, []string{"always", "powersave", "performance"}) {
		t.Errorf("undone: %q", got)
	}
	again, err := fixIn(root, nil)
	if err != nil || len(again.Old) > 0 || again.Undo() != nil {
		t.Errorf("nothing to fix: %+v, %v", again, err)
	}
}
