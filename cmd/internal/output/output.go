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
	"github.com/llama-regress/llama-regress/cmd/internal/hook"
	"github.com/llama-regress/llama-regress/compare"
	"github.com/llama-regress/llama-regress/report"
	"github.com/llama-regress/llama-regress/report/html"
	"github.com/llama-regress/llama-regress/report/json"
	"github.com/llama-regress/llama-regress/report/junit"
	"github.com/llama-regress/llama-regress/report/markdown"
	"github.com/llama-regress/llama-regress/report/text"
)

// A Writer turns a report, of one comparison or of many nights, into bytes of
// one kind.
type Writer[R any] func(io.Writer, R) error

// A Kind is one kind of report.
type Kind struct {
	Name   string // as flags have it
	File   string // that a measurement leaves in its folder
	Report Writer[report.Report]
	Nights Writer[report.Nightly] // nil where there is none
}

// Kinds are all kinds, by name.
var Kinds = []Kind{
	{"html", "report.html",
		func(w io.Writer, r report.Report) error { return html.Write(w, r, html.Options{}) },
		func(w io.Writer, n report.Nightly) error { return html.WriteNightly(w, n, html.Options{}) }},
	{"json", "report.json", json.Write, json.WriteNightly},
	{"junit", "junit.xml", junit.Write, nil},
	{"markdown", "report.md",
		func(w io.Writer, r report.Report) error { return markdown.Write(w, r, markdown.Options{}) },
		func(w io.Writer, n report.Nightly) error { return markdown.WriteNightly(w, n, markdown.Options{}) }},
	{"text", "report.txt",
		func(w io.Writer, r report.Report) error { return text.Write(w, r, text.Options{Full: true}) },
		func(w io.Writer, n report.Nightly) error { return text.WriteNightly(w, n, text.Options{Full: true}) }},
}

// Names lists the kinds as flags have them.
func Names() []string { return namesOf(ofReport) }

func ofReport(k *Kind) Writer[report.Report]  { return k.Report }
func ofNights(k *Kind) Writer[report.Nightly] { return k.Nights }

// namesOf lists the kinds that writer finds one for.
func namesOf[R any](writer func(*Kind) Writer[R]) []string {
	var names []string
	for i := range Kinds {
		if writer(&Kinds[i]) != nil {
			names = append(names, Kinds[i].Name)
		}
	}
	return names
}

// FilesIn returns values of --out: every kind of report in a folder.
func FilesIn(dir string) []string {
	var files []string
	for _, k := range Kinds {
		files = append(files, k.Name+"="+filepath.Join(dir, k.File))
	}
	return files
}

// Flags are the flags that say where the report goes.
type Flags struct {
	Format   string
	Files    []string
	Title    string
	full     bool
	ExitZero bool

	hook       string // form of the notice: json or slack; "" for none
	hookAlways bool   // of a pass, too
}

// Register defines the flags.
func (o *Flags) Register(f *pflag.FlagSet) {
	f.StringVar(&o.Format, "format", "text", "report on standard output: text, json, markdown, junit or html")
	f.StringArrayVarP(&o.Files, "out", "o", nil, "also write a report to a file: KIND=FILE with KIND as in --format; repeat for several")
	f.BoolVar(&o.full, "full", false, "list everything on the terminal, not only what asks for attention")
	f.StringVar(&o.Title, "title", "", "heading of the reports")
	f.BoolVar(&o.ExitZero, "exit-zero", false, "exit 0 whatever the verdict, for jobs that only advise")
}

// RegisterHook defines the flags that tell a web hook.
func (o *Flags) RegisterHook(f *pflag.FlagSet) {
	f.StringVar(&o.hook, "webhook", "", "post the verdict to the address in "+HookVariable+" unless it is a pass: json, or slack for Slack and Mattermost")
	f.BoolVar(&o.hookAlways, "webhook-always", false, "post passes, too")
}

// Check finds mistakes in the flags, and folders that cannot be made, before
// anything is measured.
func (o *Flags) Check(a *cli.App) error { return check(a, *o, ofReport) }

// CheckNights is Check for the report of many nights.
func (o *Flags) CheckNights(a *cli.App) error { return check(a, *o, ofNights) }

func check[R any](a *cli.App, o Flags, writer func(*Kind) Writer[R]) error {
	targets, err := targets(a, o, writer)
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
	targets, err := targets(a, *o, ofReport)
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
func targets[R any](a *cli.App, o Flags, writer func(*Kind) Writer[R]) ([]target[R], error) {
	writers := make(map[string]Writer[R])
	for i := range Kinds {
		if w := writer(&Kinds[i]); w != nil {
			writers[Kinds[i].Name] = w
		}
	}
	known := strings.Join(namesOf(writer), ", ")
	if writers[o.Format] == nil {
		return nil, fmt.Errorf("--format %q: want one of %s", o.Format, known)
	}
	if _, err := a.Colored(a.Out); err != nil {
		return nil, err
	}
	if err := checkHook(a, o); err != nil {
		return nil, err
	}
	var ts []target[R]
	for _, f := range o.Files {
		kind, path, _ := strings.Cut(f, "=")
		if writers[kind] == nil || path == "" {
			return nil, fmt.Errorf("--out %s: want KIND=FILE with KIND one of %s", f, known)
		}
		ts = append(ts, target[R]{path, writers[kind]})
	}
	return ts, nil
}

// Conclude reports a result everywhere it is wanted and returns the error that
// carries its exit code.
func Conclude(a *cli.App, res *compare.Result, src report.Source, o Flags) error {
	src.Title = o.Title
	r := NewReport(res, src)
	err := Emit(a, r, o)
	tell(a, o, hook.Of(r, runPage(a)))
	if err != nil || o.ExitZero {
		return err
	}
	return cli.Exit(cli.ExitCode(r.Outcome))
}

// Emit writes the report to standard output and to every file asked for.
func Emit(a *cli.App, r report.Report, o Flags) error { return emit(a, r, o, ofReport, text.Write) }

// EmitNights does so with the report of many nights.
func EmitNights(a *cli.App, n report.Nightly, o Flags) error {
	err := emit(a, n, o, ofNights, text.WriteNightly)
	tell(a, o, hook.OfNights(n, runPage(a)))
	return err
}

// emit is that of any report; onTerminal writes the text for one. A file that
// cannot be written does not keep the others from being.
func emit[R any](a *cli.App, r R, o Flags, writer func(*Kind) Writer[R], onTerminal func(io.Writer, R, text.Options) error) error {
	targets, err := targets(a, o, writer)
	if err != nil {
		return err
	}
	colored, err := a.Colored(a.Out)
	if err != nil {
		return err
	}
	faults := make([]error, 1, len(targets)+1)
	if o.Format == "text" {
		faults[0] = onTerminal(a.Out, r, text.Options{Color: colored, Width: cli.Width(a.Out), Full: o.full})
	} else {
		faults[0] = writer(&Kinds[slices.Index(Names(), o.Format)])(a.Out, r)
	}
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
