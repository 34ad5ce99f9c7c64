package report

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/compare"
)

// byDefault marks a value that nobody set.
const byDefault = " by default"

// withDefaults adds to the differences of a session's arms those of their builds
// where nobody set a parameter: another default is another thing measured. Where
// one side sets a parameter, the default of the other stands beside it.
func withDefaults(list []compare.Difference, src Source) []compare.Difference {
	if src.Base == nil || src.Base != src.Head {
		return list // of two sessions, cells with other settings are not compared
	}
	run := src.Base
	arms := make(map[string]record.Arm, len(run.Arms))
	for _, a := range run.Arms {
		arms[a.Name] = a
	}
	base := arms[run.Baseline]
	all := slices.Clone(list)
	for i, d := range all {
		name, ok := strings.CutPrefix(d.Key, "param.")
		if !ok {
			continue
		}
		if d.Baseline == "" {
			all[i].Baseline = defaultOf(base, name)
		}
		if d.Candidate == "" {
			all[i].Candidate = defaultOf(arms[d.Arm], name)
		}
	}
	for _, arm := range run.Arms {
		if arm.Name == base.Name || arm.ControlOf != "" {
			continue
		}
		for _, w := range record.Workloads() {
			for _, name := range slices.Sorted(maps.Keys(base.Defaults[w.Name])) {
				was, is := base.Defaults[w.Name][name], arm.Defaults[w.Name][name]
				d := compare.Difference{Key: "param." + name, Arm: arm.Name, Baseline: was + byDefault, Candidate: is + byDefault}
				if is != "" && was != is && !slices.Contains(all, d) {
					all = append(all, d)
				}
			}
		}
	}
	return all
}

// defaultOf is what the programs of an arm told of a parameter that nobody set, ""
// where they told nothing.
func defaultOf(arm record.Arm, name string) string {
	for _, w := range record.Workloads() {
		if value := arm.Defaults[w.Name][name]; value != "" {
			return value + byDefault
		}
	}
	return ""
}

// heldFixed lists what a run set that nobody asked for, as measuring needs it. Nil
// for a record of a version that passed every parameter.
func heldFixed(r *record.Run) Text {
	var each []Text
	workloads := make(map[string]string, len(r.Cells))
	for _, c := range r.Cells {
		workloads[c.Key] = c.Workload
	}
	for _, w := range record.Workloads() {
		if !slices.ContainsFunc(r.Arms, func(a record.Arm) bool { return a.Defaults[w.Name] != nil }) {
			continue
		}
		if !w.Sends {
			each = append(each, concat(quote(w.Title), say(": tests and repetitions alone")))
			continue
		}
		passed := make(map[string]bool) // words of any command
		for _, t := range r.Trials {
			if workloads[t.Cell] == w.Name {
				for _, word := range t.Command {
					passed[word] = true
				}
			}
		}
		var held []string
		for _, p := range record.Params {
			set := slices.ContainsFunc(r.Arms, func(a record.Arm) bool { return a.Params[p.Name] != "" }) ||
				slices.ContainsFunc(r.Cells, func(c record.Cell) bool { return c.Workload == w.Name && c.Params[p.Name] != "" })
			some := slices.ContainsFunc(r.Cells, func(c record.Cell) bool { return c.Workload == w.Name && p.HeldIn(c.Params) })
			if some && p.Of(w.Name) && !set {
				held = append(held, p.Name+" "+p.Default)
			}
		}
		for _, h := range record.HeldFixed {
			if passed[h.Words[0]] {
				held = append(held, strings.Join(h.Words, " "))
			}
		}
		each = append(each, concat(quote(w.Title), say(": "), quoteAll(held, 24)))
	}
	return join("; ", each...)
}

// leftToBuild lists what nobody set, as the baseline's programs told it.
func leftToBuild(r *record.Run) Text {
	at := slices.IndexFunc(r.Arms, func(a record.Arm) bool { return a.Name == r.Baseline })
	if at < 0 {
		return nil
	}
	var each []Text
	for _, w := range record.Workloads() {
		var told []string
		for _, name := range slices.Sorted(maps.Keys(r.Arms[at].Defaults[w.Name])) {
			told = append(told, name+" "+r.Arms[at].Defaults[w.Name][name])
		}
		if told != nil {
			each = append(each, concat(quote(cmp.Or(w.Title, w.Name)), say(": "), quoteAll(told, 24)))
		}
	}
	return join("; ", each...)
}
