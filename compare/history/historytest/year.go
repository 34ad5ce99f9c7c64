// Package historytest makes histories whose truth is known: nights of one
// machine with steps, a drift, breaks, missing weeks and a cell that cannot
// make up its mind.
package historytest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/ci/store"
)

// First is when the first night began.
var First = time.Date(2025, 11, 1, 2, 17, 0, 0, time.UTC)

// A Story is what happened on a machine, by cell. The zero value is noise.
type Story struct {
	Machine string
	Nights  int
	Cells   []Cell
	Noise   float64 // sd of a session around its level, of logs
	Seed    uint64

	Commits []string       // of the build of each night; nil for numbers
	Host    map[int]string // kernel from a night on
	Missing map[int]bool   // nights without a session

	Moves    map[int]float64 // factor of the machine from a night on: on all that it measures
	Sentinel *Sentinel       // that is measured with every night; nil for none
}

// A Cell is a metric that is followed.
type Cell struct {
	Model, Test string
	Level       float64         // tok/s on the first night
	Steps       map[int]float64 // factor on the level from a night on
	Drift       [3]float64      // from a night to another, by this factor in all
	Flaky       float64         // share of nights that lose 15 %
	Rate        map[int]float64 // success rate from a night on; then Level is not used
}

// Runs are the records of the nights that were measured.
func (s Story) Runs() (runs []*record.Run) {
	kernel, rng := "6.1", rand.New(rand.NewPCG(s.Seed, 77))
	machine, pinned, build, sentinelRNG := 1.0, 1.0, "", rand.New(rand.NewPCG(s.Seed, 78))
	level, rate := make([]float64, len(s.Cells)), make([]float64, len(s.Cells))
	for i, c := range s.Cells {
		level[i] = c.Level
	}
	for n := range s.Nights {
		if k := s.Host[n]; k != "" {
			kernel = k
		}
		at := First.AddDate(0, 0, n)
		commit := fmt.Sprintf("%08x%032x", 0xabc00000+n*0x10e4f3, n)
		if s.Commits != nil {
			commit = s.Commits[n]
		}
		run := &record.Run{
			Schema: record.Schema, ID: at.Format("20060102T150405Z") + "-beef", Started: at, Finished: at.Add(40 * time.Minute), Baseline: "nightly",
			Tool: record.Tool{Version: "test"},
			Host: record.Host{Name: s.Machine, Hard: map[string]string{"cpu": "AMD EPYC 9654", "kernel": kernel}, Soft: map[string]string{}},
			Arms: []record.Arm{{Name: "nightly", Bin: "build/bin", Build: record.Build{Commit: commit, Number: 7000 + n}}},
			Plan: record.Plan{Blocks: blocks},
		}
		if f, ok := s.Moves[n]; ok {
			machine *= f
		}
		models := make(map[string]bool)
		for i, c := range s.Cells {
			if !models[c.Model] {
				models[c.Model] = true
				run.Models = append(run.Models, record.Model{Name: c.Model, Path: c.Model + ".gguf"})
			}
			if f, ok := c.Steps[n]; ok {
				level[i] *= f
			}
			if r, ok := c.Rate[n]; ok {
				rate[i] = r
			}
			if c.Drift[2] != 0 && float64(n) >= c.Drift[0] && float64(n) < c.Drift[1] {
				level[i] *= math.Pow(c.Drift[2], 1/(c.Drift[1]-c.Drift[0]))
			}
			night := level[i] * machine * math.Exp(s.Noise*rng.NormFloat64())
			if rng.Float64() < c.Flaky {
				night *= 0.85
			}
			workload, metric := "bench", record.Metric{Name: c.Test, Kind: record.Throughput, Unit: "tok/s", Better: record.Higher}
			if c.Rate != nil {
				workload, metric = "serve", record.Metric{Name: record.SuccessRate, Kind: record.SuccessRate, Unit: "1", Better: record.Higher}
			}
			trials := trialsOf(run, record.Cell{Key: record.CellKey(workload, c.Model, nil), Workload: workload, Model: c.Model}, metric)
			for block := range trials {
				m := record.Measurement{Metric: metric.Name, Values: []float64{night * math.Exp(0.004*rng.NormFloat64())}}
				if c.Rate != nil {
					count := record.Count{Total: 200}
					for range count.Total {
						if rng.Float64() < rate[i] {
							count.Succeeded++
						}
					}
					m.Count, m.Values = &count, []float64{float64(count.Succeeded) / float64(count.Total)}
				}
				trials[block].Measurements = append(trials[block].Measurements, m)
			}
		}
		if s.Sentinel != nil {
			if f, ok := s.Sentinel.Steps[n]; ok {
				pinned *= f
			}
			run.Sentinel = s.sentinelOf(run, n, &build, machine*pinned, sentinelRNG)
		}
		if !s.Missing[n] {
			runs = append(runs, run)
		}
	}
	return runs
}

