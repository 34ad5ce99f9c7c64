package reporttest

import (
	"fmt"
	"math"
	"strings"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/compare"
	"github.com/llama-regress/llama-regress/report"
)

// Names hold what each medium that a report is written for could take for
// something else than text. None of it does harm where it is taken so.
var Names = []string{
	"</b><b>bold & plain</b>",
	`"double" 'single' {1: [2]}; /* 3 */ // 4`,
	"a`b``c```d",
	"`leading and trailing`",
	"pipe | pipe \\| pipe",
	"line one\nline two\r\nline three",
	"\x1b[31mred\x1b[0m \x1b]0;title\x07 \x1b]8;;https://example.invalid\x1b\\link",
	"nul\x00bell\x07back\bdel\x7f",
	"\u202eright to left\u202c \u2066isolate\u2069 \u200bzero width",
	"@octocat and @octo-org/team #1 GH-2",
	strings.Repeat("x", 10_000),
	strings.Repeat("y", 9_999) + "z",
	"emoji 🦙🏽 👨‍👩‍👧 日本語 ﷽",
	"]]>&amp;<b>&#64;</b> -->",
	"invalid \xff\xfe utf-8 \xed\xa0\x80",
	"![img](https://example.invalid/x.png) <img alt=x> [l](https://example.invalid/)",
	"::error file=x::injected\n::debug::b",
	"old ##[error]injected ##[debug]b",
	"[[PROPERTY|verdict=pass]] [[ATTACHMENT|a.txt]]",
	"'; a ~ #$b %s %d",
	"</details></table></code></pre><!-- <!-- llama-regress:v1:key=x -->",
	"",
	"{{.}} ${{ 1 }}",
}

// Hostile puts every one of Names wherever a name can stand.
func Hostile() Case {
	res := &compare.Result{Method: compare.Paired, Policy: compare.DefaultPolicy(), Notes: Names}
	run := &record.Run{Schema: record.Schema, ID: Names[0], Started: start, Finished: start.Add(1), Baseline: Names[1], Interrupted: Names[5], Notes: Names}
	run.Host = record.Host{Name: Names[6], Hard: map[string]string{"cpu": Names[8]}}
	run.Tool = record.Tool{Version: Names[13], Commit: Names[15]}
	for i, name := range Names {
		other := Names[(i+1)%len(Names)]
		params := map[string]string{name: other, "threads": name}
		c := compare.Comparison{
			Cell: record.CellKey(name, other, params), Workload: name, Model: other, Params: params,
			Metric:   record.Metric{Name: name, Kind: record.Throughput, Unit: name, Better: record.Higher},
			Method:   compare.Paired,
			Baseline: handSide(name, 100, 6), Candidate: handSide(other, 90, 6),
			Warnings: []compare.Warning{{Code: compare.WarningCode(name), Text: other}, {Code: compare.ProgramWarning, Text: name}},
		}
		judged(&c, compare.Verdict(i%4), -0.1, 0.01)
		if c.Verdict == compare.Inconclusive {
			c.Reason = &compare.Reason{Code: compare.EnvironmentMixed, Keys: []string{name, other}}
			if i%8 == 0 {
				c.Reason = &compare.Reason{Code: compare.ReasonCode(name)}
			}
		}
		res.Comparisons = append(res.Comparisons, c)
		if i < 4 {
			res.Controls = append(res.Controls, c)
		}
		res.Failures = append(res.Failures, compare.Failure{Trial: name, Arm: other, Cell: c.Cell, Block: i,
			Cause: record.Failure{Class: record.FailureClass(name), Message: other, Signal: name, Stderr: strings.Repeat(name+"\n", 3)}})
		res.Groups = append(res.Groups, compare.Group{Candidate: name, Metric: other, Model: name, Cells: []string{name, other, name}, Change: -0.1})
		res.Suspects = append(res.Suspects, name)
		res.Alone = append(res.Alone, compare.Alone{Cell: name, Metric: other, Arm: name})
		res.Differences = append(res.Differences, compare.Difference{Key: name, Baseline: other, Candidate: name, Arm: other, Hard: i%2 == 1})
		arm := record.Arm{Name: name, Bin: other, Params: params, Env: map[string]string{name: other}, Build: record.Build{Program: name, Commit: other, Version: name, CPU: name}}
		run.Arms = append(run.Arms, arm)
		run.Models = append(run.Models, record.Model{Name: name, Path: other, Type: name})
	}
	src := report.Source{
		Base: run, Head: run, BaseFile: Names[2], HeadFile: Names[4], Title: Names[9],
		Reproduce: append([]string{"llama-regress"}, Names...), Resume: Names, Accept: Names[9], Logs: Names[15], Calibration: Names[2],
	}
	hostileServing(run, &src, Names)
	hostileCount(run, res, Names)
	return Case{"hostile", res, src}
}

