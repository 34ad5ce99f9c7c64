package export

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/llama-regress/llama-regress/ci/record"
)

// mostRows bounds what is read of a file.
const mostRows = 1_000_000

// IsCSV reports whether a file begins with the heading of NewCSV.
func IsCSV(begin []byte) bool {
	return strings.HasPrefix(strings.TrimPrefix(string(begin), "\ufeff"), strings.Join(csvColumns[:8], ","))
}

// ReadCSV reads what NewCSV wrote of one session: its arms, cells and trials with
// their blocks, each value the median of its trial's repetitions. What the format
// lacks (machine, settings of arms, logs) is not known. The baseline is the arm
// "base" or "baseline", else the first. Of several sessions only one may be in the
// file. Errors name the line.
func ReadCSV(r io.Reader, name string) (*record.Run, error) {
	in := csv.NewReader(r)
	in.FieldsPerRecord, in.ReuseRecord = len(csvColumns), true
	heading, err := in.Read()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	heading[0] = strings.TrimPrefix(heading[0], "\ufeff")
	if !slices.Equal(heading, csvColumns) {
		return nil, fmt.Errorf("%s:1: not the heading that 'llama-regress export' writes", name)
	}
	b := builder{run: &record.Run{Schema: record.Schema, Host: record.Host{Hard: map[string]string{}, Soft: map[string]string{}}}, trials: make(map[string]int), cells: make(map[string]int)}
	for {
		row, err := in.Read()
		if err == io.EOF {
			break
		}
		line, _ := in.FieldPos(0)
		if err == nil && line > mostRows {
			err = fmt.Errorf("more than %d rows", mostRows)
		}
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, line, err)
		}
		if err := b.add(row); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, line, err)
		}
	}
	if len(b.run.Trials) == 0 {
		return nil, fmt.Errorf("%s: no trial in it", name)
	}
	b.run.Plan.Trials = len(b.run.Trials)
	b.run.Notes = []string{name + " is an export: machine, settings of arms and repetitions are not in it, and each value is the median of a trial"}
	b.run.Baseline = b.run.Arms[0].Name
	for _, a := range b.run.Arms {
		if a.Name == "base" || a.Name == "baseline" {
			b.run.Baseline = a.Name
		}
	}
	if err := b.run.Validate(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return b.run, nil
}

// A builder makes a run of rows.
type builder struct {
	run    *record.Run
	trials map[string]int // by arm and ID
	cells  map[string]int
}

func (b *builder) add(row []string) error {
	field := func(name string) string {
		text := row[slices.Index(csvColumns, name)]
		if len(text) > 1 && text[0] == '\'' && strings.ContainsRune("=+-@", rune(text[1])) {
			text = text[1:] // see text
		}
		return strings.Clone(text)
	}
	run := b.run
	if run.ID == "" {
		run.ID, run.Host.Name = field("run"), field("host")
		run.Started, _ = time.Parse(time.RFC3339, field("started"))
	}
	if field("run") != run.ID {
		return fmt.Errorf("a second session, %s after %s: export one at a time, or compare their records", field("run"), run.ID)
	}
	if !slices.ContainsFunc(run.Arms, func(a record.Arm) bool { return a.Name == field("arm") }) {
		number, _ := strconv.Atoi(field("build")) // 0 is not known
		run.Arms = append(run.Arms, record.Arm{Name: field("arm"), Build: record.Build{Commit: field("commit"), Number: number}})
	}
	cell, err := b.cell(field("cell"), field("workload"), field("model"))
	if err != nil {
		return err
	}
	d, workload, known := record.DefinitionOf(field("metric"))
	if !known {
		return fmt.Errorf("metric %q is not one of %s", field("metric"), cell.Workload)
	}
	m := d.Metric(field("metric"))
	if m.Unit != field("unit") || m.Better.String() != field("better") {
		return fmt.Errorf("metric %s is in %s, %s is better, and not in %q, %q", m.Name, m.Unit, m.Better, field("unit"), field("better"))
	}
	if w, _ := record.WorkloadByName(cell.Workload); workload != cell.Workload && !w.Yields(m.Name) {
		return fmt.Errorf("metric %s is none of %s", m.Name, cell.Workload)
	}
	if _, has := cell.Metric(m.Name); !has {
		cell.Metrics = append(cell.Metrics, m)
	}
	t, err := b.trial(field, cell.Key)
	if err != nil {
		return err
	}
	return measure(t, m, field)
}

// cell finds or makes the cell of a key.
func (b *builder) cell(key, workload, model string) (*record.Cell, error) {
	if i, ok := b.cells[key]; ok {
		return &b.run.Cells[i], nil
	}
	w, m, params, ok := record.ParseCellKey(key)
	if !ok || w != workload || m != model {
		return nil, fmt.Errorf("cell %q is not the key of workload %q and model %q", key, workload, model)
	}
	b.cells[key] = len(b.run.Cells)
	b.run.Cells = append(b.run.Cells, record.Cell{Key: key, Workload: w, Model: m, Params: params})
	if !slices.ContainsFunc(b.run.Models, func(x record.Model) bool { return x.Name == m }) {
		b.run.Models = append(b.run.Models, record.Model{Name: m})
	}
	return &b.run.Cells[len(b.run.Cells)-1], nil
}

// trial finds or makes the trial of a row.
func (b *builder) trial(field func(string) string, cell string) (*record.Trial, error) {
	id := field("trial")
	if i, ok := b.trials[id]; ok {
		if t := &b.run.Trials[i]; t.Arm == field("arm") && t.Cell == cell {
			return t, nil
		}
		return nil, fmt.Errorf("trial %s is of another arm or cell on an earlier line", id)
	}
	t := record.Trial{ID: id, Arm: field("arm"), Cell: cell, Outcome: record.Outcome(field("outcome"))}
	var errs [3]error
	t.Block, errs[0] = strconv.Atoi(field("block"))
	t.Order, errs[1] = strconv.Atoi(field("order"))
	t.Start, errs[2] = time.Parse(time.RFC3339, field("trial_started"))
	if err := errors.Join(errs[:]...); err != nil {
		return nil, err
	}
	if t.Outcome == record.Failed {
		t.Failure = &record.Failure{Class: record.FailureClass(field("failure")), Message: "see the record that was exported"}
	}
	b.trials[id] = len(b.run.Trials)
	b.run.Trials = append(b.run.Trials, t)
	return &b.run.Trials[len(b.run.Trials)-1], nil
}

// measure adds a row's value to its trial.
func measure(t *record.Trial, m record.Metric, field func(string) string) error {
	text := field("value")
	if text == "" {
		return nil
	}
	if _, twice := t.Measurement(m.Name); twice {
		return fmt.Errorf("trial %s has %s on an earlier line", t.ID, m.Name)
	}
	value, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return fmt.Errorf("value %q: want a number with a decimal point", text)
	}
	measured := record.Measurement{Metric: m.Name, Values: []float64{value}, Censored: field("censored") == "true"}
	if field("requests") != "" {
		var c record.Count
		var errs [2]error
		c.Succeeded, errs[0] = strconv.Atoi(field("succeeded"))
		c.Total, errs[1] = strconv.Atoi(field("requests"))
		if err := errors.Join(errs[:]...); err != nil {
			return err
		}
		measured.Count = &c
	}
	t.Measurements = append(t.Measurements, measured)
	return nil
}
