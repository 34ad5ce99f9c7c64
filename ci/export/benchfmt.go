package export

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/stats"
)

// A benchWriter writes the Go benchmark data format
// (golang.org/design/14313-benchmark-format).
type benchWriter struct {
	w     *bufio.Writer
	units map[string]bool   // whose direction was said
	said  map[string]string // file configuration that holds now
}

// NewBenchfmt writes what benchstat reads: a line for each trial and metric
// that was measured. Machine, arm and commit are file configuration, so that
// "benchstat -col arm -ignore commit" compares the arms of a run and
// "benchstat -col commit" the nights of a store. benchstat compares with what it
// sees first: of a run that is the baseline, then come the other arms, and at
// last the baseline measured again. Seconds become sec, which benchstat scales;
// failed trials and censored values are left out.
func NewBenchfmt(w io.Writer) Writer {
	return &benchWriter{w: bufio.NewWriter(w), units: make(map[string]bool), said: make(map[string]string)}
}

func (b *benchWriter) Add(run *record.Run) error {
	arms, cells := tables(run)
	b.say("host", run.Host.Name)
	b.say("goos", run.Host.Hard["os"])
	b.say("goarch", run.Host.Hard["arch"])
	b.say("cpu", run.Host.Hard["cpu"])
	fmt.Fprintf(b.w, "# run %s, started %s\n", oneLine(run.ID), stamp(run.Started)) // as a key it would keep sessions apart
	for _, t := range baselineFirst(run, arms) {
		arm, cell := arms[t.Arm], cells[t.Cell]
		if !t.Counts() {
			continue
		}
		for _, m := range cell.Metrics {
			measured, ok := t.Measurement(m.Name)
			if !ok || measured.Censored {
				continue
			}
			b.say("arm", arm.Name)
			b.say("commit", arm.Build.Commit)
			unit := benchUnit(m.Unit)
			if !b.units[unit] {
				fmt.Fprintf(b.w, "Unit %s better=%s\n", unit, m.Better)
				b.units[unit] = true
			}
			fmt.Fprintf(b.w, "%s 1 %s %s\n", benchName(cell, m), number(stats.Median(measured.Values)), unit)
		}
	}
	return nil // a bufio.Writer keeps its error until Close
}

// baselineFirst returns the trials arm by arm, those of each in measured order.
func baselineFirst(run *record.Run, arms map[string]record.Arm) []record.Trial {
	rank := func(t record.Trial) int {
		switch {
		case t.Arm == run.Baseline:
			return -1
		case arms[t.Arm].ControlOf != "":
			return len(run.Arms)
		}
		return slices.IndexFunc(run.Arms, func(a record.Arm) bool { return a.Name == t.Arm })
	}
	return slices.SortedStableFunc(slices.Values(run.Trials), func(a, b record.Trial) int { return cmp.Compare(rank(a), rank(b)) })
}

func (b *benchWriter) Close() error { return b.w.Flush() }

// say writes a line of file configuration, which holds until another one; an
// empty value ends what held before.
func (b *benchWriter) say(key, value string) {
	value = strings.TrimSpace(oneLine(value))
	if b.said[key] != value {
		fmt.Fprintf(b.w, "%s: %s\n", key, value)
		b.said[key] = value
	}
}

// benchName is the cell and metric as a name with parts: the metric comes last,
// so that no part ends in what would be read as GOMAXPROCS.
func benchName(c record.Cell, m record.Metric) string {
	name := "Benchmark" + part(strings.ToUpper(c.Workload[:min(len(c.Workload), 1)])) + part(c.Workload[min(len(c.Workload), 1):]) + "/model=" + part(c.Model)
	for _, key := range slices.Sorted(maps.Keys(c.Params)) {
		name += "/" + part(key) + "=" + part(c.Params[key])
	}
	return name + "/metric=" + part(m.Name)
}

// part keeps a text from ending the part or the name it stands in.
func part(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '/' || unicode.IsSpace(r) || unicode.IsControl(r) {
			return '_'
		}
		return r
	}, strings.ToValidUTF8(s, "_"))
}

// benchUnit is the unit as benchstat knows it.
func benchUnit(unit string) string {
	switch unit {
	case "s":
		return "sec"
	case "1":
		return "ratio"
	}
	return cmp.Or(strings.Join(strings.Fields(oneLine(unit)), "_"), "unit")
}
