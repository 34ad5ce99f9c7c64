package main

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
	"github.com/llama-regress/llama-regress/compare"
	"github.com/llama-regress/llama-regress/report"
	"github.com/llama-regress/llama-regress/report/html"
	"github.com/llama-regress/llama-regress/report/json"
	"github.com/llama-regress/llama-regress/report/junit"
	"github.com/llama-regress/llama-regress/report/markdown"
	"github.com/llama-regress/llama-regress/report/text"
)

// A writer turns a report, of one comparison or of many nights, into bytes of
// one kind.
type writer[R any] func(io.Writer, R) error

// writers lists every kind of report by the name the flags use.
func (a *app) writers() map[string]writer[report.Report] {
	return map[string]writer[report.Report]{
		"text":     func(w io.Writer, r report.Report) error { return text.Write(w, r, text.Options{Full: true}) },
		"json":     json.Write,
		"markdown": func(w io.Writer, r report.Report) error { return markdown.Write(w, r, markdown.Options{}) },
		"junit":    junit.Write,
		"html":     func(w io.Writer, r report.Report) error { return html.Write(w, r, html.Options{}) },
	}
}

// outputs are the flags that say where the report goes.
type outputs struct {
	format   string
	files    []string
	title    string
	full     bool
	exitZero bool
}

func (o *outputs) register(f *pflag.FlagSet) {
	f.StringVar(&o.format, "format", "text", "report on standard output: text, json, markdown, junit or html")
	f.StringArrayVarP(&o.files, "out", "o", nil, "also write a report to a file: KIND=FILE with KIND as in --format; repeat for several")
	f.BoolVar(&o.full, "full", false, "list everything on the terminal, not only what asks for attention")
	f.StringVar(&o.title, "title", "", "heading of the reports")
	f.BoolVar(&o.exitZero, "exit-zero", false, "exit 0 whatever the verdict, for jobs that only advise")
}

// check finds mistakes in the flags, and folders that cannot be made, before
// anything is measured.
func (o *outputs) check(a *app) error {
	targets, err := targets(a, *o, a.writers())
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

// spare refuses to replace what is about to be read.
func (o *outputs) spare(a *app, inputs []string) error {
	targets, err := targets(a, *o, a.writers())
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
	write writer[R]
}

// targets are the files that the flags ask for, every kind of which has a
// writer.
func targets[R any](a *app, o outputs, writers map[string]writer[R]) ([]target[R], error) {
	if _, ok := writers[o.format]; !ok {
		return nil, fmt.Errorf("--format %q: want one of %s", o.format, kinds(writers))
	}
	if _, err := a.colored(a.out); err != nil {
		return nil, err
	}
	var ts []target[R]
	for _, f := range o.files {
		kind, path, ok := strings.Cut(f, "=")
		if _, known := writers[kind]; !ok || !known || path == "" {
			return nil, fmt.Errorf("--out %s: want KIND=FILE with KIND one of %s", f, kinds(writers))
		}
		ts = append(ts, target[R]{path, writers[kind]})
	}
	return ts, nil
}

func kinds[R any](writers map[string]writer[R]) string {
	var names []string
	for name := range writers {
		names = append(names, name)
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// conclude reports a result everywhere it is wanted and returns the error that
// carries its exit code.
func (a *app) conclude(res *compare.Result, src report.Source, o outputs) error {
	src.Title = o.title
	if err := a.emit(newReport(res, src), o); err != nil {
		return err
	}
	if o.exitZero {
		return nil
	}
	return exitWith(exitCode(res.Outcome()))
}

// emit writes the report to standard output and to every file asked for.
func (a *app) emit(r report.Report, o outputs) error { return emit(a, r, o, a.writers(), text.Write) }

// emit is that of any kind of report; onTerminal writes the text for one. A
// file that cannot be written does not keep the others from being.
func emit[R any](a *app, r R, o outputs, writers map[string]writer[R], onTerminal func(io.Writer, R, text.Options) error) error {
	targets, err := targets(a, o, writers)
	if err != nil {
		return err
	}
	colored, err := a.colored(a.out)
	if err != nil {
		return err
	}
	write := writers[o.format]
	if o.format == "text" {
		write = func(w io.Writer, r R) error {
			return onTerminal(w, r, text.Options{Color: colored, Width: width(a.out), Full: o.full})
		}
	}
	faults := []error{write(a.out, r)}
	for _, t := range targets {
		faults = append(faults, writeReport(t.path, r, t.write))
	}
	return errors.Join(faults...)
}

// writeReport replaces a file at once, so that a reader never sees half a
// report. What is no regular file, such as a pipe or a device, is written to.
func writeReport[R any](path string, r R, write writer[R]) error {
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

// newReport says beside a result which calibration stands behind its verdicts.
func newReport(res *compare.Result, src report.Source) report.Report {
	src.Calibration = compare.Calibration()
	return report.New(res, src)
}
