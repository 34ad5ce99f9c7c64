package record

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// What a cell's key holds is what somebody set. Whether cells of two sessions are
// the same is a question of the values they ran with, whoever chose them.

// ranWith is the value of a parameter with which an arm ran a cell where the arm
// itself does not set it: the cell's, else what its program told, else
// Param.Default; "" for not known. set says that it is the cell's.
func ranWith(arm Arm, cell Cell, name string) (value string, set bool) {
	if value, set = cell.Params[name]; set {
		return value, true
	}
	p, ok := ParamByName(name)
	if !ok || !p.Of(cell.Workload) {
		return "", false
	}
	return cmp.Or(arm.Defaults[cell.Workload][name], p.Default), false
}

// SettingsDiffer lists the parameters in which two arms ran two cells otherwise,
// sorted by name, "" for a value that is not known. Parameters that an arm itself
// sets are no concern of a cell. A value that is not known differs from one that
// somebody set, and from nothing else.
func SettingsDiffer(a Arm, x Cell, b Arm, y Cell) []KeyDiff {
	if maps.Equal(x.Params, y.Params) && maps.Equal(a.Defaults[x.Workload], b.Defaults[y.Workload]) {
		return nil
	}
	names := make(map[string]bool)
	for _, values := range []map[string]string{x.Params, y.Params, a.Defaults[x.Workload], b.Defaults[y.Workload]} {
		for name := range values {
			names[name] = true
		}
	}
	var diffs []KeyDiff
	for _, name := range slices.Sorted(maps.Keys(names)) {
		_, inA := a.Params[name]
		_, inB := b.Params[name]
		if inA || inB {
			continue
		}
		v, vSet := ranWith(a, x, name)
		w, wSet := ranWith(b, y, name)
		if v == w || (v == "" || w == "") && !vSet && !wSet {
			continue
		}
		diffs = append(diffs, KeyDiff{Key: name, A: v, B: w})
	}
	return diffs
}

// DifferText words what SettingsDiffer found: "flash_attn off, not auto".
func DifferText(diffs []KeyDiff) string {
	var parts []string
	for _, d := range diffs {
		parts = append(parts, fmt.Sprintf("%s %s, not %s", d.Key, cmp.Or(d.A, "unknown"), cmp.Or(d.B, "unknown")))
	}
	return strings.Join(parts, "; ")
}

// told is an arm with its Defaults, from what its trials echoed in a record of a
// version that kept none.
func (r *Run) told(arm string) Arm {
	at := slices.IndexFunc(r.Arms, func(a Arm) bool { return a.Name == arm })
	if at < 0 {
		return Arm{}
	}
	told := r.Arms[at]
	if told.Defaults != nil || len(r.Trials) == 0 {
		return told
	}
	cells := make(map[string]*Cell, len(r.Cells))
	for i := range r.Cells {
		cells[r.Cells[i].Key] = &r.Cells[i]
	}
	for _, t := range r.Trials {
		if c := cells[t.Cell]; t.Arm == arm && c != nil {
			told.Tell(*c, t.Echo)
		}
	}
	return told
}

// Tell keeps what a program told in a trial of a cell of the parameters that
// neither cell nor arm sets: the first value of each.
func (a *Arm) Tell(cell Cell, echo map[string]string) {
	for _, p := range Params {
		_, inCell := cell.Params[p.Name]
		_, inArm := a.Params[p.Name]
		value := echo[p.Name]
		if value == "" || inCell || inArm || p.HeldIn(cell.Params) || p.Target != LlamaCpp || !p.Of(cell.Workload) || a.Defaults[cell.Workload][p.Name] != "" {
			continue
		}
		if a.Defaults == nil {
			a.Defaults = make(map[string]map[string]string)
		}
		if a.Defaults[cell.Workload] == nil {
			a.Defaults[cell.Workload] = make(map[string]string)
		}
		a.Defaults[cell.Workload][p.Name] = value
	}
}

// mostPairs bounds how many cells are held against one another.
const mostPairs = 250_000

// Like gives cells of r that an arm of it ran with the same settings as an arm of
// another session the keys and parameters that they have there, whatever the two
// configurations spelt out, and returns these keys. Cells of one key stay as they
// are.
func (r *Run) Like(arm string, other *Run, otherArm string) (keys map[string]bool) {
	if slices.EqualFunc(r.Cells, other.Cells, func(a, b Cell) bool { return a.Key == b.Key }) {
		return make(map[string]bool)
	}
	return r.like(r.told(arm), other, other.told(otherArm))
}

