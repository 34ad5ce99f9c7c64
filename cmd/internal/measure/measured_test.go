package measure

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/llama-regress/llama-regress/ci/record"
)

func TestMeasuredOfOneArm(t *testing.T) {
	tps := record.Metric{Name: "tg128", Unit: "tok/s", Better: record.Higher}
	share := record.Metric{Name: "success_rate", Unit: "1", Better: record.Higher}
	first := record.Metric{Name: "ttft_p50", Unit: "s", Better: record.Lower}
	slow := record.Metric{Name: "ttft_p95", Unit: "s", Better: record.Lower}
	trial := func(id string, x float64) record.Trial {
		return record.Trial{ID: id, Arm: "build", Cell: "c", Outcome: record.OK, Measurements: []record.Measurement{
			{Metric: "tg128", Values: []float64{x, x, 9 * x}},
			{Metric: "success_rate", Values: []float64{0.5}},
			{Metric: "ttft_p50", Values: []float64{x / 100}},
			{Metric: "ttft_p95", Values: []float64{x}, Censored: x > 15},
		}}
	}
	disturbed, again, broken, control := trial("a", 1), trial("a.again1", 10), trial("c", 5), trial("d", 7)
	again.Repeats, control.Arm = "a", "build~control"
	broken.Block, control.Block = 2, 3
	broken.Outcome, broken.Failure, broken.Measurements = record.Failed, &record.Failure{Class: record.Crashed}, nil
	other := trial("b", 20)
	other.Block = 1
	run := &record.Run{
		Baseline: "build", Cells: []record.Cell{{Key: "c", Metrics: []record.Metric{tps, share, first, slow}}, {Key: "none"}},
		Trials: []record.Trial{disturbed, again, other, broken, control},
	}
	var out strings.Builder
	if err := Print(&out, run); err != nil {
		t.Fatal(err)
	}
	want := `c: 2 of 3 trials measured; their median and range
  tg128         15 tok/s  from 10 tok/s to 20 tok/s
  success_rate  50%       from 50% to 50%
  ttft_p50      150 ms    from 100 ms to 200 ms
  ttft_p95      not estimable in 1 of 2: requests failed
none: 0 of 0 trials measured
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
