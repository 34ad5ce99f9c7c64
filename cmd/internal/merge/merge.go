// Package merge is the command that makes one run record of its shards.
package merge

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/ci/runner"
	"github.com/llama-regress/llama-regress/cmd/internal/cli"
	"github.com/llama-regress/llama-regress/cmd/internal/requests"
)

// Command is 'llama-regress merge'.
func Command(a *cli.App) *cobra.Command {
	var (
		how runner.Merging
		dir string
	)
	cmd := &cobra.Command{
		Use:   "merge SHARD...",
		Short: "Make one run record of those of its shards",
		Long: `Takes the folders, or run records, that 'run --shard i/n' left on several machines
and writes one record to DIR/run.json, with their requests and logs beside it.

A cell is measured and compared on one machine, so the machines may differ; the
report names them. Shards of different plans, with other builds, models or
datasets, that overlap or are missing are refused, each fault by name.`,
		Example: `  llama-regress merge shard-1 shard-2 shard-3 shard-4
  llama-regress merge artifacts/* -d merged && llama-regress report -d merged
  llama-regress merge artifacts/* --partial      # one job did not finish`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			var runs []*record.Run
			var faults []error
			for _, arg := range args {
				run, err := readShard(arg)
				runs, faults = append(runs, run), append(faults, err)
			}
			if err := errors.Join(faults...); err != nil {
				return err
			}
			run, err := runner.Merge(runs, args, how)
			if err != nil {
				return fmt.Errorf("these do not make one run:\n%w", err)
			}
			path := filepath.Join(dir, runner.RecordFile)
			if _, err := os.Lstat(path); err == nil {
				return fmt.Errorf("%s is there already: choose another folder with --dir", path)
			}
			if err := os.MkdirAll(filepath.Join(dir, runner.LogFolder), 0o755); err != nil {
				return err
			}
			requests := &record.RequestLog{Path: filepath.Join(dir, record.RequestFile)}
			for i, arg := range args {
				if err := bringAlong(arg, dir, runs[i], requests); err != nil {
					return fmt.Errorf("%s: %w", arg, err)
				}
			}
			if err := record.WriteFile(path, run); err != nil { // last: where it is, all else is
				return err
			}
			fmt.Fprintf(a.Err, "merged %d shards, %d cells, %d trials; see them with 'llama-regress report -d %s'\n", len(run.Parts), len(run.Cells), len(run.Trials), dir)
			_, err = fmt.Fprintln(a.Out, path)
			return err
		},
	}
	cmd.Flags().StringVarP(&dir, "dir", "d", "llama-regress-out", "folder for the merged record")
	cmd.Flags().BoolVar(&how.Partial, "partial", false, "merge although shards are missing; their cells then are too")
	cmd.Flags().BoolVar(&how.Mixed, "mixed", false, "merge although the builds are not the same files on every machine; the record says so")
	return cmd
}

// readShard reads a shard's record, or the journal of one that was killed.
func readShard(path string) (*record.Run, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return record.ReadFile(path)
	}
	run, err := runner.ReadFolder(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s holds no run", path)
	}
	return run, err
}

// mostLog is more than the programs' logs, which are bounded, may have.
const mostLog = 64 << 20

// bringAlong copies what lies beside a shard's record: its requests, and the
// logs of its trials. Trials have different names in every shard.
func bringAlong(shard, dir string, run *record.Run, to *record.RequestLog) error {
	if requests, ok := requests.Beside(shard); ok {
		if err := appendRequests(to, requests); err != nil {
			return err
		}
	}
	if info, err := os.Stat(shard); err != nil || !info.IsDir() {
		return err
	}
	root, err := os.OpenRoot(shard) // a shard's folder comes from elsewhere: nothing outside of it is read
	if err != nil {
		return err
	}
	defer root.Close()
	for _, t := range run.Trials {
		name := filepath.Join(runner.LogFolder, t.ID+".log")
		if !filepath.IsLocal(name) || filepath.Dir(name) != runner.LogFolder {
			continue
		}
		if info, err := root.Lstat(name); err != nil || !info.Mode().IsRegular() || info.Size() > mostLog {
			continue // not every trial has one
		}
		data, err := root.ReadFile(name)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// appendRequests adds the requests of one file to another, many at a time.
func appendRequests(to *record.RequestLog, from string) error {
	const most = 20_000
	var rows []record.Request
	for row, err := range record.ReadRequests(from) {
		if err != nil {
			return err
		}
		if rows = append(rows, row); len(rows) == most {
			if err := to.Append(rows); err != nil {
				return err
			}
			rows = rows[:0]
		}
	}
	if len(rows) == 0 {
		return nil
	}
	return to.Append(rows)
}
