package store

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"sync"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/stats"
)

// A Session is what history needs of a stored run record: everything but its
// trials, and of those one number a metric.
type Session struct {
	Key Key
	Run record.Run // without trials

	// Samples, one an arm, cell and metric that any trial was run for.
	Samples []Sample

	// Sentinel are those of the sentinel, whose trials Run.Sentinel has not; Arm is 0,
	// Cell is an index in Run.Sentinel.Cells.
	Sentinel []Sample
}

// A Sample holds what the trials of one arm and cell yielded for one metric.
// The three indices keep a year of nights small.
type Sample struct {
	Arm    int32     // index in Run.Arms
	Cell   int32     // index in Run.Cells
	Metric int32     // index in the cell's Metrics
	Failed int32     // trials that measured nothing
	Beyond int32     // trials whose value was censored, worse than could be measured, or is an estimate of second choice
	Values []float64 // median of the repetitions of each trial, in the metric's unit, in measured order

	// Count sums the requests of all trials behind a success rate; zero for
	// every other metric.
	Count record.Count
}

// Sample finds the sample of an arm, a cell and a metric by their names.
func (s *Session) Sample(arm, cell, metric string) (Sample, bool) {
	for _, x := range s.Samples {
		c := &s.Run.Cells[x.Cell]
		if s.Run.Arms[x.Arm].Name == arm && c.Key == cell && c.Metrics[x.Metric].Name == metric {
			return x, true
		}
	}
	return Sample{}, false
}

// Summarize reduces a valid run, which it does not change.
func Summarize(key Key, run *record.Run) Session {
	s := Session{Key: key, Run: *run, Samples: samples(run)}
	s.Run.Trials = nil
	if run.Sentinel != nil {
		sentinel := *run.Sentinel
		s.Sentinel = samples(sentinel.Session(run))
		sentinel.Trials = nil
		s.Run.Sentinel = &sentinel
	}
	return s
}

// samples are those of a run. A metric that some trials of a cell measured and
// others had nothing to do with, as in raw files, counts the latter as neither
// measured nor failed.
func samples(run *record.Run) (all []Sample) {
	arms, cells := make(map[string]int32, len(run.Arms)), make(map[string]int32, len(run.Cells))
	for i, a := range run.Arms {
		arms[a.Name] = int32(i)
	}
	for i, c := range run.Cells {
		cells[c.Key] = int32(i)
	}
	type place struct{ arm, cell, metric int32 }
	at := make(map[place]int)
	uncounted := run.Uncounted()
	for _, t := range run.Trials {
		if uncounted[t.ID] {
			continue
		}
		arm, cell := arms[t.Arm], cells[t.Cell]
		for i, m := range run.Cells[cell].Metrics {
			p := place{arm, cell, int32(i)}
			measured, ok := t.Measurement(m.Name)
			if !ok && t.Counts() {
				continue
			}
			if _, there := at[p]; !there {
				at[p] = len(all)
				all = append(all, Sample{Arm: arm, Cell: cell, Metric: int32(i)})
			}
			sample := &all[at[p]]
			switch {
			case !t.Counts():
				sample.Failed++
				continue
			case measured.Censored, measured.Fallback():
				sample.Beyond++
				continue
			}
			sample.Values = append(sample.Values, stats.Median(measured.Values))
			if measured.Count != nil {
				sample.Count.Succeeded += measured.Count.Succeeded
				sample.Count.Total += measured.Count.Total
			}
		}
	}
	return all
}

// header is a Run without its methods, so that decoding it does not call the
// ones that keep unknown fields of a thousand nights.
type header record.Run

// A reader reads what a Session needs of records. It remembers the lists of
// cells that it has seen, since the nights of a machine have the same ones.
type reader struct {
	mu    sync.Mutex
	cells map[string][]record.Cell // by their bytes
}

// mostOdd bounds a record that only encoding/json can read, in bytes: it makes
// much more of what was made to be large.
const mostOdd = 8 << 20

// read decodes what a Session needs of a record, checks all of it that it
// decodes, and skips the rest: commands, environments, standard error. What is
// valid JSON and not written as records are is left to record.Read, which also
// says what is wrong with whatever does not fit.
func (r *reader) read(key Key, data []byte) (Session, error) {
	if json.Valid(data) {
		run, ok, err := r.plain(data)
		if err == nil && ok {
			err = run.Validate()
		}
		switch {
		case err != nil:
			return Session{}, fmt.Errorf("%s: %w", key, err)
		case ok:
			return Summarize(key, run), nil
		case len(data) > mostOdd:
			return Session{}, fmt.Errorf("%s: not written as run records are: fields twice, in other letters or of other types", key)
		}
	}
	run, err := record.Read(bytes.NewReader(data), key.String())
	if err != nil {
		return Session{}, err
	}
	run.Extra = nil // nobody asks for it
	return Summarize(key, run), nil
}

