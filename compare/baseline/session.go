package baseline

import (
	"bytes"
	"encoding/json"
	"fmt"

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
}

// A Sample holds what the trials of one arm and cell yielded for one metric.
// The three indices keep a year of nights small.
type Sample struct {
	Arm    int32     // index in Run.Arms
	Cell   int32     // index in Run.Cells
	Metric int32     // index in the cell's Metrics
	Failed int32     // trials that measured nothing
	Beyond int32     // trials whose value was censored: worse than could be measured
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

// summarize reduces a valid run. A metric that some trials of a cell measured
// and others had nothing to do with, as in raw files, counts the latter as
// neither measured nor failed.
func summarize(key Key, run *record.Run) Session {
	s := Session{Key: key, Run: *run}
	s.Run.Trials = nil
	arms, cells := make(map[string]int32), make(map[string]int32)
	for i, a := range run.Arms {
		arms[a.Name] = int32(i)
	}
	for i, c := range run.Cells {
		cells[c.Key] = int32(i)
	}
	type place struct{ arm, cell, metric int32 }
	at := make(map[place]int)
	repeated := make(map[string]bool) // trials in whose place a repetition counts
	for _, t := range run.Trials {
		repeated[t.Repeats] = repeated[t.Repeats] || t.Outcome == record.OK
	}
	for _, t := range run.Trials {
		if repeated[t.ID] {
			continue
		}
		arm, cell := arms[t.Arm], cells[t.Cell]
		for i, m := range run.Cells[cell].Metrics {
			p := place{arm, cell, int32(i)}
			measured, ok := t.Measurement(m.Name)
			if !ok && t.Outcome == record.OK {
				continue
			}
			if _, there := at[p]; !there {
				at[p] = len(s.Samples)
				s.Samples = append(s.Samples, Sample{Arm: arm, Cell: cell, Metric: int32(i)})
			}
			sample := &s.Samples[at[p]]
			switch {
			case t.Outcome != record.OK:
				sample.Failed++
				continue
			case measured.Censored:
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
	return s
}

// header is a Run without its methods, so that decoding it does not call the
// ones that keep unknown fields of a thousand nights.
type header record.Run

// readSession decodes what a Session needs of a record, checks all of it that
// it decodes, and skips the rest: commands, environments, standard error. That
// is several times faster than record.Read, which has the last word on whatever
// does not fit.
func readSession(key Key, data []byte) (Session, error) {
	var slim struct {
		header
		Trials []struct {
			ID           string         `json:"id"`
			Arm          string         `json:"arm"`
			Cell         string         `json:"cell"`
			Block        int            `json:"block"`
			Order        int            `json:"order"`
			Seconds      float64        `json:"seconds"`
			Outcome      record.Outcome `json:"outcome"`
			Measurements []struct {
				Metric   string        `json:"metric"`
				Values   []float64     `json:"values"`
				Count    *record.Count `json:"count"`
				Censored bool          `json:"censored"`
			} `json:"measurements"`
			Failure *struct{} `json:"failure"`
			Repeats string    `json:"repeats"`
		} `json:"trials"`
	}
	if err := json.Unmarshal(data, &slim); err != nil || slim.Schema != record.Schema {
		_, err := record.Read(bytes.NewReader(data), key.String())
		if err == nil {
			err = fmt.Errorf("%s: not a run record", key)
		}
		return Session{}, err
	}
	run := record.Run(slim.header)
	run.Trials = make([]record.Trial, len(slim.Trials))
	for i, t := range slim.Trials {
		trial := record.Trial{ID: t.ID, Arm: t.Arm, Cell: t.Cell, Block: t.Block, Order: t.Order, Seconds: t.Seconds, Outcome: t.Outcome, Repeats: t.Repeats}
		for _, m := range t.Measurements {
			trial.Measurements = append(trial.Measurements, record.Measurement{Metric: m.Metric, Values: m.Values, Count: m.Count, Censored: m.Censored})
		}
		if t.Failure != nil {
			trial.Failure = new(record.Failure)
		}
		run.Trials[i] = trial
	}
	if err := run.Validate(); err != nil {
		return Session{}, fmt.Errorf("%s: %w", key, err)
	}
	return summarize(key, &run), nil
}
