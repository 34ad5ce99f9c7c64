package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/llama-regress/llama-regress/ci/config"
	"github.com/llama-regress/llama-regress/ci/store"
	"github.com/llama-regress/llama-regress/cmd/internal/cli"
	"github.com/llama-regress/llama-regress/cmd/internal/output"
)

// completeValues lets a shell complete the values of flags that take one of a
// few, in every command that has them.
func completeValues(a *cli.App, root *cobra.Command) {
	kindsOfReport := output.Names()
	values := map[string][]string{
		"adaptive":       {"on", "off"},
		"color":          {"auto", "always", "never"},
		"confirm-blocks": {"on", "off"},
		"control":        {string(config.ControlNone), string(config.ControlOne), string(config.ControlAll)},
		"fail":           config.Fails,
		"format":         kindsOfReport,
		"store":          store.Examples(),
		"webhook":        {"json", "slack"},
	}
	for _, cmd := range commandsOf(root) {
		out := cmd.Flags().Lookup("out")
		reports := out != nil && out.Value.Type() == "stringArray"
		for name, list := range values {
			if cmd.Flags().Lookup(name) == nil && cmd.PersistentFlags().Lookup(name) == nil {
				continue
			}
			if name == "format" && !reports { // export's
				list = []string{"csv", "benchfmt", "sqlite"}
			}
			how := cobra.ShellCompDirectiveNoFileComp
			if name == "store" {
				how |= cobra.ShellCompDirectiveNoSpace
			}
			cmd.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(list, how)) // fails where the command has its own
		}
		if reports {
			cmd.RegisterFlagCompletionFunc("out", completeOut(kindsOfReport))
		}
	}
}

// completeOut completes KIND= and leaves the file to the shell.
func completeOut(kinds []string) cobra.CompletionFunc {
	return func(_ *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
		if strings.Contains(typed, "=") {
			return nil, cobra.ShellCompDirectiveDefault
		}
		var list []string
		for _, kind := range kinds {
			list = append(list, kind+"=")
		}
		return list, cobra.ShellCompDirectiveNoSpace | cobra.ShellCompDirectiveNoFileComp
	}
}

func commandsOf(cmd *cobra.Command) []*cobra.Command {
	all := []*cobra.Command{cmd}
	for _, sub := range cmd.Commands() {
		all = append(all, commandsOf(sub)...)
	}
	return all
}
