package history_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/ci/store"
	"github.com/llama-regress/llama-regress/compare"
	. "github.com/llama-regress/llama-regress/compare/history"
	"github.com/llama-regress/llama-regress/compare/history/historytest"
)

// lossOn9 is a machine that loses 8 % of one metric from its ninth night on, until
// the night that mended names, and the verdict about it.
func lossOn9(t *testing.T, nights, mended int) (store.Store, []*record.Run, store.Verdict) {
	t.Helper()
	steps := map[int]float64{8: 0.92}
	if mended > 0 {
		steps[mended] = 1 / 0.92
	}
	runs := historytest.Story{Machine: "bench-01", Nights: nights, Noise: 0.004, Seed: 3, Cells: []historytest.Cell{
		{Model: "a", Test: "pp512", Level: 1000, Steps: steps}, {Model: "a", Test: "tg128", Level: 50}}}.Runs()
	s, _ := historytest.Store(t, runs)
	v := historytest.Loss(runs[8], runs[7], "pp512", -0.08)
	key, err := store.RecordVerdict(context.Background(), s, v)
	if err != nil {
		t.Fatal(err)
	}
	v.Key = key
	return s, runs, v
}

func loaded(t *testing.T, s store.Store) *store.Contents {
	t.Helper()
	c, err := store.Load(context.Background(), s, store.LoadOptions{Machine: "bench-01"})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// judged is what history says of a session, and what it remembers.
func judged(t *testing.T, s store.Store, head *record.Run) (*compare.Result, Memory, Choice) {
	t.Helper()
	c := loaded(t, s)
	choice := Choose(c, head, Options{})
	past, err := choice.Selections(context.Background(), s)
	if err != nil {
		t.Fatal(err)
	}
	sel := compare.Selection{Run: head, Arm: choice.Arm}
	res := compare.History(past, sel, compare.DefaultPolicy())
	m := Recall(c, head, "bench-01")
	m.Apply(res, sel)
	return res, m, choice
}

func of(t *testing.T, res *compare.Result, metric string) compare.Comparison {
	t.Helper()
	for _, c := range res.Comparisons {
		if c.Metric.Name == metric {
			return c
		}
	}
	t.Fatalf("no comparison of %s", metric)
	return compare.Comparison{}
}

// A confirmed loss stays a regression night after night, and the sessions that have
// it are no baseline of that metric; of the others they are.
func TestConfirmedLossStays(t *testing.T) {
	s, runs, v := lossOn9(t, 40, 0)
	for _, n := range []int{9, 15, 39} {
		res, m, choice := judged(t, s, runs[n])
		if len(m.Open) != 1 || m.Open[0].Verdict.Key != v.Key || of(t, res, "pp512").Verdict != compare.Regression {
			t.Errorf("night %d: open %+v, pp512 is %v", n+1, m.Open, of(t, res, "pp512").Verdict)
		}
		if pp, tg := len(of(t, res, "pp512").Baseline.Trials), len(of(t, res, "tg128").Baseline.Trials); pp != 8 || tg != min(n, 20) {
			t.Errorf("night %d: %d sessions serve for pp512, %d for tg128", n+1, pp, tg)
		}
		if of(t, res, "tg128").Verdict != compare.Equivalent || len(choice.Cells) != 1 {
			t.Errorf("night %d: tg128 is %v", n+1, of(t, res, "tg128").Verdict)
		}
	}
}

// A night that is back closes it, the nights that had it are no baseline after that
// either, and what comes then is another story.
func TestConfirmedLossIsOver(t *testing.T) {
	s, runs, v := lossOn9(t, 30, 20)
	res, m, _ := judged(t, s, runs[20])
	if len(m.Open) > 0 || len(m.Over) != 1 || of(t, res, "pp512").Verdict != compare.Equivalent {
		t.Fatalf("open %+v, over %+v, pp512 is %v", m.Open, m.Over, of(t, res, "pp512").Verdict)
	}
	closing := historytest.Loss(runs[20], runs[19], "pp512", 0)
	closing.Confirmed, closing.Findings[0].State, closing.Findings[0].Opened, closing.Findings[0].Trials = nil, store.FindingClosed, v.Key, nil
	if _, err := store.RecordVerdict(context.Background(), s, closing); err != nil {
		t.Fatal(err)
	}
	all := Standings(loaded(t, s), "bench-01")
	if len(all) != 1 || all[0].State != Recovered || !all[0].Ended.Equal(runs[20].Started) {
		t.Fatalf("%+v", all)
	}
	res, m, _ = judged(t, s, runs[25])
	if len(m.Open)+len(m.Over) > 0 || len(of(t, res, "pp512").Baseline.Trials) != 8+5 {
		t.Errorf("%+v; %d sessions serve", m, len(of(t, res, "pp512").Baseline.Trials))
	}
	// A session in between is looked at as it was then.
	if _, m, _ := judged(t, s, runs[15]); len(m.Open) != 1 {
		t.Errorf("night 16: %+v", m)
	}
}

// What was accepted is over, and its sessions are the baseline from then on. Taken
// back, it is open again.
func TestConfirmedLossIsAccepted(t *testing.T) {
	ctx := context.Background()
	s, runs, _ := lossOn9(t, 22, 0)
	from := store.KeyOf(runs[8], "", 1).String()
	marker, err := store.Promote(ctx, s, store.Segment{Machine: "bench-01", From: from, Reason: "agreed", By: "somebody", Made: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	res, m, _ := judged(t, s, runs[20])
	if all := Standings(loaded(t, s), "bench-01"); all[0].State != Accepted || all[0].Reason != "agreed" || all[0].By != "somebody" {
		t.Errorf("%+v", all)
	}
	if c := of(t, res, "pp512"); len(m.Open) > 0 || c.Verdict != compare.Equivalent || len(c.Baseline.Trials) != 12 {
		t.Errorf("%+v, %v by %d sessions", m, c.Verdict, len(c.Baseline.Trials))
	}
	if _, err := store.Promote(ctx, s, store.Segment{Machine: "bench-01", Revokes: marker, Reason: "a mistake", Made: time.Now()}); err != nil {
		t.Fatal(err)
	}
	if _, m, _ := judged(t, s, runs[20]); len(m.Open) != 1 {
		t.Errorf("taken back: %+v", m)
	}
	// An older acceptance accepts nothing that came later.
	if _, err := store.Promote(ctx, s, store.Segment{Machine: "bench-01", From: store.KeyOf(runs[7], "", 1).String(), Reason: "before", Made: time.Now()}); err != nil {
		t.Fatal(err)
	}
	if _, m, _ := judged(t, s, runs[20]); len(m.Open) != 1 {
		t.Errorf("accepted by an older marker: %+v", m)
	}
}

// Not measured is not over; another machine of the name, and a clock that was
// wrong, are told and change nothing.
func TestConfirmedLossElsewhere(t *testing.T) {
	s, runs, _ := lossOn9(t, 22, 0)
	head := *runs[20]
	head.Cells = []record.Cell{head.Cells[0]}
	head.Cells[0].Metrics = head.Cells[0].Metrics[1:] // tg128 alone
	head.Trials = nil
	for _, trial := range runs[20].Trials {
		trial.Measurements = trial.Measurements[1:]
		head.Trials = append(head.Trials, trial)
	}
	res, m, _ := judged(t, s, &head)
	if c := of(t, res, "pp512"); len(m.Open) != 1 || c.Verdict != compare.Regression || res.Outcome() != compare.Regressed {
		t.Errorf("not measured: %+v, %v", m, c.Verdict)
	}
	other := *runs[20]
	other.ID, other.Host.Hard = "other", map[string]string{"cpu": "another", "kernel": "6.1"}
	res, m, _ = judged(t, s, &other)
	if len(m.Open) > 0 || len(m.Other) != 1 || res.Outcome() == compare.Regressed {
		t.Errorf("another machine: %+v", m)
	}
	kernel := *runs[20]
	kernel.ID, kernel.Host.Hard = "kernel", map[string]string{"cpu": runs[20].Host.Hard["cpu"], "kernel": "6.12"}
	res, m, _ = judged(t, s, &kernel)
	if len(m.Open) != 1 || len(m.Open[0].Unseen) != 1 || m.Open[0].Unseen[0] != "kernel" || len(m.Other) > 0 || res.Outcome() != compare.Regressed {
		t.Errorf("another kernel: %+v, %v", m, res.Outcome())
	}
	wrong := *runs[20]
	wrong.ID, wrong.Started = "wrong", runs[10].Started.Add(time.Hour)
	if _, m, _ = judged(t, s, &wrong); !m.OutOfLine || len(m.Open) != 1 {
		t.Errorf("a clock that is behind: %+v", m)
	}
	wrong.Started = runs[5].Started.Add(time.Hour)
	if _, m, _ = judged(t, s, &wrong); !m.OutOfLine || len(m.Open) > 0 || len(m.Other) != 1 {
		t.Errorf("a clock that is far behind: %+v", m)
	}
}

// A verdict that cannot be read says nothing, and that it is there is known.
func TestDamagedVerdictIsTold(t *testing.T) {
	s, runs, v := lossOn9(t, 12, 0)
	memory := s.(historytest.Memory)
	memory[v.Key] = memory[v.Key][:100]
	res, m, _ := judged(t, s, runs[11])
	if len(m.Open) > 0 || len(m.Lost) != 1 || !strings.Contains(m.Lost[0].Error(), "not a verdict") || of(t, res, "pp512").Verdict == compare.Regression {
		t.Errorf("%+v", m)
	}
}

// A trend says which loss it cannot show yet: while it is too short none, then one
// that began lately; and the loss that is there, and not found, is among those.
func TestBlind(t *testing.T) {
	runs := historytest.Story{Machine: "bench-01", Nights: 60, Noise: 0.006, Seed: 4, Cells: []historytest.Cell{
		{Model: "a", Test: "pp512", Level: 1000, Steps: map[int]float64{8: 0.92}}}}.Runs()
	for _, n := range []int{6, 9, 12, 40} {
		_, c := historytest.Store(t, runs[:n])
		trend := Analyze(c, TrendOptions{}).Machines[0].Trends[0]
		b, found := trend.Blind, len(trend.Changes) > 0
		switch {
		case b.Loss < 0.05 || b.Loss > 0.07:
			t.Errorf("%d nights: of a loss of %v", n, b.Loss)
		case n <= 9 && (b.Nights != 0 || !b.Since.Equal(runs[0].Started)), n >= 12 && b.Nights < 3:
			t.Errorf("%d nights: %+v", n, b)
		case !found && n > 8 && b.Since.After(runs[8].Started):
			t.Errorf("%d nights: a loss since %v is not found, and %+v does not say so", n, runs[8].Started, b)
		case n == 40 && !found:
			t.Errorf("%d nights: not found", n)
		}
	}
}

// A confirmed loss is a change point at once, and one with what the trend shows later;
// over when a verdict closes it.
func TestConfirmedChangePoint(t *testing.T) {
	for _, n := range []int{9, 10, 11, 12, 13, 14, 15, 16, 22, 40} {
		s, runs, _ := lossOn9(t, n, 0)
		m := Analyze(loaded(t, s), TrendOptions{}).Machines[0]
		if len(m.ChangePoints) != 1 {
			t.Fatalf("%d nights: %d change points", n, len(m.ChangePoints))
		}
		p := m.ChangePoints[0]
		if p.State != Open || p.Confirmed == nil || p.Worse != 1 || m.Nights[p.FirstBad].Run != runs[8].ID || m.Nights[p.LastGood].Run != runs[7].ID {
			t.Errorf("%d nights: %+v", n, p)
		}
		if p.New != (n == 9) {
			t.Errorf("%d nights: new %t", n, p.New)
		}
	}
	s, runs, v := lossOn9(t, 12, 10)
	closing := historytest.Loss(runs[10], runs[9], "pp512", 0)
	closing.Confirmed, closing.Findings[0].State, closing.Findings[0].Opened = nil, store.FindingClosed, v.Key
	if _, err := store.RecordVerdict(context.Background(), s, closing); err != nil {
		t.Fatal(err)
	}
	m := Analyze(loaded(t, s), TrendOptions{}).Machines[0]
	if len(m.ChangePoints) != 1 || m.ChangePoints[0].State != Recovered || m.Nights[m.ChangePoints[0].Ended].Run != runs[10].ID {
		t.Errorf("%+v", m.ChangePoints)
	}
}
