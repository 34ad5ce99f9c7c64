package judge

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/llama-regress/llama-regress/ci/export"
	"github.com/llama-regress/llama-regress/ci/llama"
	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/ci/runner"
	"github.com/llama-regress/llama-regress/cmd/internal/requests"
	"github.com/llama-regress/llama-regress/cmd/internal/stored"
	"github.com/llama-regress/llama-regress/compare"
	"github.com/llama-regress/llama-regress/report"
)

// compareFiles reads one or two files and compares them as their kind demands.
func compareFiles(args []string, raw llama.ImportOptions, policy compare.Policy) (*compare.Result, report.Source, error) {
	return With(args, policy, func(arg string) (compare.Selection, error) { return SelectArm(arg, raw) })
}

// With compares what read makes of one or two arguments.
func With(args []string, policy compare.Policy, read func(string) (compare.Selection, error)) (*compare.Result, report.Source, error) {
	base, err := read(args[0])
	if err != nil {
		return nil, report.Source{}, err
	}
	if len(args) == 1 {
		if len(base.Run.Arms) < 2 {
			return nil, report.Source{}, fmt.Errorf("%s has one arm; name a second file to compare it with, or compare it with stored sessions: '%s' before it", args[0], stored.Prefix)
		}
		return compare.Run(base.Run, policy), requests.With(report.Source{Base: base.Run, Head: base.Run, BaseFile: args[0], HeadFile: args[0]}), nil
	}
	head, err := read(args[1])
	if err != nil {
		return nil, report.Source{}, err
	}
	src := report.Source{Base: base.Run, Head: head.Run, BaseFile: args[0], HeadFile: args[1]}
	if shared, of := base.Run.Shared(base.Arm, head.Run, head.Arm); shared > 0 {
		return nil, report.Source{}, fmt.Errorf("%s and %s hold the same measurement: %d of %d trials of the second are trials of the first, of one start and with the same values; name what was measured apart", args[0], args[1], shared, of)
	}
	if base.Run.ID == head.Run.ID && base.Arm != head.Arm {
		head.Run.Baseline = base.Arm // two arms of one session: they are paired
		keep(head.Run, base.Arm, head.Arm)
		src.Base = head.Run
		return compare.Run(head.Run, policy), requests.With(src), nil
	}
	byMeans := summarizeAlike(base, head, args)
	record.Align(base.Run, base.Arm, head.Run, head.Arm)
	res := compare.Between(base, head, policy)
	if byMeans != "" {
		res.Notes = append(res.Notes, byMeans)
	}
	if note := oneBuildTwice(base, head); note != "" && len(res.Same) == 0 {
		res.Notes = append(res.Notes, note)
	}
	return res, requests.With(src), nil
}

// summarizeAlike makes means of one side's repetitions where the other has nothing
// but means, and says so.
func summarizeAlike(base, head compare.Selection, names []string) string {
	of, other := base.Run.Summarized(base.Arm), head.Run.Summarized(head.Arm)
	if of == other {
		return ""
	}
	means, rest, side := names[0], names[1], head
	if other {
		means, rest, side = names[1], names[0], base
	}
	if side.Run.Summarize(side.Arm) {
		return fmt.Sprintf("%s has means of repetitions and nothing else, so that %s is compared by its means too, not by medians.", means, rest)
	}
	return fmt.Sprintf("%s has the mean of each trial's repetitions and %s their median or one alone: part of a difference may come of that.", means, rest)
}

// oneBuildTwice notes that both sides say they are results of one build.
func oneBuildTwice(base, head compare.Selection) string {
	x, y := stored.ArmOf(base).Build, stored.ArmOf(head).Build
	if x.Commit == "" || x.Commit != y.Commit || x.Number != y.Number {
		return ""
	}
	return fmt.Sprintf("Both sides are results of one build, number %d of commit %s: was the second one built anew?", x.Number, x.Commit)
}

// keep drops the candidates nobody asked for; null controls stay.
func keep(run *record.Run, names ...string) {
	var arms []record.Arm
	var trials []record.Trial
	kept := make(map[string]bool)
	for _, arm := range run.Arms {
		for _, name := range names {
			if arm.Name == name || arm.ControlOf == name {
				kept[arm.Name] = true
			}
		}
		if kept[arm.Name] {
			arms = append(arms, arm)
		}
	}
	for _, t := range run.Trials {
		if kept[t.Arm] {
			trials = append(trials, t)
		}
	}
	run.Arms, run.Trials = arms, trials
}

// SelectArm reads FILE or FILE#ARM.
func SelectArm(arg string, raw llama.ImportOptions) (compare.Selection, error) {
	path, arm, named := strings.Cut(arg, "#")
	if _, err := os.Stat(arg); err == nil {
		path, arm, named = arg, "", false // the file's own name has a #
	}
	run, err := ReadMeasured(path, raw)
	if err != nil {
		return compare.Selection{}, err
	}
	if !named {
		return compare.Selection{Run: run, Arm: run.Baseline}, nil
	}
	return stored.PickArm(run, path, arm)
}

// ReadMeasured reads a run record, or raw llama-bench output as one. A folder
// stands for the run it holds.
func ReadMeasured(path string, raw llama.ImportOptions) (*record.Run, error) {
	path = runner.RecordAt(path)
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r := bufio.NewReader(f)
	start, _ := r.Peek(512) // every writer puts the schema first
	switch {
	case bytes.Contains(start, []byte(`"llama-regress/run/`)):
		if raw.Build != "" {
			return nil, fmt.Errorf("%s: this is a run record, whose arms are chosen by %s#ARM, not by a build", path, path)
		}
		run, err := record.Read(r, path)
		if err != nil {
			return nil, err
		}
		return IgnoreIn(run, path, raw.Ignore)
	case export.IsCSV(start):
		return export.ReadCSV(r, path)
	case llama.IsDatabase(start):
		return llama.ImportDatabase(path, raw)
	case bytes.Contains(start, []byte(`"llama-regress/report/`)):
		return nil, fmt.Errorf("%s: this is a report; compare the run.json beside it", path)
	case filepath.Base(path) == runner.JournalFile:
		return nil, fmt.Errorf("%s: this is the journal of an unfinished run; see what it holds with 'llama-regress report --dir %s'", path, filepath.Dir(path))
	}
	return llama.Import(path, r, raw)
}
