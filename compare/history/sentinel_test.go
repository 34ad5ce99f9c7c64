package history_test

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/ci/store"
	"github.com/llama-regress/llama-regress/compare"
	"github.com/llama-regress/llama-regress/compare/history"
	"github.com/llama-regress/llama-regress/compare/history/historytest"
)

// watched is a machine with a sentinel that measures two cells.
func watched(nights int) historytest.Story {
	return historytest.Story{
		Machine: "bench-01", Nights: nights, Noise: 0.006, Seed: 11,
		Cells: []historytest.Cell{
			{Model: "tiny", Test: "pp512", Level: 2000, Steps: map[int]float64{}},
			{Model: "tiny", Test: "tg128", Level: 300, Steps: map[int]float64{}},
		},
		Sentinel: &historytest.Sentinel{Build: map[int]string{0: "aa"}},
		Moves:    map[int]float64{},
	}
}

func analyzed(t *testing.T, s historytest.Story) history.Machine {
	t.Helper()
	_, c := historytest.Store(t, s.Runs())
	return history.Analyze(c, history.TrendOptions{}).Machines[0]
}

// openLosses are the change points that are worse and last, as "night metric size".
func openLosses(m history.Machine) (list []string) {
	for _, p := range m.ChangePoints {
		if p.Worse == 0 || p.State != history.Open {
			continue
		}
		for _, x := range p.Moved {
			t, c := m.At(x)
			list = append(list, fmt.Sprintf("%d %s %.0f%%", p.FirstBad, t.Metric.Name, 100*c.Size))
		}
	}
	return list
}

func TestYearWithASentinel(t *testing.T) {
	const at = 180
	for _, c := range []struct {
		name    string
		machine float64 // factor of the machine from that night on
		build   float64 // and of the build in prefill
		shifts  int
		losses  []string
	}{
		{"the machine moves and not the build", 0.93, 1, 1, nil},
		{"the build moves and not the machine", 1, 0.93, 0, []string{"180 pp512 -7%"}},
		{"both move in one night", 0.93, 0.93, 1, []string{"180 pp512 -7%"}},
		{"the machine gains what the build loses", 1 / 0.93, 0.93, 1, []string{"180 pp512 -7%"}},
		{"nothing moves", 1, 1, 0, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := watched(365)
			s.Moves[at] = c.machine
			s.Cells[0].Steps[at] = c.build
			m := analyzed(t, s)
			if got := openLosses(m); !slices.Equal(got, c.losses) {
				t.Errorf("losses %q, want %q", got, c.losses)
			}
			if len(m.Sentinel.Shifts) != c.shifts {
				t.Fatalf("shifts %+v", m.Sentinel.Shifts)
			}
			for _, shift := range m.Sentinel.Shifts {
				if shift.Night != at || len(shift.Moves) != 2 || math.Abs(shift.Moves[0].Change-(c.machine-1)) > 0.02 {
					t.Errorf("shift %+v", shift)
				}
			}
			for _, p := range m.ChangePoints {
				trend, change := m.At(p.Moved[0])
				if change.Relative != (c.shifts > 0) {
					t.Errorf("%s: relative %v", trend.Metric.Name, change.Relative)
				}
				if p.LastGood != at-1 || p.FirstBad != at {
					t.Errorf("from %d to %d", p.LastGood, p.FirstBad)
				}
			}
		})
	}
}

// TestYearWithoutASentinel is the same machine without one: the build is blamed.
func TestYearWithoutASentinel(t *testing.T) {
	s := watched(365)
	s.Moves[180], s.Sentinel = 0.93, nil
	if got := openLosses(analyzed(t, s)); len(got) != 2 {
		t.Errorf("losses %q", got)
	}
}

// readings are the states of the last nights, a letter each.
func readings(m history.Machine) string {
	letters := map[history.SentinelState]string{history.NoSentinel: ".", history.SentinelMissing: "?", history.SentinelLearning: "l", history.SentinelSteady: "s", history.SentinelMoved: "M", history.SentinelSettled: "N"}
	var b strings.Builder
	for _, r := range m.Sentinel.Readings {
		b.WriteString(letters[r.State])
	}
	return b.String()
}

func TestSentinelReadings(t *testing.T) {
	for _, c := range []struct {
		name  string
		story func(*historytest.Story)
		want  string
		why   string // of the last night
	}{
		{"the first nights", func(s *historytest.Story) {}, "llllsssssssssss", ""},
		{"one bad night", func(s *historytest.Story) { s.Moves[9], s.Moves[10] = 0.9, 1/0.9 }, "lllllsssssssss"[1:10] + "Msssss", ""},
		{"a move that lasts", func(s *historytest.Story) { s.Moves[9] = 0.9 }, "llllsssssMMNsss", ""},
		{"two nights that do not agree", func(s *historytest.Story) { s.Moves[9], s.Moves[10], s.Moves[11] = 0.9, 0.8, 1/0.72 }, "llllsssssMMssss", ""},
		{"away for a week and back", func(s *historytest.Story) { s.Moves[6], s.Moves[12] = 0.9, 1/0.9 }, "llllssMMNssssss", ""},
		{"a store that had none before", func(s *historytest.Story) { s.Sentinel.Build = map[int]string{5: "aa"} }, ".....llllssssss", ""},
		{"gone", func(s *historytest.Story) { s.Sentinel.Build[12] = "" }, "llllssssssss...", ""},
		{"its trials fail", func(s *historytest.Story) { s.Sentinel.Fails = map[int]bool{8: true, 14: true} }, "llllssss?sssss?", "all of its trials failed: exit status 1"},
		{"another build", func(s *historytest.Story) { s.Sentinel.Build[13] = "bb" }, "llllsssssssssll", ""},
		{"another build and back", func(s *historytest.Story) { s.Sentinel.Build[11], s.Sentinel.Build[13] = "bb", "aa" }, "llllsssssssllss", ""},
		{"another kernel", func(s *historytest.Story) { s.Host = map[int]string{11: "6.12"} }, "llllssssssslll" + "l", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := watched(15)
			c.story(&s)
			m := analyzed(t, s)
			if got := readings(m); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			if got := m.Sentinel.Latest().Why; c.why != "" && got != c.why {
				t.Errorf("why %q", got)
			}
		})
	}
}

