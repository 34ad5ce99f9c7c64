package report_test

import (
	"encoding/json"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/compare"
	"github.com/llama-regress/llama-regress/fixtures/effort"
	"github.com/llama-regress/llama-regress/report"
	"github.com/llama-regress/llama-regress/report/reporttest"
)

func TestEveryReportSaysItsFinding(t *testing.T) {
	for _, c := range reporttest.Cases() {
		r := c.Report()
		if r.Status == "" || r.Headline == "" || len(r.Lead) == 0 {
			t.Errorf("%s: status %q, headline %q, lead %q", c.Name, r.Status, r.Headline, r.Lead)
		}
		if n := r.Counts; n.Total != len(c.Result.Comparisons) ||
			n.Total != n.Regressions+n.Improvements+n.Equivalent+n.Inconclusive+n.Unmeasured+n.Unjudged+n.NoFailure {
			t.Errorf("%s: counts do not add up: %+v", c.Name, n)
		}
		for _, row := range r.Rows {
			inconclusive := row.Comparison.Verdict == compare.Inconclusive
			if inconclusive != (len(row.Reason) > 0) {
				t.Errorf("%s: %s is %s with the reason %q", c.Name, row.Comparison.Cell, row.Class, row.Reason)
			}
		}
	}
}

// A pass must be one: with nothing decided, the heading does not say so.
func TestPassIsEarned(t *testing.T) {
	want := map[string]string{"pass": "Pass", "one-trial-a-side": "Inconclusive", "two-sessions": "Inconclusive",
		"control-fired": "Inconclusive", "interrupted": "Inconclusive", "empty": "Nothing compared", "undecided": "Inconclusive",
		"regression": "Regression", "only-failures": "Measurement failed"}
	for _, c := range reporttest.Cases() {
		if status, ok := want[c.Name]; ok && c.Report().Status != status {
			t.Errorf("%s: status %q, want %q", c.Name, c.Report().Status, status)
		}
	}
}

func TestReadingOrder(t *testing.T) {
	for _, c := range append(reporttest.Cases(), reporttest.Grid(200, 6)) {
		rows := c.Report().Rows
		for i := 1; i < len(rows); i++ {
			a, b := rows[i-1], rows[i]
			before, after := slices.Index(report.Classes, a.Class), slices.Index(report.Classes, b.Class)
			if before > after {
				t.Fatalf("%s: %s stands before %s", c.Name, a.Class, b.Class)
			}
			if a.Class != report.Regression || b.Class != report.Regression || a.Comparison.Change == nil || b.Comparison.Change == nil {
				continue
			}
			x, y := a.Gain(*a.Comparison.Change)/a.Comparison.Margin.High, b.Gain(*b.Comparison.Change)/b.Comparison.Margin.High
			if x > y && b.Comparison.Metric.Name != report.AsForeign(record.WarmupRate) {
				t.Errorf("%s: a loss of %.3g margins stands before one of %.3g", c.Name, -x, -y)
			}
		}
	}
}

func TestStepsFollowTheSituation(t *testing.T) {
	want := map[string][]report.StepKind{
		"regression":       {report.ReadLogs, report.Reproduce, report.Explain, report.MoreBlocks, report.Accept},
		"pass":             {},
		"undecided":        {report.Quieten},
		"contenders":       {report.Reproduce, report.Explain, report.Accept},
		"only-failures":    {report.ReadLogs},
		"empty":            {report.CheckInput},
		"raw-files":        {report.Reproduce},
		"one-trial-a-side": {report.MoreBlocks},
		"two-sessions":     {report.SameHost},
		"control-fired":    {report.Quieten},
		"interrupted":      {report.Resume},
	}
	for _, c := range reporttest.Cases() {
		kinds, ok := want[c.Name]
		if !ok {
			continue
		}
		got := []report.StepKind{}
		for _, s := range c.Report().Steps {
			got = append(got, s.Kind)
		}
		if !slices.Equal(got, kinds) {
			t.Errorf("%s: steps %v, want %v", c.Name, got, kinds)
		}
	}
}

func TestMoreBlocksAreAskedForByNumber(t *testing.T) {
	for _, s := range reporttest.Regression().Report().Steps {
		if s.Kind != report.MoreBlocks {
			continue
		}
		if !regexp.MustCompile(`^llama-regress gate --config llama-regress.yaml --blocks [1-9]\d*$`).MatchString(s.Command.Terminal(200)) {
			t.Errorf("command %q", s.Command.Terminal(200))
		}
	}
}

// New reads and words; what it is given stays as it was, and the same input
// gives the same report.
func TestNewIsPure(t *testing.T) {
	for _, c := range reporttest.Cases() {
		if c.Name == "not-finite" {
			continue // JSON, by which this test compares, cannot hold it
		}
		before := encode(t, c.Result) + encode(t, c.Source.Base)
		first, second := c.Report(), c.Report()
		if after := encode(t, c.Result) + encode(t, c.Source.Base); after != before {
			t.Errorf("%s: New changes its arguments", c.Name)
		}
		if !reflect.DeepEqual(first, second) {
			t.Errorf("%s: two reports of one result differ", c.Name)
		}
	}
}

