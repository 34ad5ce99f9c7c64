package work

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/llama-regress/llama-regress/ci/record"
)

// A key is what a function is known by. Several of one name are its parts from
// several files: its own lines, and those of what was inlined into it.
type key struct{ name, file, object string }

func keyOf(f record.Function) key { return key{f.Name, f.File, f.Object} }

func compareKeys(a, b key) int {
	return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.file, b.file), cmp.Compare(a.object, b.object))
}

// A pair is a function that both sides have.
type pair struct{ base, head float64 }

func (p pair) change() float64 { return p.head - p.base }

// A pairing has each function of both sides once: in a pair, or alone.
type pairing struct {
	both       map[key]pair // by the candidate's key
	gone, came map[key]float64
	moved      []Line
}

func newPairing(base, head Side) *pairing {
	p := &pairing{both: make(map[key]pair), gone: make(map[key]float64), came: make(map[key]float64)}
	for _, f := range base.Functions {
		p.gone[keyOf(f)] += f.PerToken
	}
	for _, f := range head.Functions {
		p.came[keyOf(f)] += f.PerToken
	}
	return p
}

// pair makes a pair of two that are alone.
func (p *pairing) pair(gone, came key) {
	was := p.both[came]
	p.both[came] = pair{was.base + p.gone[gone], was.head + p.came[came]}
	delete(p.gone, gone)
	delete(p.came, came)
}

// same pairs what has the same key.
func (p *pairing) same() {
	for k := range p.gone {
		if _, ok := p.came[k]; ok {
			p.pair(k, k)
		}
	}
}

// leastShared is how many named functions an object must have in common with one of
// another name to be taken for it; all that one of them has where it has fewer.
const leastShared = 3

// objects pairs the functions of an object that one side alone has with those of the
// object of the other side that shares most names with it.
func (p *pairing) objects() {
	names := func(side map[key]float64) map[string]map[string]bool {
		all := make(map[string]map[string]bool)
		for k := range side {
			if all[k.object] == nil {
				all[k.object] = make(map[string]bool)
			}
			if k.name != Nameless {
				all[k.object][k.name] = true
			}
		}
		for k := range p.both {
			delete(all, k.object)
		}
		delete(all, "")
		return all
	}
	gone, came := names(p.gone), names(p.came)
	for _, old := range slices.Sorted(maps.Keys(gone)) {
		best, most := "", 0
		for _, object := range slices.Sorted(maps.Keys(came)) {
			shared := 0
			for name := range gone[old] {
				if came[object][name] {
					shared++
				}
			}
			if shared > most {
				best, most = object, shared
			}
		}
		if most == 0 || most < min(leastShared, len(gone[old]), len(came[best])) {
			continue
		}
		delete(came, best)
		for _, k := range sortedKeys(p.gone) {
			if to := (key{k.name, k.file, best}); k.object == old {
				if _, ok := p.came[to]; ok {
					p.pair(k, to)
				}
			}
		}
	}
}

// sameName pairs what is alike in a part of its key that no other of its side has.
func (p *pairing) sameName(part func(key) key) {
	index := func(side map[key]float64) map[key][]key {
		all := make(map[key][]key)
		for k := range side {
			if k.name != Nameless {
				all[part(k)] = append(all[part(k)], k)
			}
		}
		return all
	}
	came := index(p.came)
	for name, gone := range index(p.gone) {
		if to := came[name]; len(gone) == 1 && len(to) == 1 {
			p.pair(gone[0], to[0])
		}
	}
}

// files joins what vanished from a source file with what appeared in it, and with
// the functions of both sides that took over or gave up the work of what is left.
func (p *pairing) files() {
	files := make(map[string]bool)
	for _, side := range []map[key]float64{p.gone, p.came} {
		for k := range side {
			files[k.file] = true
		}
	}
	delete(files, "")
	for _, file := range slices.Sorted(maps.Keys(files)) {
		gone, came := ofFile(p.gone, file), ofFile(p.came, file)
		grown := p.makingUp(file, sum(p.came, came)-sum(p.gone, gone))
		if (len(gone) == 0 || len(came) == 0) && len(grown) == 0 {
			continue
		}
		l := Line{Kind: Moved, File: file, Base: sum(p.gone, gone), Head: sum(p.came, came)}
		for _, k := range grown {
			l.Base, l.Head = l.Base+p.both[k].base, l.Head+p.both[k].head
			l.Object, l.Grown = k.object, append(l.Grown, k.name)
			delete(p.both, k)
		}
		for _, k := range gone {
			l.Object, l.Vanished = k.object, append(l.Vanished, k.name)
			delete(p.gone, k)
		}
		for _, k := range came {
			l.Object, l.Came = k.object, append(l.Came, k.name)
			delete(p.came, k)
		}
		p.moved = append(p.moved, l)
	}
}

