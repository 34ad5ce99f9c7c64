// Package report is the command that writes the reports of a measured run
// again.
package report

import (
	stdjson "encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/llama-regress/llama-regress/ci/config"
	"github.com/llama-regress/llama-regress/ci/runner"
	"github.com/llama-regress/llama-regress/cmd/internal/cli"
	"github.com/llama-regress/llama-regress/cmd/internal/measure"
	"github.com/llama-regress/llama-regress/cmd/internal/output"
	"github.com/llama-regress/llama-regress/cmd/internal/settings"
	"github.com/llama-regress/llama-regress/compare"
	"github.com/llama-regress/llama-regress/report/json"
)

// Command is 'llama-regress report'.
func Command(a *cli.App) *cobra.Command {
	var (
		how  measure.Flags
		pass settings.GateFlags
		out  output.Flags
	)
	cmd := &cobra.Command{
		Use:   "report",
		Short: "Write the reports of a measured run again",
		Long: `Compares and reports what DIR/run.json holds, with the margins given here, and
replaces the reports in DIR. Nothing is measured. Of a run that was killed it
reports what its journal holds.`,
		Example: `  llama-regress report
  llama-regress report -d llama-regress-out --margin 5% --format markdown`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			policy, err := pass.Policy(config.Default().Gate)
			if err != nil {
				return err
			}
			run, err := runner.ReadFolder(how.Dir)
			if errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("%s holds no run; measure one with 'llama-regress gate', or name its folder with --dir", how.Dir)
			}
			if err != nil {
				return err
			}
			if byStore(how.Dir) {
				return fmt.Errorf("%s was judged by stored sessions, which this command does not read; 'llama-regress compare store: %s' judges it again", how.Dir, how.Dir)
			}
			out.Files = append(out.Files, output.FilesIn(how.Dir)...)
			if measure.OneBuild(run) && out.Format == "text" {
				if err := measure.Print(a.Out, run); err != nil {
					return err
				}
				fmt.Fprintln(a.Out)
			}
			src := measure.Source(a, run, how)
			src.Reproduce, src.Resume = run.Command, nil // this command measures nothing
			return output.Conclude(a, compare.Run(run, policy), src, out)
		},
	}
	cmd.AddCommand(&cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of the JSON report",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := a.Out.Write(json.JSONSchema())
			return err
		},
	})
	how.RegisterDir(cmd.Flags())
	pass.Register(cmd.Flags())
	out.Register(cmd.Flags())
	out.RegisterHook(cmd.Flags())
	return cmd
}

// byStore reports whether the reports of a folder are those of history mode.
func byStore(dir string) bool {
	data, err := os.ReadFile(filepath.Join(dir, "report.json"))
	var written struct{ Method compare.Method }
	return err == nil && stdjson.Unmarshal(data, &written) == nil && written.Method == compare.Historical
}
