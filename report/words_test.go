package report

import (
	"strings"
	"testing"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/compare"
)

func TestFinding(t *testing.T) {
	tests := []struct {
		metric       record.Metric
		change, half float64
		verdict      compare.Verdict
		want         string
	}{
		{toks, -0.083, 0.012, compare.Regression, "8.3% slower, 90% interval 7.1% to 9.5% slower, all beyond the margin of 3%"},
		{toks, 0.083, 0.012, compare.Improvement, "8.3% faster, 90% interval 7.1% to 9.5% faster, all beyond the margin of 3%"},
		{ttft, 0.083, 0.012, compare.Regression, "8.3% longer, 90% interval 7.1% to 9.5% longer, all beyond the margin of 3%"},
		{bytes, -0.083, 0.012, compare.Improvement, "8.3% smaller, 90% interval 7.1% to 9.5% smaller, all beyond the margin of 3%"},
		{rate, -0.083, 0.012, compare.Regression, "8.3% lower, 90% interval 7.1% to 9.5% lower, all beyond the margin of 3%"},
		{toks, -0.004, 0.012, compare.Equivalent, "no change beyond the margin of 3%: 0.4% slower, 90% interval 0.8% faster to 1.6% slower"},
		{toks, 0, 0, compare.Equivalent, "no change beyond the margin of 3%: unchanged, 90% interval 0.0%"},
		{toks, 0.02, 0.05, compare.Inconclusive, "2.0% faster, 90% interval 3.0% slower to 7.0% faster, margin 3%"},
		{toks, 0.05, 0.05, compare.Inconclusive, "5.0% faster, 90% interval 0.0% to 10.0% faster, margin 3%"},
		{toks, -0.1, -1, compare.Inconclusive, "10% slower, with no measure of how sure that is"},
	}
	for _, test := range tests {
		c := comparison(test.metric, 800, test.change, test.half)
		c.Verdict = test.verdict
		row := Row{c: c, Figures: newFigures(&c, false)}
		if got := finding(row).joined(); got != test.want {
			t.Errorf("%s %+g ± %g:\n got %q\nwant %q", test.metric.Name, test.change, test.half, got, test.want)
		}
	}
}

func TestReasonsSayWhatIsLacking(t *testing.T) {
	tests := []struct {
		reason       compare.Reason
		method       compare.Method
		change, half float64
		why, remedy  string
	}{
		{compare.Reason{Code: compare.TooFewTrials, Have: 2, Need: 6}, compare.Paired, 0, -1, "2 blocks measured, at least 6 needed", "measure 6 blocks"},
		{compare.Reason{Code: compare.TooFewTrials, Have: 1, Need: 6}, compare.Unpaired, 0, -1, "1 trial a side measured, at least 6 needed", "measure 6 trials a side"},
		{compare.Reason{Code: compare.TooNoisy, Have: 6, Need: 18}, compare.Paired, 0, 0.06, "too noisy: after 6 blocks the interval reaches both into and out of the margin", "a new run of about 18 blocks would show in 4 of 5 cases that nothing changed, if nothing did"},
		{compare.Reason{Code: compare.TooNoisy, Have: 6, Need: 900}, compare.Paired, 0, 0.06, "too noisy", "it would take a new run of about 900 blocks"},
		{compare.Reason{Code: compare.TooNoisy, Have: 6}, compare.Paired, 0, 0.06, "too noisy", "no number of repeats would decide it"},
		{compare.Reason{Code: compare.TooNoisy, Have: 6, Need: 9}, compare.Paired, 0, 0.02, "within the margin by this stage alone, not certain enough over both stages", "about 9 blocks"},
		{compare.Reason{Code: compare.TooNoisy, Have: 6, Need: 9, AsSeen: true}, compare.Paired, 0.06, 0.02, "a change beyond the margin for this comparison alone", "a new run of about 9 blocks would prove it in 4 of 5 cases, if the change is what it looks like"},
		{compare.Reason{Code: compare.Suspected, Have: 6, Need: 9}, compare.Paired, -0.05, 0.03, "probably worse than the margin allows, but not proven after 6 blocks", "about 9 blocks"},
		{compare.Reason{Code: compare.Suspected, Have: 6, Need: 9}, compare.Paired, -0.06, 0.02, "certain enough for this comparison alone", "about 9 blocks"},
		{compare.Reason{Code: compare.EnvironmentMixed, Keys: []string{"cpu", "kernel"}}, compare.Sessions, 0, 0.01, "the two sides were not measured alike: cpu, kernel", "one session on one machine"},
		{compare.Reason{Code: compare.BaselineTooYoung, Have: 1, Need: 4}, compare.Historical, 0, 0.01, "1 session stored, at least 4 needed", "wait for more sessions"},
		{compare.Reason{Code: compare.SuspectedByHistory, Have: 12}, compare.Historical, -0.1, 0.01, "worse than the 12 sessions stored", "measure both builds in one session"},
	}
	for _, test := range tests {
		c := comparison(toks, 800, test.change, test.half)
		c.Method, c.Reason = test.method, &test.reason
		row := Row{c: c, Class: classify(&c), Figures: newFigures(&c, false)}
		why, remedy := reason(row)
		if !strings.Contains(why.joined(), test.why) || !strings.Contains(remedy.joined(), test.remedy) {
			t.Errorf("%s: %q; %q\nwant %q; %q", test.reason.Code, why, remedy, test.why, test.remedy)
		}
	}
}

func TestACaveatThatTheReasonSaysAlreadyIsLeftOut(t *testing.T) {
	c := comparison(toks, 800, -0.1, 0.05)
	c.Warnings = []compare.Warning{{Code: compare.DisturbedKept, Number: 11}, {Code: compare.Outlier}}
	for _, test := range []struct {
		reason *compare.Reason
		want   int
	}{{nil, 2}, {&compare.Reason{Code: compare.TooNoisy}, 2}, {&compare.Reason{Code: compare.Disturbed, Have: 11}, 1}} {
		c.Reason = test.reason
		if got := caveats(Row{c: c}, false, false, nil); len(got) != test.want {
			t.Errorf("reason %v: %d caveats, want %d: %v", test.reason, len(got), test.want, got)
		}
	}
}
