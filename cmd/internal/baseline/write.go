package baseline

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/ci/store"
	"github.com/llama-regress/llama-regress/cmd/internal/cli"
	"github.com/llama-regress/llama-regress/cmd/internal/stored"
)

func putCommand(a *cli.App, where *stored.Flags) *cobra.Command {
	var how store.RecordOptions
	cmd := &cobra.Command{
		Use:   "put [RUN...]",
		Short: "Store measured sessions for good",
		Long: `Stores run records: files, or folders that hold a run.json; without any, the
folder that 'run' and 'gate' write to. Storing the same record again changes
nothing, so a job may be repeated. The keys go to standard output.`,
		Example: `  llama-regress baseline put
  llama-regress baseline put nightly/run.json --machine gpu-runner --store s3://perf/llama.cpp`,
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := where.OpenToWrite(a)
			if err != nil {
				return err
			}
			if len(args) == 0 {
				args = []string{"llama-regress-out"}
			}
			for _, path := range args {
				run, err := stored.ReadRun(path)
				if err != nil {
					return err
				}
				receipt, err := store.Record(cmd.Context(), s, run, how)
				if err != nil {
					return err
				}
				for _, warning := range receipt.Warnings {
					fmt.Fprintf(a.Err, "%s: %s\n", path, cli.Printable(warning))
				}
				if receipt.Was {
					fmt.Fprintf(a.Err, "%s: was stored before\n", path)
				}
				fmt.Fprintln(a.Out, receipt.Key)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&how.Machine, "machine", "", "what the store calls this machine (default the host's name)")
	cmd.Flags().IntVar(&how.Attempt, "attempt", 1, "number of this measurement, where another one has the same run ID")
	return cmd
}

func promoteCommand(a *cli.App, where *stored.Flags) *cobra.Command {
	var g store.Segment
	cmd := &cobra.Command{
		Use:   "promote --reason TEXT",
		Short: "Accept a change: history begins anew with a session",
		Long: `Accepts a change of performance that was made on purpose. From the session on
that --from names, the latest one unless told otherwise, history begins anew:
earlier sessions are no baseline for later ones, and the step between them is
drawn as a break. Nothing that is stored changes; a marker with the reason is
added to it. --revoke takes a marker back.`,
		Example: `  llama-regress baseline promote --reason "flash attention is on by default now"
  llama-regress baseline promote --from 5aa1105d --cell bench/tiny/threads=2 --reason "b6082: smaller batches, agreed in review"
  llama-regress baseline promote --revoke segments/runner-1/20260309T211500Z-0123456789abcdef.json --reason "was noise"`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := where.OpenToWrite(a)
			if err != nil {
				return err
			}
			if !strings.ContainsFunc(g.Reason, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }) {
				return fmt.Errorf("--reason %q says nothing: write why, in one line, for whoever reads the history later", g.Reason)
			}
			g.Made = time.Now()
			g.By = cmp.Or(a.Getenv("GITHUB_ACTOR"), a.Getenv("USER"))
			if err := fillSegment(cmd.Context(), a, s, where.Machine, &g); err != nil {
				return err
			}
			key, err := store.Promote(cmd.Context(), s, g)
			if err != nil {
				return err
			}
			if g.From != "" {
				fmt.Fprintf(a.Err, "history of %s begins anew with %s\n", about(g), g.From)
			}
			_, err = fmt.Fprintln(a.Out, key)
			return err
		},
	}
	f := cmd.Flags()
	f.StringVar(&g.Reason, "reason", "", "why, in one line, for whoever reads the history later")
	f.StringVar(&g.From, "from", "latest", "first session of the new segment: a key, a part of one, or latest")
	f.StringArrayVar(&g.Cells, "cell", nil, "only the history of this cell; repeat for several")
	f.StringVar(&g.Revokes, "revoke", "", "key of a marker to take back")
	f.StringVar(&where.Machine, "machine", "", "machine whose history it is, where the store has several")
	cmd.MarkFlagRequired("reason")
	cmd.MarkFlagsMutuallyExclusive("from", "revoke")
	cmd.MarkFlagsMutuallyExclusive("cell", "revoke")
	return cmd
}

