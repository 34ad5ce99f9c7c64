package baseline

import (
	"fmt"
	"maps"
	"slices"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/ci/store"
	"github.com/llama-regress/llama-regress/cmd/internal/cli"
	"github.com/llama-regress/llama-regress/cmd/internal/stored"
	"github.com/llama-regress/llama-regress/report"
	"github.com/llama-regress/llama-regress/stats"
)

func showCommand(a *cli.App, where *stored.Flags) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "show SESSION",
		Short: "Show one stored session",
		Long: `Shows what one session measured. SESSION is its key, a part that no other key
has, commit=SHA for the latest of that commit, or the word latest. --json prints the record as it is
stored, which 'llama-regress compare' reads.`,
		Example: `  llama-regress baseline show latest
  llama-regress baseline show 5aa1105d --json >base.json`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := where.Open(a)
			if err != nil {
				return err
			}
			key, err := stored.Resolve(cmd.Context(), s, where.Machine, args[0])
			if err != nil {
				return err
			}
			run, err := store.Fetch(cmd.Context(), s, key.String())
			if err != nil {
				return err
			}
			if asJSON {
				return a.PrintJSON(run)
			}
			return showRun(a, key, run)
		},
	}
	cmd.Flags().StringVar(&where.Machine, "machine", "", "only sessions of this machine")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the record")
	return cmd
}

func showRun(a *cli.App, key store.Key, run *record.Run) error {
	fmt.Fprintf(a.Out, "%s\n", key)
	w := tabwriter.NewWriter(a.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "started\t%s, took %v\n", run.Started.UTC().Format("2006-01-02 15:04:05 UTC"), run.Finished.Sub(run.Started).Round(1e9))
	fmt.Fprintf(w, "machine\t%s\n", cli.Printable(run.Host.Name))
	for _, name := range slices.Sorted(maps.Keys(run.Host.Hard)) {
		fmt.Fprintf(w, "  %s\t%s\n", cli.Printable(name), cli.Printable(run.Host.Hard[name]))
	}
	for _, arm := range run.Arms {
		fmt.Fprintf(w, "arm %s\tcommit %s, build %d, %s\n", cli.Printable(arm.Name), cli.Printable(arm.Build.Commit), arm.Build.Number, cli.Printable(arm.Build.Backends))
	}
	if run.Interrupted != "" {
		fmt.Fprintf(w, "cut short\t%s: %d of %d trials\n", cli.Printable(run.Interrupted), len(run.Trials), run.Plan.Trials)
	}
	for _, note := range run.Notes {
		fmt.Fprintf(w, "note\t%s\n", cli.Printable(note))
	}
	fmt.Fprintln(w, "\nCELL\tARM\tMETRIC\tMEDIAN\tTRIALS\tFAILED")
	for _, cell := range run.Cells {
		for _, arm := range run.Arms {
			for _, m := range cell.Metrics {
				showMetric(w, run, cell, arm, m)
			}
		}
	}
	return w.Flush()
}

// showMetric prints the median over trials, nothing for what was not run.
func showMetric(w *tabwriter.Writer, run *record.Run, cell record.Cell, arm record.Arm, m record.Metric) {
	var values []float64
	failed := 0
	for _, t := range run.Trials {
		if t.Arm != arm.Name || t.Cell != cell.Key {
			continue
		}
		measured, ok := t.Measurement(m.Name)
		switch {
		case !t.Counts() || ok && measured.Censored:
			failed++
		case ok:
			values = append(values, stats.Median(measured.Values))
		}
	}
	if len(values)+failed == 0 {
		return
	}
	median := "-"
	if len(values) > 0 {
		median = report.Amount(m, stats.Median(values))
	}
	fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\t%d\n", cli.Printable(cell.Key), cli.Printable(arm.Name), cli.Printable(m.Name), median, len(values), failed)
}
