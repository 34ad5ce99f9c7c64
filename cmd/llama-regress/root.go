package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/llama-regress/llama-regress/ci/github"
)

// streams is what a command may touch of the process it runs in.
type streams struct {
	in       io.Reader
	out, err io.Writer
	getenv   func(string) string
}

// app is what every subcommand shares.
type app struct {
	streams
	args  []string // as typed, for commands that reproduce a result
	color string   // --color: auto, always, never
}

// run is main without the process: it returns the exit code.
func run(ctx context.Context, args []string, s streams) int {
	a := &app{streams: s, args: args}
	root := a.root()
	root.SetArgs(args)
	root.SetIn(s.in)
	root.SetOut(s.out)
	root.SetErr(s.err)
	err := root.ExecuteContext(ctx)
	code := codeOf(ctx, err)
	var exit *exitError
	if err != nil && !(errors.As(err, &exit) && exit.err == nil) {
		fmt.Fprintf(s.err, "llama-regress: %s\n", github.Harmless(err.Error())) // it may quote anything
	}
	return code
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "llama-regress",
		Short: "The performance gate for llama.cpp",
		Long: `llama-regress measures llama.cpp with the real llama-bench and llama-server,
compares what it measured by honest statistics, and says of every cell of the
matrix: regression, improvement, equivalent or inconclusive.

Exit codes: 0 nothing got worse, 1 regression, 2 usage or configuration,
3 inconclusive where the policy fails it or nothing to compare, 4 a measurement
failed, 130 interrupted.`,
		Example: `  llama-regress quickstart
  llama-regress gate --base build-base/bin --head build-head/bin --model model.gguf
  llama-regress compare base.jsonl head.jsonl`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Version:       tool().Version,
	}
	root.PersistentFlags().StringVar(&a.color, "color", "auto", "colour the terminal report: auto, always or never")
	root.SetFlagErrorFunc(seeHelp)
	root.AddCommand(
		a.quickstartCommand(),
		a.gateCommand(),
		a.runCommand(),
		a.mergeCommand(),
		a.compareCommand(),
		a.reportCommand(),
		a.commentCommand(),
		a.annotateCommand(),
		a.trackCommand(),
		a.bisectCommand(),
		a.baselineCommand(),
		a.nightlyCommand(),
		a.exportCommand(),
		a.planCommand(),
		a.doctorCommand(),
		a.calibrateCommand(),
		a.schedulersCommand(),
		a.holdSchedulerCommand(),
		a.provisionCommand(),
		a.configCommand(),
		a.versionCommand(),
	)
	a.completeValues(root)
	argumentErrors(root)
	return root
}

func seeHelp(cmd *cobra.Command, err error) error {
	return fmt.Errorf("%w\nsee '%s --help'", err, cmd.CommandPath())
}

// argumentErrors makes mistakes in the arguments of all commands below cmd point
// at the help, as those in flags do.
func argumentErrors(cmd *cobra.Command) {
	for _, c := range cmd.Commands() {
		if check := c.Args; check != nil {
			c.Args = func(c *cobra.Command, args []string) error {
				if err := check(c, args); err != nil {
					return seeHelp(c, err)
				}
				return nil
			}
		}
		argumentErrors(c)
	}
}

// group makes a command that only holds others refuse a word that is none of
// them: a misspelt command must not pass in CI.
func group(cmd *cobra.Command) *cobra.Command {
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

// colored decides for the terminal report on w.
func (a *app) colored(w io.Writer) (bool, error) {
	switch a.color {
	case "always":
		return true, nil
	case "never":
		return false, nil
	case "auto":
		return isTerminal(w) && a.getenv("NO_COLOR") == "" && a.getenv("TERM") != "dumb", nil
	}
	return false, fmt.Errorf("--color %q: want auto, always or never", a.color)
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// width is that of the terminal behind w, 80 when there is none.
func width(w io.Writer) int {
	if f, ok := w.(*os.File); ok {
		if columns, _, err := term.GetSize(int(f.Fd())); err == nil && columns > 0 {
			return columns
		}
	}
	return 80
}