const blocks = 3

// trialsOf are the trials of a cell, which are made with it, and get the metric.
func trialsOf(run *record.Run, cell record.Cell, metric record.Metric) []record.Trial {
	at := slices.IndexFunc(run.Cells, func(c record.Cell) bool { return c.Key == cell.Key })
	if at < 0 {
		at = len(run.Cells)
		run.Cells = append(run.Cells, cell)
		for block := range blocks {
			run.Trials = append(run.Trials, record.Trial{
				ID: fmt.Sprintf("t%d-%d", at, block), Arm: run.Baseline, Cell: cell.Key, Block: block, Order: block,
				Start: run.Started.Add(time.Duration(blocks*at+block) * time.Second), Seconds: 1, Outcome: record.OK,
			})
		}
		run.Plan.Trials = len(run.Trials)
	}
	run.Cells[at].Metrics = append(run.Cells[at].Metrics, metric)
	return run.Trials[blocks*at : blocks*(at+1)]
}

// A Memory is a store that is gone with the test.
type Memory map[string][]byte

func (m Memory) Put(_ context.Context, key string, data []byte) error {
	if m[key] != nil {
		return store.ErrExists
	}
	m[key] = data
	return nil
}

func (m Memory) List(_ context.Context, prefix string) (list []store.Object, err error) {
	for _, key := range slices.Sorted(maps.Keys(m)) {
		if strings.HasPrefix(key, prefix) {
			list = append(list, store.Object{Key: key, Size: int64(len(m[key])), Version: "1"})
		}
	}
	return list, nil
}

func (m Memory) Get(_ context.Context, key string) ([]byte, error) {
	if m[key] == nil {
		return nil, store.ErrNotFound
	}
	return m[key], nil
}

func (m Memory) Remove(_ context.Context, keys []string) error {
	for _, key := range keys {
		delete(m, key)
	}
	return nil
}

func (m Memory) Try(context.Context) error { return nil }

func (m Memory) String() string { return "dir:memory" }

// Store is a store of runs, in memory, and what it holds.
func Store(t testing.TB, runs []*record.Run) (store.Store, *store.Contents) {
	t.Helper()
	s := make(Memory)
	for _, run := range runs {
		data, err := json.Marshal(run)
		if err != nil {
			t.Fatal(err)
		}
		s[store.KeyOf(run, "", 1).String()] = data
	}
	c, err := store.Load(context.Background(), s, store.LoadOptions{Now: First.AddDate(100, 0, 0)})
	if err != nil || len(c.Faults) > 0 {
		t.Fatal(err, c.Faults)
	}
	return s, c
}

// Nights of the events of Year.
const (
	Slower    = 60  // small and base prefill: 6 % lost
	Faster    = 121 // tiny decode: 5 % won
	Kernel    = 140 // another kernel, everything 10 % faster
	DriftFrom = 170
	DriftTo   = 230 // base decode: 9 % lost, little by little
	Failing   = 200 // requests that succeed: 99 % to 94 %
	Bad       = 280 // tiny prefill: 7 % lost, ...
	Mended    = 302 // ... and won back
	Recent    = 345 // small decode: 5 % lost
)

