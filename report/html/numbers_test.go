package html_test

import (
	"encoding/json"
	stdhtml "html"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/report"
	"github.com/llama-regress/llama-regress/report/reporttest"
)

// A row is a comparison as the page's table says it.
type row struct {
	id, class string
	cells     []string // text
	sort      []string // data-sort; "" without
	unit      string
	trials    [][]string
}

var (
	rowPattern   = regexp.MustCompile(`(?s)<tr id="(c-[0-9a-f-]+)" class="row" data-class="([a-z_]+)">(.*?)<tr class="more">(.*?)</details>`)
	cellPattern  = regexp.MustCompile(`(?s)<td[^>]*?(?: data-sort="([^"]*)")?>(.*?)(?:</td>)?\n`)
	trialPattern = regexp.MustCompile(`(?s)<table class="trials" data-unit="([^"]*)">.*?<tbody>\n(.*?)</tbody>`)
	tagPattern   = regexp.MustCompile(`<[^>]*>`)
)

// rowsOf reads the tables of a page back, controls last.
func rowsOf(t testing.TB, page []byte) []row {
	t.Helper()
	text := func(s string) string {
		return strings.TrimSpace(stdhtml.UnescapeString(tagPattern.ReplaceAllString(s, "")))
	}
	var rows []row
	for _, m := range rowPattern.FindAllStringSubmatch(string(page), -1) {
		r := row{id: m[1], class: m[2]}
		for _, cell := range cellPattern.FindAllStringSubmatch(m[3], -1) {
			r.sort = append(r.sort, stdhtml.UnescapeString(cell[1]))
			r.cells = append(r.cells, text(cell[2]))
		}
		if table := trialPattern.FindStringSubmatch(m[4]); table != nil {
			r.unit = stdhtml.UnescapeString(table[1])
			for _, line := range strings.Split(strings.TrimSpace(table[2]), "\n") {
				r.trials = append(r.trials, strings.Split(strings.TrimPrefix(line, "<tr><td>"), "<td>"))
			}
		}
		rows = append(rows, r)
	}
	return rows
}

// Every number of the page's tables and charts is the report's.
func TestNumbersAgree(t *testing.T) {
	t.Parallel()
	for _, c := range append(reporttest.Cases(), reporttest.Grid(60, 6)) {
		t.Run(c.Name, func(t *testing.T) {
			r := c.Report()
			page := tables(t, r)
			want := append(append([]report.Row(nil), r.Rows...), r.Controls...)
			got, charts := rowsOf(t, page), chartsOf(t, page)
			if len(got) != len(want) || len(charts) != len(want) {
				t.Fatalf("%d rows in the tables and %d in the charts, want %d", len(got), len(charts), len(want))
			}
			for i := range want {
				checkRow(t, got[i], want[i])
				checkTrials(t, got[i], want[i])
				checkChart(t, charts[i], want[i])
			}
		})
	}
}

func checkRow(t *testing.T, got row, want report.Row) {
	t.Helper()
	c, f := want.Comparison, want.Figures
	if got.id != want.ID || got.class != string(want.Class) || len(got.cells) != 10 {
		t.Fatalf("row %s, class %s with %d cells, want %s, %s with 10", got.id, got.class, len(got.cells), want.ID, want.Class)
	}
	change := "unknown"
	if f.Change != "" {
		change = report.Minus(f.Change)
	}
	if interval := f.Interval(); interval != "" {
		change += " [" + report.Minus(interval) + "]"
	}
	for i, text := range map[int]string{4: change, 5: f.Margin, 6: f.Baseline, 7: f.Candidate, 8: f.Noise, 9: strconv.Itoa(c.Replicates)} {
		if got.cells[i] != text {
			t.Errorf("%s, column %d: %q, want %q", want.ID, i, got.cells[i], text)
		}
	}
	numbers := map[int]float64{6: c.Baseline.Estimate, 7: c.Candidate.Estimate, 8: c.Sigma}
	if c.Change == nil {
		if got.sort[4] != "" {
			t.Errorf("%s: sorted by %q without a change", want.ID, got.sort[4])
		}
	} else {
		numbers[4] = want.Gain(*c.Change)
	}
	for i, number := range numbers {
		if x, err := strconv.ParseFloat(got.sort[i], 64); err != nil || !close(x, number) {
			t.Errorf("%s, column %d: sorted by %q, want %v", want.ID, i, got.sort[i], number)
		}
	}
}