// Reasons shows every reason for which a comparison can be inconclusive, and
// one that only a newer version knows.
func Reasons() Case {
	res := &compare.Result{Method: compare.Paired, Policy: compare.DefaultPolicy()}
	add := func(change, half float64, r compare.Reason) {
		i := len(res.Comparisons)
		params := map[string]string{"threads": fmt.Sprint(i + 1)}
		c := compare.Comparison{Cell: record.CellKey("bench", "tinyllama", params), Workload: "bench", Model: "tinyllama", Params: params,
			Metric: pp512, Method: compare.Paired, Baseline: handSide("base", 800, 6), Candidate: handSide("head", 800*(1+change), 6)}
		judged(&c, compare.Inconclusive, change, half)
		c.Reason = &r
		switch r.Code {
		case compare.NotMeasured, compare.NoBaseline:
			c.Change, c.Interval, c.P, c.Candidate = nil, nil, nil, compare.Side{Arm: "head", Failed: 6}
		case compare.NoMargin:
			c.Margin, c.P = nil, nil
		case compare.TooFewTrials:
			c.Interval, c.P, c.Replicates, c.Sigma, c.MDE = nil, nil, 1, 0, 0
		}
		res.Comparisons = append(res.Comparisons, c)
	}
	add(-0.05, 0, compare.Reason{Code: compare.TooFewTrials, Have: 1, Need: 6})
	add(0.01, 0.06, compare.Reason{Code: compare.TooNoisy, Have: 6, Need: 40})
	add(0.029, 0.04, compare.Reason{Code: compare.TooNoisy, Have: 6})
	add(0.06, 0.025, compare.Reason{Code: compare.TooNoisy, Have: 6, Need: 9})
	add(-0.05, 0.03, compare.Reason{Code: compare.Suspected, Have: 6, Need: 14})
	add(-0.06, 0.02, compare.Reason{Code: compare.Suspected, Have: 6, Need: 8})
	add(-0.20, 0.01, compare.Reason{Code: compare.EnvironmentMixed, Keys: []string{"cpu", "kernel"}})
	add(-0.10, 0.01, compare.Reason{Code: compare.ControlFired})
	add(-0.10, 0.01, compare.Reason{Code: compare.BaselineTooYoung, Have: 1, Need: 4})
	add(-0.04, 0.01, compare.Reason{Code: compare.MethodsDisagree, Have: 6, Need: 12})
	add(-0.10, 0.01, compare.Reason{Code: compare.NoMargin})
	add(-0.10, 0.01, compare.Reason{Code: compare.NotDeterministic, Have: 2})
	add(-0.07, 0.01, compare.Reason{Code: compare.SuspectedByHistory, Have: 12})
	add(0, 0, compare.Reason{Code: compare.NoBaseline, Need: 4})
	add(0, 0, compare.Reason{Code: compare.NotMeasured})
	add(-0.10, 0.01, compare.Reason{Code: "from_a_newer_version"})
	return Case{"reasons", res, report.Source{Reproduce: []string{"llama-regress", "run"}}}
}

