// Package version is the command that says which version this is.
package version

import (
	"encoding/json"
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/llama-regress/llama-regress/cmd/internal/cli"
)

// Command is 'llama-regress version'.
func Command(a *cli.App) *cobra.Command {
	var asJSON, texts bool
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if texts {
				return writeLicences(a.Out)
			}
			t := cli.Tool()
			if asJSON {
				return json.NewEncoder(a.Out).Encode(map[string]string{
					"version": t.Version, "commit": t.Commit, "go": runtime.Version(), "platform": runtime.GOOS + "/" + runtime.GOARCH,
				})
			}
			_, err := fmt.Fprintf(a.Out, "llama-regress %s %s (%s, %s/%s)\n", t.Version, t.Commit, runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().BoolVar(&texts, "licences", false, "print the licences of all that is linked")
	cmd.MarkFlagsMutuallyExclusive("json", "licences")
	return cmd
}