func checkTrials(t *testing.T, got row, want report.Row) {
	t.Helper()
	sides := [2][]report.Point{want.Comparison.Baseline.Trials, want.Comparison.Candidate.Trials}
	unit, factor := want.Unit()
	if n := len(sides[0]) + len(sides[1]); len(got.trials) != n || n > 0 && got.unit != unit {
		t.Fatalf("%s: %d trials in %q, want %d in %q", want.ID, len(got.trials), got.unit, n, unit)
	}
	last := math.Inf(-1)
	for _, cells := range got.trials {
		if len(cells) != 5 || (cells[2] == "") == (cells[3] == "") {
			t.Fatalf("%s: a trial is %q", want.ID, cells)
		}
		side := 0
		if cells[2] == "" {
			side = 1
		}
		p := sides[side][0]
		sides[side] = sides[side][1:]
		block := strconv.Itoa(p.Block)
		if p.Block == record.NoBlock {
			block = ""
		}
		if cells[0] != strconv.Itoa(p.Order) || cells[1] != block || float64(p.Order) < last {
			t.Errorf("%s: order %s, block %s, want %d and %q, orders ascending", want.ID, cells[0], cells[1], p.Order, block)
		}
		last = float64(p.Order)
		// Six digits of the largest of its column.
		if x, err := strconv.ParseFloat(cells[2+side], 64); err != nil || math.Abs(x-math.Min(p.Value*factor, math.MaxFloat64)) > 1e-5*x {
			t.Errorf("%s: trial of %s, want %v times %v", want.ID, cells[2+side], p.Value, factor)
		}
	}
}

// Lines join the trials of a block only where both belong to one session.
func TestOnlyBlocksOfOneSessionAreJoined(t *testing.T) {
	t.Parallel()
	for _, c := range []reporttest.Case{reporttest.Regression(), reporttest.RawFiles(), reporttest.TwoSessions()} {
		var data struct{ Paired bool }
		if err := json.Unmarshal([]byte(dataOf(t, tables(t, c.Report()))), &data); err != nil || data.Paired != (c.Name == "regression") {
			t.Errorf("%s: joined: %v, %v", c.Name, data.Paired, err)
		}
	}
}

// close is equal to six significant digits.
func close(got, want float64) bool { return math.Abs(got-want) <= 5.1e-6*math.Abs(want) }

type chart struct {
	ID              string
	Class           report.Class
	Gain, Low, High *float64
	Margin          *[2]float64
}

func chartsOf(t *testing.T, page []byte) []chart {
	t.Helper()
	var data struct{ Rows []chart }
	if err := json.Unmarshal([]byte(dataOf(t, page)), &data); err != nil {
		t.Fatal(err)
	}
	return data.Rows
}

func checkChart(t *testing.T, got chart, want report.Row) {
	t.Helper()
	c := want.Comparison
	if got.ID != want.ID || got.Class != want.Class {
		t.Errorf("a chart's row is %s, %s, want %s, %s", got.ID, got.Class, want.ID, want.Class)
	}
	same := func(what string, got *float64, want float64) {
		t.Helper()
		if math.IsInf(want, 0) {
			if got != nil {
				t.Errorf("%s: %s is drawn at %v, beyond all numbers", c.Cell, what, *got)
			}
		} else if got == nil || !close(*got, want) {
			t.Errorf("%s: %s is drawn at %v, want %v", c.Cell, what, got, want)
		}
	}
	if c.Change == nil {
		if got.Gain != nil {
			t.Errorf("%s: drawn without a change", c.Cell)
		}
		return
	}
	same("change", got.Gain, 100*want.Gain(*c.Change))
	if c.Interval != nil && got.Gain != nil {
		same("lower bound", got.Low, 100*want.Gain(c.Interval.Low))
		same("upper bound", got.High, 100*want.Gain(c.Interval.High))
	}
	if c.Margin != nil && got.Gain != nil {
		same("lower margin", &got.Margin[0], 100*want.Gain(c.Margin.Low))
		same("upper margin", &got.Margin[1], 100*want.Gain(c.Margin.High))
	}
}