// TestSteadySentinelIsQuiet counts how often a machine that never moves is said to.
func TestSteadySentinelIsQuiet(t *testing.T) {
	for _, c := range []struct {
		name string
		sd   float64
		most float64 // a share of the nights
	}{{"sessions of 0.6 %", 0.006, 0.015}, {"sessions of 3 %", 0.03, 0.02}} {
		moved, nights := 0, 0
		for seed := range uint64(4) {
			s := watched(200)
			s.Seed, s.Noise = seed, c.sd
			for _, r := range analyzed(t, s).Sentinel.Readings {
				nights++
				if r.State == history.SentinelMoved || r.State == history.SentinelSettled {
					moved++
				}
			}
		}
		if share := float64(moved) / float64(nights); share > c.most {
			t.Errorf("%s: %d of %d nights", c.name, moved, nights)
		} else {
			t.Logf("%s: %d of %d nights", c.name, moved, nights)
		}
	}
}

// judge judges the last of some runs by those before it.
func judge(t *testing.T, runs []*record.Run, verdicts ...store.Verdict) (history.Choice, *compare.Result, history.Memory) {
	t.Helper()
	s, _ := historytest.Store(t, runs)
	for _, v := range verdicts {
		if _, err := store.RecordVerdict(context.Background(), s, v); err != nil {
			t.Fatal(err)
		}
	}
	c, err := store.Load(context.Background(), s, store.LoadOptions{})
	if err != nil || len(c.Faults) > 0 {
		t.Fatal(err, c.Faults)
	}
	head := runs[len(runs)-1]
	policy := compare.DefaultPolicy()
	choice := history.Choose(c, head, history.Options{Policy: policy})
	past, err := choice.Selections(context.Background(), s)
	if err != nil {
		t.Fatal(err)
	}
	selection := compare.Selection{Run: head, Arm: head.Baseline}
	res := compare.History(past, selection, policy)
	m := history.Recall(c, head, head.Host.Name)
	m.Sentinel = choice.Sentinel
	history.Nominate(res)
	m.Apply(res, selection)
	return choice, res, m
}

func suspects(res *compare.Result) (list []string) {
	for _, c := range res.Comparisons {
		if c.Reason != nil && c.Reason.Code == compare.SuspectedByHistory {
			list = append(list, c.Metric.Name)
		}
	}
	return list
}

func TestNothingIsSuspectedWhileTheSentinelMoved(t *testing.T) {
	s := watched(21)
	s.Moves[20] = 0.92
	_, res, m := judge(t, s.Runs())
	if got := suspects(res); got != nil || res.Outcome() == compare.Regressed {
		t.Errorf("suspected %q, %v", got, res.Outcome())
	}
	if len(m.Withheld) != 2 {
		t.Errorf("withheld %+v", m.Withheld)
	}
	for _, c := range res.Comparisons {
		if c.Change == nil || c.Reason == nil || c.Reason.Code != history.MachineMoved {
			t.Errorf("%s: %+v %+v", c.Metric.Name, c.Change, c.Reason)
		}
	}

	s.Sentinel = nil
	if _, res, _ := judge(t, s.Runs()); len(suspects(res)) != 2 {
		t.Error("without a sentinel nothing is suspected")
	}
}

// TestLossComesBackWhenTheSentinelIsSteady is a loss that came while the machine was
// away for two nights.
func TestLossComesBackWhenTheSentinelIsSteady(t *testing.T) {
	s := watched(24)
	s.Moves[20], s.Moves[22] = 0.92, 1/0.92
	s.Cells[0].Steps[21] = 0.92
	runs := s.Runs()
	for night, want := range map[int]int{20: 0, 21: 0, 22: 1} {
		choice, res, _ := judge(t, runs[:night+1])
		if got := suspects(res); len(got) != want {
			t.Errorf("night %d: suspected %q, %+v", night, got, choice.Sentinel)
		}
		if n := len(choice.Sessions()); n != 20 {
			t.Errorf("night %d: %d sessions are the baseline", night, n)
		}
	}
}

// TestOpenLossStaysWhileTheSentinelMoved is a machine that gains what the build had
// lost: that closes nothing.
func TestOpenLossStaysWhileTheSentinelMoved(t *testing.T) {
	s := watched(24)
	s.Cells[0].Steps[20] = 0.92
	s.Moves[23] = 1 / 0.92
	runs := s.Runs()
	_, res, m := judge(t, runs, historytest.Loss(runs[20], runs[19], "pp512", -0.08))
	if len(m.Open) != 1 || len(m.Over) != 0 || res.Outcome() != compare.Regressed {
		t.Errorf("open %d, over %d, %v", len(m.Open), len(m.Over), res.Outcome())
	}
}
