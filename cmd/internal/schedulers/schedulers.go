// Package schedulers is the command that lists the sched_ext schedulers of this
// machine, and the one that holds one loaded.
package schedulers

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/llama-regress/llama-regress/ci/sched"
	"github.com/llama-regress/llama-regress/cmd/internal/cli"
	"github.com/llama-regress/llama-regress/cmd/internal/settings"
)

// HoldCommand is started by llama-regress itself, mostly as root.
func HoldCommand(a *cli.App) *cobra.Command {
	return &cobra.Command{
		Use:                "hold-scheduler PROGRAM [ARG...]",
		Short:              "Keep a sched_ext scheduler loaded until standard input ends",
		Hidden:             true,
		DisableFlagParsing: true, // they are the scheduler's
		RunE: func(_ *cobra.Command, args []string) error {
			out, okOut := a.Out.(*os.File)
			errs, okErr := a.Err.(*os.File)
			if !okOut || !okErr {
				return errors.New("hold-scheduler needs a process of its own")
			}
			return cli.Exit(sched.Hold(a.Getenv(settings.KernelVariable), args, a.In, out, errs))
		},
	}
}

// listing is what schedulers --json prints.
type listing struct {
	Schema     string            `json:"schema"` // llama-regress/schedulers/v1
	Loadable   bool              `json:"loadable"`
	Obstacles  []*sched.Refusal  `json:"obstacles"` // what keeps any from being loaded
	Schedulers []sched.Installed `json:"schedulers"`
}

// Command is 'llama-regress schedulers'.
func Command(a *cli.App) *cobra.Command {
	var asJSON, production, all bool
	cmd := &cobra.Command{
		Use:   "schedulers",
		Short: "Which sched_ext schedulers this machine has and can load, and why not",
		Long: `Lists the schedulers that are installed here, with what their authors say of
them and how long their watchdog waits, and what keeps this machine from loading
them. Nothing is loaded.

They are compared with the kernel's own by

  llama-regress run --schedulers default,scx_lavd,scx_bpfland ...

or as arms of a configuration. Loading one needs Linux 6.12 or newer with
CONFIG_SCHED_CLASS_EXT=y, and root or sudo without a password.`,
		Example: `  llama-regress schedulers
  llama-regress schedulers --production-only
  llama-regress schedulers --all --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			opts, err := settings.SchedulerOptions(a)
			if err != nil {
				return err
			}
			m := sched.New(opts)
			found := listing{Schema: "llama-regress/schedulers/v1", Obstacles: m.Obstacles(cmd.Context()), Schedulers: []sched.Installed{}}
			if found.Obstacles == nil {
				found.Obstacles, found.Loadable = []*sched.Refusal{}, true
			}
			for _, s := range m.Installed() {
				if (all || s.Path != "") && (!production || s.Production) {
					found.Schedulers = append(found.Schedulers, s)
				}
			}
			if asJSON {
				return a.PrintJSON(found)
			}
			return printSchedulers(a, found, all)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().BoolVar(&production, "production-only", false, "only those that their authors call fit for production")
	cmd.Flags().BoolVar(&all, "all", false, "also those that are known and not installed")
	return cmd
}

func printSchedulers(a *cli.App, found listing, all bool) error {
	if len(found.Schedulers) > 0 {
		w := tabwriter.NewWriter(a.Out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, "scheduler\tproduction\twatchdog\tfrom\twhere")
		for _, s := range found.Schedulers {
			name := strings.Join(append([]string{s.Name}, s.Args...), " ")
			where := s.Path
			if where == "" {
				where = "not installed"
			}
			if s.Note != "" {
				where += " (" + s.Note + ")"
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", name, map[bool]string{true: "yes", false: "no"}[s.Production], s.Watchdog, s.Source, where)
		}
		if err := w.Flush(); err != nil {
			return err
		}
	} else {
		fmt.Fprintln(a.Out, "no sched_ext scheduler is installed; 'llama-regress schedulers --all' lists those that are known.\nDistributions package them as scx-scheds; or: cargo install scx_lavd")
	}
	if found.Loadable {
		fmt.Fprintln(a.Out, "\nthis machine can load them")
		return nil
	}
	fmt.Fprintln(a.Out, "\nthis machine cannot load any:")
	for _, o := range found.Obstacles {
		if _, err := fmt.Fprintf(a.Out, "  %s\n", o.Message); err != nil {
			return err
		}
	}
	return nil
}
