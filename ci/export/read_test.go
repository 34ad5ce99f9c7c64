package export_test

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/llama-regress/llama-regress/ci/export"
	"github.com/llama-regress/llama-regress/ci/llama"
	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/stats"
)

// written is a run in CSV.
func written(t testing.TB, runs ...*record.Run) string {
	t.Helper()
	var out bytes.Buffer
	w := export.NewCSV(&out)
	for _, r := range runs {
		if err := w.Add(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// What is exported is read back: arms, cells, trials, blocks and values.
func TestReadCSV(t *testing.T) {
	run := example()
	run.Models[1].Name = "small" // a line break in a name is not kept
	for i := range run.Cells {
		c := &run.Cells[i]
		c.Model = strings.Replace(c.Model, "s/m\nall", "small", 1)
		was := c.Key
		c.Key = record.CellKey(c.Workload, c.Model, c.Params)
		for k := range run.Trials {
			if run.Trials[k].Cell == was {
				run.Trials[k].Cell = c.Key
			}
		}
	}
	text := written(t, run)
	if !export.IsCSV([]byte(text)) {
		t.Error("not known as an export")
	}
	got, err := export.ReadCSV(strings.NewReader("\ufeff"+strings.ReplaceAll(text, "\n", "\r\n")), "f.csv")
	if err != nil {
		t.Fatal(err)
	}
	if got.ID != run.ID || got.Host.Name != run.Host.Name || got.Baseline != "base" || len(got.Arms) != 2 || got.Arms[1].Build.Commit != "c0ffee11" {
		t.Errorf("%+v", got)
	}
	if len(got.Trials) != len(run.Trials) {
		t.Fatalf("%d trials, want %d", len(got.Trials), len(run.Trials))
	}
	for i, want := range run.Trials {
		g := got.Trials[i]
		if g.ID != want.ID || g.Arm != want.Arm || g.Cell != want.Cell || g.Block != want.Block || g.Order != want.Order || !g.Start.Equal(want.Start) || g.Outcome != want.Outcome {
			t.Errorf("trial %d: %+v, want %+v", i, g, want)
		}
		for _, m := range want.Measurements {
			read, ok := g.Measurement(m.Metric)
			if !ok || read.Values[0] != stats.Median(m.Values) || read.Censored != m.Censored || cmp.Diff(read.Count, m.Count) != "" {
				t.Errorf("trial %d, %s: %+v, want %+v", i, m.Metric, read, m)
			}
		}
	}
	if again := written(t, got); strings.Count(again, "\n") != strings.Count(text, "\n") {
		t.Errorf("exported again:\n%s", again)
	}
}

// The database is read back as the rows of one build each.
func TestReadSQLiteBack(t *testing.T) {
	path := write(t, filepath.Join(t.TempDir(), "x.sqlite"), example())
	run, err := llama.ImportDatabase(path, llama.ImportOptions{Build: "5aa1105d"})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, trial := range run.Trials {
		got = append(got, fmt.Sprintf("%s %s %v", trial.Cell, trial.Measurements[0].Metric, trial.Measurements[0].Values))
	}
	want := []string{"bench/tiny/cpu_mask=3,flash_attn=auto,threads=1 pp512 [101]", "bench/tiny/cpu_mask=3,flash_attn=auto,threads=1 tg128@d4096 [40]"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestReadCSVFaults(t *testing.T) {
	run := example()
	run.Models = run.Models[:1]
	run.Cells = run.Cells[:1]
	run.Trials = run.Trials[:1]
	text := written(t, run)
	second := *run
	second.ID = "another"
	for name, c := range map[string]struct{ text, err string }{
		"two sessions":   {written(t, run, &second), "f.csv:4: a second session, another after " + run.ID},
		"cut":            {text[:len(text)-12], "f.csv:3: "},
		"decimal comma":  {strings.Replace(text, ",101,", `,"101,5",`, 1), `f.csv:2: value "101,5": want a number with a decimal point`},
		"another unit":   {strings.ReplaceAll(text, "tok/s", "ms"), `f.csv:2: metric pp512 is in tok/s, higher is better, and not in "ms"`},
		"no such metric": {strings.ReplaceAll(text, "pp512", "xx512"), `f.csv:2: metric "xx512" is not one of bench`},
		"another cell":   {strings.ReplaceAll(text, ",tiny-1,", ",tiny-2,"), "f.csv:2: cell "},
		"no rows":        {text[:strings.Index(text, "\n")+1], "f.csv: no trial in it"},
		"heading":        {strings.Replace(text, "requests", "asked", 1), "f.csv:1: not the heading"},
		"twice":          {text + text[strings.Index(text, "\n")+1:], "f.csv:4: trial t0 has pp512 on an earlier line"},
	} {
		if _, err := export.ReadCSV(strings.NewReader(c.text), "f.csv"); err == nil || !strings.Contains(err.Error(), c.err) {
			t.Errorf("%s: %v, want %q", name, err, c.err)
		}
	}
}

func FuzzReadCSV(f *testing.F) {
	text := written(f, example())
	f.Add(text)
	f.Add(text[:len(text)/2])
	f.Fuzz(func(t *testing.T, text string) {
		run, err := export.ReadCSV(strings.NewReader(text), "f")
		if err == nil && (len(run.Trials) == 0 || run.Validate() != nil) {
			t.Errorf("%+v", run)
		}
	})
}
