package html

import (
	"cmp"
	"fmt"
	"html/template"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/llama-regress/llama-regress/ci/device"
	"github.com/llama-regress/llama-regress/ci/host"
	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/compare"
	"github.com/llama-regress/llama-regress/report"
)

// Bounds of what a page shows of serving; what is beyond them is counted.
const (
	mostCells    = 12  // with charts
	mostTrials   = 6   // of a cell
	mostReadings = 120 // of a trial
	mostClasses  = 8   // of failures, as columns
	mostLines    = 400 // of the table of all arms and cells
)

// A served is one cell with charts: every arm's outcomes and times, and what
// the machine did in some of its trials.
type served struct {
	ID          string
	Label       report.Foreign
	Open        bool
	Arms        []report.Serving
	Outcomes    outcomes
	Percentiles *percentiles // nil without rows of requests
	Trials      []reading
	MoreTrials  int
}

// newServed chooses the cells that get charts: those with failures first, else
// in the report's order. more is how many do not.
func newServed(list []report.Serving) (cells []served, more int) {
	for _, s := range list {
		if len(cells) == 0 || cells[len(cells)-1].Arms[0].Cell != s.Cell {
			cells = append(cells, served{ID: s.ID, Label: s.Label})
		}
		last := &cells[len(cells)-1]
		last.Arms = append(last.Arms, s)
	}
	failed := func(c served) bool {
		return slices.ContainsFunc(c.Arms, report.Serving.AnyFailed)
	}
	slices.SortStableFunc(cells, func(a, b served) int {
		switch {
		case failed(a) == failed(b):
			return 0
		case failed(a):
			return -1
		}
		return 1
	})
	if len(cells) > mostCells {
		cells, more = cells[:mostCells], len(cells)-mostCells
	}
	for i := range cells {
		c := &cells[i]
		c.Open = i < 2
		c.Outcomes, c.Percentiles = newOutcomes(c.Arms), newPercentiles(c.Arms)
		c.Trials, c.MoreTrials = newReadings(c.Arms)
	}
	return cells, more
}

// outcomes counts what became of the requests, an arm a row.
type outcomes struct {
	Classes []report.Foreign // columns
	Other   bool             // a column for the classes beyond those
	Rows    []outcome
}

type outcome struct {
	Arm       report.Foreign
	Succeeded int
	Counts    []int
	Other     int
}

func newOutcomes(arms []report.Serving) outcomes {
	total := make(map[report.Foreign]int)
	var o outcomes
	for _, s := range arms {
		for _, f := range s.Failures {
			if total[f.Class] == 0 {
				o.Classes = append(o.Classes, f.Class)
			}
			total[f.Class] += f.Count
		}
	}
	slices.SortStableFunc(o.Classes, func(a, b report.Foreign) int { return cmp.Or(total[b]-total[a], a.Compare(b)) })
	if len(o.Classes) > mostClasses {
		o.Classes, o.Other = o.Classes[:mostClasses], true
	}
	for _, s := range arms {
		row := outcome{Arm: s.Arm, Succeeded: s.Succeeded, Counts: make([]int, len(o.Classes))}
		for _, f := range s.Failures {
			if i := slices.Index(o.Classes, f.Class); i >= 0 {
				row.Counts[i] += f.Count
			} else {
				row.Other += f.Count
			}
		}
		o.Rows = append(o.Rows, row)
	}
	return o
}

// percentiles set the times to first token of the arms side by side.
type percentiles struct {
	Unit   string
	Arms   []report.Foreign
	Shifts []report.Foreign // of each arm but the first against it
	Rows   template.HTML
}

