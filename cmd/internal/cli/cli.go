// Package cli is what the commands of llama-regress share: the process's
// streams, exit codes, and words on a terminal.
package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
)

// Streams is what a command may touch of the process it runs in.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
	Getenv   func(string) string
	Self     string // this program's file, to start it for a command of its own; "" where it is no process of its own
}

// App is what every subcommand shares.
type App struct {
	Streams
	Args  []string // as typed, for commands that reproduce a result
	Color string   // --color: auto, always, never
}

// SeeHelp adds to a mistake in flags or arguments where the help is.
func SeeHelp(cmd *cobra.Command, err error) error {
	return fmt.Errorf("%w\nsee '%s --help'", err, cmd.CommandPath())
}

// Group makes a command that only holds others refuse a word that is none of
// them: a misspelt command must not pass in CI.
func Group(cmd *cobra.Command) *cobra.Command {
	cmd.SuggestionsMinimumDistance = 2
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return cmd.Help()
		}
		hint := ""
		if names := cmd.SuggestionsFor(args[0]); len(names) > 0 {
			hint = "; did you mean " + strings.Join(names, " or ") + "?"
		}
		return fmt.Errorf("unknown command %q for %q%s\nsee '%s --help'", args[0], cmd.CommandPath(), hint, cmd.CommandPath())
	}
	return cmd
}

// DefaultConfig is read when neither a configuration nor builds are named.
const DefaultConfig = "llama-regress.yaml"

// PullRequest names the event of a job that works for a pull request, and is
// empty in all others: what such a job measures is not the project's.
func (a *App) PullRequest() string {
	if event := a.Getenv("GITHUB_EVENT_NAME"); strings.HasPrefix(event, "pull_request") || event == "merge_group" {
		return event
	}
	return ""
}
