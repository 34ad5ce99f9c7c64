package report

import (
	"math"
	"slices"
	"strings"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/compare"
	"github.com/llama-regress/llama-regress/compare/work"
)

// A Work says in which functions the counted instructions of one comparison
// changed. Its functions and its rest add up to the change of the whole.
type Work struct {
	ID        string  `json:"id"` // [a-z0-9-]+, unique in the report
	Cell      Foreign `json:"cell"`
	Metric    Foreign `json:"metric"`
	Baseline  Foreign `json:"baseline"`
	Candidate Foreign `json:"contender"`
	Label     Foreign `json:"label"` // as Row.Label
	Class     Class   `json:"class"` // of the comparison

	BaselineWork  float64        `json:"baseline_per_token"` // instructions
	CandidateWork float64        `json:"contender_per_token"`
	Functions     []WorkFunction `json:"functions,omitempty"` // the largest change first; those that changed enough to be told
	Rest          WorkFunction   `json:"rest"`                // all others

	Summary Text   `json:"summary"`         // "+12.1%: 3.20 M to 3.59 M instructions a token"
	Notes   []Text `json:"notes,omitempty"` // what the names cannot tell, and how to build with more
}

// A WorkFunction is one function's part, or that of several of a source file.
type WorkFunction struct {
	Kind   work.Kind `json:"kind"`
	Name   Foreign   `json:"name,omitzero"` // empty of Moved and of the rest
	File   Foreign   `json:"file,omitzero"`
	Object Foreign   `json:"object,omitzero"`
	Gone   []Foreign `json:"gone,omitempty"` // of Moved: what the baseline alone has, and so on
	New    []Foreign `json:"new,omitempty"`
	Grown  []Foreign `json:"grown,omitempty"` // of Moved: what both have and took over or gave up work

	BaselineWork  float64 `json:"baseline_per_token"`
	CandidateWork float64 `json:"contender_per_token"`

	Share  string `json:"share"`  // of its change in all work of the baseline: "+12.1%"
	Change string `json:"change"` // "+0.388 M"
	What   Text   `json:"what"`   // the function, and what became of it
}

// Finding is what a function contributes, in one line: "ggml_vec_dot_f16 +12.1%
// (+0.388 M of 3.20 M a token)".
func (w Work) Finding(f WorkFunction) Text {
	return concat(f.What, say(" %s (%s of %s a token)", f.Share, f.Change, instructions(w.BaselineWork)))
}

// Bar is a function's change in percent of the baseline's work.
func (w Work) Bar(f WorkFunction) float64 {
	if !(w.BaselineWork > 0) {
		return 0
	}
	return 100 * (f.CandidateWork - f.BaselineWork) / w.BaselineWork
}

// WorkRule says what the numbers of a Work are, and what they do not prove.
const WorkRule = "Each function's own instructions for a token, without those of what it calls, as a share of all that the baseline executes. More instructions are more work, and probably slower. " +
	"Fewer are not always faster: memory and the width of the instructions count too. Only a timed verdict tells how long it takes, and the two are never merged."

const (
	mostWorks    = 48   // comparisons that are told of
	mostWorked   = 40   // functions of each
	leastWorked  = 5e-5 // share of the baseline's work from which a change is told: a count repeats to less
	mostAtOnce   = 4    // names of functions that are told in one line
	muchNameless = 0.05 // share of the work from which it matters that functions have no names
)

// newWorks finds for each counted comparison where its work went. There are none
// where a side did not tell its functions.
func newWorks(r Report, src Source) []Work {
	var list []Work
	counting := [2][]*record.Trial{countingTrials(src.Base), countingTrials(src.Head)}
	if counting[0] == nil || counting[1] == nil {
		return nil
	}
	for _, row := range r.Rows {
		base, head := counted(counting[0], row.c.Baseline.Arm, row.c), counted(counting[1], row.c.Candidate.Arm, row.c)
		if len(base) == 0 || len(head) == 0 {
			continue
		}
		if len(list) == mostWorks {
			break
		}
		d := work.Compare(work.Mean(base...), work.Mean(head...))
		if sum := d.Base + d.Head; math.IsNaN(sum) || math.IsInf(sum, 0) {
			continue
		}
		list = append(list, newWork(row, d))
	}
	return list
}

// countingTrials are the trials of a run that counted: few among many, which every
// row asks for.
func countingTrials(run *record.Run) (trials []*record.Trial) {
	if run == nil {
		return nil
	}
	for i := range run.Trials {
		if t := &run.Trials[i]; t.Counting != nil && t.Outcome == record.OK {
			trials = append(trials, t)
		}
	}
	return trials
}

// counted are the tests of an arm's cell that told functions.
func counted(trials []*record.Trial, arm string, c compare.Comparison) (tests []record.CountedTest) {
	for _, t := range trials {
		if t.Arm != arm || t.Cell != c.Cell {
			continue
		}
		for _, counted := range t.Counting.Tests {
			test, err := record.ParseTest(counted.Test)
			if err == nil && len(counted.Functions) > 0 && test.InstructionsMetric().Name == c.Metric.Name {
				tests = append(tests, counted)
			}
		}
	}
	return tests
}