// newPercentiles writes a row a percentile: each arm's time, and how much
// longer than the first one's it is.
func newPercentiles(arms []report.Serving) *percentiles {
	arms = slices.DeleteFunc(slices.Clone(arms), func(s report.Serving) bool { return s.TTFT == nil })
	if len(arms) == 0 {
		return nil
	}
	p := &percentiles{Unit: "s"}
	factor, largest := 1.0, 0.0
	for i, s := range arms {
		p.Arms = append(p.Arms, s.Arm)
		if i > 0 {
			p.Shifts = append(p.Shifts, s.Arm)
		}
		for _, v := range s.TTFT.Percentiles {
			if v != nil {
				largest = math.Max(largest, *v)
			}
		}
	}
	if largest < 10 {
		p.Unit, factor, largest = "ms", 1000, 1000*largest
	}
	var b strings.Builder
	for at := 1; at <= 99; at++ {
		b.WriteString("<tr><td>" + strconv.Itoa(at))
		for _, s := range arms {
			b.WriteString("<td>" + number(s.TTFT.At(at), factor, largest))
		}
		base := arms[0].TTFT.At(at)
		for _, s := range arms[1:] {
			b.WriteString("<td>")
			if v := s.TTFT.At(at); v != nil && base != nil {
				difference := *v - *base
				b.WriteString(number(&difference, factor, largest))
			}
		}
		b.WriteByte('\n')
	}
	p.Rows = template.HTML(b.String())
	return p
}

// number prints what is known; a percentile that is not falls among requests
// that failed.
func number(x *float64, factor, largest float64) string {
	if x == nil {
		return "failed"
	}
	return sixDigits(*x*factor, largest)
}

// A reading is what the machine did in one trial.
type reading struct {
	Arm, Trial report.Foreign
	Failed     int
	Every      string   // between two rows: "0.25"
	Kinds      []string // of the columns, as the script knows them
	Names      []string
	Rows       template.HTML
}

// A shown is a series that a page shows, with what it is multiplied by and called there.
type shown struct {
	name, kind, title string
	factor            float64
}

// shownSeries are those of the machine.
var shownSeries = []shown{
	{host.CPUGroup, "cores", "server, cores", 1},
	{host.CPUSelf, "cores", "load generator, cores", 1},
	{host.CPUOther, "cores", "others, cores", 1},
	{host.RSSBytes, "memory", "server memory, MiB", 1.0 / (1 << 20)},
	{host.PSICPU, "share", "waiting for CPU, %", 100},
	{host.PSIMemory, "share", "waiting for memory, %", 100},
	{host.Steal, "share", "steal, %", 100},
}

// shownOfDevices are those of the first devices, one after the other.
var shownOfDevices = ofDevices(4)

func ofDevices(n int) (all []shown) {
	for i := range n {
		name := fmt.Sprintf("gpu%d", i)
		for _, s := range []struct {
			quantity    int
			kind, title string
			factor      float64
		}{
			{device.Busy, "share", "busy, %", 100},
			{device.OtherBusy, "share", "busy with others, %", 100},
			{device.ThrottlePower, "share", "throttled for power, %", 100},
			{device.ThrottleThermal, "share", "throttled for heat, %", 100},
			{device.Memory, "memory", "memory, MiB", 1.0 / (1 << 20)},
			{device.Clock, "clock", "clock, MHz", 1},
			{device.Temperature, "celsius", "temperature, °C", 1},
			{device.Power, "watts", "power, W", 1},
		} {
			all = append(all, shown{record.Device{Name: name}.Series(device.Names[s.quantity].Name), s.kind, name + " " + s.title, s.factor})
		}
	}
	return all
}

// newReadings shows a trial of each arm in turn, those in which requests failed
// before others and the arms they belong to before other arms.
func newReadings(arms []report.Serving) (list []reading, more int) {
	type candidate struct {
		arm  report.Foreign
		turn int
		line report.Timeline
	}
	var all []candidate
	failed := func(t report.Timeline) int { return min(1, len(t.Failed)) }
	for _, s := range arms {
		lines := slices.Clone(s.Timelines)
		slices.SortStableFunc(lines, func(a, b report.Timeline) int { return failed(b) - failed(a) })
		for i, line := range lines {
			all = append(all, candidate{s.Arm, i, line})
		}
	}
	slices.SortStableFunc(all, func(a, b candidate) int {
		return cmp.Or(a.turn-b.turn, failed(b.line)-failed(a.line))
	})
	for i, c := range all {
		if i == mostTrials {
			return list, len(all) - i
		}
		list = append(list, newReading(c.arm, c.line))
	}
	return list, 0
}