var (
	recordKeys = append([]string{"cells", "trials"}, headerKeys()...)
	trialKeys  = []string{"id", "arm", "cell", "block", "order", "seconds", "outcome", "measurements", "failure", "repeats"}
	valueKeys  = []string{"metric", "values", "count", "censored", "quantile"}
	countKeys  = []string{"succeeded", "total"}
	behindKeys = []string{"requests", "failed", "estimator"}
)

// headerKeys are the names of all other fields of a record.
func headerKeys() (names []string) {
	t := reflect.TypeFor[record.Run]()
	for i := range t.NumField() {
		if name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ","); name != "-" && name != "cells" && name != "trials" {
			names = append(names, name)
		}
	}
	return names
}

// plain reads a record that is written as records are, false for any other.
func (r *reader) plain(data []byte) (run *record.Run, ok bool, err error) {
	run = new(record.Run)
	s := &scanner{data: data}
	known := make(words)
	var tally record.Tally
	var cells []byte
	rest := []byte{'{'}
	s.object(recordKeys, func(key int) {
		switch key {
		case 0:
			cells = s.value()
		case 1:
			s.array(func() {
				t := s.trial(known)
				if t.Outcome == "" && !s.odd { // before there are millions of them
					err, s.odd = fmt.Errorf("trials[%d] %q: no outcome", len(run.Trials), short(t.ID)), true
					return
				}
				if more := tally.Add(t.Arm, t.Cell); more != nil && !s.odd {
					err, s.odd = fmt.Errorf("trials[%d] %q: %w", len(run.Trials), short(t.ID), more), true
				}
				if s.odd { // somebody else reads it, or nobody
					return
				}
				run.Trials = append(run.Trials, t)
			})
		default:
			if len(rest) > 1 {
				rest = append(rest, ',')
			}
			rest = append(strconv.AppendQuote(rest, recordKeys[key]), ':')
			rest = append(rest, s.value()...)
		}
	})
	if json.Unmarshal(append(rest, '}'), (*header)(run)) != nil || run.Schema != record.Schema {
		return nil, false, nil
	}
	if err != nil || s.odd {
		return nil, false, err
	}
	if run.Cells, ok = r.table(cells); !ok {
		return nil, false, nil
	}
	return run, true, nil
}

// table decodes a list of cells, or finds it.
func (r *reader) table(raw []byte) (cells []record.Cell, ok bool) {
	if len(raw) == 0 {
		return nil, true
	}
	r.mu.Lock()
	cells, ok = r.cells[string(raw)]
	r.mu.Unlock()
	if ok {
		return cells, true
	}
	if json.Unmarshal(raw, &cells) != nil {
		return nil, false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.cells == nil {
		r.cells = make(map[string][]record.Cell)
	}
	if len(r.cells) < 16 {
		r.cells[string(raw)] = cells
	}
	return cells, true
}

func (s *scanner) trial(known words) (t record.Trial) {
	s.object(trialKeys, func(key int) {
		switch key {
		case 0:
			t.ID = s.word(nil)
		case 1:
			t.Arm = s.word(known)
		case 2:
			t.Cell = s.word(known)
		case 3:
			t.Block = s.whole()
		case 4:
			t.Order = s.whole()
		case 5:
			t.Seconds = s.number()
		case 6:
			t.Outcome = record.Outcome(s.word(known))
		case 7:
			s.array(func() { t.Measurements = append(t.Measurements, s.measurement(known)) })
		case 8:
			if value := s.value(); value[0] == '{' {
				t.Failure = new(record.Failure)
			} else {
				s.odd = s.odd || value[0] != 'n'
			}
		case 9:
			t.Repeats = s.word(nil)
		}
	})
	return t
}

func (s *scanner) measurement(known words) (m record.Measurement) {
	s.object(valueKeys, func(key int) {
		switch key {
		case 0:
			m.Metric = s.word(known)
		case 1:
			s.array(func() {
				if m.Values == nil {
					m.Values = make([]float64, 0, 8)
				}
				m.Values = append(m.Values, s.number())
			})
		case 2:
			if s.null() {
				return
			}
			m.Count = new(record.Count)
			s.object(countKeys, func(key int) {
				*[]*int{&m.Count.Succeeded, &m.Count.Total}[key] = s.whole()
			})
		case 3:
			m.Censored = s.truth()
		case 4:
			if s.null() {
				return
			}
			m.Quantile = new(record.Quantile)
			s.object(behindKeys, func(key int) {
				switch key {
				case 0:
					m.Quantile.Requests = s.whole()
				case 1:
					m.Quantile.Failed = s.whole()
				case 2:
					m.Quantile.Estimator = record.Estimator(s.word(known))
				}
			})
		}
	})
	return m
}
