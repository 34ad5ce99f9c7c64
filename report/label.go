package report

import (
	"maps"
	"slices"
	"strings"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/compare"
)

// labelCells gives each cell the shortest label that still says what sets it
// apart: the workload, model and parameters in which the cells differ. What
// all of them share is a fact of the report, not of the row.
func labelCells(lists ...[]compare.Comparison) map[string]string {
	cells := make(map[string]*compare.Comparison)
	for _, list := range lists {
		for i := range list {
			cells[list[i].Cell] = &list[i]
		}
	}
	distinct := func(labels map[string][]string) bool { return len(labels) == len(cells) }
	// The shortest labels name parameters that differ within a workload: these
	// usually tell the workloads apart too.
	labels := labelAll(cells, without(varying(cells, true), "workload"))
	if !distinct(labels) {
		labels = labelAll(cells, without(varying(cells, false), "workload"))
	}
	if !distinct(labels) {
		labels = labelAll(cells, varying(cells, false))
	}
	byCell := make(map[string]string, len(cells))
	for label, keys := range labels {
		for _, key := range keys {
			byCell[key] = label
			if len(keys) > 1 { // a hostile file may name two cells alike
				byCell[key] = key
			}
		}
	}
	return byCell
}

// without is varies less one of its names.
func without(varies map[string]bool, name string) map[string]bool {
	delete(varies, name)
	return varies
}

// labelAll labels every cell and returns the keys that share each label.
func labelAll(cells map[string]*compare.Comparison, varies map[string]bool) map[string][]string {
	labels := make(map[string][]string, len(cells))
	for key, c := range cells {
		label := cellLabel(c, varies)
		labels[label] = append(labels[label], key)
	}
	return labels
}

// varying says in which of "workload", "model" and "params.NAME" the cells
// differ; within takes parameters for different only where cells of one
// workload differ in them, since a bench cell has none of a server's.
func varying(cells map[string]*compare.Comparison, within bool) map[string]bool {
	type property struct{ workload, name string }
	values := make(map[property]map[string]bool)
	present := make(map[property]int)
	total := make(map[string]int)
	note := func(workload, name, value string) {
		p := property{workload, name}
		if values[p] == nil {
			values[p] = make(map[string]bool)
		}
		values[p][value] = true
		present[p]++
	}
	for _, c := range cells {
		note("", "workload", c.Workload)
		note("", "model", c.Model)
		total[""]++
		of := "of " + c.Workload
		total[of]++
		for name, value := range c.Params {
			if _, setting := record.ParamByName(name); setting && within {
				note(of, "params."+name, value)
			} else { // such as the concurrency, which tells that a cell serves
				note("", "params."+name, value)
			}
		}
	}
	varies := make(map[string]bool)
	for p, set := range values {
		varies[p.name] = varies[p.name] || len(set) > 1 || present[p] < total[p.workload]
	}
	return varies
}

func cellLabel(c *compare.Comparison, varies map[string]bool) string {
	var parts []string
	if varies["workload"] {
		parts = append(parts, c.Workload)
	}
	params := slices.DeleteFunc(slices.Sorted(maps.Keys(c.Params)), func(name string) bool { return !varies["params."+name] })
	if varies["model"] || len(parts)+len(params) == 0 {
		parts = append(parts, c.Model)
	}
	for _, name := range params {
		parts = append(parts, name+"="+c.Params[name])
	}
	return strings.Join(parts, " ")
}

// commonParams lists the parameters that every cell shares.
func commonParams(list []compare.Comparison) string {
	cells := make(map[string]*compare.Comparison, len(list))
	for i := range list {
		cells[list[i].Cell] = &list[i]
	}
	if len(cells) == 0 {
		return ""
	}
	varies := varying(cells, false)
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(list[0].Params)) {
		if !varies["params."+name] {
			parts = append(parts, name+"="+list[0].Params[name])
		}
	}
	return strings.Join(parts, " ")
}
