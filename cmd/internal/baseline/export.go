package baseline

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/ci/store"
	"github.com/llama-regress/llama-regress/cmd/internal/cli"
	"github.com/llama-regress/llama-regress/cmd/internal/exporting"
	"github.com/llama-regress/llama-regress/cmd/internal/stored"
)

func exportCommand(a *cli.App, where *stored.Flags) *cobra.Command {
	var how exporting.Flags
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Write stored sessions as CSV, Go benchmarks or llama-bench's SQLite table",
		Example: `  llama-regress baseline export --since 90d >trials.csv
  llama-regress baseline export -f benchfmt -o nights.txt && benchstat -col commit nights.txt
  llama-regress baseline export -f sqlite -o llama-bench.sqlite && compare-llama-bench.py`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, c, err := where.Load(cmd.Context(), a)
			if err != nil {
				return err
			}
			return how.Write(a, func(add func(*record.Run) error) error { return addStored(cmd.Context(), s, c, add) })
		},
	}
	where.RegisterFilter(cmd.Flags())
	how.Register(cmd.Flags())
	return cmd
}

// addStored reads the sessions one after another: no two are in memory at once.
func addStored(ctx context.Context, s store.Store, c *store.Contents, add func(*record.Run) error) error {
	for _, session := range c.Sessions {
		run, err := store.Fetch(ctx, s, session.Key.String())
		if errors.Is(err, store.ErrNotFound) {
			continue // pruned since it was listed
		}
		if err != nil {
			return err
		}
		if err := add(run); err != nil {
			return err
		}
	}
	return nil
}
