package record

import (
	"fmt"
	"math"
	"slices"
)

// Validate checks that a run holds together: names are unique, every reference
// leads somewhere, every number is one that statistics can take, and there is no
// more of anything than a session has. It returns the first fault.
func (r *Run) Validate() error {
	if r.Schema != Schema {
		return fmt.Errorf("schema is %q, want %q", r.Schema, Schema)
	}
	for _, list := range []struct {
		name    string
		n, most int
	}{
		{"arms", len(r.Arms), mostArms}, {"models", len(r.Models), mostCells}, {"datasets", len(r.Datasets), mostCells},
		{"cells", len(r.Cells), mostCells}, {"trials", len(r.Trials), mostTrials}, {"looks", len(r.Interims), mostTrials},
		{"parts", len(r.Parts), mostCells}, {"notes", len(r.Notes), mostCells}, {"command", len(r.Command), mostCells},
	} {
		if list.n > list.most {
			return fmt.Errorf("%s: %d of them, at most %d are read", list.name, list.n, list.most)
		}
	}
	arms := make(map[string]bool, len(r.Arms))
	for i, a := range r.Arms {
		if a.Name == "" || arms[a.Name] {
			return fmt.Errorf("arms[%d]: name %q is empty or used twice", i, a.Name)
		}
		arms[a.Name] = true
		if n := len(a.Libraries); n > mostLibraries {
			return fmt.Errorf("arms[%d] %s: %d libraries, at most %d are read", i, a.Name, n, mostLibraries)
		}
		if n := max(len(a.Params), len(a.Env)); n > mostParams {
			return fmt.Errorf("arms[%d] %s: %d parameters or variables, at most %d are read", i, a.Name, n, mostParams)
		}
	}
	if !arms[r.Baseline] {
		return fmt.Errorf("baseline: no arm is named %q", r.Baseline)
	}
	for i, a := range r.Arms {
		switch {
		case a.ControlOf == "":
		case a.Name == r.Baseline:
			return fmt.Errorf("arms[%d]: control_of: %q is the baseline and cannot be a control", i, a.Name)
		case a.Name == a.ControlOf || !arms[a.ControlOf]:
			return fmt.Errorf("arms[%d]: control_of: no other arm is named %q", i, a.ControlOf)
		}
	}
	cells := make(map[string]*Cell, len(r.Cells))
	for i := range r.Cells {
		c := &r.Cells[i]
		if c.Key == "" || cells[c.Key] != nil {
			return fmt.Errorf("cells[%d]: key %q is empty or used twice", i, c.Key)
		}
		if want := CellKey(c.Workload, c.Model, c.Params); c.Key != want {
			return fmt.Errorf("cells[%d]: key is %q, yet workload, model and parameters make it %q", i, c.Key, want)
		}
		if err := c.validate(); err != nil {
			return fmt.Errorf("cells[%d] %s: %w", i, c.Key, err)
		}
		cells[c.Key] = c
	}
	if err := r.validateParts(cells); err != nil {
		return err
	}
	if len(r.Devices) > mostWords {
		return fmt.Errorf("devices: %d of them, at most %d are read", len(r.Devices), mostWords)
	}
	for i, d := range r.Devices {
		for _, v := range []*float64{d.PowerLimit, d.Default, d.MostClock, d.Slowdown} {
			if v != nil && !finite(*v) {
				return fmt.Errorf("devices[%d]: value %v", i, *v)
			}
		}
	}
	seen := make(map[string]bool, len(r.Trials))
	var tally Tally
	for i, t := range r.Trials {
		if t.ID == "" || seen[t.ID] {
			return fmt.Errorf("trials[%d]: id %q is empty or used twice", i, t.ID)
		}
		seen[t.ID] = true
		if !arms[t.Arm] {
			return fmt.Errorf("trials[%d] %s: no arm is named %q", i, t.ID, t.Arm)
		}
		if cells[t.Cell] == nil {
			return fmt.Errorf("trials[%d] %s: no cell has the key %q", i, t.ID, t.Cell)
		}
		if err := tally.Add(t.Arm, t.Cell); err != nil {
			return fmt.Errorf("trials[%d] %s: %w", i, t.ID, err)
		}
		if err := t.validate(cells[t.Cell]); err != nil {
			return fmt.Errorf("trials[%d] %s: %w", i, t.ID, err)
		}
	}
	if err := r.Plan.validateInterims(); err != nil {
		return err
	}
	if err := r.validateSentinel(); err != nil {
		return err
	}
	for i, l := range r.Interims {
		if cells[l.Cell] == nil || l.Blocks < 1 {
			return fmt.Errorf("looks[%d]: no cell has the key %q, or it has no block", i, l.Cell)
		}
	}
	return nil
}

