package main

import (
	stdjson "encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/llama-regress/llama-regress/ci/config"
	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/ci/runner"
	"github.com/llama-regress/llama-regress/compare"
	"github.com/llama-regress/llama-regress/report/json"
)

func (a *app) reportCommand() *cobra.Command {
	var (
		how  measuring
		pass gateFlags
		out  outputs
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
			policy, err := pass.policy(config.Default().Gate)
			if err != nil {
				return err
			}
			run, err := record.ReadFile(filepath.Join(how.dir, runner.RecordFile))
			if errors.Is(err, fs.ErrNotExist) {
				run, err = runner.Recover(how.dir) // a run that was killed: as far as it got
			}
			if errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("%s holds no run; measure one with 'llama-regress gate', or name its folder with --dir", how.dir)
			}
			if err != nil {
				return err
			}
			if byStore(how.dir) {
				return fmt.Errorf("%s was judged by stored sessions, which this command does not read; 'llama-regress compare store: %s' judges it again", how.dir, how.dir)
			}
			out.files = append(out.files, how.reportFiles()...)
			if oneBuild(run) && out.format == "text" {
				if err := printMeasured(a.out, run); err != nil {
					return err
				}
				fmt.Fprintln(a.out)
			}
			src := a.source(run, how)
			src.Reproduce, src.Resume = nil, nil // this command measures nothing
			return a.conclude(compare.Run(run, policy), src, out)
		},
	}
	cmd.AddCommand(&cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of the JSON report",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := a.out.Write(json.JSONSchema())
			return err
		},
	})
	how.registerDir(cmd.Flags())
	pass.register(cmd.Flags())
	out.register(cmd.Flags())
	return cmd
}

// byStore reports whether the reports of a folder are those of history mode.
func byStore(dir string) bool {
	data, err := os.ReadFile(filepath.Join(dir, reportFiles["json"]))
	var written struct{ Method compare.Method }
	return err == nil && stdjson.Unmarshal(data, &written) == nil && written.Method == compare.Historical
}
