package compare

import (
	"errors"
	"iter"
	"math"
	"slices"
	"testing"

	"github.com/llama-regress/llama-regress/ci/record"
)

// served is a run of one serve cell with two arms and two trials each.
func servedRun() *record.Run {
	load := func(succeeded int, failures map[record.RequestFailureClass]int, delay, busy float64) *record.Load {
		return &record.Load{Requests: 10, Succeeded: succeeded, Failures: failures, Seconds: 5, PromptTokens: 100, OutputTokens: 20,
			Delay: delay, DelayP99: 10 * delay, ServerPromptTPS: 200 * busy, ServerTTFT: 0.1 * busy, BusySlots: &record.Gauge{Mean: busy, Max: 2 * busy, N: int(busy)}}
	}
	run := &record.Run{
		Arms:  []record.Arm{{Name: "base"}, {Name: "head"}},
		Cells: []record.Cell{{Key: "bench/m", Workload: "bench"}, {Key: "serve/m", Workload: "serve"}},
		Trials: []record.Trial{
			{ID: "b0.base", Arm: "base", Cell: "serve/m", Load: load(10, nil, 0.001, 1)},
			{ID: "b0.head", Arm: "head", Cell: "serve/m", Load: load(6, map[record.RequestFailureClass]int{record.StaleConnection: 3, record.HTTP5xx: 1}, 0.001, 2)},
			{ID: "b1.base", Arm: "base", Cell: "serve/m", Load: load(10, nil, 0.003, 3)},
			{ID: "b1.head", Arm: "head", Cell: "serve/m", Load: load(8, map[record.RequestFailureClass]int{record.StaleConnection: 1, record.HTTP4xx: 1}, math.NaN(), 2)},
			{ID: "b2.head", Arm: "head", Cell: "serve/m"}, // its server never started
			{ID: "b3.head", Arm: "head", Cell: "serve/m", Block: 3, Load: load(0, map[record.RequestFailureClass]int{record.Rejected: 10}, 0.5, 9)},
			{ID: "b3.head.again1", Arm: "head", Cell: "serve/m", Block: 3, Repeats: "b3.head", Outcome: record.OK}, // in its place
			{ID: "b0.x", Arm: "base", Cell: "bench/m"},
		},
	}
	return run
}

func rowsOf(rows []record.Request, end error) iter.Seq2[record.Request, error] {
	return func(yield func(record.Request, error) bool) {
		for _, r := range rows {
			if !yield(r, nil) {
				return
			}
		}
		if end != nil {
			yield(record.Request{}, end)
		}
	}
}

func TestServings(t *testing.T) {
	var rows []record.Request
	for i := range 99 { // 1 to 99 ms, of which half are the server's
		rows = append(rows, record.Request{Trial: "b0.base", TTFT: float64(i+1) / 1000, Server: &record.ServerTimings{PromptSeconds: float64(i+1) / 2000}})
	}
	rows = append(rows,
		record.Request{Trial: "b0.base", Warmup: true, TTFT: 50},
		record.Request{Trial: "unknown", TTFT: 50},
		record.Request{Trial: "b0.head", TTFT: 1},
		record.Request{Trial: "b3.head", TTFT: 9},
		record.Request{Trial: "b1.head", Due: 2, Elapsed: 0.5, Failure: &record.RequestFailure{Class: record.StaleConnection}})
	torn := errors.New("torn")
	got, err := Servings(servedRun(), rowsOf(rows, torn))
	if !errors.Is(err, torn) || len(got) != 2 || got[0].Arm != "base" || got[1].Arm != "head" {
		t.Fatalf("%v and %d servings: %+v", err, len(got), got)
	}
	base, head := got[0], got[1]
	if base.Trials != 2 || base.Requests != 20 || base.Succeeded != 20 || base.Failures != nil || base.PromptTokens != 200 || base.OutputTokens != 40 {
		t.Errorf("base: %+v", base)
	}
	// Medians over trials of 200 and 600, 1 and 3 ms; polls weigh by their number: (1*1 + 3*3)/4.
	if base.ServerPromptTPS != 400 || base.Delay != 0.002 || base.DelayP99 != 0.03 || *base.BusySlots != (record.Gauge{Mean: 2.5, Max: 6, N: 4}) {
		t.Errorf("base: %+v, busy %+v", base, *base.BusySlots)
	}
	if base.ClientTTFT != 0.05 || math.Abs(base.Waiting-0.025) > 1e-15 || math.Abs(base.DelayShare-0.04) > 1e-15 {
		t.Errorf("base: TTFT %v, waiting %v, delay %v", base.ClientTTFT, base.Waiting, base.DelayShare)
	}
	// Type 7 of 1..99 ms: the p-th percentile is 1 + 98 p/100 ms (numpy.quantile).
	for p, want := range map[int]float64{1: 0.00198, 50: 0.05, 95: 0.0941, 99: 0.09802} {
		if got := base.TTFT.At(p); got == nil || math.Abs(*got-want) > 1e-12 {
			t.Errorf("percentile %d is %v, want %v", p, got, want)
		}
	}
	if want := []FailureCount{{record.StaleConnection, 4}, {record.HTTP4xx, 1}, {record.HTTP5xx, 1}}; !slices.Equal(head.Failures, want) {
		t.Errorf("failures %v, want %v", head.Failures, want)
	}
	if head.Trials != 2 || head.Delay != 0.001 { // one says nothing of use
		t.Errorf("head: %+v", head)
	}
	// One of two failed: half of the percentiles are beyond what was measured.
	if d := head.TTFT; d.Requests != 2 || d.Failed != 1 || d.At(1) != nil || d.At(99) != nil {
		t.Errorf("head: %+v", d)
	}
	if want := []FailedRequest{{"b1.head", 2.5, record.StaleConnection}}; !slices.Equal(head.Failed, want) {
		t.Errorf("failed %v, want %v", head.Failed, want)
	}
}

func TestServingsWithoutRows(t *testing.T) {
	run := servedRun()
	got, err := Servings(run, nil)
	if err != nil || len(got) != 2 || got[0].TTFT != nil || got[0].ClientTTFT != 0 || got[0].Delay == 0 {
		t.Errorf("%v: %+v", err, got)
	}
	if first := run.Trials[0].Load.BusySlots; *first != (record.Gauge{Mean: 1, Max: 2, N: 1}) {
		t.Errorf("the run's own polls were changed: %+v", *first)
	}
}
