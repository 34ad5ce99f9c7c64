// Package config is the command that writes, checks and describes a
// configuration.
package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/llama-regress/llama-regress/ci/config"
	"github.com/llama-regress/llama-regress/ci/github"
	"github.com/llama-regress/llama-regress/ci/plan"
	"github.com/llama-regress/llama-regress/ci/runner"
	"github.com/llama-regress/llama-regress/cmd/internal/cli"
	"github.com/llama-regress/llama-regress/cmd/internal/measure"
)

// Command is 'llama-regress config'.
func Command(a *cli.App) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Write, check or describe a configuration",
	}
	cmd.AddCommand(initCommand(a), checkCommand(a), &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of the configuration, for editors",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := io.WriteString(a.Out, config.Schema())
			return err
		},
	})
	return cli.Group(cmd)
}

func initCommand(a *cli.App) *cobra.Command {
	var (
		workflows, hosted bool
		action            string
	)
	cmd := &cobra.Command{
		Use:   "init [FILE]",
		Short: "Write a commented configuration to start from, and workflows",
		Example: `  llama-regress config init
  llama-regress config init --workflows
  llama-regress config init --workflows --hosted`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if hosted && !workflows {
				return errors.New("--hosted says which workflows: give --workflows with it")
			}
			at := placeOf(configPath(args))
			if rule := ignoredBy(cmd.Context(), at.path()); rule != "" && workflows && len(args) == 0 {
				fmt.Fprintf(a.Err, "git ignores %s here (%s): the configuration is %s, which the workflows use; at a desk name it with -c\n", at.name, cli.Printable(rule), besideWorkflows)
				at.name = besideWorkflows
			}
			path := at.path()
			starter, setup := config.Starter(), ""
			_, statErr := os.Lstat(path)
			there := !errors.Is(statErr, fs.ErrNotExist)
			switch {
			case there && !workflows:
				return fmt.Errorf("%s is there already; name another file, or remove it first", path)
			case hosted:
				if err := writeWorkflows(a, github.HostedWorkflows, at.root, at.name, action); err != nil {
					return err
				}
				starter, setup = hostedStarter, strings.ReplaceAll(hostedSetup, "CONFIG", at.name)
			case workflows:
				if err := writeWorkflows(a, github.Workflows, at.root, at.name, action); err != nil {
					return err
				}
				starter, setup = workflowBuilds.Replace(starter), strings.ReplaceAll(workflowSetup, "CONFIG", at.name)
			}
			if there { // the workflows were asked for, and use what it says
				fmt.Fprintf(a.Err, "%s is there already and stays as it is: let its arms be build/base/bin and build/head/bin\n", path)
			} else if err := writeStarter(a, path, at.reroot(starter)); err != nil {
				return err
			}
			warnIgnored(cmd.Context(), a, path)
			if workflows {
				warnIgnored(cmd.Context(), a, filepath.Join(at.root, ".github", "workflows", map[bool]string{true: "pr-count.yml", false: "pr.yml"}[hosted]))
			}
			if setup == "" {
				setup = fmt.Sprintf("next: name your two builds and a model in it, then 'llama-regress config check %[1]s' and 'llama-regress gate -c %[1]s'\n", path)
			}
			_, err := io.WriteString(a.Err, setup)
			return err
		},
	}
	cmd.Flags().BoolVar(&workflows, "workflows", false, "also write .github/workflows: pull requests, their report, the night")
	cmd.Flags().BoolVar(&hosted, "hosted", false, "with --workflows: those that count instructions on GitHub's own runners, for a repository without a machine")
	cmd.Flags().StringVar(&action, "action", "", "action that they use, OWNER/REPO/PATH@COMMIT (default: of this build's commit)")
	return cmd
}

func writeStarter(a *cli.App, path, text string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	_, err = fmt.Fprintln(a.Out, path)
	return err
}

func checkCommand(a *cli.App) *cobra.Command {
	return &cobra.Command{
		Use:   "check [FILE]",
		Short: "Say whether a configuration is right, and what it would run",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			path := configPath(args)
			cfg, err := config.Load(path)
			if errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("there is no %s; 'llama-regress config init' writes one to start from", path)
			}
			if err != nil {
				return err
			}
			p, err := plan.Expand(cfg)
			if err != nil {
				return err
			}
			if err := runner.Missing(p); err != nil {
				fmt.Fprintf(a.Err, "not on this machine:\n  %s\n", strings.ReplaceAll(err.Error(), "\n", "\n  "))
			}
			time, _ := runner.HowLong(p, measure.DefaultFolder, cfg.Sampling.Budget)
			_, err = fmt.Fprintf(a.Out, "%s: ok\n%stime    %s\n", path, p.Summary(), time)
			return err
		},
	}
}

func configPath(args []string) string {
	if len(args) > 0 {
		return args[0]
	}
	return cli.DefaultConfig
}
