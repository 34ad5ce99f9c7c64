package version

import (
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// Every module that go.mod asks for itself has its reason in CONTRIBUTING, and no
// other has.
func TestModulesHaveReasons(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "mod", "edit", "-json").Output()
	if err != nil {
		t.Fatal(err)
	}
	var mod struct {
		Require []struct {
			Path     string
			Indirect bool
		}
	}
	if err := json.Unmarshal(out, &mod); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("../../../.github/CONTRIBUTING.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(page), "## What it depends on\n")
	table, _, _ = strings.Cut(table, "\n\nA library is taken ")
	direct := 0
	for _, r := range mod.Require {
		if named := strings.Contains(table, "`"+r.Path+"`"); named == r.Indirect {
			t.Errorf("%s: a reason in CONTRIBUTING: %t, indirect: %t", r.Path, named, r.Indirect)
		}
		if !r.Indirect {
			direct++
		}
	}
	if n := strings.Count(table, "`") / 2; n != direct {
		t.Errorf("%d modules in the table, go.mod has %d", n, direct)
	}
}
