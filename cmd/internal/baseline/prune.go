package baseline

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/llama-regress/llama-regress/ci/store"
	"github.com/llama-regress/llama-regress/cmd/internal/cli"
	"github.com/llama-regress/llama-regress/cmd/internal/stored"
)

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
