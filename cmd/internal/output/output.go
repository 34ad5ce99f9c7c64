// Package output writes a report to standard output and to files.
package output

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/cmd/internal/cli"
	"github.com/llama-regress/llama-regress/compare"
	"github.com/llama-regress/llama-regress/report"
	"github.com/llama-regress/llama-regress/report/html"
	"github.com/llama-regress/llama-regress/report/json"
	"github.com/llama-regress/llama-regress/report/junit"
	"github.com/llama-regress/llama-regress/report/markdown"
	"github.com/llama-regress/llama-regress/report/text"
)

// FilesIn lists the report files beside a run, by kind.
func FilesIn(dir string) map[string]string {
	found := make(map[string]string)
	for kind, name := range Files {
		path := filepath.Join(dir, name)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			found[kind] = path
		}
	}
	return found
}

// Files are the reports that every measurement leaves in its folder.
var Files = map[string]string{
	"html": "report.html", "json": "report.json", "junit": "junit.xml", "markdown": "report.md", "text": "report.txt",
}

// A Writer turns a report, of one comparison or of many nights, into bytes of
// one kind.
type Writer[R any] func(io.Writer, R) error

// Writers lists every kind of report by the name the flags use.
func Writers(a *cli.App) map[string]Writer[report.Report] {
	return map[string]Writer[report.Report]{
		"text":     func(w io.Writer, r report.Report) error { return text.Write(w, r, text.Options{Full: true}) },
		"json":     json.Write,
		"markdown": func(w io.Writer, r report.Report) error { return markdown.Write(w, r, markdown.Options{}) },
		"junit":    junit.Write,
		"html":     func(w io.Writer, r report.Report) error { return html.Write(w, r, html.Options{}) },
	}
}

// Flags are the flags that say where the report goes.
type Flags struct {
	Format   string
	Files    []string
	Title    string
	full     bool
	ExitZero bool
}

// Register defines the flags.
func (o *Flags) Register(f *pflag.FlagSet) {
	f.StringVar(&o.Format, "format", "text", "report on standard output: text, json, markdown, junit or html")
	f.StringArrayVarP(&o.Files, "out", "o", nil, "also write a report to a file: KIND=FILE with KIND as in --format; repeat for several")
	f.BoolVar(&o.full, "full", false, "list everything on the terminal, not only what asks for attention")
	f.StringVar(&o.Title, "title", "", "heading of the reports")
	f.BoolVar(&o.ExitZero, "exit-zero", false, "exit 0 whatever the verdict, for jobs that only advise")
}

// Check finds mistakes in the flags, and folders that cannot be made, before
// anything is measured.
func (o *Flags) Check(a *cli.App) error { return CheckAs(a, *o, Writers(a)) }

// CheckAs is Check for what other writers write.
func CheckAs[R any](a *cli.App, o Flags, writers map[string]Writer[R]) error {
	targets, err := targets(a, o, writers)
	if err != nil {
		return err
	}
	for _, t := range targets {
		if err := os.MkdirAll(filepath.Dir(t.path), 0o755); err != nil {
			return err
		}
	}
	return nil
}

// Spare refuses to replace what is about to be read.
func (o *Flags) Spare(a *cli.App, inputs []string) error {
	targets, err := targets(a, *o, Writers(a))
	if err != nil {
		return err
	}
	for _, t := range targets {
		out, err := os.Stat(t.path)
		if err != nil {
			continue
		}
		for _, path := range inputs {
			if in, err := os.Stat(path); err == nil && os.SameFile(in, out) {
				return fmt.Errorf("--out would replace %s, which is being compared: name another file", path)
			}
		}
	}
	return nil
}

// A target is one file to write.
type target[R any] struct {
	path  string
	write Writer[R]
}

// targets are the files that the flags ask for, every kind of which has a
// writer.
func targets[R any](a *cli.App, o Flags, writers map[string]Writer[R]) ([]target[R], error) {
	if _, ok := writers[o.Format]; !ok {
		return nil, fmt.Errorf("--format %q: want one of %s", o.Format, Kinds(writers))
	}
	if _, err := a.Colored(a.Out); err != nil {
		return nil, err
	}
	var ts []target[R]
	for _, f := range o.Files {
		kind, path, ok := strings.Cut(f, "=")
		if _, known := writers[kind]; !ok || !known || path == "" {
			return nil, fmt.Errorf("--out %s: want KIND=FILE with KIND one of %s", f, Kinds(writers))
		}
		ts = append(ts, target[R]{path, writers[kind]})
	}
	return ts, nil
}

// Kinds lists the names of writers in order.
func Kinds[R any](writers map[string]Writer[R]) string {
	var names []string
	for name := range writers {
		names = append(names, name)
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// Conclude reports a result everywhere it is wanted and returns the error that
// carries its exit code.
func Conclude(a *cli.App, res *compare.Result, src report.Source, o Flags) error {
	src.Title = o.Title
	if err := Emit(a, NewReport(res, src), o); err != nil {
		return err
	}
	if o.ExitZero {
		return nil
	}
	return cli.Exit(cli.ExitCode(res.Outcome()))
}

// Emit writes the report to standard output and to every file asked for.
func Emit(a *cli.App, r report.Report, o Flags) error { return EmitAs(a, r, o, Writers(a), text.Write) }

// EmitAs is that of any kind of report; onTerminal writes the text for one. A
// file that cannot be written does not keep the others from being.
func EmitAs[R any](a *cli.App, r R, o Flags, writers map[string]Writer[R], onTerminal func(io.Writer, R, text.Options) error) error {
	targets, err := targets(a, o, writers)
	if err != nil {
		return err
	}
	colored, err := a.Colored(a.Out)
	if err != nil {
		return err
	}
	write := writers[o.Format]
	if o.Format == "text" {
		write = func(w io.Writer, r R) error {
			return onTerminal(w, r, text.Options{Color: colored, Width: cli.Width(a.Out), Full: o.full})
		}
	}
	faults := []error{write(a.Out, r)}
	for _, t := range targets {
		faults = append(faults, writeReport(t.path, r, t.write))
	}
	return errors.Join(faults...)
}

// writeReport replaces a file at once, so that a reader never sees half a
// report. What is no regular file, such as a pipe or a device, is written to.
func writeReport[R any](path string, r R, write Writer[R]) error {
	var b bytes.Buffer
	if err := write(&b, r); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	// Also a link that leads nowhere yet: writing makes what it names.
	if info, err := os.Lstat(path); err == nil && !info.Mode().IsRegular() {
		return os.WriteFile(path, b.Bytes(), 0o644)
	}
	return record.WriteAtomically(path, b.Bytes())
}

// NewReport says beside a result which calibration stands behind its verdicts.
func NewReport(res *compare.Result, src report.Source) report.Report {
	src.Calibration = compare.Calibration()
	return report.New(res, src)
}