// Bounds of a plan with interim analyses: what a foreign record asks for must not cost its
// reader more than any plan of ours.
const (
	mostBlocks   = 1000
	mostInterims = 8
	interimGap   = 50 // interim analyses lie apart by a 50th of the last one at least
)

func (p *Plan) validateInterims() error {
	if p.Screen < 0 || p.Screen > mostBlocks {
		return fmt.Errorf("plan: screen_blocks: %d", p.Screen)
	}
	if len(p.Interims) > mostInterims {
		return fmt.Errorf("plan: looks: %d of them, at most %d are read", len(p.Interims), mostInterims)
	}
	last := 0
	for _, n := range p.Interims {
		if n <= last || n > mostBlocks || last > 0 && (n-last)*interimGap < p.Interims[len(p.Interims)-1] {
			return fmt.Errorf("plan: looks: %v do not grow from 1 on, or lie too close", p.Interims)
		}
		last = n
	}
	return nil
}

// validateParts checks that each cell was measured in one part, where there are
// parts.
func (r *Run) validateParts(cells map[string]*Cell) error {
	measured := make(map[string]bool, len(cells))
	for i, p := range r.Parts {
		for _, key := range p.Cells {
			if cells[key] == nil || measured[key] {
				return fmt.Errorf("parts[%d]: no cell has the key %q, or another part measured it too", i, key)
			}
			measured[key] = true
		}
	}
	if len(r.Parts) > 0 && len(measured) != len(cells) {
		return fmt.Errorf("parts: %d of %d cells belong to one", len(measured), len(cells))
	}
	return nil
}

func (c *Cell) validate() error {
	if len(c.Metrics) > mostMetrics {
		return fmt.Errorf("%d metrics, at most %d are read", len(c.Metrics), mostMetrics)
	}
	if n := max(len(c.Params), len(c.Objectives)); n > mostParams {
		return fmt.Errorf("%d parameters or objectives, at most %d are read", n, mostParams)
	}
	names := make(map[string]bool, len(c.Metrics))
	for _, m := range c.Metrics {
		if m.Name == "" || names[m.Name] {
			return fmt.Errorf("metric %q is empty or used twice", m.Name)
		}
		if m.Better != Higher && m.Better != Lower {
			return fmt.Errorf("metric %s: no direction", m.Name)
		}
		names[m.Name] = true
	}
	return nil
}

