package report

import (
	"testing"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/compare"
)

// The worst of what is told is what users of the server meet, although more
// requests of the warm-up failed.
func TestWarmupStandsLast(t *testing.T) {
	row := func(metric string, change float64) Row {
		return Row{Class: Regression, c: compare.Comparison{
			Metric: record.Metric{Name: metric, Kind: record.SuccessRate, Better: record.Higher},
			Change: &change, Margin: &compare.Range{Low: -0.02, High: 0.02},
		}}
	}
	rows := []Row{row(record.WarmupRate, -0.9), row(record.SuccessRate, -0.3), row(record.Completed, -0.5)}
	sortRows(rows)
	for i, want := range []string{record.Completed, record.SuccessRate, record.WarmupRate} {
		if got := rows[i].c.Metric.Name; got != want {
			t.Errorf("row %d is %s, want %s", i, got, want)
		}
	}
}
