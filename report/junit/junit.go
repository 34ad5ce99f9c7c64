package junit

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"io"
	"slices"

	"github.com/jstemmer/go-junit-report/v2/junit"

	"github.com/llama-regress/llama-regress/compare"
	"github.com/llama-regress/llama-regress/report"
)

// Write writes r to w.
func Write(w io.Writer, r report.Report) error {
	all := junit.Testsuites{Name: "llama-regress"}
	total := 0.0
	for _, s := range suites(r) {
		seconds := 0.0
		suite := s.suite(r, len(all.Suites))
		for _, t := range s.tests {
			seconds += t.seconds
			suite.AddTestcase(t.Testcase)
		}
		suite.Time = duration(seconds)
		total += seconds
		all.AddSuite(suite)
	}
	all.Time = duration(total)
	all.Skipped = 0 // junit-10.xsd knows it of suites only
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	return all.WriteXML(w)
}

// mostDifferences is how many differences of the sides a suite has among its
// properties.
const mostDifferences = 40

// duration is what every consumer reads: three decimals, no exponent.
func duration(seconds float64) string { return fmt.Sprintf("%.3f", min(seconds, 1e9)) }

// A group is a suite in the making.
type group struct {
	name  string
	rows  []report.Row
	tests []test
}

type test struct {
	junit.Testcase
	seconds float64
}

// suites sorts the rows and failures of a report into suites.
func suites(r report.Report) []*group {
	byName := make(map[string]*group)
	var list []*group
	of := func(name string) *group {
		if byName[name] == nil {
			byName[name] = &group{name: name}
			list = append(list, byName[name])
		}
		return byName[name]
	}
	machine := r.Fact("machine").XML(maxName)
	cells := make(map[report.Foreign]bool)
	failures := make(map[report.Foreign][]report.Failure)
	for _, f := range r.Failures {
		failures[f.Cell] = append(failures[f.Cell], f)
	}
	servings := make(map[report.Foreign][]report.Serving)
	for _, s := range r.Serving {
		servings[s.Cell] = append(servings[s.Cell], s)
	}
	for _, row := range r.Rows {
		c := row.Comparison
		g := of(suiteName(c))
		g.rows = append(g.rows, row)
		g.tests = append(g.tests, rowTest(row, g, r, machine))
		if !cells[c.Cell] {
			cells[c.Cell] = true
			g.tests = append(g.tests, trialsTest(cmp.Or(c.ParamText(), c.Cell), g, failures[c.Cell], servings[c.Cell], machine))
		}
	}
	for _, f := range r.Failures {
		if !cells[f.Cell] { // of a cell that was not even compared
			cells[f.Cell] = true
			g := of("trials")
			g.tests = append(g.tests, trialsTest(f.Cell, g, failures[f.Cell], servings[f.Cell], machine))
		}
	}
	if r.Outcome == compare.NothingCompared {
		g := of("comparison")
		g.tests = append(g.tests, nothingCompared(r, machine))
	}
	if r.Sentinel != nil {
		g := of("sentinel")
		g.tests = append(g.tests, sentinelTest(r, machine))
	}
	for _, g := range list {
		g.sort()
	}
	slices.SortFunc(list, func(a, b *group) int { return cmp.Compare(a.name, b.name) })
	return list
}

// sort orders the tests by name and numbers those of one name, of which
// consumers would drop all but one.
func (g *group) sort() {
	slices.SortStableFunc(g.tests, func(a, b test) int { return cmp.Compare(a.Name, b.Name) })
	seen := make(map[string]bool, len(g.tests))
	for i := range g.tests {
		t := &g.tests[i]
		for name, n := t.Name, 2; seen[t.Name]; n++ {
			t.Name = fmt.Sprintf("%s #%d", name, n)
		}
		seen[t.Name] = true
	}
}

// suite makes the suite itself, with the facts as its properties.
func (g *group) suite(r report.Report, id int) junit.Testsuite {
	s := junit.Testsuite{Name: g.name, ID: id, Hostname: r.Fact("machine").XML(maxName)}
	if files := r.Fact("compared"); len(files) > 0 { // what readers annotate; without it they make a path of the class
		s.File = message(files[len(files)-1:])
	}
	if !r.Time.IsZero() {
		s.SetTimestamp(r.Time.UTC())
	}
	s.AddProperty("headline", r.Headline)
	for i, d := range r.Differences {
		if i == mostDifferences {
			break
		}
		s.AddProperty("differs."+line(d.Key), line(d.Baseline)+" -> "+line(d.Candidate)+" ("+line(d.Arm)+")")
	}
	for _, a := range r.Arms {
		for i, t := range a.Said {
			s.AddProperty(fmt.Sprintf("said.%s.%d", line(a.Name), i+1), message(t))
		}
	}
	for _, f := range r.Facts {
		s.AddProperty(f.Key, message(f.Value))
	}
	if all := properties(g.rows); len(all) > 0 {
		if s.Properties != nil {
			all = append(*s.Properties, all...)
		}
		s.Properties = &all
	}
	return s
}
