package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/llama-regress/llama-regress/ci/export"
	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/ci/store"
)

// exporting says as what to export, and where to.
type exporting struct {
	format string
	out    string
}

func (e *exporting) register(f *pflag.FlagSet) {
	f.StringVarP(&e.format, "format", "f", "csv", "csv, benchfmt for benchstat, or sqlite for compare-llama-bench.py")
	f.StringVarP(&e.out, "out", "o", "", "file to write (default standard output; sqlite needs one)")
}

func (a *app) exportCommand() *cobra.Command {
	var how exporting
	cmd := &cobra.Command{
		Use:   "export RUN...",
		Short: "Write run records as CSV, Go benchmarks or llama-bench's SQLite table",
		Long: `Writes one row for each trial and metric of run records: files, or folders that
hold a run.json. 'llama-regress baseline export' does the same for a store.`,
		Example: `  llama-regress export llama-regress-out -f benchfmt -o run.txt && benchstat -col arm -ignore commit run.txt
  llama-regress export llama-regress-out -f sqlite -o llama-bench.sqlite && compare-llama-bench.py -b 5aa1105d -c c0ffee11
  llama-regress export base/run.json head/run.json >trials.csv`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			return how.write(a, func(add func(*record.Run) error) error {
				for _, path := range args {
					run, err := readRun(path)
					if err != nil {
						return err
					}
					if err := add(run); err != nil {
						return err
					}
				}
				return nil
			})
		},
	}
	how.register(cmd.Flags())
	return cmd
}

func (a *app) baselineExportCommand(where *storeFlags) *cobra.Command {
	var how exporting
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Write stored sessions as CSV, Go benchmarks or llama-bench's SQLite table",
		Example: `  llama-regress baseline export --since 90d >trials.csv
  llama-regress baseline export -f benchfmt -o nights.txt && benchstat -col commit nights.txt
  llama-regress baseline export -f sqlite -o llama-bench.sqlite && compare-llama-bench.py`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := where.open(a)
			if err != nil {
				return err
			}
			o, err := where.options(time.Now())
			if err != nil {
				return err
			}
			c, err := store.Load(cmd.Context(), s, o)
			if err != nil {
				return err
			}
			a.complain(c)
			return how.write(a, func(add func(*record.Run) error) error { return addStored(cmd.Context(), s, c, add) })
		},
	}
	where.registerFilter(cmd.Flags())
	how.register(cmd.Flags())
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

// write has the output filled and puts it where it belongs when it is whole.
func (e *exporting) write(a *app, fill func(add func(*record.Run) error) error) error {
	if !slices.Contains([]string{"csv", "benchfmt", "sqlite"}, e.format) {
		return fmt.Errorf("--format %q: want csv, benchfmt or sqlite", e.format)
	}
	path := e.out
	if target, err := filepath.EvalSymlinks(path); err == nil && path != "" {
		path = target
	}
	info, err := os.Stat(path)
	regular := path != "" && (err != nil || info.Mode().IsRegular())
	switch {
	case e.format == "sqlite" && !regular:
		return errors.New("--format sqlite writes a database: name its file with --out, such as --out llama-bench.sqlite")
	case path == "":
		return e.fill(a.out, "", fill)
	case !regular: // a pipe or a device
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		return errors.Join(e.fill(f, path, fill), f.Close())
	}
	temp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name()) // fails once renamed, which is what we want
	err = e.fill(temp, temp.Name(), fill)
	if err := errors.Join(err, temp.Chmod(0o644), temp.Close()); err != nil {
		return err
	}
	return os.Rename(temp.Name(), path)
}

// fill writes the runs to w, or to the database at path.
func (e *exporting) fill(w io.Writer, path string, fill func(add func(*record.Run) error) error) error {
	var out export.Writer
	var err error
	switch e.format {
	case "csv":
		out = export.NewCSV(w)
	case "benchfmt":
		out = export.NewBenchfmt(w)
	default:
		if out, err = export.NewSQLite(path); err != nil {
			return err
		}
	}
	runs := 0
	err = fill(func(run *record.Run) error {
		runs++
		return out.Add(run)
	})
	if err == nil && runs == 0 {
		err = errors.New("no session to export; 'llama-regress baseline list' shows what there is")
	}
	return errors.Join(err, out.Close())
}
