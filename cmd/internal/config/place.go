package config

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/llama-regress/llama-regress/ci/git"
	"github.com/llama-regress/llama-regress/cmd/internal/cli"
)

// besideWorkflows is where a configuration goes that git would ignore in the top
// folder, as in llama.cpp's repository, whose .gitignore has /llama-*.
const besideWorkflows = ".github/" + cli.DefaultConfig

// A place is where a configuration is written.
type place struct {
	root string // the repository's top folder, as far as is known
	name string // from there
}

func (p place) path() string { return filepath.Join(p.root, p.name) }

// placeOf is the place that a path names.
func placeOf(path string) place {
	root := filepath.Dir(path)
	if filepath.Base(root) == ".github" {
		root = filepath.Dir(root)
	}
	name, err := filepath.Rel(root, path)
	if err != nil {
		name = filepath.Base(path)
	}
	return place{root, filepath.ToSlash(name)}
}

// ignoredBy says which rule makes git leave a file out, "FILE:LINE:PATTERN", "" where
// it does not, or where there is no repository. What is committed already is kept.
func ignoredBy(ctx context.Context, path string) string {
	out, err := git.Command{Dir: filepath.Dir(path)}.Line(ctx, "check-ignore", "--verbose", "--", filepath.Base(path))
	rule, _, found := strings.Cut(out, "\t")
	if err != nil || !found {
		return ""
	}
	return rule
}

// reroot makes the paths of a starting configuration, which are of the top folder,
// those of a configuration elsewhere below it.
func (p place) reroot(starter string) string {
	up := strings.Repeat("../", strings.Count(p.name, "/"))
	for _, from := range []string{"build", "models/", "model.gguf", "chats.json"} {
		starter = strings.ReplaceAll(starter, ": "+from, ": "+up+from)
	}
	return starter
}

// warnIgnored says what git would leave out of the next commit, and what helps.
func warnIgnored(ctx context.Context, a *cli.App, paths ...string) {
	for _, path := range paths {
		if rule := ignoredBy(ctx, path); rule != "" {
			fmt.Fprintf(a.Err, "git ignores %[1]s (%[2]s), so 'git add .' leaves it out: add it with 'git add -f %[1]s'\n", path, cli.Printable(rule))
		}
	}
}
