package reporttest_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/llama-regress/llama-regress/ci/config"
	"github.com/llama-regress/llama-regress/ci/export"
	"github.com/llama-regress/llama-regress/ci/plan"
	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/compare"
	"github.com/llama-regress/llama-regress/compare/history"
	"github.com/llama-regress/llama-regress/compare/history/historytest"
	"github.com/llama-regress/llama-regress/report"
	"github.com/llama-regress/llama-regress/report/html"
	reportjson "github.com/llama-regress/llama-regress/report/json"
	"github.com/llama-regress/llama-regress/report/junit"
	"github.com/llama-regress/llama-regress/report/markdown"
	"github.com/llama-regress/llama-regress/report/text"
)

// The toy is a workload that no code but this file knows: a wheel that is spun,
// with a speed, a share that stops in time, and a time that is longer than it
// was. It is registered here, as a new workload is by its own package, and taken
// through everything.
var toy = record.Workload{Name: "wheel", Title: "wheel of fortune", Metrics: []record.Definition{
	{Name: "wheel_speed", Kind: "wheel_speed", Unit: "spins/s", Better: record.Higher, Scale: record.Ratio, Margin: 0.04,
		Term: "wheel speed", Meaning: "Spins of the wheel in a second."},
	{Name: "wheel_stop", Kind: "wheel_stop", Unit: "s", Better: record.Lower, Scale: record.Ratio, Margin: 0.07,
		Term: "time to stop", Meaning: "From the last push to rest."},
}}

// wheel is the section of the toy in a configuration.
type wheel struct {
	Spins int `yaml:"spins"`
}

func (w *wheel) Check() error {
	if w.Spins < 1 || w.Spins > 9 {
		return fmt.Errorf("spins: want 1 to 9, not %d", w.Spins)
	}
	return nil
}

func registerToy(t *testing.T) {
	t.Helper()
	t.Cleanup(record.Register(toy))
	t.Cleanup(config.Register("wheel", json.RawMessage(`{"type": "object", "properties": {"spins": {"type": "integer", "minimum": 1}}}`),
		func() config.Section { return &wheel{Spins: 3} }))
	t.Cleanup(plan.Register(plan.Workload{Name: "wheel", Expand: func(p *plan.Plan, cfg *config.Config, points []map[string]string) error {
		w, ok := cfg.Sections["wheel"].(*wheel)
		if !ok {
			return nil
		}
		for _, m := range p.Models {
			for _, spins := range []int{1, w.Spins} {
				params := map[string]string{"spins": fmt.Sprint(spins)}
				c := record.Cell{Key: record.CellKey("wheel", m.Name, params), Workload: "wheel", Model: m.Name, Params: params}
				for _, d := range toy.Metrics {
					c.Metrics = append(c.Metrics, d.Metric(d.Name))
				}
				p.Cells = append(p.Cells, plan.Cell{Cell: c, ModelPath: m.Path, Work: spins})
			}
		}
		return nil
	}}))
}

const toyConfig = `version: 1
arms:
  - {name: base, bin: base}
  - {name: head, bin: head}
baseline: base
models: [{name: tiny, path: tiny.gguf}]
wheel: {spins: 5}
sampling: {blocks: 8, seed: 1}
gate:
  wheel_speed: {margin: 6%}
`

