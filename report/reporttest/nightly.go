package reporttest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/compare"
	"github.com/llama-regress/llama-regress/compare/history"
	"github.com/llama-regress/llama-regress/compare/history/historytest"
	"github.com/llama-regress/llama-regress/report"
)

// A Night is a store and what it is there for.
type Night struct {
	Name    string
	Nightly report.Nightly
}

// Nights are stores of every kind that the nightly report tells of. What a
// caller does to their machines stays with the caller.
func Nights(t testing.TB) []Night {
	nights := slices.Clone(madeNights(t))
	for i := range nights {
		nights[i].Nightly.Machines = slices.Clone(nights[i].Nightly.Machines)
	}
	return nights
}

var madeOnce struct {
	sync.Mutex
	nights []Night
}

// madeNights makes them once a process: each is a history to be searched.
func madeNights(t testing.TB) []Night {
	t.Helper()
	madeOnce.Lock()
	defer madeOnce.Unlock()
	if madeOnce.nights == nil {
		madeOnce.nights = makeNights(t)
	}
	return madeOnce.nights
}

func night(t testing.TB, name string) report.Nightly {
	t.Helper()
	all := Nights(t)
	return all[slices.IndexFunc(all, func(n Night) bool { return n.Name == name })].Nightly
}

func makeNights(t testing.TB) []Night {
	return []Night{
		{"year", yearOfNights(t)},
		{"steady", Told(t, few(nil).Runs(), report.NightlySource{Store: "git:origin#perf-data"})},
		{"suspected", Told(t, few(map[int]float64{29: 0.85}).Runs(), report.NightlySource{})},
		{"failed", Told(t, failing(), report.NightlySource{})},
		{"moved", Told(t, moved(), report.NightlySource{})},
		{"one-night", Told(t, few(nil).Runs()[:1], report.NightlySource{})},
		{"nothing-stored", report.NewNightly(history.Trends{}, report.NightlySource{Policy: compare.DefaultPolicy()})},
		{"hostile", hostileNights(t)},
	}
}

func few(steps map[int]float64) historytest.Story {
	s := historytest.Story{Machine: "bench-02", Nights: 30, Noise: 0.006, Seed: 12}
	for _, test := range []string{"pp512", "tg128"} {
		s.Cells = append(s.Cells, historytest.Cell{Model: "small", Test: test, Level: 400, Steps: steps}, historytest.Cell{Model: "base", Test: test, Level: 90})
	}
	return s
}

func failing() []*record.Run {
	runs := few(nil).Runs()
	last := runs[len(runs)-1]
	for i := range last.Trials {
		t := &last.Trials[i]
		if t.Cell == "bench/base" {
			t.Outcome, t.Measurements = record.Failed, nil
			t.Failure = &record.Failure{Class: "crash", Message: "llama-bench died of signal 11", Stderr: "loading\nggml_abort: x.c:12\n"}
		}
	}
	return runs
}

// moved are nights of a machine that moved once for good and once more last night.
func moved() []*record.Run {
	s := few(nil)
	s.Sentinel = &historytest.Sentinel{Build: map[int]string{0: "aa"}}
	s.Moves = map[int]float64{17: 0.95, 29: 0.92}
	return s.Runs()
}

// falseAlarms is how many change points a year may be none: many, because the
// search makes the more permutations the fewer it allows, and no test here asks
// for its error rate.
const falseAlarms = 50

// Told is what stored runs have to say, the last night included.
func Told(t testing.TB, runs []*record.Run, src report.NightlySource) report.Nightly {
	t.Helper()
	s, c := historytest.Store(t, runs)
	trends := history.Analyze(c, history.TrendOptions{FalseAlarms: falseAlarms})
	src.Policy, src.Latest = compare.DefaultPolicy(), make(map[string]*history.Latest)
	for i := range trends.Machines {
		m := &trends.Machines[i]
		latest, err := history.Judge(context.Background(), s, c, *m, src.Policy)
		if err != nil {
			t.Fatal(err)
		}
		src.Latest[m.Name] = &latest
		if src.Checkout == "" {
			continue
		}
		for k := range m.ChangePoints {
			m.ChangePoints[k].Commits = commitsOf(m, m.ChangePoints[k])
		}
	}
	return report.NewNightly(trends, src)
}

// YearOfNights is a year in which much happened; see historytest.Year.
func YearOfNights(t testing.TB) report.Nightly { return night(t, "year") }

