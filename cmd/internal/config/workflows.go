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

// hostedSetup is that of the workflows that need no machine.
const hostedSetup = `
CONFIG counts the instructions of build/base/bin and build/head/bin, which the
workflows build on GitHub's own runners, with a synthetic model that they make.
Then, once:
  1. In Settings, Actions, General: require approval for all external
     contributors, as for any workflow that builds what a stranger sends.
  2. Make the label perf-accepted (accept a regression of this commit).
`

// hostedStarter is the configuration that the hosted workflows use.
const hostedStarter = `# What to count, and what counts as a regression.
# 'llama-regress config check' checks this file.
version: 1

# The builds that the workflows make. The first arm is the baseline.
arms:
  - {name: base, bin: build/base/bin}
  - {name: head, bin: build/head/bin}

# The workflows make it: a real shape with random weights.
models:
  - {path: model.gguf}

# llama-bench, one thread, instructions a token: no other use of the machine shows in it.
count:
  tests: [pp64, tg16]
  trials: 2

# The largest change that does not matter.
gate:
  instructions: {margin: 0.5%}
  fail: regression # inconclusive fails all that is not decided
`

// workflowBuilds names the builds of a starting configuration as the workflows
// do.
var workflowBuilds = strings.NewReplacer("build-base/bin", "build/base/bin", "build-head/bin", "build/head/bin")

// writeWorkflows puts the workflows that make returns below dir, for a configuration
// there. It replaces none.
func writeWorkflows(a *cli.App, make func(action, config string) (map[string][]byte, error), dir, config, action string) error {
	if action == "" {
		commit := cli.Tool().Commit
		if !cli.CommitHash.MatchString(commit) {
			return errors.New("this build does not know its own commit: name the action with --action llama-regress/llama-regress/.github/actions/llama-regress@COMMIT")
		}
		action = "llama-regress/llama-regress/.github/actions/llama-regress@" + commit
	}
	files, err := make(action, config)
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
