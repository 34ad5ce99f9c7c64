package provision

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/llama-regress/llama-regress/ci/provision"
	"github.com/llama-regress/llama-regress/cmd/internal/cli"
	"github.com/llama-regress/llama-regress/cmd/internal/provide"
)

func valgrindCommand(a *cli.App) *cobra.Command {
	var (
		opts   provision.Options
		asJSON bool
	)
	cmd := &cobra.Command{
		Use:   "valgrind",
		Short: "Find valgrind, which counts instructions, or get it without root",
		Long: `Looks for valgrind in PATH, then in the cache folder, then in the system's package
mirror, from which its package is unpacked into the cache folder: nothing is
installed. Prints the program's path.`,
		Example: `  llama-regress provision valgrind
  PATH="$(dirname "$(llama-regress provision valgrind)"):$PATH"`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			found, err := provide.Valgrind(cmd.Context(), a, opts)
			if err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(a.Out).Encode(struct {
					Path    string           `json:"path"`
					Source  provision.Source `json:"source"`
					Version string           `json:"version"`
					SHA256  string           `json:"package_sha256,omitempty"`
				}{found.Path, found.Source, found.Version, found.SHA256})
			}
			_, err = fmt.Fprintln(a.Out, found.Path)
			return err
		},
	}
	cmd.Flags().BoolVar(&opts.Offline, "offline", false, "use what is on this machine or in the cache, no network")
	cmd.Flags().BoolVar(&opts.Refresh, "refresh", false, "fetch anew although the cache has it")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON, with version and checksum")
	return cmd
}
