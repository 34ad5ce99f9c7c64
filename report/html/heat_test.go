package html_test

import (
	"fmt"
	stdhtml "html"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/compare"
	"github.com/llama-regress/llama-regress/report"
	"github.com/llama-regress/llama-regress/report/reporttest"
)

// sweep compares one metric over parameters; change gives each cell's.
func sweep(better record.Direction, change func(map[string]string) float64, cells ...map[string]string) report.Report {
	res := &compare.Result{Method: compare.Paired, Policy: compare.DefaultPolicy()}
	for _, params := range cells {
		x := change(params)
		res.Comparisons = append(res.Comparisons, compare.Comparison{
			Cell: record.CellKey("bench", "tiny", params), Workload: "bench", Model: "tiny", Params: params,
			Metric: record.Metric{Name: "pp512", Kind: record.Throughput, Unit: "tok/s", Better: better}, Method: compare.Paired,
			Baseline: compare.Side{Arm: "base", Estimate: 100}, Candidate: compare.Side{Arm: "head", Estimate: 100 * (1 + x)},
			Change: &x, Margin: &compare.Range{Low: -0.03 / 1.03, High: 0.03}, Verdict: compare.Equivalent, Replicates: 6,
		})
	}
	return report.New(res, report.Source{})
}

// grid is every combination of two parameters' values.
func grid(x string, xs []string, y string, ys []string) []map[string]string {
	var cells []map[string]string
	for _, u := range xs {
		for _, v := range ys {
			cells = append(cells, map[string]string{x: u, y: v, "flash_attn": "on"})
		}
	}
	return cells
}

var (
	mapPattern     = regexp.MustCompile(`(?s)<table class="map">.*?</table>`)
	mapHeadPattern = regexp.MustCompile(`<th>([^<\n]*)`)
	mapCellPattern = regexp.MustCompile(`<td(?: class="(worse|better)" style="--heat:([0-9]+)%"><a href="#(c-[0-9a-f]+)"><span class="mark" data-class="[a-z_]+">(.)</span> ([^<]*)</a>|>)`)
)

func TestHeatMap(t *testing.T) {
	t.Parallel()
	changes := map[string]float64{"2": -0.09, "8": -0.045, "16": 0.009}
	change := func(p map[string]string) float64 {
		if p["batch"] == "512" {
			return 0.30
		}
		return changes[p["threads"]]
	}
	cells := grid("threads", []string{"16", "2", "8"}, "batch", []string{"512", "64"})
	for _, test := range []struct {
		name   string
		better record.Direction
		cells  []map[string]string
		want   []string // colour, heat and figure, row by row; "" where nothing was measured
	}{
		{"higher is better", record.Higher, cells, []string{
			"worse 100 −9.0%", "worse 50 −4.5%", "better 10 +0.90%",
			"better 100 +30%", "better 100 +30%", "better 100 +30%"}},
		{"lower is better", record.Lower, cells, []string{
			"better 100 −9.0%", "better 50 −4.5%", "worse 10 +0.90%",
			"worse 100 +30%", "worse 100 +30%", "worse 100 +30%"}},
		{"a gap", record.Higher, cells[:5], []string{
			"worse 100 −9.0%", "", "better 10 +0.90%",
			"better 100 +30%", "better 100 +30%", "better 100 +30%"}},
	} {
		page := string(tables(t, sweep(test.better, change, test.cells...)))
		maps := mapPattern.FindAllString(page, -1)
		if len(maps) != 1 {
			t.Errorf("%s: %d maps, want 1", test.name, len(maps))
			continue
		}
		var heads, got []string
		for _, m := range mapHeadPattern.FindAllStringSubmatch(maps[0], -1) {
			heads = append(heads, m[1])
		}
		if want := []string{"batch ↓ threads →", "2", "8", "16", "64", "512"}; !slices.Equal(heads, want) {
			t.Errorf("%s: heads %q, want %q", test.name, heads, want)
		}
		for _, m := range mapCellPattern.FindAllStringSubmatch(maps[0], -1) {
			if m[3] != "" && !strings.Contains(page, `<tr id="`+m[3]+`" class="row"`) {
				t.Errorf("%s: leads to no row: %s", test.name, m[3])
			}
			got = append(got, strings.TrimSpace(m[1]+" "+m[2]+" "+stdhtml.UnescapeString(m[5])))
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: cells %q, want %q", test.name, got, test.want)
		}
		checkStructure(t, test.name, []byte(page))
	}
}

// A map is drawn of exactly two parameters that every cell has.
func TestNoHeatMap(t *testing.T) {
	t.Parallel()
	flat := func(map[string]string) float64 { return 0.01 }
	row := grid("threads", []string{"1", "2", "4", "8", "16"}, "batch", []string{"512"})
	cube := append(grid("threads", []string{"1", "2"}, "batch", []string{"64", "512"}), map[string]string{"threads": "1", "batch": "64", "flash_attn": "off"})
	ragged := append(grid("threads", []string{"1", "2"}, "batch", []string{"64", "512"}), map[string]string{"threads": "4", "flash_attn": "on"})
	for name, cells := range map[string][]map[string]string{"one parameter": row, "three": cube, "one that a cell lacks": ragged, "few cells": row[:1]} {
		if page := tables(t, sweep(record.Higher, flat, cells...)); mapPattern.Match(page) {
			t.Errorf("%s: a map is drawn", name)
		}
	}
}

// The names of parameters and their values stay text in maps, too.
func TestHostileHeatMap(t *testing.T) {
	t.Parallel()
	for i, name := range reporttest.Names {
		other := fmt.Sprint(i, name)
		page := tables(t, sweep(record.Higher, func(map[string]string) float64 { return -0.1 },
			grid(name, []string{name, "x"}, other, []string{name, other})...))
		if !mapPattern.Match(page) {
			t.Errorf("%.40q: no map", name)
		}
		checkStructure(t, name, page)
	}
}
