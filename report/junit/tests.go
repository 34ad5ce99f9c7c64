package junit

import (
	"fmt"
	"slices"
	"strings"

	"github.com/jstemmer/go-junit-report/v2/junit"

	"github.com/llama-regress/llama-regress/compare/history"
	"github.com/llama-regress/llama-regress/report"
)

// rowTest is one cell and metric.
func rowTest(row report.Row, g *group, r report.Report, machine string) test {
	t := newTest(testName(row), g, machine)
	t.seconds = row.Seconds
	t.Time = duration(row.Seconds)
	body := clip(details(row, r) + worked(row, r))
	switch row.Class {
	case report.Regression:
		t.Failure = &junit.Result{Message: message(row.Finding), Type: "regression", Data: body}
	case report.NotMeasured:
		t.Error = &junit.Result{Message: "not measured: " + message(row.Reason), Type: "measurement", Data: body}
	case report.Suspected, report.Inconclusive:
		result := &junit.Result{Message: "inconclusive: " + message(row.Reason), Type: "inconclusive", Data: body}
		if row.Fails {
			t.Failure = result
		} else {
			t.Skipped = result
		}
	case report.Unjudged:
		t.Skipped = &junit.Result{Message: "not judged: " + message(row.Reason), Type: "not_judged", Data: body}
	}
	t.SystemOut = &junit.Output{Data: annotations(row)}
	if t.Failure == nil && t.Error == nil && t.Skipped == nil {
		t.SystemOut.Data += body
	}
	return t
}

// trialsTest says whether every trial of a cell measured something.
func trialsTest(name report.Foreign, g *group, failures []report.Failure, servings []report.Serving, machine string) test {
	t := newTest("trials "+name.XMLName(maxName, ""), g, machine)
	t.Time = duration(0)
	numbers, said := served(servings)
	if numbers+said != "" {
		t.SystemOut = &junit.Output{Data: numbers + said}
	}
	if len(failures) == 0 {
		return t
	}
	var body, attachments strings.Builder
	for _, f := range report.GroupFailures(failures) {
		fmt.Fprintf(&body, "%d x %s with %s, first %s: %s\n", f.Count, line(f.Cause.Class()), line(f.Arm),
			line(f.Trial), f.Cause.Message().XML(maxMessage))
		if out := f.Cause.Stderr(); !out.IsEmpty() {
			body.WriteString(out.XMLBlock(maxBlock) + "\n")
		}
	}
	for _, f := range failures {
		if path := f.Log.LocalPath(); path != "" {
			fmt.Fprintf(&attachments, "[[ATTACHMENT|%s]]\n", path)
		}
	}
	first := failures[0].Cause
	t.Error = &junit.Result{Type: "measurement", Data: clip(body.String()),
		Message: fmt.Sprintf("%d failed, first by %s: %s", len(failures), line(first.Class()), first.Message().XML(maxMessage))}
	if attachments.Len() > 0 {
		t.SystemOut = &junit.Output{Data: numbers + attachments.String() + said}
	}
	return t
}

func nothingCompared(r report.Report, machine string) test {
	t := newTest("nothing compared", &group{name: "comparison"}, machine)
	t.Time = duration(0)
	t.Failure = &junit.Result{Type: "nothing_compared", Message: message(r.Lead), Data: message(r.Lead)}
	return t
}

// sentinelTest fails where the machine moved: then no other test of the session can.
func sentinelTest(r report.Report, machine string) test {
	t := newTest("sentinel", &group{name: "sentinel"}, machine)
	t.Time = duration(0)
	switch {
	case r.Sentinel.Moved():
		t.Failure = &junit.Result{Type: "machine_moved", Message: "the machine moved, not the build: " + message(r.Sentinel.Text), Data: message(r.Sentinel.Lead())}
	case r.Sentinel.State == history.SentinelMissing, r.Sentinel.State == history.SentinelLearning:
		t.Skipped = &junit.Result{Type: "sentinel", Message: message(r.Sentinel.Text)}
	default:
		t.SystemOut = &junit.Output{Data: message(r.Sentinel.Text)}
	}
	return t
}

// newTest is a test of a class that machine, workload and model name: the parts of
// a name with dots, which no part may have of its own, because readers take what
// follows the last dot for the class, or the whole for a path.
func newTest(name string, g *group, machine string) test {
	var parts []string
	for _, part := range append([]string{machine}, strings.SplitN(g.name, "/", 2)...) {
		if part != "" {
			parts = append(parts, strings.NewReplacer(".", "_", "/", "_").Replace(part))
		}
	}
	return test{Testcase: junit.Testcase{Name: name, Classname: strings.Join(parts, ".")}}
}

// details explains a row in lines, for consumers that show the content of an
// element and not its message.
func details(row report.Row, r report.Report) string {
	c, f := row.Comparison, row.Figures
	var b strings.Builder
	add := func(label, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%-12s%s\n", label+":", value)
		}
	}
	add("finding", message(row.Finding))
	add("reason", message(row.Reason))
	add("remedy", message(row.Remedy))
	for _, caveat := range row.Caveats {
		add("caveat", message(caveat))
	}
	add("metric", line(c.Metric.Name))
	add("cell", c.Cell.XML(maxMessage))
	add("baseline", strings.TrimSpace(line(c.Baseline.Arm)+" "+f.Baseline))
	add("candidate", strings.TrimSpace(line(c.Candidate.Arm)+" "+f.Candidate))
	add("change", f.Change)
	add("interval", strings.TrimSpace(f.Interval()+" "+f.Confidence))
	add("margin", f.Margin)
	add("noise", f.Noise)
	add("detectable", f.Detectable)
	if row.Class == report.Regression {
		i := slices.IndexFunc(r.Steps, func(s report.Step) bool { return s.Kind == report.Reproduce })
		if i >= 0 {
			add("reproduce", r.Steps[i].Command.XML(4*maxMessage))
		}
	}
	return clip(b.String())
}