func newWork(row Row, d work.Difference) Work {
	w := Work{
		ID: "w-" + hashed(6, "work", row.ID), Class: row.Class, Label: row.Label,
		Cell: Foreign{row.c.Cell}, Metric: Foreign{row.c.Metric.Name}, Baseline: Foreign{row.c.Baseline.Arm}, Candidate: Foreign{row.c.Candidate.Arm},
		BaselineWork: d.Base, CandidateWork: d.Head,
	}
	rest := d.Rest
	for _, l := range d.Lines {
		if len(w.Functions) == mostWorked || math.Abs(l.Change()) < leastWorked*math.Abs(d.Base) || l.Change() == 0 {
			rest.Base, rest.Head = rest.Base+l.Base, rest.Head+l.Head
			continue
		}
		w.Functions = append(w.Functions, newWorkFunction(l, d, what(l)))
	}
	w.Rest = newWorkFunction(rest, d, say("all other functions"))
	w.Summary = say("%s: %s to %s instructions a token", share(d.Change(), d.Base), instructions(d.Base), instructions(d.Head))
	if len(w.Functions) == 0 {
		w.Summary = concat(w.Summary, say("; no function changed by %s of the work", shortPercent(leastWorked)))
	}
	w.Notes = workNotes(d, w.Functions)
	return w
}

func newWorkFunction(l work.Line, d work.Difference, what Text) WorkFunction {
	change := instructions(l.Change())
	if l.Change() > 0 {
		change = "+" + change
	}
	return WorkFunction{
		Kind: l.Kind, Name: Foreign{l.Name}, File: Foreign{l.File}, Object: Foreign{l.Object},
		Gone: foreigners(l.Vanished), New: foreigners(l.Came), Grown: foreigners(l.Grown),
		BaselineWork: l.Base, CandidateWork: l.Head, Share: share(l.Change(), d.Base), Change: change, What: what,
	}
}

// what names a function and says what became of it.
func what(l work.Line) Text {
	name := firstOf(quote(l.Name), say("a function without a name"))
	if l.Name == work.Nameless {
		name = concat(say("code without names of "), firstOf(quote(l.Object), say("an unknown object")))
	}
	switch l.Kind {
	case work.New:
		return concat(name, say(" (new)"))
	case work.Gone:
		return concat(name, say(" (gone)"))
	case work.Moved:
		var parts []Text
		for _, part := range []struct {
			word  string
			names []string
		}{{"gone", l.Vanished}, {"new", l.Came}, {"on both sides", l.Grown}} {
			if len(part.names) > 0 {
				parts = append(parts, concat(quoteAll(part.names, mostAtOnce), say(" %s", part.word)))
			}
		}
		return concat(say("moved, renamed or inlined in "), quote(l.File), say(" ("), join("; ", parts...), say(")"))
	}
	return name
}

// firstOf is the first text that says something.
func firstOf(a, b Text) Text {
	if len(a) > 0 {
		return a
	}
	return b
}

// workNotes say what the names cannot tell, and how to build with more.
func workNotes(d work.Difference, shown []WorkFunction) (notes []Text) {
	nameless := 0.0
	for _, l := range d.Lines {
		if l.Name == work.Nameless {
			nameless += max(math.Abs(l.Base), math.Abs(l.Head))
		}
	}
	blind := slices.ContainsFunc(shown, func(f WorkFunction) bool {
		return (f.Kind == work.New || f.Kind == work.Gone) && f.File.IsEmpty()
	})
	how := concat(say("Build with "), quote("-DCMAKE_C_FLAGS=-g1 -DCMAKE_CXX_FLAGS=-g1"), say(", which changes no instruction, and do not strip"))
	if share := nameless / max(d.Base, d.Head); share >= muchNameless && !math.IsInf(share, 0) {
		notes = append(notes, concat(say("%s of the work is in code without names, which libraries without symbols have: of these only what they export is named. ", shortPercent(share)), how, say(", and every function has its name and source file.")))
	}
	if blind {
		notes = append(notes, concat(say("Without debug information a function that was renamed or inlined looks like one that is gone and one that is new. "), how, say(", and they are matched by source file.")))
	}
	return notes
}

// share is a signed share of the baseline's work: "+12.1%".
func share(change, base float64) string {
	if !(math.Abs(base) > 0) {
		return "0%"
	}
	x := 100 * change / math.Abs(base)
	return signed(x, max(1, decimalsFor(math.Abs(x)))) + "%"
}

// instructions is a count with three digits: "3.20 M", "-389 k".
func instructions(n float64) string {
	size, suffix := math.Abs(n), ""
	for _, s := range []struct {
		size   float64
		suffix string
	}{{1e9, " G"}, {1e6, " M"}, {1e3, " k"}} {
		if size >= 0.9995*s.size {
			n, size, suffix = n/s.size, size/s.size, s.suffix
			break
		}
	}
	digits := 0
	switch {
	case suffix == "" && size == math.Trunc(size):
	case size < 9.995:
		digits = 2
	case size < 99.95:
		digits = 1
	}
	return strings.TrimPrefix(fixed(n, digits), "+") + suffix
}

// Heading names a comparison: metric, cell and candidate.
func (w Work) Heading() Text {
	return concat(cite(w.Metric), say(" of "), firstOf(cite(w.Label), cite(w.Cell)), say(" with "), cite(w.Candidate))
}

// Attention says that the comparison is not equivalent, so that its functions are
// told even in a short report.
func (w Work) Attention() bool { return w.Class != Equivalent }

// WorkOf are the works of a row, at most one.
func (r Report) WorkOf(row Row) []Work {
	i := slices.IndexFunc(r.Works, func(w Work) bool { return w.ID == "w-"+hashed(6, "work", row.ID) })
	if i < 0 {
		return nil
	}
	return r.Works[i : i+1]
}
