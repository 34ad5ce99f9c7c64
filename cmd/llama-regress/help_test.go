package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/llama-regress/llama-regress/cmd/internal/cli"
)

// Each flag stands in one group, none is named that no command has, and the help
// of each command begins with what it is and its examples.
func TestHelp(t *testing.T) {
	known := map[string]bool{}
	for _, cmd := range commandsOf(root(&cli.App{})) {
		cmd.InitDefaultHelpFlag()
		cmd.InitDefaultVersionFlag()
		brief, whole := help(cmd, false), help(cmd, true)
		for _, f := range visible(cmd) {
			known[f.Name] = true
			if n := strings.Count(whole, "--"+f.Name+" "); n == 0 {
				t.Errorf("%s --help does not list --%s", cmd.CommandPath(), f.Name)
			}
		}
		if !strings.HasPrefix(whole, cmd.Short+"\n") {
			t.Errorf("%s --help begins with %.60q", cmd.CommandPath(), whole)
		}
		if example := strings.Index(whole, "\nExamples:"); example > len(cmd.Short)+1 {
			t.Errorf("%s --help has its examples after %d bytes", cmd.CommandPath(), example)
		}
		if n := strings.Count(brief, "\n      --") + strings.Count(brief, "\n  -"); n > briefFlags+2 {
			t.Errorf("%s -h lists %d flags", cmd.CommandPath(), n)
		}
		if rows := strings.Count(brief, "\n"); rows > 40 {
			t.Errorf("%s -h has %d lines", cmd.CommandPath(), rows)
		}
	}
	var listed []string
	for _, g := range flagGroups {
		listed = append(listed, g.flags...)
	}
	for name := range known {
		if n := len(slices.DeleteFunc(slices.Clone(listed), func(x string) bool { return x != name })); n != 1 {
			t.Errorf("--%s stands in %d groups of flags", name, n)
		}
	}
	for _, name := range append(listed, oftenUsed...) {
		if !known[name] {
			t.Errorf("a group has --%s, which no command takes", name)
		}
	}
}
