// Package judge judges again what is measured already: run records and output
// of llama-bench.
package judge

import (
	"github.com/spf13/pflag"

	"github.com/llama-regress/llama-regress/ci/llama"
	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/cmd/internal/cli"
	"github.com/llama-regress/llama-regress/cmd/internal/output"
	"github.com/llama-regress/llama-regress/cmd/internal/settings"
	"github.com/llama-regress/llama-regress/compare"
	"github.com/llama-regress/llama-regress/report"
)

// Flags are the flags of commands that judge again what is measured, by the
// gate's own rules, and tell GitHub.
type Flags struct {
	file   string
	pass   settings.GateFlags
	loose  Ignored
	raw    llama.ImportOptions
	title  string
	accept string
}

// Register defines the flags.
func (j *Flags) Register(f *pflag.FlagSet) {
	f.StringVarP(&j.file, "config", "c", "", "configuration whose gate section holds the margins (default "+cli.DefaultConfig+" if there is one)")
	f.StringVar(&j.title, "title", "", "heading of the report")
	f.StringVar(&j.accept, "accept", "", `how a regression is accepted here, such as "add the label perf-accepted"`)
	j.pass.Register(f)
	j.loose.Register(f)
	RegisterRaw(f, &j.raw)
}

// policy is the configuration's gate with the flags over it.
func (j *Flags) policy() (compare.Policy, error) {
	cfg, err := settings.LoadOrDefault(j.file)
	if err != nil {
		return compare.Policy{}, err
	}
	return j.pass.Policy(cfg.Gate)
}

// Read judges a folder with a run, one run record, or two files.
func (j *Flags) Read(args []string) (report.Report, error) {
	policy, err := j.policy()
	if err != nil {
		return report.Report{}, err
	}
	if len(args) == 0 {
		args = []string{"llama-regress-out"}
	}
	raw := j.raw
	raw.Tool = cli.Tool()
	j.loose.Apply(&raw, &policy)
	res, src, err := compareFiles(args, raw, policy)
	if err == nil {
		err = j.loose.Check(src.Base, src.Head)
	}
	if err != nil {
		return report.Report{}, err
	}
	return j.report(res, src), nil
}

// Judge judges a run record that is read already.
func (j *Flags) Judge(run *record.Run, name string) (report.Report, error) {
	policy, err := j.policy()
	if err != nil {
		return report.Report{}, err
	}
	return j.report(compare.Run(run, policy), report.Source{Base: run, Head: run, BaseFile: name, HeadFile: name}), nil
}

func (j *Flags) report(res *compare.Result, src report.Source) report.Report {
	src.Title, src.Accept = j.title, j.accept
	return output.NewReport(res, src)
}
