package runner

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/llama-regress/llama-regress/ci/plan"
	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/stats"
)

// PlainLines is an Observer for logs: one line a trial, which begins with the
// time and never with foreign text, so that nothing a model or program is
// called is taken for a command of the CI system.
type PlainLines struct {
	w   io.Writer
	now func() time.Time

	plan    *plan.Plan
	began   time.Time
	gone    int
	cells   *cells
	skipped map[[2]int]bool // cells and arms whose skipping was told
}

// NewPlainLines writes to w, with the times of the clock now (nil: time.Now).
func NewPlainLines(w io.Writer, now func() time.Time) *PlainLines {
	if now == nil {
		now = time.Now
	}
	return &PlainLines{w: w, now: now}
}

func (l *PlainLines) Begin(p *plan.Plan, done []record.Trial) {
	l.plan, l.began, l.gone, l.skipped = p, l.now(), len(done), make(map[[2]int]bool)
	l.cells = newCells(p)
	most := ""
	if p.Stops() {
		most = "at most "
	}
	text := most + fmt.Sprintf("%s: %s, %s, %s", counted(len(p.Trials), "trial"), counted(p.Blocks, "block"), counted(len(p.Cells), "cell"), counted(len(p.Arms), "arm"))
	if len(done) > 0 {
		text += fmt.Sprintf("; %d were measured before", len(done))
	}
	l.line(text)
}

func (l *PlainLines) Started(plan.Trial) {}

func (l *PlainLines) Finished(t plan.Trial, r record.Trial) {
	l.gone++
	l.ran(t, r, "")
}

func (l *PlainLines) Repeated(t plan.Trial, r record.Trial) {
	l.ran(t, r, "again, for something disturbed its block: ")
}

func (l *PlainLines) ran(t plan.Trial, r record.Trial, how string) {
	if r.Outcome == record.OK {
		l.trial(t, how+fmt.Sprintf("ok in %.1fs; %s", r.Seconds, l.medians(t, r)))
	} else {
		l.trial(t, how+fmt.Sprintf("failed after %.1fs: %s: %s", r.Seconds, r.Failure.Class, r.Failure.Message))
	}
}

// Skipped tells it once for each arm of a cell.
func (l *PlainLines) Skipped(t plan.Trial, why string) {
	l.gone++
	if pair := [2]int{t.Cell, t.Arm}; !l.skipped[pair] {
		l.skipped[pair] = true
		l.trial(t, "left out, here and in all further blocks: "+why)
	}
}

// Analysed tells once for all cells what became of them.
func (l *PlainLines) Analysed(interims []record.Interim) {
	l.cells.take(interims)
	counts := make(map[record.Stop]int)
	for _, k := range interims {
		counts[k.Stop]++
	}
	text := "interim analyses before the pause:"
	if len(interims) > 0 && interims[0].Blocks == interims[len(interims)-1].Blocks {
		text = fmt.Sprintf("analysed %s after %s:", counted(len(interims), "cell"), counted(interims[0].Blocks, "block"))
	}
	var parts []string
	for _, k := range []struct {
		stop record.Stop
		is   string
	}{
		{record.StopDecided, "decided"}, {record.StopCleared, "cleared by the screening"}, {record.StopUseless, "beyond help"},
		{record.StopLast, "at the end of their blocks"}, {"", "to go on"},
	} {
		if n := counts[k.stop]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, k.is))
		}
	}
	l.line(fmt.Sprintf("%s %s; stopped so far: %d of %d", text, strings.Join(parts, ", "), l.cells.decided(), len(l.plan.Cells)))
}

func (l *PlainLines) End(run *record.Run, err error) {
	failures := 0
	trials := withoutRepeats(run.Trials)
	for _, r := range trials {
		if r.Outcome != record.OK {
			failures++
		}
	}
	most := ""
	if l.plan.Stops() {
		most = "at most "
	}
	text := fmt.Sprintf("%d of %s%d trials measured, %d failed, in %s", len(trials)-failures, most, len(l.plan.Trials), failures, brief(l.now().Sub(l.began)))
	if run.Interrupted != "" {
		text += "; ended early: " + run.Interrupted
	}
	if err != nil {
		text += ": " + err.Error()
	}
	l.line(text)
}

func (l *PlainLines) trial(t plan.Trial, text string) {
	l.line(fmt.Sprintf("%d/%d %s %s: %s", l.gone, len(l.plan.Trials), t.ID, l.plan.Cells[t.Cell].Cell.Key, text))
}

// line writes one. A log that cannot be written to is no reason to stop measuring.
func (l *PlainLines) line(text string) {
	const longest = 500 // columns
	text, _ = fit(printable(text), longest)
	fmt.Fprintf(l.w, "%s %s\n", l.now().UTC().Format(time.RFC3339), text)
}

// medians are those of the trial's first metrics, in the cell's order.
func (l *PlainLines) medians(t plan.Trial, r record.Trial) string {
	const most = 5 // of a serve trial: success, latencies, throughput
	var parts []string
	for _, m := range l.plan.Cells[t.Cell].Cell.Metrics {
		if measured, ok := r.Measurement(m.Name); ok && !record.IsResource(m.Name) {
			beyond := "" // on the bad side of the number
			if measured.Censored {
				beyond = map[record.Direction]string{record.Higher: "<", record.Lower: ">"}[m.Better]
			}
			part := m.Name + " " + beyond + short(stats.Median(measured.Values))
			if !m.InPoints() {
				part += " " + m.Unit
			}
			if q := measured.Quantile; q != nil && measured.Censored {
				part = fmt.Sprintf("%s not estimable: %d of %d failed", m.Name, q.Failed, q.Requests)
			}
			parts = append(parts, part)
		}
	}
	if n := len(r.Measurements); parts == nil && n > 0 { // what they are is known from the program alone
		return fmt.Sprintf("%d measured", n)
	}
	if more := len(parts) - most; more > 0 {
		parts = append(parts[:most], fmt.Sprintf("and %d more", more))
	}
	return strings.Join(parts, ", ")
}

// short writes a number with four digits that count, or all of its whole ones.
func short(v float64) string {
	decimals := 3
	if v != 0 {
		decimals = max(0, 3-int(math.Floor(math.Log10(math.Abs(v)))))
	}
	return strconv.FormatFloat(v, 'f', decimals, 64)
}

// brief is a duration for people: "7s", "2m05s", "3h07m".
func brief(d time.Duration) string {
	s := int(max(0, d).Round(time.Second).Seconds())
	switch {
	case s < 60:
		return fmt.Sprintf("%ds", s)
	case s < 3600:
		return fmt.Sprintf("%dm%02ds", s/60, s%60)
	}
	return fmt.Sprintf("%dh%02dm", s/3600, s%3600/60)
}

// counted is "1 cell" or "2 cells".
func counted(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}
