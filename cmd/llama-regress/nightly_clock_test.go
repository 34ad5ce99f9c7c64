package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/ci/store"
	"github.com/llama-regress/llama-regress/cmd/internal/cli"
	"github.com/llama-regress/llama-regress/compare/history/historytest"
)

// A clock was a century ahead for a week, in which the build lost 8 %: what was measured
// then takes no part, is named night after night, and hides nothing of the nights with
// the right date; put to its right time, it shows when the loss came.
func TestClockThatWasWrongForAWeek(t *testing.T) {
	const first, last = 40, 47 // nights with the wrong date
	runs := historytest.Story{Machine: "bench-01", Nights: 60, Noise: 0.005, Seed: 3,
		Cells: []historytest.Cell{{Model: "tiny", Test: "tg128", Level: 80, Steps: map[int]float64{first: 0.92}}}}.Runs()
	dir := t.TempDir()
	var wrong []*record.Run
	for n, run := range runs {
		if n >= first && n < last {
			late := *run
			late.Started, late.Finished = run.Started.AddDate(100, 0, 0), run.Finished.AddDate(100, 0, 0)
			wrong = append(wrong, &late)
			runs[n] = &late
		}
	}
	writeRuns(t, dir, runs)
	where := []string{"--store", "dir:" + dir}
	nightly := append([]string{"nightly"}, where...)
	out, errors := typed(t, cli.ExitRegression, nightly...)
	if !strings.Contains(out, "1 regression open") || !strings.Contains(out, "from the night of "+runs[last].Started.Format("2006-01-02")) || strings.Contains(out, "2125") {
		t.Errorf("got\n%s", out)
	}
	if !strings.Contains(strings.Join(strings.Fields(out), " "), "7 records of the store: dated after now") {
		t.Errorf("the report does not count them:\n%s", out)
	}
	for _, run := range wrong {
		key := store.KeyOf(run, "", 1).String()
		if !strings.Contains(errors, key) || !strings.Contains(errors, "See that the clock of bench-01 is right") {
			t.Errorf("%s is not named in\n%s", key, errors)
		}
	}
	if latest, _ := typed(t, cli.ExitPass, append([]string{"baseline", "show", "latest"}, where...)...); !strings.Contains(latest, store.KeyOf(runs[59], "", 1).String()) {
		t.Errorf("the latest session is\n%s", latest)
	}

	// As the advice says.
	for i, run := range wrong {
		text, _ := typed(t, cli.ExitPass, append([]string{"baseline", "show", store.KeyOf(run, "", 1).String(), "--json"}, where...)...)
		file := filepath.Join(t.TempDir(), "run.json")
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		at := historytest.First.AddDate(0, 0, first+i)
		key, _ := typed(t, cli.ExitPass, append([]string{"baseline", "put", file, "--at", at.Format("2006-01-02T15:04:05Z")}, where...)...)
		if !strings.Contains(key, at.Format("20060102T150405Z")) {
			t.Errorf("it was put to %s", key)
		}
	}
	if out, _ := typed(t, cli.ExitRegression, nightly...); !strings.Contains(out, "from the night of "+historytest.First.AddDate(0, 0, first).Format("2006-01-02")) {
		t.Errorf("with the week in its place:\n%s", out)
	}
}

// Nights that are stored in any order are one history: that of their dates.
func TestNightsStoredOutOfOrder(t *testing.T) {
	runs := historytest.Story{Machine: "bench-01", Nights: 40, Noise: 0.005, Seed: 3,
		Cells: []historytest.Cell{{Model: "tiny", Test: "tg128", Level: 80, Steps: map[int]float64{25: 0.92}}}}.Runs()
	reports := make([]string, 2)
	for i := range reports {
		dir := t.TempDir()
		for k := range runs {
			run := runs[k]
			if i == 1 {
				run = runs[(k*7+20)%len(runs)] // a step that goes through all
			}
			file := filepath.Join(t.TempDir(), "run.json")
			if err := record.WriteFile(file, run); err != nil {
				t.Fatal(err)
			}
			_, errors := typed(t, cli.ExitPass, "baseline", "put", file, "--store", "dir:"+dir)
			if earlier := strings.Contains(errors, "dated before the latest one stored"); i == 0 && earlier {
				t.Errorf("night %d: %s", k, errors)
			}
		}
		out, _ := typed(t, cli.ExitRegression, "nightly", "--store", "dir:"+dir, "--json")
		reports[i] = strings.ReplaceAll(out, dir, "STORE")
	}
	if reports[0] != reports[1] {
		t.Errorf("stored in order:\n%s\nout of order:\n%s", reports[0], reports[1])
	}
}
