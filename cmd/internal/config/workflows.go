package config

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/llama-regress/llama-regress/ci/github"
	"github.com/llama-regress/llama-regress/cmd/internal/cli"
)

// workflowSetup is what a person has to do once, where no file can.
const workflowSetup = `
Then, once:
  1. In Settings, Actions, General: require approval for all external
     contributors. A fork's pull request brings its own workflow, so no label
     keeps it off the machine; this setting does.
  2. Register the machine as a self-hosted runner with the labels llama-regress
     and its own name, as a user without rights on anything else.
  3. Set the repository variable LLAMA_REGRESS_MACHINES to the list of names,
     such as ["bench-01"].
  4. Name a model that lies on the machine in CONFIG, which compares
     build/base/bin with build/head/bin: the workflows build them there.
  5. Make the labels perf-check (measure a fork's commit) and perf-accepted
     (accept a regression of this commit).
`

// workflowBuilds names the builds of a starting configuration as the workflows
// do.
var workflowBuilds = strings.NewReplacer("build-base/bin", "build/base/bin", "build-head/bin", "build/head/bin")

// writeWorkflows puts the workflows below dir, for a configuration there. It
// replaces none.
func writeWorkflows(a *cli.App, dir, config, action string) error {
	if action == "" {
		commit := cli.Tool().Commit
		if !cli.CommitHash.MatchString(commit) {
			return errors.New("this build does not know its own commit: name the action with --action llama-regress/llama-regress/.github/actions/llama-regress@COMMIT")
		}
		action = "llama-regress/llama-regress/.github/actions/llama-regress@" + commit
	}
	files, err := github.Workflows(action, config)
	if err != nil {
		return err
	}
	folder := filepath.Join(dir, ".github", "workflows")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	names := slices.Sorted(maps.Keys(files))
	for _, name := range names {
		path := filepath.Join(folder, name)
		if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%s is there already; nothing was written", path)
		}
	}
	for _, name := range names {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, files[name], 0o644); err != nil {
			return err
		}
		if _, err := fmt.Fprintln(a.Out, path); err != nil {
			return err
		}
	}
	return nil
}