// NotFinite holds numbers that no medium can show.
func NotFinite() Case {
	res := &compare.Result{Method: compare.Paired, Policy: compare.DefaultPolicy()}
	for i, x := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), math.MaxFloat64, math.SmallestNonzeroFloat64} {
		params := map[string]string{"threads": fmt.Sprint(i)}
		c := compare.Comparison{Cell: record.CellKey("bench", "tinyllama", params), Workload: "bench", Model: "tinyllama", Params: params,
			Metric: ttft50, Method: compare.Paired, Baseline: handSide("base", x, 4), Candidate: handSide("head", x, 4)}
		judged(&c, compare.Verdict(i%4), x, x)
		c.Sigma, c.MDE = x, x
		if c.Verdict == compare.Inconclusive {
			c.Reason = &compare.Reason{Code: compare.TooNoisy}
		}
		c.Warnings = []compare.Warning{{Code: compare.Drift, Number: x}, {Code: compare.FailedTrials, Number: x}, {Code: compare.Autocorrelated, Number: x}}
		res.Comparisons = append(res.Comparisons, c)
	}
	return Case{"not-finite", res, report.Source{}}
}

// judged gives c a change with an interval of that half width and a verdict.
func judged(c *compare.Comparison, v compare.Verdict, change, half float64) {
	c.Change, c.Verdict, c.Replicates, c.Sigma, c.MDE = &change, v, 6, half, 0.03+half
	c.Interval = &compare.Interval{Low: change - half, High: change + half, Confidence: 0.9}
	c.Margin = &compare.Range{Low: -0.03 / 1.03, High: 0.03}
	c.P = &compare.PValues{Regression: 0.001, Improvement: 0.999, Equivalence: 0.5, Worse: 0.001, AdjustedRegression: 0.004, AdjustedImprovement: 1}
}

func handSide(arm string, level float64, n int) compare.Side {
	s := compare.Side{Arm: arm, Estimate: level}
	for i := range n {
		s.Trials = append(s.Trials, compare.Point{Trial: fmt.Sprintf("b%02d.%s", i, arm), Block: i, Order: i, Value: level})
	}
	return s
}

// Named puts one name wherever a name can stand, for fuzzing.
func Named(name string) Case {
	old := Hostile()
	res, run := old.Result, old.Source.Base
	res.Comparisons, res.Controls, res.Failures = res.Comparisons[:5], res.Controls[:1], res.Failures[:2]
	res.Alone, res.Differences, res.Notes = res.Alone[:1], res.Differences[:2], []string{name}
	rename := func(c *compare.Comparison) {
		c.Cell, c.Workload, c.Model, c.Params = name, name, name, map[string]string{name: name}
		c.Metric.Name, c.Metric.Unit, c.Baseline.Arm, c.Candidate.Arm = name, name, name, name
		c.Warnings = []compare.Warning{{Code: compare.WarningCode(name), Text: name}}
		if c.Reason != nil {
			c.Reason = &compare.Reason{Code: compare.ReasonCode(name), Keys: []string{name}}
		}
	}
	for i := range res.Comparisons {
		rename(&res.Comparisons[i])
	}
	rename(&res.Controls[0])
	for i := range res.Failures {
		res.Failures[i] = compare.Failure{Trial: name, Arm: name, Cell: name,
			Cause: record.Failure{Class: record.FailureClass(name), Message: name, Signal: name, Stderr: name}}
	}
	for i := range res.Differences {
		res.Differences[i].Key, res.Differences[i].Baseline, res.Differences[i].Candidate = name, name, name
	}
	res.Groups, res.Suspects = []compare.Group{{Candidate: name, Metric: name, Model: name, Cells: []string{name}}}, []string{name}
	res.Alone[0] = compare.Alone{Cell: name, Metric: name, Arm: name}
	run.ID, run.Host.Name, run.Interrupted = name, name, name
	run.Arms = []record.Arm{{Name: name, Bin: name, Params: map[string]string{name: name}, Env: map[string]string{name: name}, Build: record.Build{Commit: name}}}
	run.Models, run.Notes = []record.Model{{Name: name}}, []string{name}
	src := report.Source{Base: run, Head: run, BaseFile: name, HeadFile: "2 " + name, Title: name,
		Reproduce: []string{name}, Accept: name, Logs: name, TrialLog: func(string) string { return name }}
	run.Cells, run.Trials, run.Datasets = nil, nil, nil
	hostileServing(run, &src, []string{name})
	hostileCount(run, res, []string{name})
	return Case{"named", res, src}
}
