package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/pflag"

	"github.com/llama-regress/llama-regress/ci/config"
	"github.com/llama-regress/llama-regress/ci/llama"
	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/compare"
	"github.com/llama-regress/llama-regress/report"
)

// judged are the flags of commands that judge again what is measured, by the
// gate's own rules, and tell GitHub.
type judged struct {
	file   string
	pass   gateFlags
	loose  ignoring
	title  string
	accept string
}

func (j *judged) register(f *pflag.FlagSet) {
	f.StringVarP(&j.file, "config", "c", "", "configuration whose gate section holds the margins (default "+defaultConfig+" if there is one)")
	f.StringVar(&j.title, "title", "", "heading of the report")
	f.StringVar(&j.accept, "accept", "", `how a regression is accepted here, such as "add the label perf-accepted"`)
	j.pass.register(f)
	j.loose.register(f)
}

// policy is the configuration's gate with the flags over it.
func (j *judged) policy() (compare.Policy, error) {
	cfg, err := config.Default(), error(nil)
	path := j.file
	if path == "" {
		path = defaultConfig
	}
	read, err := config.Load(path)
	switch {
	case err == nil:
		cfg = read
	case j.file != "" || !errors.Is(err, fs.ErrNotExist):
		return compare.Policy{}, err
	}
	return j.pass.policy(cfg.Gate)
}

// read judges a folder with a run, one run record, or two files.
func (j *judged) read(args []string) (report.Report, error) {
	policy, err := j.policy()
	if err != nil {
		return report.Report{}, err
	}
	if len(args) == 0 {
		args = []string{"llama-regress-out"}
	}
	raw := llama.ImportOptions{Tool: tool()}
	j.loose.apply(&raw, &policy)
	res, src, err := compareFiles(args, raw, policy)
	if err == nil {
		err = j.loose.check(src.Base, src.Head)
	}
	if err != nil {
		return report.Report{}, err
	}
	return j.report(res, src), nil
}

// judge judges a run record that is read already.
func (j *judged) judge(run *record.Run, name string) (report.Report, error) {
	policy, err := j.policy()
	if err != nil {
		return report.Report{}, err
	}
	return j.report(compare.Run(run, policy), report.Source{Base: run, Head: run, BaseFile: name, HeadFile: name}), nil
}

func (j *judged) report(res *compare.Result, src report.Source) report.Report {
	src.Title, src.Accept = j.title, j.accept
	return newReport(res, src)
}

// reportsIn lists the report files beside a run, by kind.
func reportsIn(dir string) map[string]string {
	found := make(map[string]string)
	for kind, name := range reportFiles {
		path := filepath.Join(dir, name)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			found[kind] = path
		}
	}
	return found
}
