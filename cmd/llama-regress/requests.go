package main

import (
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"strings"

	"github.com/llama-regress/llama-regress/ci/host"
	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/compare/pattern"
	"github.com/llama-regress/llama-regress/report"
)

// withRequests lets a report tell of the single requests of its runs, which
// lie in a file beside each run record.
func withRequests(src report.Source) report.Source {
	files := make(map[*record.Run]*requestFile)
	for _, side := range []struct {
		run  *record.Run
		name string
	}{{src.Base, src.BaseFile}, {src.Head, src.HeadFile}} {
		if path, ok := besideRecord(side.name); ok && side.run != nil && files[side.run] == nil && requestsOf(side.run) > 0 {
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
	return src
}

// besideRecord is the file of requests that belongs to a run record, FILE,
// FILE#ARM or its folder; false when there is none.
func besideRecord(name string) (string, bool) {
	info, err := os.Stat(name)
	if err != nil {
		name, _, _ = strings.Cut(name, "#")
		if info, err = os.Stat(name); err != nil {
			return "", false
		}
	}
	if !info.IsDir() {
		name = filepath.Dir(name)
	}
	path := filepath.Join(name, record.RequestFile)
	if info, err = os.Stat(path); err != nil || !info.Mode().IsRegular() {
		return "", false
	}
	return path, true
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

// mostKept bounds the rows that patterns are looked for in.
const mostKept = 300_000

// A requestFile holds the rows of a run's requests.
type requestFile struct {
	path string
	run  *record.Run

	checked bool
	fault   error
	failing map[armCell][]record.Request // rows of the arms and cells that have failures
}

type armCell struct{ arm, cell string }

// rows reads the file anew, if it is that of the run.
func (f *requestFile) rows() iter.Seq2[record.Request, error] {
	if f.check(); f.fault != nil {
		return func(yield func(record.Request, error) bool) { yield(record.Request{}, f.fault) }
	}
	return record.ReadRequests(f.path)
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
	type count struct{ requests, failed int }
	want, got := make(map[string]count), make(map[string]count)
	places := make(map[string]armCell)
	failing := make(map[armCell]bool)
	replaced := make(map[string]bool) // by trials that repeat them
	for _, t := range f.run.Trials {
		if t.Repeats != "" && t.Outcome == record.OK {
			replaced[t.Repeats] = true
		}
		if t.Load != nil {
			at := armCell{t.Arm, t.Cell}
			places[t.ID], want[t.ID] = at, count{t.Load.Requests, t.Load.Requests - t.Load.Succeeded}
			failing[at] = failing[at] || t.Load.Succeeded < t.Load.Requests
		}
	}
	f.failing = make(map[armCell][]record.Request)
	kept, others := 0, 0
	for row, err := range record.ReadRequests(f.path) {
		if err != nil {
			f.fault = err
			return
		}
		at, known := places[row.Trial]
		if row.Warmup || !known { // of a trial that was measured again, or that does not count
			if others++; others > mostKept {
				break
			}
			continue
		}
		n := got[row.Trial]
		n.requests++
		if row.Failure != nil {
			n.failed++
		}
		if got[row.Trial] = n; n.requests > want[row.Trial].requests {
			break
		}
		if failing[at] && !replaced[row.Trial] && kept < mostKept {
			kept++
			f.failing[at] = append(f.failing[at], row)
		}
	}
	for trial, n := range want {
		if got[trial] != n {
			f.fault = fmt.Errorf("%s: holds %d requests of trial %s with %d failures, the run record says %d with %d; keep the file beside its own record",
				f.path, got[trial].requests, trial, got[trial].failed, n.requests, n.failed)
			return
		}
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
