// Package requests reads the single requests of a run from the file beside its
// record.
package requests

import (
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"strings"

	"github.com/llama-regress/llama-regress/ci/host"
	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/ci/runner"
	"github.com/llama-regress/llama-regress/compare/pattern"
	"github.com/llama-regress/llama-regress/report"
)

// With lets a report tell of the single requests of its runs, which
// lie in a file beside each run record.
func With(src report.Source) report.Source {
	files := make(map[*record.Run]*requestFile)
	for _, side := range []struct {
		run  *record.Run
		name string
	}{{src.Base, src.BaseFile}, {src.Head, src.HeadFile}} {
		if path, ok := Beside(side.name); ok && side.run != nil && files[side.run] == nil && requestsOf(side.run) > 0 {
			files[side.run] = &requestFile{path: path, run: side.run}
		}
	}
	if len(files) == 0 {
		return src
	}
	src.Requests = func(run *record.Run) iter.Seq2[record.Request, error] {
		if f := files[run]; f != nil {
			return f.rows()
		}
		return nil
	}
	src.Patterns = func(run *record.Run, arm, cell string) (pattern.Result, bool) {
		if f := files[run]; f != nil {
			return f.patterns(arm, cell)
		}
		return pattern.Result{}, false
	}
	src.Isolated = func(run *record.Run, arm, cell string) report.Isolated {
		if f := files[run]; f != nil {
			return f.isolated(arm, cell)
		}
		return report.Isolated{}
	}
	return src
}

// Beside is the file of requests that belongs to a run record, FILE,
// FILE#ARM or its folder; false when there is none.
func Beside(name string) (string, bool) {
	if _, err := os.Stat(name); err != nil {
		name, _, _ = strings.Cut(name, "#")
		if _, err := os.Stat(name); err != nil {
			return "", false
		}
	}
	path := filepath.Join(filepath.Dir(runner.RecordAt(name)), record.RequestFile)
	info, err := os.Stat(path)
	return path, err == nil && info.Mode().IsRegular()
}

// requestsOf is how many requests of a run count.
func requestsOf(run *record.Run) int {
	n := 0
	for _, t := range run.Trials {
		if t.Load != nil {
			n += t.Load.Requests
		}
	}
	return n
}

// Bounds of what is read of a file.
const (
	mostKept = 300_000 // rows that patterns are looked for in
	mostSets = 100     // times that a trial was begun
)

// A requestFile holds the rows of a run's requests.
type requestFile struct {
	path string
	run  *record.Run

	checked bool
	sets    map[string]*rowSet // by trial
	fault   error
	failing map[armCell][]record.Request // rows of the arms and cells that have failures
}

type armCell struct{ arm, cell string }

// A modelPrompt is a prompt as a model's tokens. A failed request does not say how
// many these are, and another arm or trial that answered the prompt does.
type modelPrompt struct{ model, prompt string }

// rows reads the file anew, if it is that of the run: of each trial its last set
// of rows. What a killed process left torn behind all of those is not read.
func (f *requestFile) rows() iter.Seq2[record.Request, error] {
	f.check()
	return func(yield func(record.Request, error) bool) {
		if f.fault != nil {
			yield(record.Request{}, f.fault)
			return
		}
		sets := make(map[string]rowSet)
		for row, err := range record.ReadRequests(f.path) {
			if err != nil {
				return // check has seen it, and that nothing is missing
			}
			if last := f.sets[row.Trial]; last != nil {
				set := sets[row.Trial]
				set.add(row)
				if sets[row.Trial] = set; set.begun < last.begun {
					continue // it was written again
				}
			}
			if !yield(row, nil) {
				return
			}
		}
	}
}

// A rowSet is what one trial has in a file: a run that was killed between
// writing a trial's rows and counting the trial measures and writes it again,
// from the first request on.
type rowSet struct {
	begun    int // sets of rows, the last one included
	last     int // Index of the last row
	requests int // that count, of the last set
	failed   int // of them
	failing  []record.Request
}

