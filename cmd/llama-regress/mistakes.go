package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/llama-regress/llama-regress/ci/config"
	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/cmd/internal/cli"
)

// flagMistake words a mistake in flags so that the next step is in it.
func flagMistake(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	var invalid *pflag.InvalidValueError
	switch {
	case errors.As(err, &unknown):
		err = fmt.Errorf("%w%s", err, likeFlag(cmd, unknown.GetSpecifiedName()))
	case errors.As(err, &invalid) && invalid.GetFlag().Value.Type() == "duration":
		value := invalid.GetValue()
		if strings.Trim(value, "0123456789.") == "" && value != "" {
			err = fmt.Errorf("--%s %s has no unit: %[2]ss are seconds, %[2]sm minutes, %[2]sh hours", invalid.GetFlag().Name, value)
		} else {
			err = fmt.Errorf("--%s %q is no duration, such as 90s, 30m or 1h30m", invalid.GetFlag().Name, value)
		}
	}
	return cli.SeeHelp(cmd, err)
}

// likeFlag is `; did you mean --NAME?` for the flag of a command that is most like a
// word, or for the parameter of llama.cpp that it may stand for; "" for none.
func likeFlag(cmd *cobra.Command, word string) string {
	var flags, params []string
	for _, f := range visible(cmd) {
		flags = append(flags, strings.ReplaceAll(f.Name, "-", "_")) // Suggest is of keys
	}
	if best := config.Suggest(word, flags); best != "" {
		return strings.NewReplacer(`mean "`, "mean --", `"`, "", "_", "-").Replace(best)
	}
	if cmd.Flags().Lookup("param") == nil {
		return ""
	}
	for _, p := range record.Params {
		params = append(params, p.Name)
	}
	return strings.NewReplacer(`mean "`, `mean --param `, `"?`, `=VALUE?`).Replace(config.Suggest(word, params))
}

// argumentMistakes makes mistakes in the arguments of all commands below cmd say
// what the command takes, and point at its help, as those in flags do.
func argumentMistakes(a *cli.App, cmd *cobra.Command) {
	for _, c := range cmd.Commands() {
		if check := c.Args; check != nil {
			c.Args = func(c *cobra.Command, args []string) error {
				err := check(c, args)
				if err == nil {
					return nil
				}
				if fromCobra(err) {
					err = argumentMistake(a, c, args)
				}
				return cli.SeeHelp(c, err)
			}
		}
		argumentMistakes(a, c)
	}
}

// fromCobra says if an error is in the words of the library, which name neither
// what a command takes nor what to do.
func fromCobra(err error) bool {
	text := err.Error()
	return strings.HasPrefix(text, "requires ") || strings.HasPrefix(text, "accepts ") || strings.HasPrefix(text, "unknown command ")
}

// argumentMistake is what is wrong with the arguments of a command.
func argumentMistake(a *cli.App, c *cobra.Command, args []string) error {
	_, takes, _ := strings.Cut(c.Use, " ")
	_, name, _ := strings.Cut(c.CommandPath(), " ") // after the program's
	if at := strings.Index(takes, "--"); at >= 0 {
		takes = strings.TrimSpace(takes[:at])
	}
	switch {
	case len(args) > 0 && c.HasAvailableSubCommands():
		var names []string
		for _, sub := range c.Commands() {
			if sub.IsAvailableCommand() {
				names = append(names, sub.Name())
			}
		}
		return fmt.Errorf("unknown command %q for %q: it has %s", args[0], c.CommandPath(), strings.Join(names, ", "))
	case takes == "" && len(args) > 0:
		if flag := ownerOf(a, c, args[0]); flag != "" {
			return fmt.Errorf("%s takes no arguments, and %q is one: a value of %s needs the sign, %[3]s=%[2]s", name, args[0], flag)
		}
		return fmt.Errorf("%s takes no arguments, and %q is one", name, args[0])
	case len(args) == 0:
		return fmt.Errorf("%s needs %s", name, takes)
	}
	return fmt.Errorf("%s takes %s, and got %d: %s", name, takes, len(args), strings.Join(args, " "))
}

// ownerOf is the flag before an argument whose value may be left out, and which
// therefore did not take it; "" for none.
func ownerOf(a *cli.App, c *cobra.Command, arg string) string {
	i := slices.Index(a.Args, arg)
	if i <= 0 || !strings.HasPrefix(a.Args[i-1], "--") {
		return ""
	}
	if f := c.Flags().Lookup(strings.TrimPrefix(a.Args[i-1], "--")); f != nil && f.NoOptDefVal != "" && f.Value.Type() != "bool" {
		return a.Args[i-1]
	}
	return ""
}