func yearOfNights(t testing.TB) report.Nightly {
	return Told(t, historytest.Year(nil).Runs(), report.NightlySource{Title: "llama.cpp nightly", Store: "git:origin#perf-data", Checkout: "../llama.cpp", Calibration: "2026-01-01 0123456789ab"})
}

// commitsOf makes up the commits of a change point.
func commitsOf(m *history.Machine, p history.ChangePoint) history.Commits {
	var c history.Commits
	for n := p.FirstBad; n > p.LastGood; n-- {
		c.Total++
		if len(c.List) < 20 {
			c.List = append(c.List, history.Commit{SHA: m.Nights[n].Commit, Author: "A. Author", Time: m.Nights[n].Started.Add(-6 * time.Hour), Subject: fmt.Sprintf("ggml : use fewer threads for small batches (#%d)", 20000+n)})
		}
	}
	return c
}

// HostileNights have names in which every medium finds something that it gives
// a meaning to.
func HostileNights(t testing.TB) report.Nightly { return night(t, "hostile") }

func hostileNights(t testing.TB) report.Nightly {
	story := historytest.Story{Machine: "bench-03", Nights: 40, Noise: 0.005, Seed: 3}
	story.Cells = []historytest.Cell{{Model: "m", Test: "t", Level: 100, Steps: map[int]float64{25: 0.9}}}
	runs := story.Runs()
	for n, run := range runs {
		trials := run.Trials
		run.Models, run.Cells, run.Trials = nil, nil, nil
		for i, name := range Names {
			if name == "" || len(name) > 3000 {
				continue
			}
			name = strings.ToValidUTF8(name, "?")
			model := fmt.Sprintf("%d%s", i, name)
			run.Models = append(run.Models, record.Model{Name: model, Path: name})
			c := record.Cell{Workload: "bench", Model: model, Params: map[string]string{"p": name}, Metrics: []record.Metric{{Name: name, Kind: record.Throughput, Unit: name, Better: record.Higher}}}
			c.Key = record.CellKey(c.Workload, c.Model, c.Params)
			run.Cells = append(run.Cells, c)
			for _, trial := range trials {
				trial.ID, trial.Cell = fmt.Sprint(i, trial.ID), c.Key
				trial.Measurements = []record.Measurement{{Metric: name, Values: trial.Measurements[0].Values}}
				if n == len(runs)-1 && i%3 == 0 {
					trial.Outcome, trial.Measurements = record.Failed, nil
					trial.Failure = &record.Failure{Class: record.FailureClass(name), Message: name, Stderr: name}
				}
				run.Trials = append(run.Trials, trial)
			}
		}
		run.Arms[0].Name, run.Baseline = Names[2], Names[2]
		for i := range run.Trials {
			run.Trials[i].Arm = Names[2]
		}
		run.Sentinel = hostileSentinel(run, n == len(runs)-1)
		run.Arms[0].Build.Commit = Names[n%len(Names)]
		if n > 6 {
			run.Host.Hard[Names[3]] = Names[4]
		}
		if n > 12 {
			run.Host.Hard[Names[3]] = Names[5]
		}
	}
	n := Told(t, runs, report.NightlySource{Title: Names[9], Store: Names[4], Checkout: Names[5], Calibration: Names[6]})
	for i := range n.Machines[0].ChangePoints {
		p := &n.Machines[0].ChangePoints[i]
		for _, name := range Names {
			p.Commits = append(p.Commits, report.Commit{SHA: strings.Repeat("ab", 20), Author: report.AsForeign(name), Subject: report.AsForeign(name)})
		}
		p.CommitCount = len(p.Commits)
	}
	return n
}

// hostileSentinel measured what the arm of a run did, and moved in one night.
func hostileSentinel(run *record.Run, moved bool) *record.Sentinel {
	s := &record.Sentinel{Arm: record.Arm{Name: Names[6], Bin: Names[3]}, Cells: run.Cells, Missing: Names[4]}
	for _, trial := range run.Trials {
		trial.Arm, trial.Outcome, trial.Failure = Names[6], record.OK, nil
		for _, c := range run.Cells {
			if c.Key == trial.Cell {
				value := 100.0 + float64(run.Started.Day()%3)/10
				if moved {
					value = 80
				}
				trial.Measurements = []record.Measurement{{Metric: c.Metrics[0].Name, Values: []float64{value}}}
			}
		}
		s.Trials = append(s.Trials, trial)
	}
	return s
}
