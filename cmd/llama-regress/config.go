package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/llama-regress/llama-regress/ci/config"
	"github.com/llama-regress/llama-regress/ci/plan"
)

func (a *app) configCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Write, check or describe a configuration",
	}
	cmd.AddCommand(a.configInitCommand(), a.configCheckCommand(), &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of the configuration, for editors",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := io.WriteString(a.out, config.Schema())
			return err
		},
	})
	return group(cmd)
}

func (a *app) configInitCommand() *cobra.Command {
	var (
		workflows bool
		action    string
	)
	cmd := &cobra.Command{
		Use:   "init [FILE]",
		Short: "Write a commented configuration to start from, and workflows",
		Example: `  llama-regress config init
  llama-regress config init --workflows`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			path := configPath(args)
			if workflows {
				if err := a.writeWorkflows(filepath.Dir(path), action); err != nil {
					return err
				}
			}
			f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
			if errors.Is(err, fs.ErrExist) {
				return fmt.Errorf("%s is there already; name another file, or remove it first", path)
			}
			if err != nil {
				return err
			}
			_, err = f.WriteString(config.Starter())
			if err := errors.Join(err, f.Close()); err != nil {
				return err
			}
			_, err = fmt.Fprintf(a.out, "%s\n", path)
			fmt.Fprintf(a.err, "next: name your two builds and a model in it, then 'llama-regress gate -c %s'\n", path)
			return err
		},
	}
	cmd.Flags().BoolVar(&workflows, "workflows", false, "also write .github/workflows: pull requests, their report, the night")
	cmd.Flags().StringVar(&action, "action", "", "action that they use, OWNER/REPO/PATH@COMMIT (default: of this build's commit)")
	return cmd
}

func (a *app) configCheckCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "check [FILE]",
		Short: "Say whether a configuration is right, and what it would run",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			path := configPath(args)
			cfg, err := config.Load(path)
			if err != nil {
				return err
			}
			p, err := plan.Expand(cfg)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(a.out, "%s: ok\n%s", path, p.Summary())
			return err
		},
	}
}

func configPath(args []string) string {
	if len(args) > 0 {
		return args[0]
	}
	return defaultConfig
}
