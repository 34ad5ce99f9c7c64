// Package work finds where the work of two arms differs: which functions execute
// more instructions for a token, and which fewer.
//
// Functions are paired by name, source file and object. What remains is paired by
// less, so that code that only moved is not told as a loss and a gain: an object of
// another name with the same functions (another CPU backend, another version), a
// function of the same name elsewhere, and at last what vanished from a source file
// with what appeared in it, as when a function was renamed or inlined. The lines of
// a difference and what they leave out add up to the change of the whole.
package work

import (
	"cmp"
	"math"
	"slices"

	"github.com/llama-regress/llama-regress/ci/record"
)

// A Side is what an arm executed for a token.
type Side struct {
	Functions []record.Function
	Rest      float64 // of functions that are not listed
}

// Mean is the mean of several trials of one test; a function that a trial does not
// list counts among the trial's rest. Without any it is empty.
func Mean(trials ...record.CountedTest) Side {
	var s Side
	sums := make(map[key]float64)
	n := float64(len(trials))
	for _, t := range trials {
		s.Rest += t.Rest / n
		for _, f := range t.Functions {
			sums[keyOf(f)] += f.PerToken / n
		}
	}
	for k, v := range sums {
		s.Functions = append(s.Functions, record.Function{Name: k.name, File: k.file, Object: k.object, PerToken: v})
	}
	slices.SortFunc(s.Functions, func(a, b record.Function) int {
		return cmp.Or(cmp.Compare(math.Abs(b.PerToken), math.Abs(a.PerToken)), compareKeys(keyOf(a), keyOf(b)))
	})
	return s
}

// Total is the sum of all functions.
func (s Side) Total() float64 {
	sum := s.Rest
	for _, f := range s.Functions {
		sum += f.PerToken
	}
	return sum
}

// A Kind says what became of a function.
type Kind string

// The kinds of a line.
const (
	Changed Kind = "changed" // on both sides
	New     Kind = "new"     // of the candidate alone
	Gone    Kind = "gone"    // of the baseline alone
	// Moved are functions of one source file, some of which one side alone has: they were
	// renamed, split, joined or inlined, or one replaced another.
	Moved Kind = "moved"
)

// A Line is a function's part of the difference, or that of several of one file.
type Line struct {
	Kind           Kind
	Name           string // "" of Moved, and Nameless of the code of an object without symbols
	File, Object   string // of the candidate where it has the function
	Base, Head     float64
	Vanished, Came []string // of Moved: names that one side alone has, the largest first
	Grown          []string // of Moved: names of both sides that took over or gave up work
}

// Change is Head less Base, in instructions per token.
func (l Line) Change() float64 { return l.Head - l.Base }

// Nameless is what a record calls code without symbols.
const Nameless = "???"

// A Difference of two sides.
type Difference struct {
	Base, Head float64 // instructions per token of the whole
	// Lines has the largest change first. Lines and Rest add up to Base and Head.
	Lines []Line
	// Rest is what neither side lists, and what too little is known of: a function that
	// one side lists, and that may hide in the rest of the other.
	Rest Line
}

// Change is Head less Base.
func (d Difference) Change() float64 { return d.Head - d.Base }

// Compare finds where the work of head differs from that of base.
func Compare(base, head Side) Difference {
	d := Difference{Base: base.Total(), Head: head.Total(), Rest: Line{Kind: Changed, Base: base.Rest, Head: head.Rest}}
	p := newPairing(base, head)
	p.same()
	p.objects()
	p.sameName(func(k key) key { return key{name: k.name, object: k.object} })
	p.sameName(func(k key) key { return key{name: k.name} })
	p.hidden(&d.Rest, base, head)
	p.files()
	d.Lines = p.lines()
	return d
}

// hidden moves to the rest what one side lists and the other may have among what it
// does not list, since it is not much larger than the least that is listed there.
func (p *pairing) hidden(rest *Line, base, head Side) {
	const clearly = 10 // times the least listed function
	for k, v := range p.gone {
		if math.Abs(v) < clearly*leastListed(head) {
			rest.Base += v
			delete(p.gone, k)
		}
	}
	for k, v := range p.came {
		if math.Abs(v) < clearly*leastListed(base) {
			rest.Head += v
			delete(p.came, k)
		}
	}
}

// leastListed is the smallest function of a side that does not list all; 0 of one
// that does.
func leastListed(s Side) float64 {
	if len(s.Functions) < record.MostFunctions {
		return 0
	}
	least := math.Inf(1)
	for _, f := range s.Functions {
		least = min(least, math.Abs(f.PerToken))
	}
	return least
}
