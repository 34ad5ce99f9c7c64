package main

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/llama-regress/llama-regress/ci/plan"
)

func (a *app) planCommand() *cobra.Command {
	var (
		what   settings
		asJSON bool
		full   bool
	)
	cmd := &cobra.Command{
		Use:   "plan",
		Short: "Show what would run, and in which order",
		Example: `  llama-regress plan -c llama-regress.yaml
  llama-regress plan --full | head`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := what.load(cmd)
			if err != nil {
				return err
			}
			p, err := plan.Expand(cfg)
			if err != nil {
				return err
			}
			if asJSON {
				enc := json.NewEncoder(a.out)
				enc.SetIndent("", " ")
				return enc.Encode(p)
			}
			if _, err := fmt.Fprint(a.out, p.Summary()); err != nil || !full {
				return err
			}
			for _, t := range p.Trials {
				if _, err := fmt.Fprintf(a.out, "%6d  block %3d  %-20s  %s\n", t.Order, t.Block, p.Arms[t.Arm].Name, p.Cells[t.Cell].Cell.Key); err != nil {
					return err
				}
			}
			return nil
		},
	}
	what.register(cmd.Flags())
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the whole plan as JSON")
	cmd.Flags().BoolVar(&full, "full", false, "list every trial")
	return cmd
}