func (r *Run) like(ours Arm, other *Run, theirs Arm) map[string]bool {
	alone, wanted := r.without(other), other.without(r)
	given := make(map[string]bool)
	if len(alone)*len(wanted) > mostPairs {
		return given
	}
	cells := slices.Clone(r.Cells)
	for _, w := range wanted {
		want := other.Cells[w]
		i := slices.IndexFunc(alone, func(i int) bool {
			c := cells[i]
			return c.Workload == want.Workload && c.Model == want.Model && len(SettingsDiffer(ours, c, theirs, want)) == 0
		})
		if i >= 0 {
			cells[alone[i]].Params, cells[alone[i]].Key = want.Params, want.Key
			alone = slices.Delete(alone, i, i+1)
			given[want.Key] = true
		}
	}
	r.rekey(cells)
	return given
}

// without lists the cells, by index, whose keys another run has not.
func (r *Run) without(other *Run) (list []int) {
	there := make(map[string]bool, len(other.Cells))
	for _, c := range other.Cells {
		there[c.Key] = true
	}
	for i, c := range r.Cells {
		if !there[c.Key] {
			list = append(list, i)
		}
	}
	return list
}

// rekey gives the run its cells under new keys, each in its old place.
func (r *Run) rekey(cells []Cell) {
	renamed := make(map[string]string)
	for i := range cells {
		if r.Cells[i].Key != cells[i].Key {
			renamed[r.Cells[i].Key] = cells[i].Key
		}
	}
	r.Cells = cells
	if len(renamed) == 0 {
		return
	}
	r.Interims, r.Parts = slices.Clone(r.Interims), slices.Clone(r.Parts) // a session of a store shares them
	rename := func(key *string) {
		if to, ok := renamed[*key]; ok {
			*key = to
		}
	}
	for i := range r.Trials {
		rename(&r.Trials[i].Cell)
	}
	for i := range r.Interims {
		rename(&r.Interims[i].Cell)
	}
	for i := range r.Parts {
		p := &r.Parts[i]
		p.Cells = slices.Clone(p.Cells)
		for i := range p.Cells {
			rename(&p.Cells[i])
		}
	}
}

// Align makes cells of an arm in each of two sessions the same cell exactly where
// their settings were: keys that only spell out more or less become one, as Like
// has it, and cells of one key that ran with other values get keys that say so.
func Align(base *Run, baseArm string, head *Run, headArm string) {
	a, b := base.told(baseArm), head.told(headArm)
	same := base.like(a, head, b)
	of := make(map[string]Cell, len(base.Cells))
	for _, c := range base.Cells {
		of[c.Key] = c
	}
	for _, c := range head.Cells {
		if x, ok := of[c.Key]; ok && len(SettingsDiffer(a, x, b, c)) == 0 {
			same[c.Key] = true
		}
	}
	type subject struct{ workload, model string }
	names := make(map[subject]map[string]bool) // what is to be spelt out
	for _, cells := range [][]Cell{base.Cells, head.Cells} {
		for _, c := range cells {
			s := subject{c.Workload, c.Model}
			if same[c.Key] {
				continue
			}
			if names[s] == nil {
				names[s] = make(map[string]bool)
				for _, d := range SettingsDiffer(a, Cell{Workload: c.Workload}, b, Cell{Workload: c.Workload}) {
					names[s][d.Key] = true
				}
			}
			for name := range c.Params {
				names[s][name] = true
			}
		}
	}
	for _, side := range []struct {
		run *Run
		arm Arm
	}{{base, a}, {head, b}} {
		cells := slices.Clone(side.run.Cells)
		taken := make(map[string]bool, len(cells))
		for _, c := range cells {
			taken[c.Key] = true
		}
		for i, c := range cells {
			if same[c.Key] {
				continue
			}
			params := make(map[string]string)
			for name := range names[subject{c.Workload, c.Model}] {
				_, inA := a.Params[name]
				_, inB := b.Params[name]
				if value, set := ranWith(side.arm, c, name); set || value != "" && !inA && !inB {
					params[name] = value
				}
			}
			if key := CellKey(c.Workload, c.Model, params); !taken[key] {
				taken[key] = true
				cells[i].Params, cells[i].Key = params, key
			}
		}
		side.run.rekey(cells)
	}
}
