package runner_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/llama-regress/llama-regress/ci/plan"
	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/ci/runner"
)

// observe tells o of the first trials of p, one every two seconds of the clock.
func observe(o runner.Observer, c *manualClock, p *plan.Plan, results ...record.Trial) {
	o.Begin(p, nil)
	for i, r := range results {
		o.Started(p.Trials[i])
		c.add(2 * time.Second)
		r.ID, r.Seconds = p.Trials[i].ID, 2
		o.Finished(p.Trials[i], r)
	}
}

// A manualClock stands still until it is told otherwise.
type manualClock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *manualClock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *manualClock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

func TestPlainLines(t *testing.T) {
	p := makePlan(t, t.TempDir(), 2)
	c := &manualClock{t: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}
	var out strings.Builder
	o := runner.NewPlainLines(&out, c.now)
	failed := fail(record.ModelLoad, "cannot load\r\n::error::the model ##[error] \x1b[31m")
	observe(o, c, p, result(p, p.Trials[0]), failed)
	o.Skipped(p.Trials[5], "each failed")
	o.Skipped(p.Trials[5], "each failed")
	o.End(&record.Run{Interrupted: "interrupt", Trials: []record.Trial{result(p, p.Trials[0]), failed}}, errors.New("signal"))
	want := `2026-11-23T12:00:00Z 8 trials: 2 blocks, 2 cells, 2 arms
2026-11-23T12:00:02Z 1/8 b00.c0000.base bench/tiny/threads=2: ok in 2.0s; pp512 1001 tok/s, tg128 2001 tok/s
2026-11-23T12:00:04Z 2/8 b00.c0000.head bench/tiny/threads=2: failed after 2.0s: model_load: cannot load? ::error::the model # #[error] ?[31m
2026-11-23T12:00:04Z 3/8 b01.c0000.base bench/tiny/threads=2: left out, here and in all further blocks: each failed
2026-11-23T12:00:04Z 1 of 8 trials measured, 1 failed, in 4s; ended early: interrupt: signal
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// Nothing foreign starts a line, whatever the configuration and the programs call things.
func TestPlainLinesAreNoCommands(t *testing.T) {
	dir := t.TempDir()
	p := makePlan(t, dir, 1)
	p.Arms[1].Name = "\n::debug::y\n"
	p.Trials[1].ID = "b00.c0000." + p.Arms[1].Name
	cell := &p.Cells[1].Cell
	cell.Model = "\u2028::debug::x\r"
	cell.Key = record.CellKey(cell.Workload, cell.Model, cell.Params)
	bench := &fakeBench{
		identify: func(record.Arm) (record.Build, error) { return record.Build{}, nil },
		change: func(t plan.Trial, r record.Trial) (record.Trial, error) {
			return fail(record.BadOutput, "\n::debug::e\n##[group]"+strings.Repeat("long ", 1000)), nil
		},
	}
	var out strings.Builder
	opts := options(filepath.Join(dir, "out"))
	opts.Observer = runner.NewPlainLines(&out, nil)
	if _, err := runner.Run(context.Background(), p, bench, opts); err != nil {
		t.Fatal(err)
	}
	line := regexp.MustCompile(`^20\d\d-\d\d-\d\dT[\d:]{8}Z [ -~]{1,500}$`)
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	if len(lines) != 6 {
		t.Errorf("%d lines, want 6", len(lines))
	}
	for _, l := range lines {
		if !line.MatchString(l) || strings.Contains(l, "##[") {
			t.Errorf("line: %q", l)
		}
	}
}

// screen is what a terminal shows after the writes: "\r" goes back to the start.
func screen(written string) string {
	var shown []rune
	at := 0
	for _, r := range written {
		if r == '\r' {
			at = 0
			continue
		}
		if at < len(shown) {
			shown[at] = r
		} else {
			shown = append(shown, r)
		}
		at++
	}
	return strings.TrimRight(string(shown), " ")
}

func TestLiveLine(t *testing.T) {
	p := makePlan(t, t.TempDir(), 2)
	c := &manualClock{t: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}
	var out strings.Builder
	l := runner.NewLiveLine(&out, 100, c.now)
	l.Begin(p, []record.Trial{{ID: p.Trials[0].ID, Outcome: record.OK, Seconds: 60}})
	if got, want := screen(out.String()), "1/8  0s  about 7m00s left"; got != want {
		t.Errorf("at the start: %q, want %q", got, want)
	}
	c.add(time.Second)
	l.Started(p.Trials[1])
	if got, want := screen(out.String()), "1/8  1s  about 7m00s left  block 1/2  head  bench/tiny/threads=2"; got != want {
		t.Errorf("in the second trial: %q, want %q", got, want)
	}
	c.add(10 * time.Second)
	l.Within(3, 12, 0)
	if got, want := screen(out.String()), "1/8  11s  about 6m50s left  3/12 requests  block 1/2  head  bench/tiny/threads=2"; got != want {
		t.Errorf("later in it: %q, want %q", got, want)
	}
	c.add(10 * time.Second)
	l.Finished(p.Trials[1], record.Trial{Outcome: record.OK, Seconds: 20})
	// Of the four trials of this cell 60 s and 20 s are known, of the other the mean, 40 s.
	if got, want := screen(out.String()), "2/8  21s  about 4m00s left"; got != want {
		t.Errorf("after it: %q, want %q", got, want)
	}
	c.add(time.Second)
	l.Started(p.Trials[2])
	before := out.Len()
	c.add(99 * time.Millisecond)
	l.Finished(p.Trials[2], record.Trial{Outcome: record.OK, Seconds: 0.099})
	if out.Len() != before {
		t.Errorf("drawn again after 99 ms: %q", out.String()[before:])
	}
	l.End(nil, nil)
	if got := screen(out.String()); got != "" {
		t.Errorf("left on the terminal: %q", got)
	}
	if strings.Contains(out.String(), "\n") || strings.Contains(out.String(), "\x1b") {
		t.Errorf("more than one line, or an escape: %q", out.String())
	}
}

func TestLiveLineNeverWraps(t *testing.T) {
	p := makePlan(t, t.TempDir(), 2)
	p.Arms[0].Name = "头头头头\x1b[2Jhead"
	for columns := 1; columns < 80; columns++ {
		c := &manualClock{t: time.Now()}
		var out strings.Builder
		l := runner.NewLiveLine(&out, columns, c.now)
		observe(l, c, p, result(p, p.Trials[0]))
		c.add(time.Second)
		l.Started(p.Trials[2])
		l.End(nil, nil)
		for drawn := range strings.SplitSeq(out.String(), "\r") {
			width := 0
			for _, r := range drawn {
				width++
				if r > 0x1100 {
					width++
				}
			}
			if width >= columns && width > 0 {
				t.Errorf("%d columns: drew %d: %q", columns, width, drawn)
			}
		}
	}
}

// The time left does not count what was skipped.
func TestLiveLineKnowsWhatIsSkipped(t *testing.T) {
	p := makePlan(t, t.TempDir(), 2)
	c := &manualClock{t: time.Now()}
	var out strings.Builder
	l := runner.NewLiveLine(&out, 200, c.now)
	var done []record.Trial
	for _, t := range p.Trials[:4] {
		done = append(done, record.Trial{ID: t.ID, Outcome: record.OK, Seconds: 60})
	}
	l.Begin(p, done)
	if want := "about 4m00s left"; !strings.Contains(out.String(), want) {
		t.Errorf("%q, want %q", out.String(), want)
	}
	l.Skipped(p.Trials[4], "")
	c.add(time.Second) // it is drawn anew then
	l.Analysed(nil)    // counts again
	l.End(nil, nil)
	if want := "about 3m00s left"; !strings.Contains(out.String(), want) {
		t.Errorf("one skipped: %q, want %q", out.String(), want)
	}
}

// The time left does not count what will be skipped.
func TestLiveLineKnowsWhatIsGivenUp(t *testing.T) {
	p := makePlan(t, t.TempDir(), 10)
	c := &manualClock{t: time.Now()}
	var out strings.Builder
	l := runner.NewLiveLine(&out, 200, c.now)
	var done []record.Trial
	for _, t := range p.Trials[:12] { // three blocks
		r := record.Trial{ID: t.ID, Outcome: record.OK, Seconds: 60}
		if t.Arm == 1 {
			r = fail(record.Crashed, "crashed")
			r.ID, r.Seconds = t.ID, 60
		}
		done = append(done, r)
	}
	l.Begin(p, done)
	l.End(nil, nil)
	if want := "about 14m00s left"; !strings.Contains(out.String(), want) { // 7 blocks, 2 cells, base alone
		t.Errorf("%q, want %q", out.String(), want)
	}
}

func TestObserverIsToldEverythingInOrder(t *testing.T) {
	dir := t.TempDir()
	p := makePlan(t, dir, 4)
	var log eventLog
	opts := options(filepath.Join(dir, "out"))
	opts.Observer = &log
	bench := &fakeBench{change: func(t plan.Trial, r record.Trial) (record.Trial, error) {
		if t.Cell == 0 && t.Arm == 0 {
			return fail(record.Crashed, "crashed"), nil
		}
		return r, nil
	}}
	run, err := runner.Run(context.Background(), p, bench, opts)
	if err != nil {
		t.Fatal(err)
	}
	want := eventLog{"begin 0"}
	for _, trial := range p.Trials {
		if trial.Block == 3 && trial.Cell == 0 && trial.Arm == 0 {
			want = append(want, "skipped "+trial.ID)
			continue
		}
		want = append(want, "started "+trial.ID, "finished "+trial.ID)
	}
	want = append(want, fmt.Sprintf("end %d <nil>", len(run.Trials)))
	if diff := cmp.Diff(want, log); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

type eventLog []string

func (l *eventLog) add(format string, args ...any)          { *l = append(*l, fmt.Sprintf(format, args...)) }
func (l *eventLog) Begin(_ *plan.Plan, done []record.Trial) { l.add("begin %d", len(done)) }
func (l *eventLog) Started(t plan.Trial)                    { l.add("started %s", t.ID) }
func (l *eventLog) Finished(t plan.Trial, _ record.Trial)   { l.add("finished %s", t.ID) }
func (l *eventLog) Repeated(t plan.Trial, _ record.Trial)   { l.add("repeated %s", t.ID) }
func (l *eventLog) Analysed(looks []record.Interim)         { l.add("looked %d", len(looks)) }
func (l *eventLog) Skipped(t plan.Trial, _ string)          { l.add("skipped %s", t.ID) }
func (l *eventLog) End(run *record.Run, err error)          { l.add("end %d %v", len(run.Trials), err) }

func TestLiveLineCountsRequests(t *testing.T) {
	p := makePlan(t, t.TempDir(), 1)
	c := &manualClock{t: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}
	var out strings.Builder
	l := runner.NewLiveLine(&out, 120, c.now)
	l.Begin(p, nil)
	at := func(step func(), want string) {
		t.Helper()
		c.add(time.Second)
		step()
		if got := screen(out.String()); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	at(func() { l.Started(p.Trials[0]) }, "0/4  1s  block 1/1  base  bench/tiny/threads=2")
	at(func() { l.Within(7, 30, 0) }, "0/4  2s  7/30 requests  block 1/1  base  bench/tiny/threads=2")
	at(func() { l.Within(8, 30, 1) }, "0/4  3s  8/30 requests, 1 failed  block 1/1  base  bench/tiny/threads=2")
	c.add(time.Second)
	l.Finished(p.Trials[0], record.Trial{Outcome: record.OK, Seconds: 3})
	at(func() { l.Started(p.Trials[1]) }, "1/4  5s  about 9s left  block 1/1  head  bench/tiny/threads=2")
	l.End(nil, nil)
}

func TestPlainLinesSayWhatIsCensored(t *testing.T) {
	p := makePlan(t, t.TempDir(), 1)
	p.Cells[0].Cell.Metrics = record.ServeMetrics(record.ServeDesign{Requests: 100})[1:5]
	var out strings.Builder
	o := runner.NewPlainLines(&out, (&manualClock{}).now)
	observe(o, &manualClock{}, p, record.Trial{Outcome: record.OK, Measurements: []record.Measurement{
		{Metric: record.TTFTp50, Values: []float64{0.25}},
		{Metric: record.TTFTp95, Values: []float64{60}, Censored: true},
		{Metric: record.OutputTPS, Values: []float64{0.5}, Censored: true},
	}})
	if want := "ttft_p50 0.2500 s, ttft_p95 >60.00 s, output_tps <0.5000 tok/s\n"; !strings.HasSuffix(out.String(), want) {
		t.Errorf("%q does not end in %q", out.String(), want)
	}
}

// What a look stops is neither waited for nor counted in the time that is left.
func TestProgressOfLooks(t *testing.T) {
	p := makePlan(t, t.TempDir(), 4)
	p.Interims = []int{2, 4}
	c := &manualClock{t: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}
	var line, lines strings.Builder
	live, plain := runner.NewLiveLine(&line, 100, c.now), runner.NewPlainLines(&lines, c.now)
	var done []record.Trial
	for _, trial := range p.Trials[:8] { // two blocks
		done = append(done, record.Trial{ID: trial.ID, Outcome: record.OK, Seconds: 60})
	}
	interims := []record.Interim{{Cell: tiny, Blocks: 2, Stop: record.StopDecided}, {Cell: small, Blocks: 2}}
	for _, o := range []runner.Observer{live, plain} {
		o.Begin(p, done)
	}
	if got, want := screen(line.String()), "8/16  0s  at most 8m00s left  0/2 cells stopped"; got != want {
		t.Errorf("before the look: %q, want %q", got, want)
	}
	c.add(time.Second)
	for _, o := range []runner.Observer{live, plain} {
		o.Analysed(interims)
	}
	if got, want := screen(line.String()), "8/16  1s  at most 4m00s left  1/2 cells stopped"; got != want {
		t.Errorf("after the look: %q, want %q", got, want)
	}
	live.End(nil, nil)
	for _, want := range []string{"at most 16 trials: 4 blocks, 2 cells, 2 arms; 8 were measured before", "analysed 2 cells after 2 blocks: 1 decided, 1 to go on; stopped so far: 1 of 2"} {
		if !strings.Contains(lines.String(), want) {
			t.Errorf("lines lack %q:\n%s", want, lines.String())
		}
	}
}
