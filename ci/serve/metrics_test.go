package serve

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/llama-regress/llama-regress/ci/config"
	"github.com/llama-regress/llama-regress/ci/load"
	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/stats"
)

// good is a request that took so long to its first token and then 10 ms a token.
func good(ttft float64) record.Request {
	return record.Request{TTFT: ttft, Queue: ttft / 4, PromptTime: 3 * ttft / 4, TPOT: 0.01, Elapsed: ttft + 0.1, PromptTokens: 100, OutputTokens: 11, Attempts: 1}
}

func bad(class record.RequestFailureClass) record.Request {
	return record.Request{Elapsed: 60, Attempts: 1, Failure: &record.RequestFailure{Class: class}}
}

func of(requests ...record.Request) yield {
	s := config.DefaultServe()
	s.Objectives = config.Objectives{TTFT: 150 * time.Millisecond}
	res := &load.Result{Requests: requests, Seconds: 2}
	for _, r := range requests {
		switch {
		case r.Warmup:
		case r.Failure != nil:
			res.Gaps = append(res.Gaps, math.Inf(1)) // as package load has it
		case r.OutputTokens > 1:
			res.Gaps = append(res.Gaps, 0.01, 0.01, 0.01)
		}
	}
	return newYield(res, s)
}

// values flattens measurements: a censored one is negative.
func values(y yield) map[string]float64 {
	out := make(map[string]float64)
	for _, m := range y.measurements(record.ServeMetrics(record.ServeDesign{Requests: 100, Objectives: true, Retries: true, Warmup: true})) {
		out[m.Metric] = m.Values[0]
		if m.Censored {
			out[m.Metric] *= -1
		}
	}
	return out
}