// makingUp are the functions of a file that both sides have and that changed the
// other way than net, by between half of it and twice of it together: what callers
// do when a function is inlined into them. None where they do not.
func (p *pairing) makingUp(file string, net float64) (keys []key) {
	const negligible, half, twice = 0.02, 0.5, 2
	total, size := 0.0, math.Abs(net)
	for _, k := range sortedKeys(p.both) {
		c := p.both[k].change()
		if k.file != file || c*net >= 0 || math.Abs(c) < negligible*size || math.Abs(c) > twice*size {
			continue
		}
		keys = append(keys, k)
		total += math.Abs(c)
	}
	if total < half*size || total > twice*size {
		return nil
	}
	return keys
}

// ofFile are the functions of a file, the largest first.
func ofFile(side map[key]float64, file string) []key {
	var keys []key
	for k := range side {
		if k.file == file {
			keys = append(keys, k)
		}
	}
	slices.SortFunc(keys, func(a, b key) int {
		return cmp.Or(cmp.Compare(math.Abs(side[b]), math.Abs(side[a])), compareKeys(a, b))
	})
	return keys
}

func sum(side map[key]float64, keys []key) (total float64) {
	for _, k := range keys {
		total += side[k]
	}
	return total
}

func sortedKeys[V any](m map[key]V) []key { return slices.SortedFunc(maps.Keys(m), compareKeys) }

// lines lists all pairs and what is alone, a function with its parts from all files
// as one line, under the file of the largest part.
func (p *pairing) lines() []Line {
	type function struct {
		line    Line
		largest float64
	}
	all := make(map[key]*function)
	add := func(k key, base, head float64, kind Kind) {
		id := key{name: k.name, object: k.object}
		f := all[id]
		if f == nil {
			f = &function{line: Line{Kind: kind, Name: k.name, Object: k.object}, largest: -1}
			all[id] = f
		}
		if f.line.Kind != kind {
			f.line.Kind = Changed
		}
		f.line.Base, f.line.Head = f.line.Base+base, f.line.Head+head
		if size := math.Abs(base) + math.Abs(head); size > f.largest {
			f.line.File, f.largest = k.file, size
		}
	}
	for _, k := range sortedKeys(p.both) {
		add(k, p.both[k].base, p.both[k].head, Changed)
	}
	for _, k := range sortedKeys(p.gone) {
		add(k, p.gone[k], 0, Gone)
	}
	for _, k := range sortedKeys(p.came) {
		add(k, 0, p.came[k], New)
	}
	list := joined(p.moved)
	for _, f := range all {
		list = append(list, f.line)
	}
	slices.SortFunc(list, func(a, b Line) int {
		return cmp.Or(cmp.Compare(math.Abs(b.Change()), math.Abs(a.Change())), cmp.Compare(a.Name, b.Name),
			cmp.Compare(a.File, b.File), cmp.Compare(a.Object, b.Object), strings.Compare(string(a.Kind), string(b.Kind)))
	})
	return list
}

// joined makes lines of the same functions one: a renamed function has its own lines
// in one file, and in others those of what was inlined into it.
func joined(moved []Line) (list []Line) {
	for _, l := range moved {
		i := slices.IndexFunc(list, func(m Line) bool {
			return slices.Equal(m.Vanished, l.Vanished) && slices.Equal(m.Came, l.Came) && slices.Equal(m.Grown, l.Grown)
		})
		if i < 0 {
			list = append(list, l)
			continue
		}
		if m := &list[i]; m.Base+m.Head < l.Base+l.Head {
			m.File, m.Object = l.File, l.Object
		}
		list[i].Base, list[i].Head = list[i].Base+l.Base, list[i].Head+l.Head
	}
	return list
}
