package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/llama-regress/llama-regress/cmd/internal/cli"
)

// flagGroups is the order in which the help lists flags, by the question that
// they answer. Each flag of each command stands in one group.
var flagGroups = []struct {
	title string
	flags []string
}{
	{"What is measured", []string{
		"config", "base", "head", "good", "bad", "model", "tests", "count", "ops", "op-shapes", "dataset", "num-samples", "output-tokens", "max-concurrent",
		"parallel", "rate", "think-time", "sweep", "isolate", "param", "threads", "schedulers", "production-only", "cell", "metric",
		"bench-args", "serve-args", "bench-binary", "server-binary", "url", "api", "api-key-env", "served-model", "sentinel", "compare",
	}},
	{"How the builds are made", []string{"repo", "bin", "build", "builds", "build-timeout"}},
	{"How long, and in which order", []string{
		"budget", "adaptive", "blocks", "confirm-blocks", "repetitions", "warmup", "turns", "control", "seed", "timeout", "shard", "shards",
		"sessions", "candidates", "gate-budget", "pause", "from",
	}},
	{"How it is judged", []string{
		"margin", "fail", "exit-zero", "false-alarms", "baseline", "ignore", "mixed", "partial", "arm", "accept", "change",
	}},
	{"Reports", []string{
		"dir", "format", "out", "full", "plain", "json", "html", "title", "only", "color", "write", "github-matrix", "webhook", "webhook-always",
	}},
	{"Store and history", []string{
		"store", "record", "machine", "checkout", "confirm-with", "no-confirm", "since", "at", "attempt", "by", "reason", "revoke", "keep",
		"older-than", "yes",
	}},
	{"This machine", []string{
		"wait", "no-wait", "resume", "fresh", "ignore-doctor", "all", "watch", "runner", "fix",
	}},
	{"GitHub", []string{
		"pr", "sha", "workflow", "artifact", "artifact-name", "key", "author", "policy", "check", "dry-run", "require-post", "api-wait",
		"action", "workflows", "hosted",
	}},
	{"What is made or fetched", []string{
		"llama-dir", "release", "offline", "refresh", "force", "type", "sha256", "records", "bytes", "prompt-words", "prompt-sigma", "answer-words",
		"answer-sigma", "with",
	}},
	{"Help", []string{"help", "licences", "version"}},
}

// briefFlags is how many flags -h lists, in the order of flagGroups' most used.
const briefFlags = 8

// oftenUsed are the flags that -h lists where a command has them, most wanted first.
var oftenUsed = []string{
	"base", "head", "good", "bad", "model", "repo", "dataset", "config", "budget", "store", "record", "margin", "dir", "out", "format",
	"machine", "json", "full", "reason", "older-than", "resume", "dry-run", "pr",
}

// groupOf is the place in flagGroups of a flag; that of the last group for one
// that stands in none, which a test refuses.
func groupOf(name string) int {
	for i, g := range flagGroups {
		if slices.Contains(g.flags, name) {
			return i
		}
	}
	return len(flagGroups) - 1
}

// setHelp makes the help of root and all commands below it begin with examples and
// list flags by what they are for. -h is brief; --help is whole.
func setHelp(a *cli.App, root *cobra.Command) {
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) {
		whole := !slices.Contains(a.Args, "-h") || slices.Contains(a.Args, "--help")
		fmt.Fprint(cmd.OutOrStdout(), help(cmd, whole))
	})
}

// help is what a command says of itself, with all its flags or with those that
// are used most.
func help(cmd *cobra.Command, whole bool) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", cmd.Short)
	if cmd.Example != "" {
		fmt.Fprintf(&b, "\nExamples:\n%s\n", strings.TrimRight(cmd.Example, "\n"))
	}
	fmt.Fprint(&b, "\nUsage:\n")
	if cmd.Runnable() && !cmd.HasAvailableSubCommands() {
		fmt.Fprintf(&b, "  %s\n", cmd.UseLine())
	} else {
		fmt.Fprintf(&b, "  %s COMMAND [flags]\n", cmd.CommandPath())
	}
	if long := strings.TrimSpace(cmd.Long); long != "" && whole {
		fmt.Fprintf(&b, "\n%s\n", long)
	}
	if cmd.HasAvailableSubCommands() {
		fmt.Fprint(&b, "\nCommands:\n")
		for _, c := range cmd.Commands() {
			if c.IsAvailableCommand() {
				fmt.Fprintf(&b, "  %-*s %s\n", c.NamePadding(), c.Name(), c.Short)
			}
		}
	}
	flags := visible(cmd)
	if !whole && len(flags) > briefFlags {
		fmt.Fprintf(&b, "\nFlags used most (--help lists all %d):\n", len(flags))
		b.WriteString(usagesOf(brief(flags)))
	} else {
		for i, g := range flagGroups {
			of := slices.DeleteFunc(slices.Clone(flags), func(f *pflag.Flag) bool { return groupOf(f.Name) != i })
			if len(of) > 0 {
				slices.SortStableFunc(of, func(x, y *pflag.Flag) int { return slices.Index(g.flags, x.Name) - slices.Index(g.flags, y.Name) })
				fmt.Fprintf(&b, "\n%s:\n%s", g.title, usagesOf(of))
			}
		}
	}
	if cmd.HasAvailableSubCommands() {
		fmt.Fprintf(&b, "\n'%s COMMAND --help' says more of one.\n", cmd.CommandPath())
	}
	return b.String()
}

// visible are the flags that a command takes and does not hide.
func visible(cmd *cobra.Command) []*pflag.Flag {
	var list []*pflag.Flag
	add := func(f *pflag.Flag) {
		if !f.Hidden && f.Deprecated == "" {
			list = append(list, f)
		}
	}
	cmd.LocalFlags().VisitAll(add)
	cmd.InheritedFlags().VisitAll(add)
	return list
}

// brief picks the flags that are used most.
func brief(flags []*pflag.Flag) []*pflag.Flag {
	var list []*pflag.Flag
	for _, name := range oftenUsed {
		if i := slices.IndexFunc(flags, func(f *pflag.Flag) bool { return f.Name == name }); i >= 0 && len(list) < briefFlags {
			list = append(list, flags[i])
		}
	}
	return list
}

// usagesOf lists flags in the order given.
func usagesOf(flags []*pflag.Flag) string {
	set := pflag.NewFlagSet("", pflag.ContinueOnError)
	set.SortFlags = false
	for _, f := range flags {
		set.AddFlag(f)
	}
	return set.FlagUsages()
}
