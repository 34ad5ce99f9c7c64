// Package doctor is the command that says whether this machine is fit to
// measure.
package doctor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/llama-regress/llama-regress/ci/device"
	"github.com/llama-regress/llama-regress/ci/host"
	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/cmd/internal/cli"
)

// A diagnosis is what doctor --json prints.
type diagnosis struct {
	Schema   string         `json:"schema"` // llama-regress/doctor/v1
	Host     record.Host    `json:"host"`
	Worst    host.Severity  `json:"worst"`
	Findings []host.Finding `json:"findings"`
	Changed  []host.Setting `json:"changed,omitempty"` // by --fix: their values before
}

// Command is 'llama-regress doctor'.
func Command(a *cli.App) *cobra.Command {
	var (
		dir, runner string
		models      []string
		watch       time.Duration
		asJSON, fix bool
	)
	cmd := &cobra.Command{
		Use:   "doctor [--fix [-- COMMAND...]]",
		Short: "Is this machine fit to measure, and what to change",
		Long: `Looks at the machine for a second and says what makes its numbers spread, why,
and which command changes it. 'run' and 'gate' look too: a hard finding stops them
unless --ignore-doctor is given, soft ones cost a line.

--fix changes what is safe and can be undone: the processors' governor, transparent
huge pages, NUMA balancing. With a COMMAND they are changed while it runs and put
back when it ends; without one, the commands that put them back are printed. It
needs the right to write those files, so mostly sudo.

Exits 0, or 4 with a hard finding, or as COMMAND does.`,
		Example: `  llama-regress doctor --model model.gguf
  llama-regress doctor --runner ~/actions-runner   # as the runner's user
  sudo llama-regress doctor --fix -- sudo -u me llama-regress gate -c llama-regress.yaml`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 && !(fix && cmd.ArgsLenAtDash() == 0) {
				return fmt.Errorf("unexpected %q; to run a command with the settings changed: --fix -- COMMAND", args[0])
			}
			sizes, err := modelSizes(models)
			if err != nil {
				return err
			}
			devices := device.Open(cmd.Context(), device.Options{})
			defer devices.Close()
			found, err := examine(cmd.Context(), a, host.Subject{Dir: dir, Models: sizes, Interval: watch, Devices: devices})
			if err != nil {
				return err
			}
			if runner != "" {
				exposed, err := examineRunner(cmd.Context(), runner)
				if err != nil {
					return err
				}
				found = append(found, exposed...)
			}
			if len(args) > 0 {
				return fixAround(cmd.Context(), a, found, args)
			}
			return diagnose(cmd.Context(), a, devices, found, asJSON, fix)
		},
	}
	f := cmd.Flags()
	f.StringVarP(&dir, "dir", "d", ".", "folder that reports would be written to")
	f.StringArrayVarP(&models, "model", "m", nil, "GGUF file that must fit into memory; repeat for several")
	f.DurationVar(&watch, "watch", time.Second, "how long to watch what the machine does")
	f.StringVar(&runner, "runner", "", "folder of a self-hosted runner: also say who gets code onto it, and what code finds there")
	f.BoolVar(&asJSON, "json", false, "print JSON")
	f.BoolVar(&fix, "fix", false, "change what is safe, and undo it after COMMAND")
	return cmd
}

// examine asks the machine, and the CI job around it.
func examine(ctx context.Context, a *cli.App, s host.Subject) ([]host.Finding, error) {
	found, err := host.Examine(ctx, s)
	if err != nil {
		return nil, err
	}
	return append(found, examineJob(a)...), nil
}

func diagnose(ctx context.Context, a *cli.App, devices *device.Set, found []host.Finding, asJSON, fix bool) error {
	fixed, failed := new(host.Fixed), error(nil)
	if fix {
		fixed, failed = host.Fix(found)
	}
	if asJSON {
		if err := a.PrintJSON(diagnosis{"llama-regress/doctor/v1", host.Describe(ctx, devices.Devices()), host.Worst(found), found, fixed.Old}); err != nil {
			return err
		}
	} else if err := printFindings(a.Out, found); err != nil {
		return err
	}
	if fix {
		sayFixed(a, fixed)
	}
	if failed != nil {
		return fmt.Errorf("--fix could not change everything: %w\nit needs the right to write these files: try sudo", failed)
	}
	if host.Worst(found) == host.Hard {
		return cli.Exit(cli.ExitUnmeasured)
	}
	return nil
}

// sayFixed tells what was changed and how to undo it, on standard error.
func sayFixed(a *cli.App, fixed *host.Fixed) {
	if len(fixed.Old) == 0 {
		fmt.Fprintln(a.Err, "doctor: there was nothing to change")
		return
	}
	fmt.Fprintf(a.Err, "doctor: changed %d settings; this puts them back:\n  %s\n", len(fixed.Old), strings.Join(fixed.UndoCommands(), "\n  "))
}

// fixAround changes settings, runs a command, and puts them back however the
// command ends. An interrupt reaches the command, which is waited for; only a
// kill of this process leaves the settings, and how to undo them was printed.
func fixAround(ctx context.Context, a *cli.App, found []host.Finding, command []string) (err error) {
	fixed, failed := host.Fix(found)
	defer func() {
		if undone := fixed.Undo(); undone != nil {
			err = errors.Join(err, fmt.Errorf("not all settings could be put back: %w", undone))
		}
	}()
	sayFixed(a, fixed)
	if failed != nil {
		fmt.Fprintf(a.Err, "doctor: left as it is: %v\n", failed)
	}
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = a.In, a.Out, a.Err
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	err = cmd.Run()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit) && exit.ExitCode() > 0:
		return cli.Exit(exit.ExitCode())
	case err != nil:
		return cli.Unmeasured(fmt.Errorf("%s: %w", command[0], err))
	}
	return nil
}

// printFindings writes what is wrong first, with reason and remedy.
func printFindings(w io.Writer, found []host.Finding) error {
	count := make(map[host.Severity]int)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, severity := range []host.Severity{host.Hard, host.Soft, host.Fine, host.Unknown} {
		for _, f := range found {
			if f.Severity != severity {
				continue
			}
			count[severity]++
			fmt.Fprintf(table, "%s\t%s\t%s\n", f.Severity, f.Check, f.Found)
			if f.Why != "" {
				fmt.Fprintf(table, "\t\twhy: %s\n\t\tchange: %s\n", f.Why, f.Change)
			}
		}
	}
	if err := table.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "\n%d hard, %d soft, %d ok, %d unknown\n", count[host.Hard], count[host.Soft], count[host.Fine], count[host.Unknown])
	return err
}

// modelSizes looks up the files, by path.
func modelSizes(paths []string) (map[string]int64, error) {
	sizes := make(map[string]int64, len(paths))
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			return nil, err
		}
		sizes[path] = info.Size()
	}
	return sizes, nil
}
