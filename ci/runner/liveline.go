package runner

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/llama-regress/llama-regress/ci/plan"
	"github.com/llama-regress/llama-regress/ci/record"
)

// How often a LiveLine draws. A second is often enough for a clock, and so
// rare that the measurement does not feel it.
const (
	drawEvery   = time.Second
	drawAtLeast = 100 * time.Millisecond // between two
)

// A LiveLine is an Observer that shows a run as one line of a terminal, drawn
// over itself: what is done, how long it took and will take, and what runs
// now. The line is wiped away at the end.
type LiveLine struct {
	w     io.Writer
	width int
	now   func() time.Time

	mu        sync.Mutex // of all that follows: the clock draws, too
	plan      *plan.Plan
	durations durations
	failures  failures
	cells     *cells
	gone      map[string]bool // trials that ran or were skipped, by ID
	current   *plan.Trial
	began     time.Time // the run
	started   time.Time // the current trial
	within    string    // how far the current trial is, "" when it does not tell
	left      float64   // seconds the trials after the current one will take
	drawn     time.Time
	columns   int // taken by what is on the terminal now
	stop      chan struct{}
	stopped   sync.WaitGroup
}

// NewLiveLine draws on w, a terminal of so many columns (0: 80), by the clock
// now (nil: time.Now). It writes no escape sequences, so any terminal will do.
func NewLiveLine(w io.Writer, columns int, now func() time.Time) *LiveLine {
	if columns <= 0 {
		columns = 80
	}
	if now == nil {
		now = time.Now
	}
	return &LiveLine{w: w, width: columns, now: now}
}

// Begin draws, and starts the clock that goes on drawing while a trial runs.
func (l *LiveLine) Begin(p *plan.Plan, done []record.Trial) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.plan, l.gone, l.failures, l.began = p, make(map[string]bool), make(failures), l.now()
	l.cells = newCells(p)
	planned := make(map[string]plan.Trial, len(p.Trials))
	for _, t := range p.Trials {
		planned[t.ID] = t
	}
	for _, r := range done {
		l.took(planned[r.ID], r)
	}
	l.foresee()
	l.draw()
	l.stop = make(chan struct{})
	l.stopped.Go(func() {
		tick := time.NewTicker(drawEvery)
		defer tick.Stop()
		for {
			select {
			case <-l.stop:
				return
			case <-tick.C:
				l.mu.Lock()
				l.draw()
				l.mu.Unlock()
			}
		}
	})
}

func (l *LiveLine) Started(t plan.Trial) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.current, l.started, l.within = &t, l.now(), ""
	l.left -= l.durations.of(t)
	l.draw()
}

func (l *LiveLine) Finished(t plan.Trial, r record.Trial) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.took(t, r)
	l.current = nil
	l.foresee()
	l.draw()
}

func (l *LiveLine) Repeated(t plan.Trial, r record.Trial) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.durations.add(t, r.Seconds)
	l.foresee()
	l.draw()
}

// Within says how far the current trial is: done of total requests, of which so
// many failed. Unlike the methods of an Observer it may be called from any
// goroutine, and as often as one likes.
func (l *LiveLine) Within(done, total, failed int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.within = fmt.Sprintf("%d/%d requests", done, total)
	if failed > 0 {
		l.within += fmt.Sprintf(", %d failed", failed)
	}
	l.draw()
}

func (l *LiveLine) Skipped(t plan.Trial, _ string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.gone[t.ID] = true
	l.draw()
}

// Analysed drops what interim analyses made needless.
func (l *LiveLine) Analysed(interims []record.Interim) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cells.take(interims)
	l.foresee()
	l.draw()
}

// End wipes the line away, so that what follows starts on an empty one.
func (l *LiveLine) End(*record.Run, error) {
	close(l.stop)
	l.stopped.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	fmt.Fprintf(l.w, "\r%s\r", strings.Repeat(" ", l.columns))
	l.columns = 0
}

func (l *LiveLine) took(t plan.Trial, r record.Trial) {
	l.gone[t.ID] = true
	l.durations.add(t, r.Seconds)
	l.failures.add(t, r)
}

// foresee sums up what is still to run. It is done once a trial, not once a
// drawing: a plan may have many thousands.
func (l *LiveLine) foresee() {
	l.left = 0
	for _, t := range l.plan.Trials {
		if !l.gone[t.ID] && !l.failures.over(t) && !l.cells.over(t) {
			l.left += l.durations.of(t)
		}
	}
}

// draw writes the line over the last one, unless that is too young.
func (l *LiveLine) draw() {
	now := l.now()
	if !l.drawn.IsZero() && now.Sub(l.drawn) < drawAtLeast {
		return
	}
	l.drawn = now
	text, columns := fit(l.text(now), l.width-1) // a line as wide as the terminal would wrap
	fmt.Fprintf(l.w, "\r%s%s", text, strings.Repeat(" ", max(0, l.columns-columns)))
	l.columns = columns
}

// text begins with what matters most, as the end may not fit.
func (l *LiveLine) text(now time.Time) string {
	text := fmt.Sprintf("%d/%d  %s", len(l.gone), len(l.plan.Trials), brief(now.Sub(l.began)))
	if l.durations.all.n > 0 {
		left := l.left
		if l.current != nil {
			left += max(0, l.durations.of(*l.current)-now.Sub(l.started).Seconds())
		}
		about := "about"
		if l.plan.Stops() {
			about = "at most"
		}
		text += fmt.Sprintf("  %s %s left", about, brief(time.Duration(left*float64(time.Second))))
	}
	if n := l.cells.decided(); l.plan.Stops() && len(l.plan.Cells) > 1 {
		text += fmt.Sprintf("  %d/%d cells stopped", n, len(l.plan.Cells))
	}
	if t := l.current; t != nil {
		if l.within != "" {
			text += "  " + l.within
		}
		text += fmt.Sprintf("  block %d/%d  %s  %s", t.Block+1, l.plan.Blocks, l.plan.Arms[t.Arm].Name, l.plan.Cells[t.Cell].Cell.Key)
	}
	return printable(text)
}

// fit cuts text to so many columns and says how many it takes. Scripts from
// Hangul on are counted as two columns a character: some take one, but a line
// that is too short does no harm.
func fit(text string, columns int) (string, int) {
	taken := 0
	for i, r := range text {
		wide := 1
		if r >= 0x1100 {
			wide = 2
		}
		if taken+wide > columns {
			return text[:i], taken
		}
		taken += wide
	}
	return text, taken
}
