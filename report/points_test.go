package report_test

import (
	"strings"
	"testing"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/compare"
	"github.com/llama-regress/llama-regress/report"
)

// Whether a change is in points follows from the metric, whatever margin the
// policy has for it, or none.
func TestSharesAreInPoints(t *testing.T) {
	policy := compare.DefaultPolicy()
	policy.Margins[record.EventualRate] = compare.Margin{Value: 0.02}
	change := -0.095
	res := &compare.Result{Method: compare.Paired, Policy: policy}
	for _, m := range record.ServeMetrics(record.ServeDesign{Requests: 100, Objectives: true, Retries: true}) {
		res.Comparisons = append(res.Comparisons, compare.Comparison{Cell: "serve/m", Workload: "serve", Metric: m, Method: compare.Paired,
			Change: &change, Interval: &compare.Interval{Low: -0.1, High: -0.09, Confidence: 0.9}, Margin: &compare.Range{Low: -0.02, High: 0.02},
			Verdict: compare.Regression})
	}
	for _, row := range report.New(res, report.Source{}).Rows {
		m := row.Comparison.Metric
		if got := strings.HasSuffix(row.Figures.Change, "pp"); got != (m.Unit == report.AsForeign("1")) || row.Points != got {
			t.Errorf("%s: change %q, points %v", m.Name, row.Figures.Change, row.Points)
		}
	}
}
