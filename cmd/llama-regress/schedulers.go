package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/llama-regress/llama-regress/ci/plan"
	"github.com/llama-regress/llama-regress/ci/runner"
	"github.com/llama-regress/llama-regress/ci/sched"
)

// holdScheduler is the command that keeps a scheduler loaded; see sched.Hold.
const holdScheduler = "hold-scheduler"

// rootVariable is where the kernel's files and, below bin, the programs of
// schedulers are looked for instead of the machine's own: for tests.
const rootVariable = "LLAMA_REGRESS_KERNEL"

func (a *app) schedulerOptions() (sched.Options, error) {
	self, err := os.Executable()
	if err != nil {
		return sched.Options{}, err
	}
	opts := sched.Options{Guard: []string{self, holdScheduler}, Root: a.getenv(rootVariable)}
	if opts.Root != "" {
		opts.Path = []string{filepath.Join(opts.Root, "bin")}
		opts.Sudo = []string{} // nobody needs rights over files of a test
	}
	return opts, nil
}

// schedulers brings what loads the schedulers that a plan asks for, nil where
// it asks for none. What they write is in the folder of logs; close ends that.
func (a *app) schedulers(p *plan.Plan, logs string) (_ runner.Schedulers, closeLog func(), err error) {
	if p.Schedulers == nil {
		return nil, func() {}, nil
	}
	opts, err := a.schedulerOptions()
	if err != nil {
		return nil, nil, err
	}
	f, err := os.OpenFile(filepath.Join(logs, "schedulers.log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return nil, nil, err
	}
	opts.Log = f
	opts.Settle, opts.StartTimeout = p.Schedulers.Settle, p.Schedulers.StartTimeout
	return sched.New(opts), func() { f.Close() }, nil
}

// holdSchedulerCommand is started by llama-regress itself, mostly as root.
func (a *app) holdSchedulerCommand() *cobra.Command {
	return &cobra.Command{
		Use:                "hold-scheduler PROGRAM [ARG...]",
		Short:              "Keep a sched_ext scheduler loaded until standard input ends",
		Hidden:             true,
		DisableFlagParsing: true, // they are the scheduler's
		RunE: func(_ *cobra.Command, args []string) error {
			out, okOut := a.out.(*os.File)
			errs, okErr := a.err.(*os.File)
			if !okOut || !okErr {
				return errors.New("hold-scheduler needs a process of its own")
			}
			return exitWith(sched.Hold(a.getenv(rootVariable), args, a.in, out, errs))
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

func (a *app) schedulersCommand() *cobra.Command {
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
			opts, err := a.schedulerOptions()
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
				enc := json.NewEncoder(a.out)
				enc.SetIndent("", "  ")
				return enc.Encode(found)
			}
			return a.printSchedulers(found, all)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().BoolVar(&production, "production-only", false, "only those that their authors call fit for production")
	cmd.Flags().BoolVar(&all, "all", false, "also those that are known and not installed")
	return cmd
}

func (a *app) printSchedulers(found listing, all bool) error {
	if len(found.Schedulers) > 0 {
		w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
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
		fmt.Fprintln(a.out, "no sched_ext scheduler is installed; 'llama-regress schedulers --all' lists those that are known.\nDistributions package them as scx-scheds; or: cargo install scx_lavd")
	}
	if found.Loadable {
		fmt.Fprintln(a.out, "\nthis machine can load them")
		return nil
	}
	fmt.Fprintln(a.out, "\nthis machine cannot load any:")
	for _, o := range found.Obstacles {
		if _, err := fmt.Fprintf(a.out, "  %s\n", o.Message); err != nil {
			return err
		}
	}
	return nil
}