// TestToyWorkload takes a metric and a workload that nobody knows from the
// configuration to every report and export.
func TestToyWorkload(t *testing.T) {
	registerToy(t)
	if schema := config.Schema(); !json.Valid([]byte(schema)) || !strings.Contains(schema, `"wheel"`) || !strings.Contains(schema, "wheel_stop") {
		t.Error("the schema knows nothing of the section or of a metric's margin")
	}
	if _, err := config.Parse([]byte(strings.Replace(toyConfig, "spins: 5", "spins: 50", 1)), "toy.yaml"); err == nil || !strings.Contains(err.Error(), "toy.yaml:7") || !strings.Contains(err.Error(), "spins") {
		t.Errorf("a wrong value: %v; want the place and the key", err)
	}
	if _, err := config.Parse([]byte(strings.Replace(toyConfig, "wheel_speed", "wheel_sped", 1)), "toy.yaml"); err == nil || !strings.Contains(err.Error(), "wheel_speed") {
		t.Errorf("a metric misspelt: %v; want the right one suggested", err)
	}
	cfg, err := config.Parse([]byte(toyConfig), filepath.Join(t.TempDir(), "toy.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	p, err := plan.Expand(cfg)
	if err != nil || len(p.Cells) != 2 || len(p.Trials) < 32 {
		t.Fatalf("plan: %v, %d cells, %d trials", err, len(p.Cells), len(p.Trials))
	}
	run := spun(t, p)

	policy := compare.DefaultPolicy()
	if policy.Margins["wheel_stop"].Value != 0.07 {
		t.Errorf("default margins: %+v", policy.Margins)
	}
	res := compare.Run(run, policy)
	want := map[string]compare.Verdict{"wheel_speed": compare.Regression, "wheel_stop": compare.Equivalent}
	for _, c := range res.Comparisons {
		if c.Verdict != want[c.Metric.Name] {
			t.Errorf("%s of %s: %v, want %v (%+v)", c.Metric.Name, c.Cell, c.Verdict, want[c.Metric.Name], c.Reason)
		}
	}
	if len(res.Comparisons) != 4 {
		t.Errorf("%d comparisons, want 4", len(res.Comparisons))
	}
	r := report.New(res, report.Source{Base: run, Head: run})
	for kind, write := range map[string]func(io.Writer) error{
		"html":     func(w io.Writer) error { return html.Write(w, r, html.Options{WithoutCharts: true}) },
		"json":     func(w io.Writer) error { return reportjson.Write(w, r) },
		"junit":    func(w io.Writer) error { return junit.Write(w, r) },
		"markdown": func(w io.Writer) error { return markdown.Write(w, r, markdown.Options{}) },
		"text":     func(w io.Writer) error { return text.Write(w, r, text.Options{Full: true}) },
	} {
		said := written(t, kind, write)
		for _, word := range []string{"wheel_speed", "wheel_stop", "spins=5", "spins/s"} {
			if !strings.Contains(said, word) {
				t.Errorf("%s does not say %q", kind, word)
			}
		}
		if kind != "junit" && !strings.Contains(said, "Spins of the wheel in a second.") {
			t.Errorf("%s does not explain the metric", kind)
		}
	}
	for name, add := range map[string]func(io.Writer) export.Writer{"benchfmt": export.NewBenchfmt, "csv": export.NewCSV} {
		said := written(t, name, func(w io.Writer) error {
			e := add(w)
			if err := e.Add(run); err != nil {
				return err
			}
			return e.Close()
		})
		if !strings.Contains(said, "wheel_speed") && !strings.Contains(said, "spins/s") {
			t.Errorf("%s does not hold the metric:\n%.500s", name, said)
		}
	}
}

// TestToyNights follows the toy over a store of nights.
func TestToyNights(t *testing.T) {
	registerToy(t)
	cfg, err := config.Parse([]byte(toyConfig), filepath.Join(t.TempDir(), "toy.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	p, err := plan.Expand(cfg)
	if err != nil {
		t.Fatal(err)
	}
	var runs []*record.Run
	for night := range 24 {
		run := spun(t, p)
		run.Started = historytest.First.AddDate(0, 0, night)
		run.ID, run.Finished = run.Started.Format("20060102T150405Z")+"-beef", run.Started.Add(time.Minute)
		run.Host = record.Host{Name: "bench-01", Hard: map[string]string{"cpu": "x"}}
		for i := range run.Trials {
			for k := range run.Trials[i].Measurements {
				m := &run.Trials[i].Measurements[k]
				m.Values[0] *= 1 + 0.001*float64(night%5)
				if m.Metric == "wheel_speed" && night >= 12 {
					m.Values[0] *= 0.8
				}
			}
		}
		runs = append(runs, run)
	}
	_, c := historytest.Store(t, runs)
	n := report.NewNightly(history.Analyze(c, history.TrendOptions{FalseAlarms: 50}), report.NightlySource{Policy: compare.DefaultPolicy()})
	if n.Outcome != compare.Regressed {
		t.Errorf("outcome %s: %s", n.Outcome, n.Headline)
	}
	for kind, write := range map[string]func(io.Writer) error{
		"html":     func(w io.Writer) error { return html.WriteNightly(w, n, html.Options{WithoutCharts: true}) },
		"json":     func(w io.Writer) error { return reportjson.WriteNightly(w, n) },
		"markdown": func(w io.Writer) error { return markdown.WriteNightly(w, n, markdown.Options{}) },
		"text":     func(w io.Writer) error { return text.WriteNightly(w, n, text.Options{}) },
	} {
		if said := written(t, kind, write); !strings.Contains(said, "wheel_speed") {
			t.Errorf("%s of the nights does not say wheel_speed", kind)
		}
	}
}

func written(t *testing.T, what string, write func(io.Writer) error) string {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	return b.String()
}

// spun measures the plan: the head is a quarter slower. The record goes through
// a file.
func spun(t *testing.T, p *plan.Plan) *record.Run {
	t.Helper()
	start := time.Date(2026, 11, 14, 9, 30, 0, 0, time.UTC)
	run := &record.Run{Schema: record.Schema, ID: "20261114T093000Z-beef", Started: start, Finished: start.Add(time.Minute), Baseline: p.Baseline, Arms: p.Arms,
		Plan: record.Plan{ID: p.ID, Seed: p.Seed, Blocks: p.Blocks, Trials: len(p.Trials)}}
	for _, m := range p.Models {
		run.Models = append(run.Models, record.Model{Name: m.Name, Path: m.Path})
	}
	for _, c := range p.Cells {
		run.Cells = append(run.Cells, c.Cell)
	}
	for i, planned := range p.Trials {
		speed := 10 * (1 + 0.002*float64(i%7))
		if p.Arms[planned.Arm].Name == "head" {
			speed *= 0.75
		}
		run.Trials = append(run.Trials, record.Trial{
			ID: fmt.Sprintf("t%03d", i), Arm: p.Arms[planned.Arm].Name, Cell: p.Cells[planned.Cell].Cell.Key, Block: planned.Block, Order: i,
			Start: start.Add(time.Duration(i) * time.Second), Seconds: 1, Outcome: record.OK,
			Measurements: []record.Measurement{{Metric: "wheel_speed", Values: []float64{speed}}, {Metric: "wheel_stop", Values: []float64{0.5 * (1 + 0.001*float64(i%5))}}},
		})
	}
	path := filepath.Join(t.TempDir(), "run.json")
	if err := record.WriteFile(path, run); err != nil {
		t.Fatal(err)
	}
	read, err := record.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return read
}