// newReading writes every n-th reading of a trial, with how many requests
// failed since the one before.
func newReading(arm report.Foreign, t report.Timeline) reading {
	r := reading{Arm: arm, Trial: t.Trial, Failed: len(t.Failed)}
	length := 0
	var columns [][]string
	for _, s := range shownSeries {
		values := t.Series[report.AsForeign(s.name)]
		if len(values) == 0 {
			continue
		}
		r.Kinds, r.Names = append(r.Kinds, s.kind), append(r.Names, s.title)
		length = max(length, len(values))
		columns = append(columns, scaled(values, s.factor))
	}
	for _, s := range shownOfDevices {
		values := t.Series[report.AsForeign(s.name)]
		if len(values) == 0 {
			continue
		}
		r.Kinds, r.Names = append(r.Kinds, s.kind), append(r.Names, s.title)
		length = max(length, len(values))
		columns = append(columns, scaled(values, s.factor))
	}
	step := (length + mostReadings - 1) / mostReadings
	if step == 0 {
		return r
	}
	r.Every = strconv.FormatFloat(t.Every*float64(step), 'g', 3, 64)
	failed := slices.Clone(t.Failed)
	var b strings.Builder
	for i := 0; i < length; i += step {
		at := t.At + float64(i)*t.Every
		b.WriteString("<tr><td>" + strconv.FormatFloat(at, 'f', 2, 64))
		for _, c := range columns {
			b.WriteString("<td>")
			if i < len(c) {
				b.WriteString(c[i])
			}
		}
		n := len(failed)
		last := i+step >= length
		failed = slices.DeleteFunc(failed, func(ended float64) bool { return last || ended <= at })
		b.WriteString("<td>")
		if n -= len(failed); n > 0 {
			b.WriteString(strconv.Itoa(n))
		}
		b.WriteByte('\n')
	}
	r.Rows = template.HTML(b.String())
	return r
}

// scaled prints a series; what is no number prints as nothing.
func scaled(values []float64, factor float64) []string {
	list := make([]string, len(values))
	for i, x := range values {
		if x *= factor; !math.IsNaN(x) && !math.IsInf(x, 0) {
			list[i] = strconv.FormatFloat(x, 'g', 4, 64)
		}
	}
	return list
}

// A sweep is the arms of one sweep over concurrency side by side.
type sweep struct {
	Label  report.Foreign
	Metric report.Foreign
	Arms   []report.Capacity
	Rows   []sweepRow
}

type sweepRow struct {
	Concurrency int
	Levels      []sweepLevel // an arm each
}

type sweepLevel struct {
	Known   bool
	Rate    float64
	Figures report.ConcurrencyFigures
	Holds   bool // enough requests succeeded
}

// newSweeps gathers the arms of each sweep.
func newSweeps(list []report.Capacity) []sweep {
	var all []sweep
	for _, c := range list {
		i := slices.IndexFunc(all, func(s sweep) bool { return s.Label == c.Label && s.Metric == c.Metric })
		if i < 0 {
			i = len(all)
			all = append(all, sweep{Label: c.Label, Metric: c.Metric})
		}
		all[i].Arms = append(all[i].Arms, c)
	}
	if len(all) > mostCells {
		all = all[:mostCells]
	}
	for i := range all {
		all[i].rows()
	}
	return all
}

func (s *sweep) rows() {
	at := make(map[int]int)
	for a, arm := range s.Arms {
		for l, level := range arm.Points {
			i, ok := at[level.Concurrency]
			if !ok {
				i = len(s.Rows)
				at[level.Concurrency] = i
				s.Rows = append(s.Rows, sweepRow{Concurrency: level.Concurrency, Levels: make([]sweepLevel, len(s.Arms))})
			}
			s.Rows[i].Levels[a] = sweepLevel{true, rounded(level.Rate), arm.Figures[l], level.Success >= compare.LeastSuccess}
		}
	}
	slices.SortFunc(s.Rows, func(a, b sweepRow) int { return cmp.Compare(a.Concurrency, b.Concurrency) })
}