func (s *rowSet) add(row record.Request) {
	if s.begun == 0 || row.Index <= s.last {
		*s = rowSet{begun: s.begun + 1}
	}
	s.last = row.Index
	if row.Warmup {
		return
	}
	s.requests++
	if row.Failure != nil {
		s.failed++
	}
}

// patterns says what the failures of an arm's cell have in common.
func (f *requestFile) patterns(arm, cell string) (pattern.Result, bool) {
	f.check()
	rows := f.failing[armCell{arm, cell}]
	if f.fault != nil || len(rows) == 0 {
		return pattern.Result{}, false
	}
	return pattern.Find(rows, pattern.Options{RSS: memory(f.run)}), true
}

// check reads the file once. Trials of different runs are named alike, so a
// file that lies beside the wrong record is told by its numbers.
func (f *requestFile) check() {
	if f.checked {
		return
	}
	f.checked = true
	want := make(map[string]*record.Load)
	places := make(map[string]armCell)
	failing := make(map[armCell]bool)
	uncounted := f.run.Uncounted()
	f.sets = make(map[string]*rowSet)
	for _, t := range f.run.Trials {
		if t.Load != nil {
			at := armCell{t.Arm, t.Cell}
			places[t.ID], want[t.ID], f.sets[t.ID] = at, t.Load, new(rowSet)
			failing[at] = failing[at] || t.Load.Succeeded < t.Load.Requests
		}
	}
	models := make(map[string]string) // by cell
	for _, c := range f.run.Cells {
		models[c.Key] = c.Model
	}
	lengths := make(map[modelPrompt]int)
	kept, others := 0, 0
	var broken error
	for row, err := range record.ReadRequests(f.path) {
		if err != nil {
			broken = err // it matters if something is missing
			break
		}
		at, known := places[row.Trial]
		if !known { // a trial that does not count
			if others++; others > mostKept {
				break
			}
			continue
		}
		set := f.sets[row.Trial]
		before := len(set.failing)
		set.add(row)
		kept -= before - len(set.failing) // a set that begins again lets go of the one before
		if set.requests > want[row.Trial].Requests || set.begun > mostSets {
			break
		}
		if of := (modelPrompt{models[at.cell], row.Prompt}); row.PromptTokens > 0 && len(lengths) < mostKept {
			lengths[of] = row.PromptTokens
		}
		if failing[at] && !row.Warmup && !uncounted[row.Trial] && kept < mostKept {
			kept++
			set.failing = append(set.failing, row)
		}
	}
	f.failing = make(map[armCell][]record.Request)
	for _, t := range f.run.Trials {
		l, set := t.Load, f.sets[t.ID]
		if l == nil {
			continue
		}
		if set.requests != l.Requests || set.failed != l.Requests-l.Succeeded {
			f.fault = fmt.Errorf("%s: holds %d requests of trial %s with %d failures, the run record says %d with %d; keep the file beside its own record",
				f.path, set.requests, t.ID, set.failed, l.Requests, l.Requests-l.Succeeded)
			if broken != nil {
				f.fault = broken
			}
			f.failing = nil
			return
		}
		for i, row := range set.failing {
			if row.PromptTokens == 0 {
				set.failing[i].PromptTokens = lengths[modelPrompt{models[t.Cell], row.Prompt}]
			}
		}
		f.failing[places[t.ID]] = append(f.failing[places[t.ID]], set.failing...)
		set.failing = nil
	}
}

// memory reads a server's resident memory from the samples of its trial.
func memory(run *record.Run) func(trial string, at float64) (int64, bool) {
	samples := make(map[string]*record.Samples)
	for _, t := range run.Trials {
		if t.Samples != nil && t.Samples.Every > 0 {
			samples[t.ID] = t.Samples
		}
	}
	return func(trial string, at float64) (int64, bool) {
		s := samples[trial]
		if s == nil {
			return 0, false
		}
		rss := s.Series[host.RSSBytes]
		i := (at - s.At) / s.Every
		if !(i >= 0 && i < float64(len(rss))) {
			return 0, false
		}
		return int64(rss[int(i)]), true
	}
}
