package doctor

import (
	"os"
	"os/exec"
	"path/filepath"

	"github.com/llama-regress/llama-regress/ci/host"
	"github.com/llama-regress/llama-regress/cmd/internal/cli"
)

// examineJob says whether a CI job has what reports need: nothing of it changes
// a number, so none of it is hard.
func examineJob(a *cli.App) []host.Finding {
	return []host.Finding{examineGit(a), examineToken(a)}
}

// examineGit starts no git: the configuration of a foreign repository may name
// programs that it would run.
func examineGit(a *cli.App) host.Finding {
	f := host.Finding{Check: "git", Severity: host.Fine, Found: "installed"}
	if _, err := exec.LookPath("git"); err != nil {
		return host.Finding{Check: "git", Severity: host.Soft, Found: "not installed",
			Why: "a store on a git branch cannot be read or written", Change: "install git, or keep the store in a folder"}
	}
	if dir, err := repositoryAbove(); err == nil && a.Getenv("CI") != "" {
		if _, err := os.Stat(filepath.Join(dir, ".git", "shallow")); err == nil {
			f = host.Finding{Check: "git", Severity: host.Soft, Found: "the clone is shallow",
				Why: "the commits between two sessions are not there to be named", Change: "actions/checkout with fetch-depth: 0, or: git fetch --unshallow"}
		}
	}
	return f
}

// repositoryAbove is the folder above this one that has a .git.
func repositoryAbove() (string, error) {
	dir, err := os.Getwd()
	for err == nil {
		if _, missing := os.Stat(filepath.Join(dir, ".git")); missing == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", os.ErrNotExist
		}
		dir = filepath.Dir(dir)
	}
	return "", err
}

// examineToken cannot tell what a token may do: GitHub answers that only to who
// tries.
func examineToken(a *cli.App) host.Finding {
	const needs = "'comment' needs pull-requests: write, with --check also checks: write"
	switch {
	case a.Getenv("GITHUB_ACTIONS") != "true":
		return host.Finding{Check: "token", Severity: host.Fine, Found: "not in GitHub Actions: none is needed"}
	case a.Getenv("GITHUB_TOKEN") == "" && a.Getenv("GH_TOKEN") == "":
		return host.Finding{Check: "token", Severity: host.Soft, Found: "none in the environment",
			Why: "comment and check run cannot be posted", Change: "env: {GITHUB_TOKEN: ${{ github.token }}}; " + needs}
	}
	return host.Finding{Check: "token", Severity: host.Unknown, Found: "there is one; what it may do is not told: " + needs}
}