func TestMeasurements(t *testing.T) {
	t.Parallel()
	warm := good(9)
	warm.Warmup = true
	lost := bad(record.ConnectionReset)
	lost.Warmup = true
	late := warm
	late.Attempts, late.FirstFailure = 2, string(record.Rejected)
	again := good(0.1)
	again.Attempts, again.FirstFailure = 2, string(record.Rejected)
	short := good(0.1)
	short.OutputTokens, short.TPOT = 1, 0
	tests := []struct {
		name string
		y    yield
		want map[string]float64
	}{
		{"all alike, the warm-up left out", of(warm, good(0.1), good(0.1), good(0.1), good(0.1)), map[string]float64{
			"warmup_success_rate": 1, "success_rate": 1, "eventual_success_rate": 1, "ttft_p50": 0.1, "ttft_queue_p50": 0.025, "ttft_prompt_p50": 0.075, "ttft_p95": 0.1, "tpot_p50": 0.01, "e2e_p50": 0.2, "e2e_p95": 0.2,
			"itl_p99": 0.01, "output_tps": 22, "total_tps": 222, "request_rate": 2, "goodput": 2,
		}},
		{"a warm-up that failed, and one whose retry helped", of(lost, late, good(0.1), good(0.1)), map[string]float64{
			"warmup_success_rate": 0, "success_rate": 1, "eventual_success_rate": 1, "ttft_p50": 0.1, "ttft_queue_p50": 0.025, "ttft_prompt_p50": 0.075, "ttft_p95": 0.1,
			"tpot_p50": 0.01, "e2e_p50": 0.2, "e2e_p95": 0.2, "itl_p99": 0.01, "output_tps": 11, "total_tps": 111, "request_rate": 1, "goodput": 1,
		}},
		{"a retry helped", of(again, good(0.1)), map[string]float64{
			"success_rate": 0.5, "eventual_success_rate": 1, "ttft_p50": 0.1, "ttft_queue_p50": 0.025, "ttft_prompt_p50": 0.075, "ttft_p95": 0.1, "tpot_p50": 0.01, "e2e_p50": 0.2, "e2e_p95": 0.2,
			"itl_p99": 0.01, "output_tps": 11, "total_tps": 111, "request_rate": 1, "goodput": 1,
		}},
		{"half failed: the median is the slowest of the others", of(good(0.1), bad(record.QueueTimeout)), map[string]float64{
			"success_rate": 0.5, "eventual_success_rate": 0.5, "ttft_p50": 0.1, "ttft_queue_p50": 0.025, "ttft_prompt_p50": 0.075, "ttft_p95": -60, "tpot_p50": 0.01, "e2e_p50": 0.2, "e2e_p95": -60,
			"itl_p99": -60, "output_tps": 5.5, "total_tps": 55.5, "request_rate": 0.5, "goodput": 0.5,
		}},
		{"all failed: less than one in two seconds", of(bad(record.HTTP5xx), bad(record.ServerCrash)), map[string]float64{
			"success_rate": 0, "eventual_success_rate": 0, "ttft_p50": -60, "ttft_queue_p50": -60, "ttft_prompt_p50": -60, "ttft_p95": -60, "tpot_p50": -60, "e2e_p50": -60, "e2e_p95": -60,
			"itl_p99": -60, "output_tps": -0.5, "total_tps": -0.5, "request_rate": -0.5, "goodput": -0.5,
		}},
		{"too slow for the objective", of(good(0.2), good(0.1)), map[string]float64{
			"success_rate": 1, "eventual_success_rate": 1, "ttft_p50": 0.15, "ttft_queue_p50": 0.0375, "ttft_prompt_p50": 0.1125, "ttft_p95": 0.1987, "tpot_p50": 0.01, "e2e_p50": 0.25, "e2e_p95": 0.2987,
			"itl_p99": 0.01, "output_tps": 11, "total_tps": 111, "request_rate": 1, "goodput": 0.5,
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, values(tt.y), cmpopts.EquateApprox(0, 2e-3)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
	if v, ok := values(of(short, short))["tpot_p50"]; ok {
		t.Errorf("answers of one token have a time per token: %v", v)
	}
	if v := values(of(short, good(0.1)))["tpot_p50"]; math.Abs(v-0.01) > 1e-9 {
		t.Errorf("tpot %v, want that of the longer answer alone", v)
	}
}

// A latency says how it was estimated, and of how many requests: 9 answers after
// 10 ms and 3 failures have a median, which is no bound. The figure of those that
// succeeded stands beside it.
func TestLatencyAmongFailures(t *testing.T) {
	t.Parallel()
	requests := func(n, failed int) (rs []record.Request) {
		for i := range n {
			r := good(0.010 + 0.001*float64(i))
			if i >= n-failed {
				r = bad(record.Rejected)
			}
			rs = append(rs, r)
		}
		return rs
	}
	tests := []struct {
		metric    string
		n, failed int
		estimator record.Estimator
		order     float64 // 0 for none
	}{
		{record.TTFTp50, 12, 0, record.HarrellDavis, 0.015},
		{record.TTFTp50, 12, 3, record.OrderStatistic, 0.015},
		{record.TTFTp50, 12, 6, record.OrderStatistic, 0.015},
		{record.TTFTp50, 12, 7, "", 0},
		{record.TTFTp95, 100, 0, record.HarrellDavis, 0.104},
		{record.TTFTp95, 100, 2, record.OrderStatistic, 0.104},
		{record.TTFTp95, 100, 5, record.OrderStatistic, 0.104},
		{record.TTFTp95, 100, 6, "", 0},
	}
	for _, tt := range tests {
		m, ok := of(requests(tt.n, tt.failed)...).measure(tt.metric)
		q := m.Quantile
		if !ok || q == nil || q.Estimator != tt.estimator || q.Requests != tt.n || q.Failed != tt.failed || m.Censored != (tt.order == 0) || q.Succeeded == nil {
			t.Errorf("%s, %d of %d failed: %+v, %+v", tt.metric, tt.failed, tt.n, m, q)
			continue
		}
		if tt.order > 0 && (q.Order == nil || math.Abs(*q.Order-tt.order) > 1e-9) || tt.order == 0 && q.Order != nil {
			t.Errorf("%s, %d of %d failed: order statistic %v, want %v", tt.metric, tt.failed, tt.n, q.Order, tt.order)
		}
		if m.Fallback() && m.Values[0] != *q.Order {
			t.Errorf("%s, %d of %d failed: value %v", tt.metric, tt.failed, tt.n, m.Values)
		}
	}
}

func TestSuccessIsCounted(t *testing.T) {
	t.Parallel()
	m, _ := of(good(0.1), bad(record.Rejected), good(0.1)).measure(record.SuccessRate)
	if diff := cmp.Diff(&record.Count{Succeeded: 2, Total: 3}, m.Count); diff != "" {
		t.Error(diff)
	}
}

// Making a request fail must never make a number better; of a latency, what both
// sides of a comparison then have: the order statistic, where one is needed.
func TestFailingNeverHelps(t *testing.T) {
	t.Parallel()
	requests := []record.Request{good(0.1), good(0.5), good(0.2), good(0.3), good(0.9)}
	before := values(of(requests...))
	for i := range requests {
		worse := append([]record.Request{}, requests...)
		worse[i] = bad(record.StreamTimeout)
		after := values(of(worse...))
		for _, m := range record.ServeMetrics(record.ServeDesign{Requests: 100, Objectives: true, Retries: true, Warmup: true}) {
			b, a := before[m.Name], math.Abs(after[m.Name])
			if now, _ := of(worse...).measure(m.Name); now.Fallback() {
				was, _ := of(requests...).measure(m.Name)
				b = *was.Quantile.Order
			}
			if m.Better == record.Higher && a > b || m.Better == record.Lower && a < b {
				t.Errorf("request %d failed and %s went from %v to %v", i, m.Name, b, after[m.Name])
			}
		}
	}
}

func TestSummary(t *testing.T) {
	t.Parallel()
	told := good(0.1)
	told.Server = &record.ServerTimings{PromptTokens: 100, PromptSeconds: 0.05, OutputTokens: 11, OutputSeconds: 0.1}
	short := good(0.1)
	short.OutputTokens, short.TPOT = 2, 0.1
	short.Server = &record.ServerTimings{PromptTokens: 100, PromptSeconds: 0.05, OutputTokens: 2, OutputSeconds: 0.01} // (N-1) tokens by the server's time
	one := short
	one.Server = &record.ServerTimings{PromptTokens: 100, PromptSeconds: 0.05, OutputTokens: 1, OutputSeconds: 1e-6} // no time per token
	warm := bad(record.ConnectionReset)
	warm.Warmup = true
	y := of(warm, told, short, one, bad(record.StaleConnection))
	got := y.summary(&load.Result{Delays: []float64{0.001, 0.002, 0.003}})
	want := &record.Load{
		Requests: 4, Succeeded: 3, Failures: map[record.RequestFailureClass]int{record.StaleConnection: 1}, Seconds: 2,
		Warmup: 1, WarmupFailures: map[record.RequestFailureClass]int{record.ConnectionReset: 1},
		PromptTokens: 300, OutputTokens: 15, Delay: 0.002, DelayP99: 0.00298, Queue: 0.025, PromptTime: 0.075,
		ServerPromptTPS: 2000, ServerOutputTPS: 100, ServerTTFT: 0.05,
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateApprox(1e-9, 0)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if first, late := y.late(got); !late || first != 0.1 {
		t.Errorf("2 ms late beside 100 ms: %v, %v", first, late)
	}
	got.Delay = 0.0009
	if _, late := y.late(got); late {
		t.Error("0.9 ms late beside 100 ms is refused")
	}
}

// leastFinite is how many values an interval of order statistics needs to be
// finite on both sides at 95 %.
func leastFinite(q float64) int {
	for n := 1; ; n++ {
		if iv := stats.QuantileInterval(make([]float64, n), q, 0.95); !math.IsInf(iv.Low, 0) && !math.IsInf(iv.High, 0) {
			return n
		}
	}
}

// The vocabulary knows by heart what statistics say.
func TestQuantilesNeedRequests(t *testing.T) {
	t.Parallel()
	for _, m := range record.ServeMetrics(record.ServeDesign{Objectives: true, Retries: true}) {
		want := map[string]float64{record.TTFTp50: 0.5, record.QueueP50: 0.5, record.PromptP50: 0.5, record.TPOTp50: 0.5, record.E2Ep50: 0.5, record.TTFTp95: 0.95, record.E2Ep95: 0.95}
		if q, ok := want[m.Name]; ok != (m.Needs > 0) || ok && m.Needs != leastFinite(q) {
			t.Errorf("%s needs %d requests", m.Name, m.Needs)
		}
	}
	for _, m := range record.ServeMetrics(record.ServeDesign{Requests: 71, Objectives: true, Retries: true}) {
		if (m.Needs > 0) != (m.Name == record.TTFTp95 || m.Name == record.E2Ep95) {
			t.Errorf("of 71 requests %s needs %d", m.Name, m.Needs)
		}
	}
}
