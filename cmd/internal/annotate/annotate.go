// Package annotate is the command that tells a GitHub Actions job what was
// found.
package annotate

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/llama-regress/llama-regress/ci/github"
	"github.com/llama-regress/llama-regress/ci/runner"
	"github.com/llama-regress/llama-regress/cmd/internal/cli"
	"github.com/llama-regress/llama-regress/cmd/internal/judge"
	"github.com/llama-regress/llama-regress/cmd/internal/output"
	"github.com/llama-regress/llama-regress/cmd/internal/posting"
	"github.com/llama-regress/llama-regress/report"
)

// Command is 'llama-regress annotate'.
func Command(a *cli.App) *cobra.Command {
	var (
		what judge.Flags
		only []string
	)
	cmd := &cobra.Command{
		Use:   "annotate [DIR | BASE HEAD]",
		Short: "Tell a GitHub Actions job: step summary, annotations, outputs",
		Long: `Judges a measured run again and tells the job it runs in: the report as step
summary (GITHUB_STEP_SUMMARY), at most 10 errors, 10 warnings and 10 notices
beside the job, and outputs for later steps (GITHUB_OUTPUT): verdict, exit-code,
headline, total, regressions, improvements, equivalent, inconclusive, suspected,
unmeasured, unjudged, no-failure, run and, where the files are there, report-html,
report-json, report-junit, report-markdown, report-text.

Needs no token. The exit code says only whether that could be done; the verdict's
is the one of 'llama-regress gate'.`,
		Example: `  llama-regress annotate
  llama-regress annotate llama-regress-out --only summary,outputs`,
		Args: cobra.MaximumNArgs(2),
		RunE: func(_ *cobra.Command, args []string) error {
			for _, part := range only {
				if !slices.Contains(annotateParts, part) {
					return fmt.Errorf("--only %s: want some of %s", part, strings.Join(annotateParts, ", "))
				}
			}
			rep, err := what.Read(args)
			if err != nil {
				return err
			}
			dir := "llama-regress-out"
			if len(args) > 0 {
				dir = args[0]
			}
			return annotate(a, rep, dir, only)
		},
	}
	what.Register(cmd.Flags())
	cmd.Flags().StringSliceVar(&only, "only", nil, "do only some: "+strings.Join(annotateParts, ", "))
	return cmd
}

var annotateParts = []string{"summary", "annotations", "outputs"}

// annotate does the parts asked for; without only, those that this place has
// room for.
func annotate(a *cli.App, rep report.Report, dir string, only []string) error {
	wanted := func(part string) bool { return len(only) == 0 || slices.Contains(only, part) }
	file := func(part, variable string) (string, error) {
		path := a.Getenv(variable)
		if path != "" || !wanted(part) {
			return path, nil
		}
		if len(only) > 0 {
			return "", fmt.Errorf("--only %s: %s is not set; this works inside a GitHub Actions step", part, variable)
		}
		fmt.Fprintf(a.Err, "no %s: %s is not set\n", part, variable)
		return "", nil
	}
	summary, err := file("summary", "GITHUB_STEP_SUMMARY")
	if err != nil {
		return err
	}
	outputs, err := file("outputs", "GITHUB_OUTPUT")
	if err != nil {
		return err
	}
	if wanted("annotations") {
		if err := github.Annotate(a.Out, annotations(rep)); err != nil {
			return err
		}
	}
	if wanted("summary") && summary != "" {
		if err := posting.Summarize(summary, rep, ""); err != nil {
			return err
		}
	}
	if wanted("outputs") && outputs != "" {
		return github.AppendOutputs(outputs, outputsOf(rep, dir))
	}
	return nil
}

// annotations lists what asks for attention, in the report's order.
func annotations(rep report.Report) []github.Annotation {
	var list []github.Annotation
	add := func(s github.Severity, title, message string) {
		list = append(list, github.Annotation{Severity: s, Title: report.Line(title, 120), Message: report.Line(message, 1000)})
	}
	for _, row := range rep.Rows {
		c := row.Comparison
		title := fmt.Sprintf("%s of %s with %s", c.Metric.Name.Terminal(40), row.Label.Terminal(60), c.Candidate.Arm.Terminal(40))
		switch row.Class {
		case report.Regression:
			add(github.Error, "Regression: "+title, row.Finding.Terminal())
		case report.NotMeasured:
			add(github.Error, "Not measured: "+title, row.Reason.Terminal())
		case report.Suspected:
			add(github.Warning, "Suspected regression: "+title, row.Finding.Terminal()+"; "+row.Remedy.Terminal())
		case report.Improvement:
			add(github.Notice, "Improvement: "+title, row.Finding.Terminal())
		}
	}
	for _, g := range report.GroupFailures(rep.Failures) {
		add(github.Error, fmt.Sprintf("%d failed: %s in %s with %s", g.Count, g.Cause.Class().Terminal(40), g.Label.Terminal(60), g.Arm.Terminal(40)), g.Cause.Message().Terminal(1000))
	}
	switch {
	case len(rep.Rows) == 0:
		add(github.Error, rep.Status, rep.Lead.Terminal())
	case rep.ControlFired:
		add(github.Warning, rep.Status, rep.Lead.Terminal())
	}
	return list
}

// outputsOf are the values for later steps. Only paths that the user named and
// words and numbers of our own are among them.
func outputsOf(rep report.Report, dir string) []github.Output {
	n := rep.Counts
	list := []github.Output{
		{Name: "verdict", Value: string(rep.Outcome)},
		{Name: "exit-code", Value: strconv.Itoa(cli.ExitCode(rep.Outcome))},
		{Name: "headline", Value: rep.Headline},
	}
	for _, count := range []struct {
		name string
		n    int
	}{
		{"total", n.Total}, {"regressions", n.Regressions}, {"improvements", n.Improvements}, {"equivalent", n.Equivalent},
		{"inconclusive", n.Inconclusive}, {"suspected", n.Suspected}, {"unmeasured", n.Unmeasured}, {"unjudged", n.Unjudged}, {"no-failure", n.NoFailure},
	} {
		list = append(list, github.Output{Name: count.name, Value: strconv.Itoa(count.n)})
	}
	plain := len(list)
	for _, k := range output.Kinds {
		path := filepath.Join(dir, k.File)
		if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
			continue
		}
		if len(list) == plain {
			list = append(list, github.Output{Name: "run", Value: filepath.Join(dir, runner.RecordFile)})
		}
		list = append(list, github.Output{Name: "report-" + k.Name, Value: path})
	}
	return list
}