// Year is a year of nights in which all of that happens, two weeks are missing,
// and one cell is flaky. commits has one for each night, or is nil.
func Year(commits []string) Story {
	s := Story{
		Machine: "bench-01", Nights: 365, Noise: 0.01, Seed: 5, Commits: commits,
		Host: map[int]string{Kernel: "6.12"}, Missing: make(map[int]bool),
		Cells: []Cell{
			{Model: "tiny", Test: "pp512", Level: 2100, Steps: map[int]float64{Bad: 0.93, Mended: 1 / 0.93}},
			{Model: "tiny", Test: "tg128", Level: 310, Steps: map[int]float64{Faster: 1.05}},
			{Model: "small", Test: "pp512", Level: 812, Steps: map[int]float64{Slower: 0.94}},
			{Model: "small", Test: "tg128", Level: 94, Steps: map[int]float64{Recent: 0.95}},
			{Model: "base", Test: "pp512", Level: 402, Steps: map[int]float64{Slower: 0.94}},
			{Model: "base", Test: "tg128", Level: 41, Drift: [3]float64{DriftFrom, DriftTo, 0.91}},
			{Model: "odd", Test: "tg128", Level: 55, Flaky: 0.15},
			{Model: "calm", Test: "tg128", Level: 77},
			{Model: "base", Test: "chat", Rate: map[int]float64{0: 0.99, Failing: 0.94}},
		},
	}
	for i := range s.Cells {
		if s.Cells[i].Steps == nil {
			s.Cells[i].Steps = make(map[int]float64)
		}
		s.Cells[i].Steps[Kernel] = 1.10
	}
	for n := 90; n < 104; n++ {
		s.Missing[n] = true
	}
	s.Missing[333] = true
	return s
}

// Checkout makes a git repository with so many commits, some a night, in dir,
// and returns the one that each night was built from.
func Checkout(t testing.TB, dir string, nights int) (commits []string) {
	t.Helper()
	const perNight = 3
	var b bytes.Buffer
	for i := range nights * perNight {
		message := fmt.Sprintf("ggml : change %d (#%d)", i, 20000+i)
		if i == (Slower-1)*perNight+1 {
			message = "ggml-cpu : use `one` thread <b>less</b> for @everybody | \x1b[31mfaster\x1b[0m (#20178)"
		}
		fmt.Fprintf(&b, "commit refs/heads/master\ncommitter A. Author <a@example.org> %d +0000\ndata %d\n%s\n", First.Unix()+int64(i)*28800-86400, len(message), message)
	}
	for _, command := range []struct {
		input string
		args  []string
	}{{"", []string{"init", "-q", "-b", "master", dir}}, {b.String(), []string{"-C", dir, "fast-import", "--quiet"}}} {
		cmd := exec.Command("git", command.args...)
		cmd.Stdin = strings.NewReader(command.input)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v: %s", command.args, err, out)
		}
	}
	out, err := exec.Command("git", "-C", dir, "rev-list", "--reverse", "master").Output()
	if err != nil {
		t.Fatal(err)
	}
	all := strings.Fields(string(out))
	for n := range nights {
		commits = append(commits, all[n*perNight])
	}
	return commits
}

// Loss is the verdict that a session was measured in turns with the build of an
// earlier one and has lost so much of a metric.
func Loss(bad, good *record.Run, metric string, change float64) store.Verdict {
	v := store.Verdict{
		Machine: bad.Host.Name, Session: store.KeyOf(bad, "", 1).String(), Arm: bad.Baseline, Commit: bad.Arms[0].Build.Commit, Host: bad.Host.Hard, Made: bad.Finished,
		Confirmed: &store.Confirmed{Run: bad.ID + "-confirm", Blocks: 12, Good: store.KeyOf(good, "", 1).String(), Commit: good.Arms[0].Build.Commit, Last: store.KeyOf(good, "", 1).String(), LastOf: good.Arms[0].Build.Commit},
	}
	for n := First; !n.After(bad.Started); n = n.AddDate(0, 0, 1) {
		v.Night++
	}
	for _, cell := range bad.Cells {
		for _, m := range cell.Metrics {
			if m.Name == metric {
				v.Findings = append(v.Findings, store.Finding{
					State: store.FindingOpen, Cell: cell.Key, Workload: cell.Workload, Model: cell.Model, Params: cell.Params, Metric: m,
					Change: change, Low: change - 0.005, High: change + 0.005, Confidence: 0.9, Trials: []string{"c1", "c2"},
				})
			}
		}
	}
	return v
}