func encode(t *testing.T, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestIDsAreUniqueAndStable(t *testing.T) {
	anchor := regexp.MustCompile(`^[a-z0-9-]+$`)
	for _, c := range append(reporttest.Cases(), reporttest.Grid(effort.Size(2000, 400), 2), reporttest.Named("all alike")) {
		seen := make(map[string]bool)
		for _, row := range c.Report().Rows {
			if seen[row.ID] || !anchor.MatchString(row.ID) {
				t.Fatalf("%s: id %q is used twice or no anchor", c.Name, row.ID)
			}
			seen[row.ID] = true
		}
	}
	whole := reporttest.Regression()
	all := whole.Report()
	whole.Result.Comparisons = whole.Result.Comparisons[:1]
	part := whole.Report().Rows[0].ID
	if !slices.ContainsFunc(all.Rows, func(r report.Row) bool { return r.ID == part }) {
		t.Errorf("a row of a smaller report has another id")
	}
}

// Rows share out the time of the trials, so that they add up to the session.
func TestSecondsAddUp(t *testing.T) {
	c := reporttest.Pass()
	want := 0.0
	for _, trial := range c.Source.Base.Trials {
		if trial.Arm != "base-again" {
			want += trial.Seconds
		}
	}
	got := 0.0
	for _, row := range c.Report().Rows {
		got += row.Seconds
	}
	if got < want-1e-9 || got > want+1e-9 {
		t.Errorf("the rows took %v s, the trials %v s", got, want)
	}
}

// Our own words hold nothing that a medium gives a meaning to; what does is
// marked as foreign.
func TestWordsAreHarmless(t *testing.T) {
	for _, c := range reporttest.Cases() {
		r := c.Report()
		check := func(what, s string) {
			if i := strings.IndexAny(s, "`*_<>[]{}|\\@#&~$\"\n\r\x1b"); i >= 0 {
				t.Errorf("%s: %s holds %q: %q", c.Name, what, s[i], s)
			}
		}
		text := func(what string, list ...report.Text) {
			for _, t := range list {
				t.Render(func(s string) string { check(what, s); return s }, func(report.Foreign) string { return "" })
			}
		}
		check("status", r.Status)
		check("headline", r.Headline)
		text("lead", r.Lead)
		text("patterns", r.Patterns...)
		text("notes", r.Notes...)
		for _, s := range r.Steps {
			text("step", s.Text)
		}
		for _, f := range r.Facts {
			check("fact", f.Key+f.Label)
			text("fact", f.Value)
		}
		for _, d := range r.Definitions {
			check("definition", d.Term+d.Meaning)
		}
		for _, a := range r.Arms {
			text("arm", a.Details()...)
		}
		for _, row := range append(slices.Clone(r.Rows), r.Controls...) {
			text("row", append([]report.Text{row.Finding, row.Reason, row.Remedy}, row.Caveats...)...)
			f := row.Figures
			check("figures", f.Baseline+f.Candidate+f.Change+f.Low+f.High+f.Confidence+f.Margin+f.Noise+f.Detectable)
		}
	}
}

func TestSecretsStayHidden(t *testing.T) {
	c := reporttest.Pass()
	c.Source.Base.Arms[1].Env = map[string]string{"HF_TOKEN": "hf_abc", "AWS_SECRET_ACCESS_KEY": "s3cr3t", "OMP_NUM_THREADS": "8"}
	before := encode(t, c.Source.Base)
	r := c.Report()
	if text := encode(t, r); strings.Contains(text, "hf_abc") || strings.Contains(text, "s3cr3t") || !strings.Contains(text, `"OMP_NUM_THREADS":"8"`) {
		t.Errorf("the report holds a secret, or lacks what is none")
	}
	if encode(t, c.Source.Base) != before {
		t.Error("the record was changed")
	}
}

func TestFailuresAreGrouped(t *testing.T) {
	r := reporttest.Regression().Report()
	groups := report.GroupFailures(r.Failures)
	total := 0
	for _, g := range groups {
		total += g.Count
	}
	if len(groups) != 3 || total != len(r.Failures) {
		t.Errorf("%d groups of %d failures, want 3 of %d", len(groups), total, len(r.Failures))
	}
}

// What one run knows and another does not is no reason to fail.
func TestSparseSources(t *testing.T) {
	c := reporttest.Regression()
	for name, src := range map[string]report.Source{
		"nothing":  {},
		"no base":  {Head: c.Source.Head},
		"no head":  {Base: c.Source.Base},
		"no arms":  {Base: &record.Run{}, Head: &record.Run{}},
		"no time":  {Base: &record.Run{Arms: c.Source.Base.Arms}},
		"no files": {Base: c.Source.Base, Head: c.Source.Base},
	} {
		r := report.New(c.Result, src)
		if r.Counts.Regressions == 0 || len(r.Lead) == 0 {
			t.Errorf("%s: the finding is lost", name)
		}
	}
}
