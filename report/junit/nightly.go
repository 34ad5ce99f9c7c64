package junit

import (
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/jstemmer/go-junit-report/v2/junit"

	"github.com/llama-regress/llama-regress/compare"
	"github.com/llama-regress/llama-regress/report"
)

// WriteNightly writes a suite for each machine, and in it a test for each trend
// that the last night has:
//
//	a regression of it is open               failure
//	the last night ran it, measured nothing  error
//	no longer measured                       skipped
//	suspected last night, or not judged      skipped; the former is a failure where the policy says so
//	anything else                            passed
func WriteNightly(w io.Writer, n report.Nightly) error {
	all := junit.Testsuites{Name: "llama-regress nightly"}
	for _, m := range n.Machines {
		suite := junit.Testsuite{Name: "nightly/" + m.Name, ID: len(all.Suites), Hostname: m.Name, Time: duration(0)}
		suite.SetTimestamp(m.Night.Started.UTC())
		for _, f := range n.Facts {
			suite.AddProperty(line(f.Key, maxName), line(f.Value.String(), maxMessage))
		}
		g := &group{name: suite.Name}
		for _, t := range m.Trends {
			if !t.Gone || t.Lost {
				g.tests = append(g.tests, trendTest(t, m, n.Policy, g))
			}
		}
		g.sort()
		for _, t := range g.tests {
			suite.AddTestcase(t.Testcase)
		}
		all.AddSuite(suite)
	}
	if n.Outcome == compare.NothingCompared {
		suite := junit.Testsuite{Name: "nightly", Time: duration(0)}
		t := newTest("nothing stored", &group{name: "nightly"}, "")
		t.Time = duration(0)
		t.Failure = &junit.Result{Type: "nothing_compared", Message: message(n.Lead), Data: message(n.Lead)}
		suite.AddTestcase(t.Testcase)
		all.AddSuite(suite)
	}
	all.Time, all.Skipped = duration(0), 0
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	return all.WriteXML(w)
}

func trendTest(t report.Trend, m report.NightlyMachine, policy compare.Policy, g *group) test {
	name := t.Metric + " " + t.Cell
	c := newTest(unique(name, name), g, "")
	c.Time = duration(0)
	said := fmt.Sprintf("latest: %s\n", t.Latest)
	for _, p := range m.ChangePoints {
		if p.Open() && slices.Contains(p.Series, t.ID) {
			c.Failure = &junit.Result{Type: "regression", Message: message(p.Title), Data: clip(pointDetails(p) + said)}
			return c
		}
	}
	missed := slices.ContainsFunc(t.Missed, func(n report.Night) bool { return n.Key == m.Night.Key })
	row := lastRow(t, m)
	switch {
	case t.Lost:
		why := "not measured since " + t.Ran.Started.UTC().Format(time.DateOnly) + ", the last night that had it"
		c.Skipped = &junit.Result{Type: "lost", Message: why, Data: said}
	case missed:
		why := "the last night measured nothing"
		if row != nil && len(row.Reason) > 0 {
			why = message(row.Reason)
		}
		c.Error = &junit.Result{Type: "measurement", Message: "not measured: " + why, Data: why}
	case row != nil && row.Class == report.Suspected:
		result := &junit.Result{Type: "inconclusive", Message: "suspected: " + message(row.Finding), Data: clip(message(row.Reason) + "\n" + said)}
		if policy.InconclusiveFails {
			c.Failure = result
		} else {
			c.Skipped = result
		}
	case !t.Judged:
		c.Skipped = &junit.Result{Type: "not_judged", Message: "not judged: no margin is set for this metric", Data: said}
	default:
		c.SystemOut = &junit.Output{Data: said}
	}
	return c
}

// lastRow is the last night's comparison of a trend, nil without one.
func lastRow(t report.Trend, m report.NightlyMachine) *report.Row {
	if m.Last == nil {
		return nil
	}
	for i := range m.Last.Rows {
		if c := m.Last.Rows[i].Comparison; c.Cell == t.Cell && c.Metric.Name == t.Metric {
			return &m.Last.Rows[i]
		}
	}
	return nil
}

func pointDetails(p report.ChangePoint) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n%s\n", message(p.Title), message(p.When))
	for _, caveat := range p.Caveats {
		fmt.Fprintf(&b, "%s\n", message(caveat))
	}
	if len(p.CommitsUnder) > 0 {
		fmt.Fprintf(&b, "%s\n", message(p.CommitsUnder))
	}
	for i, c := range p.Commits {
		if i == 20 {
			break
		}
		fmt.Fprintf(&b, "  %s %s (%s)\n", line(c.SHA[:min(len(c.SHA), 12)], 12), line(c.Subject, maxName), line(c.Author, 60))
	}
	for _, s := range p.Steps {
		fmt.Fprintf(&b, "%s %s\n", message(s.Text), line(s.Command, maxMessage*4))
	}
	return b.String()
}
