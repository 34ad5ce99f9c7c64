package bisect

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"text/tabwriter"

	"github.com/llama-regress/llama-regress/ci/bisect"
	"github.com/llama-regress/llama-regress/cmd/internal/cli"
	"github.com/llama-regress/llama-regress/cmd/internal/output"
	"github.com/llama-regress/llama-regress/compare"
	"github.com/llama-regress/llama-regress/report"
)

// words says what a step found.
func (s bisectStep) words() string {
	if s.Mark == bisect.Skip {
		return "skipped: " + cli.Printable(s.Why)
	}
	return fmt.Sprintf("%s: %s, %s", s.Mark, changeText(&s), s.often())
}

// often is how often it was measured.
func (s *bisectStep) often() string {
	if s.Count > 0 {
		return "counted once"
	}
	return fmt.Sprintf("%d blocks", s.Blocks)
}

// changeText is a step's change with its interval.
func changeText(s *bisectStep) string {
	if s.Change == nil {
		return "not measured"
	}
	text := fmt.Sprintf("%+.2f%%", 100**s.Change)
	if iv := s.Interval; iv != nil {
		text += fmt.Sprintf(" (%.4g%% interval %+.2f%% to %+.2f%%)", 100*iv.Confidence, 100*iv.Low, 100*iv.High)
	}
	return text
}

// nothing reports two ends that do not differ.
func (b *bisection) nothing(res *compare.Result, src report.Source) error {
	why := "no metric of the bad end is a regression against the good one, so there is no first bad commit to look for"
	if res.ControlFired {
		why = "the good end differed from itself when measured twice, so nothing found here would mean anything"
	}
	if err := output.Emit(b.app, output.NewReport(res, src), output.Flags{Format: "text"}); err != nil {
		return err
	}
	return &cli.ExitError{Code: cli.ExitInconclusive, Err: errors.New(why)}
}

// conclude prints what was found.
func (b *bisection) conclude() error {
	l := b.log
	w := tabwriter.NewWriter(b.app.Out, 0, 0, 2, ' ', 0)
	row := func(label, format string, args ...any) {
		fmt.Fprintf(w, "%s\t%s\n", label, fmt.Sprintf(format, args...))
	}
	if l.First != nil {
		row("first bad commit", "%s", l.First.SHA)
		row("", "%s", cli.Printable(l.First.Subject))
		row("", "%s, %s", cli.Printable(l.First.Author), cli.Printable(l.First.Date))
		if e := l.Effect; e.Change == nil {
			row("effect", "not measured against its parent %s: %s", e.Against[:min(10, len(e.Against))], cli.Printable(e.Why))
		} else {
			row("effect", "%s of %s: %s against its parent %s, %s", cli.Printable(l.Split.Metric.Name), cli.Printable(l.Split.Cell), changeText(e), e.Against[:min(10, len(e.Against))], e.often())
			for i, f := range e.Functions {
				label := ""
				if i == 0 {
					label = "functions"
				}
				name := cmp.Or(f.Name, "renamed or inlined functions of "+cmp.Or(f.File, f.Object))
				row(label, "%s %+.2f%% of the work", cli.Printable(name), 100*f.Share)
			}
		}
	} else {
		row("not found", "only commits that were skipped are left; the first bad one is one of these %d:", len(l.Candidates))
		for _, c := range l.Candidates {
			row("", "%s %s", c.Short(), cli.Printable(c.Subject))
		}
	}
	row("from end to end", "%s from %s to %s", changeText(l.Ends), l.Good.Short(), l.Bad.Short())
	skipped := 0
	for _, s := range l.Steps {
		if s.Mark == bisect.Skip {
			skipped++
		}
	}
	row("steps", "%d, of which %d skipped, in %v", len(l.Steps), skipped, l.spent())
	row("log", "%s", filepath.Join(b.how.Dir, bisectFile))
	return w.Flush()
}
