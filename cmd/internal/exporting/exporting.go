// Package exporting writes runs as CSV, Go benchmarks or llama-bench's SQLite
// table.
package exporting

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/pflag"

	"github.com/llama-regress/llama-regress/ci/export"
	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/cmd/internal/cli"
)

// Flags says as what to export, and where to.
type Flags struct {
	format string
	out    string
}

// Register defines the flags.
func (e *Flags) Register(f *pflag.FlagSet) {
	f.StringVarP(&e.format, "format", "f", "csv", "csv, benchfmt for benchstat, or sqlite for compare-llama-bench.py")
	f.StringVarP(&e.out, "out", "o", "", "file to write (default standard output; sqlite needs one)")
}

// Write has the output filled and puts it where it belongs when it is whole.
func (e *Flags) Write(a *cli.App, fill func(add func(*record.Run) error) error) error {
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
		return e.fill(a.Out, "", fill)
	case !regular: // a pipe or a device
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		return errors.Join(e.fill(f, path, fill), f.Close())
	}
	return record.ReplaceFile(path, func(f *os.File) error { return e.fill(f, f.Name(), fill) })
}

// fill writes the runs to w, or to the database at path.
func (e *Flags) fill(w io.Writer, path string, fill func(add func(*record.Run) error) error) error {
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