func (t *Trial) validate(cell *Cell) error {
	if t.Block < NoBlock || t.Block > mostBlock {
		return fmt.Errorf("block %d", t.Block)
	}
	switch t.Outcome {
	case OK:
		if t.Failure != nil {
			return fmt.Errorf("outcome is ok, yet a failure is given")
		}
	case Failed:
		if t.Failure == nil {
			return fmt.Errorf("outcome is failed, yet no failure is given")
		}
	default:
		return fmt.Errorf("outcome %q: want %q or %q", t.Outcome, OK, Failed)
	}
	if t.Repeats == t.ID {
		return fmt.Errorf("repeats itself")
	}
	if !(t.Seconds >= 0) || math.IsInf(t.Seconds, 0) {
		return fmt.Errorf("seconds: %v is not a duration", t.Seconds)
	}
	if n := max(len(t.Warnings), len(t.Disturbed), len(t.Devices)); n > mostWords {
		return fmt.Errorf("%d warnings, at most %d are read", n, mostWords)
	}
	seen := make(map[string]bool, len(t.Measurements))
	for _, m := range t.Measurements {
		metric, ok := cell.Metric(m.Metric)
		if !ok || seen[m.Metric] {
			return fmt.Errorf("metric %q is not one of its cell, or is there twice", m.Metric)
		}
		seen[m.Metric] = true
		if err := m.validate(metric); err != nil {
			return fmt.Errorf("metric %s: %w", m.Metric, err)
		}
	}
	if p := t.Preparation; p != nil && (p.Padding < 0 || !finite(p.Cooled) || p.TemperatureC != nil && !finite(*p.TemperatureC) || p.DeviceC != nil && !finite(*p.DeviceC)) {
		return fmt.Errorf("preparation: %+v", *p)
	}
	if err := t.Counting.validate(); err != nil {
		return err
	}
	return t.Samples.validate()
}

// validate checks the numbers of one measurement.
func (m *Measurement) validate(metric Metric) error {
	if len(m.Values) == 0 {
		return fmt.Errorf("no values")
	}
	if n := max(len(m.Values), len(m.Warmup)); n > mostValues {
		return fmt.Errorf("%d values, at most %d are read", n, mostValues)
	}
	rate := metric.Kind == SuccessRate
	for _, v := range slices.Concat(m.Values, m.Warmup) {
		switch {
		case !finite(v) || math.Abs(v) > mostNumber || v != 0 && math.Abs(v) < leastNumber || (metric.Kind == Throughput || metric.Kind == Instructions) && v <= 0:
			return fmt.Errorf("value %v", v)
		case rate && (v < 0 || v > 1):
			return fmt.Errorf("value %v, want a share of requests, from 0 to 1", v)
		}
	}
	if m.Censored && len(m.Values) != 1 {
		return fmt.Errorf("%d values, a censored one has its bound alone", len(m.Values))
	}
	if s := m.Summary; s != nil && (!(s.Deviation >= 0 && s.Deviation <= mostNumber) || len(m.Values) != 1) {
		return fmt.Errorf("summary: %+v of %d values, want a deviation of one mean", *s, len(m.Values))
	}
	if q := m.Quantile; q != nil && !q.valid() {
		return fmt.Errorf("quantile: %+v", *q)
	}
	c := m.Count
	switch {
	case c == nil:
	case c.Total < 1 || c.Succeeded < 0 || c.Succeeded > c.Total:
		return fmt.Errorf("%d of %d succeeded", c.Succeeded, c.Total)
	case rate && (len(m.Values) != 1 || math.Abs(m.Values[0]-float64(c.Succeeded)/float64(c.Total)) > rateAccuracy):
		return fmt.Errorf("values %v, yet %d of %d succeeded", m.Values[:min(len(m.Values), 3)], c.Succeeded, c.Total)
	}
	return nil
}

func (q *Quantile) valid() bool {
	latency := func(v *float64) bool { return v == nil || *v >= leastNumber && *v <= mostNumber }
	return q.Requests >= 1 && q.Requests <= 1e9 && q.Failed >= 0 && q.Failed <= q.Requests && latency(q.Order) && latency(q.Succeeded)
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// validate checks that every series has one finite value a reading. Nil is fine.
func (s *Samples) validate() error {
	if s == nil {
		return nil
	}
	length := -1
	for name, series := range s.Series {
		if length >= 0 && len(series) != length {
			return fmt.Errorf("samples: series %s has %d readings, another has %d", name, len(series), length)
		}
		length = len(series)
		for _, v := range series {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return fmt.Errorf("samples: series %s: value %v", name, v)
			}
		}
	}
	return nil
}