// fillSegment completes what the flags leave open, and checks what they say
// against the store.
func fillSegment(ctx context.Context, a *cli.App, s store.Store, machine string, g *store.Segment) error {
	if g.Revokes != "" {
		g.From = ""
		g.Machine, _, _ = strings.Cut(strings.TrimPrefix(g.Revokes, "segments/"), "/")
		if _, err := s.List(ctx, ""); err != nil {
			return err
		}
		_, err := s.Get(ctx, g.Revokes)
		return err
	}
	if machine == "" {
		only, err := onlyMachine(ctx, s)
		if err != nil && g.From == "latest" {
			return err
		}
		machine = only
	}
	from, err := stored.Resolve(ctx, s, machine, g.From)
	if err != nil {
		return err
	}
	run, err := store.Fetch(ctx, s, from.String())
	if err != nil {
		return err
	}
	for _, cell := range g.Cells {
		if !slices.ContainsFunc(run.Cells, func(c record.Cell) bool { return c.Key == cell }) {
			return fmt.Errorf("--cell %s: %s has no such cell; 'llama-regress baseline show' lists them", cell, from)
		}
	}
	g.From, g.Machine = from.String(), from.Machine
	return nil
}

// onlyMachine is the machine of a store that knows one.
func onlyMachine(ctx context.Context, s store.Store) (string, error) {
	objects, err := s.List(ctx, "runs/")
	if err != nil {
		return "", err
	}
	var machines []string
	for _, o := range objects {
		if key, err := store.ParseKey(o.Key); err == nil && !slices.Contains(machines, key.Machine) {
			machines = append(machines, key.Machine)
		}
	}
	if len(machines) > 1 {
		return "", fmt.Errorf("%s holds sessions of %s: say which with --machine", cli.Printable(s.String()), strings.Join(machines, ", "))
	}
	return strings.Join(machines, ""), nil
}

func pruneCommand(a *cli.App, where *stored.Flags) *cobra.Command {
	var (
		keep  int
		older string
		yes   bool
	)
	cmd := &cobra.Command{
		Use:   "prune --older-than AGE",
		Short: "Delete old sessions; shows what would go until told --yes",
		Long: `Deletes sessions begun longer ago than AGE, and keeps the latest --keep of every
machine whatever their age. Without --yes it only lists them. Markers of segments
stay. On a git branch, earlier commits keep what is deleted.`,
		Example: `  llama-regress baseline prune --older-than 365d --keep 100
  llama-regress baseline prune --older-than 365d --keep 100 --yes`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			before, err := stored.Moment(older, time.Now())
			if err != nil {
				return fmt.Errorf("--older-than %w", err)
			}
			if keep < 1 {
				return fmt.Errorf("--keep %d: the latest session of a machine always stays", keep)
			}
			s, err := where.OpenToWrite(a)
			if err != nil {
				return err
			}
			prefix := "runs/"
			if where.Machine != "" {
				prefix += store.Slug(where.Machine) + "/"
			}
			objects, err := s.List(cmd.Context(), prefix)
			if err != nil {
				return err
			}
			keys := store.Prunable(objects, store.Retention{Keep: keep, Before: before})
			for _, key := range keys {
				fmt.Fprintln(a.Out, key)
			}
			switch {
			case len(keys) == 0:
				fmt.Fprintln(a.Err, "nothing to delete")
			case !yes:
				fmt.Fprintf(a.Err, "%d of %d sessions would be deleted; --yes deletes them\n", len(keys), len(objects))
			default:
				if err := s.Remove(cmd.Context(), keys); err != nil {
					return err
				}
				fmt.Fprintf(a.Err, "%d of %d sessions deleted\n", len(keys), len(objects))
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.IntVar(&keep, "keep", 30, "the latest so many sessions of every machine stay")
	f.StringVar(&older, "older-than", "", "age, such as 365d, or day, such as 2026-03-09")
	f.StringVar(&where.Machine, "machine", "", "only sessions of this machine")
	f.BoolVar(&yes, "yes", false, "delete them")
	cmd.MarkFlagRequired("older-than")
	return cmd
}
