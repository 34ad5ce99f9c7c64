package history

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/ci/store"
	"github.com/llama-regress/llama-regress/compare"
	"github.com/llama-regress/llama-regress/compare/history/historytest"
	"github.com/llama-regress/llama-regress/fixtures/effort"
)

func analyzed(t testing.TB, s historytest.Story, o TrendOptions) (Trends, *Machine) {
	t.Helper()
	_, c := historytest.Store(t, s.Runs())
	trends := Analyze(c, o)
	if len(trends.Machines) != 1 {
		t.Fatalf("%d machines", len(trends.Machines))
	}
	return trends, &trends.Machines[0]
}

// day is the night's number in its story, which counts those that are missing.
func day(m *Machine, night int) int {
	return int(math.Round(m.Nights[night].Started.Sub(historytest.First).Hours() / 24))
}

// outline says what a machine's change points are, one a line.
func outline(m *Machine) string {
	var b strings.Builder
	for _, p := range m.ChangePoints {
		fmt.Fprintf(&b, "%d-%d", day(m, p.LastGood), day(m, p.FirstBad))
		for _, x := range p.Moved {
			t, c := m.At(x)
			fmt.Fprintf(&b, " %s/%s %+.0f%%", t.Model, t.Metric.Name, 100*c.Size)
		}
		fmt.Fprintf(&b, " %s", p.State)
		if p.Drift {
			b.WriteString(" drift")
		}
		b.WriteString("\n")
	}
	return b.String()
}

// A year with steps, a drift, another kernel, missing weeks and a flaky cell:
// every change is found at its night, the kernel is none, and nothing else is
// called a change.
func TestYear(t *testing.T) {
	trends, m := analyzed(t, historytest.Year(nil), TrendOptions{})
	const want = `344-345 small/tg128 -6% open
301-302 tiny/pp512 +8% open
279-280 tiny/pp512 -7% recovered
169-229 base/tg128 -9% open drift
199-200 base/success_rate -5% open
120-121 tiny/tg128 +5% out_of_sight
59-60 base/pp512 -6% small/pp512 -6% out_of_sight
`
	if got := outline(m); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	if trends.Series != 9 || math.Abs(trends.Level-4./9/365) > 1e-12 {
		t.Errorf("level %v in %d series", trends.Level, trends.Series)
	}
	for _, trend := range m.Trends {
		if len(trend.Breaks) != 1 || m.Nights[trend.Points[trend.Breaks[0].At].Night].Started != historytest.First.AddDate(0, 0, historytest.Kernel) || trend.Breaks[0].Why != "differs in kernel" {
			t.Errorf("%s %s: breaks %+v", trend.Model, trend.Metric.Name, trend.Breaks)
		}
		covered := 0
		for _, l := range trend.Segments {
			if !(l.Low <= l.Value && l.Value <= l.High) || l.From >= l.To {
				t.Errorf("%s: level %+v", trend.Cell, l)
			}
			covered += l.To - l.From
		}
		if covered != len(trend.Points) {
			t.Errorf("%s: levels over %d of %d points", trend.Cell, covered, len(trend.Points))
		}
	}
	if len(m.Gaps) != 2 || m.Gaps[0].Missing != 14 || m.Gaps[1].Missing != 1 || m.Gaps[1].Open {
		t.Errorf("gaps %+v", m.Gaps)
	}
}

// What is found does not hang on the luck of one seed. Of each step, the night
// and its neighbours count as found, and the range has to hold the night.
func TestYearsOfOtherSeeds(t *testing.T) {
	years := effort.Draws(3, 1)
	truth := []int{historytest.Recent, historytest.Mended, historytest.Bad, historytest.Failing, historytest.Faster, historytest.Slower}
	found, exact, covered, drifts, extra := 0, 0, 0, 0, 0
	for seed := range years {
		story := historytest.Year(nil)
		story.Seed = uint64(100 + seed)
		_, m := analyzed(t, story, TrendOptions{})
		for _, p := range m.ChangePoints {
			at := day(m, p.FirstBad)
			switch i := slices.IndexFunc(truth, func(n int) bool { return at >= n-1 && at <= n+1 }); {
			case p.Drift && day(m, p.LastGood) < historytest.DriftTo && day(m, p.FirstBad) > historytest.DriftFrom:
				drifts++
			case i >= 0 && !p.Drift:
				found++
				if at == truth[i] {
					exact++
				}
				if day(m, p.SurelyGood) < truth[i] && truth[i] <= day(m, p.SurelyBad) {
					covered++
				}
			default:
				extra++
				t.Logf("seed %d: %d-%d is none", seed, day(m, p.LastGood), at)
			}
		}
	}
	all := years * len(truth)
	t.Logf("of %d steps %d found, %d at their very night, %d in the range; %d of %d drifts; %d others", all, found, exact, covered, drifts, years, extra)
	if found < all-1 || exact < all*8/10 || covered < all*9/10 || drifts < years-1 || extra > years/2 {
		t.Error("too few of what happened is found, or too much of what did not")
	}
}

// replay looks at a history each night anew, as a nightly does, and counts the
// change points that were ever seen. Sessions are loaded once.
func replay(t *testing.T, s historytest.Story, every int, o TrendOptions) (alarms int) {
	_, c := historytest.Store(t, s.Runs())
	seen := make(map[string]bool)
	for n := 10; n <= len(c.Sessions); n += every {
		upTo := &store.Contents{Sessions: c.Sessions[:n]}
		m := Analyze(upTo, o).Machines[0]
		for _, p := range m.ChangePoints {
			if !seen[p.ID] {
				seen[p.ID] = true
				alarms++
			}
		}
	}
	return alarms
}

// A year of nights in which nothing changed, looked at night after night, under
// a margin so small that it hides no noise: no more change points than the rate
// that was asked for.
func TestFalseAlarmsOfAYear(t *testing.T) {
	const cells = 8
	every := 365 / effort.Draws(45, 5) // nights from one interim analysis to the next
	policy := compare.DefaultPolicy()
	policy.Margins = map[string]compare.Margin{record.Throughput: {Value: 1e-6}}
	s := historytest.Story{Machine: "quiet", Nights: 365, Noise: 0.02, Seed: 3}
	for i := range cells {
		s.Cells = append(s.Cells, historytest.Cell{Model: fmt.Sprintf("m%02d", i), Test: "tg128", Level: 100})
	}
	for _, rate := range []float64{4, 12} {
		alarms := replay(t, s, every, TrendOptions{Policy: policy, FalseAlarms: rate})
		t.Logf("allowed %v a year, seen %d", rate, alarms)
		if float64(alarms) > rate {
			t.Errorf("%d false alarms in a year, allowed %v", alarms, rate)
		}
	}
	s.Cells = s.Cells[:1]
	s.Cells[0].Flaky = 0.2
	if alarms := replay(t, s, every, TrendOptions{}); alarms > 1 {
		t.Errorf("%d false alarms of a flaky cell", alarms)
	}
}

// steady is a machine of five cells that all do what steps say.
func steady(nights int, steps map[int]float64) historytest.Story {
	s := historytest.Story{Machine: "bench-01", Nights: nights, Noise: 0.005, Seed: 8, Host: map[int]string{}, Missing: map[int]bool{}}
	for i := range 5 {
		s.Cells = append(s.Cells, historytest.Cell{Model: fmt.Sprintf("m%d", i), Test: "pp512", Level: 500, Steps: steps})
	}
	return s
}

func TestStates(t *testing.T) {
	promote := func(night int, cells ...string) []store.Segment {
		s := steady(night+1, nil).Runs()
		return []store.Segment{{Machine: "bench-01", From: store.KeyOf(s[night], "", 1).String(), Cells: cells, Reason: "needed for correctness", Made: time.Now()}}
	}
	other := steady(120, map[int]float64{60: 0.9})
	other.Host[90] = "6.12"
	back := steady(120, map[int]float64{60: 0.9})
	back.Host[80], back.Host[84] = "6.12", "6.1"
	same := steady(120, map[int]float64{60: 0.9})
	for range 120 {
		same.Commits = append(same.Commits, strings.Repeat("ab", 20))
	}
	tests := []struct {
		name     string
		story    historytest.Story
		segments []store.Segment
		want     []State // of the change points, the latest first
		same     bool
	}{
		{"a loss that lasts", steady(120, map[int]float64{60: 0.9}), nil, []State{Open}, false},
		{"taken back", steady(120, map[int]float64{60: 0.9, 90: 1 / 0.9}), nil, []State{Open, Recovered}, false},
		{"taken back by half", steady(120, map[int]float64{60: 0.9, 90: 1.05}), nil, []State{Open, Open}, false},
		{"two losses, the second taken back", steady(160, map[int]float64{50: 0.9, 80: 0.9, 120: 1 / 0.9}), nil, []State{Open, Recovered, Open}, false},
		{"taken back and lost again", steady(160, map[int]float64{50: 0.9, 80: 1 / 0.9, 120: 0.9}), nil, []State{Open, Recovered, Recovered}, false},
		{"accepted later", steady(120, map[int]float64{60: 0.9}), promote(90), []State{Accepted}, false},
		{"accepted where it began", steady(120, map[int]float64{60: 0.9}), promote(60), nil, false},
		{"accepted for one cell", steady(120, map[int]float64{60: 0.9}), promote(90, "bench/m1"), []State{Open}, false},
		{"another kernel since", other, nil, []State{OutOfSight}, false},
		{"another kernel for some days", back, nil, []State{Open}, false},
		{"one build", same, nil, []State{Open}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, c := historytest.Store(t, tt.story.Runs())
			c.Segments = tt.segments
			m := Analyze(c, TrendOptions{}).Machines[0]
			var got []State
			for _, p := range m.ChangePoints {
				got = append(got, p.State)
				if len(p.Moved) != 5 || !p.Everywhere || p.SameBuild != tt.same {
					t.Errorf("%d of 5 trends in one change point: %+v", len(p.Moved), p)
				}
				if p.State == Accepted && p.Reason != "needed for correctness" || (p.State == Open) != (p.Ended < 0) {
					t.Errorf("%+v", p)
				}
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("states %v, want %v", got, tt.want)
			}
		})
	}
}

// A change point is new in the one night in which it is first seen.
func TestNew(t *testing.T) {
	_, c := historytest.Store(t, steady(70, map[int]float64{50: 0.9}).Runs())
	var nights []int
	for n := 50; n <= 70; n += 1 + n/60*4 { // night by night, and now and then once it is known
		for _, p := range Analyze(&store.Contents{Sessions: c.Sessions[:n]}, TrendOptions{}).Machines[0].ChangePoints {
			if p.New {
				nights = append(nights, n)
			}
		}
	}
	if len(nights) != 1 || nights[0] < 52 || nights[0] > 58 {
		t.Errorf("new after the nights %v, want one soon after 52", nights)
	}
}

func TestMissingNights(t *testing.T) {
	s := steady(20, nil)
	s.Missing[7], s.Missing[8], s.Missing[15] = true, true, true
	_, m := analyzed(t, s, TrendOptions{Now: historytest.First.AddDate(0, 0, 23)})
	var got []string
	for _, g := range m.Gaps {
		got = append(got, fmt.Sprint(day(m, g.After), " ", g.Missing, " ", g.Open))
	}
	if want := []string{"6 2 false", "14 1 false", "19 3 true"}; !slices.Equal(got, want) {
		t.Errorf("gaps %v, want %v", got, want)
	}
	if _, m := analyzed(t, s, TrendOptions{Now: historytest.First.AddDate(0, 0, 20)}); len(m.Gaps) != 2 {
		t.Errorf("the night to come is missing: %+v", m.Gaps)
	}
}

// Trials that measured nothing, or beyond what can be measured, are no value.
func TestNightsWithoutAValue(t *testing.T) {
	runs := steady(12, nil).Runs()
	for i := range runs[5].Trials {
		runs[5].Trials[i].Outcome, runs[5].Trials[i].Measurements = record.Failed, nil
		runs[5].Trials[i].Failure = &record.Failure{Class: "crash", Message: "x"}
	}
	runs[7].Trials[0].Measurements[0].Censored = true
	_, c := historytest.Store(t, runs)
	m := Analyze(c, TrendOptions{}).Machines[0]
	if t0 := m.Trends[0]; len(t0.Points) != 10 || !slices.Equal(t0.Missed, []int{5, 7}) {
		t.Errorf("%d points, missed %v", len(t0.Points), t0.Missed)
	}
}

func TestFollowedArm(t *testing.T) {
	arms := func(names ...string) *record.Run {
		run := &record.Run{Baseline: "base"}
		for _, n := range names {
			a := record.Arm{Name: n}
			if n == "control" {
				a.ControlOf = "base"
			}
			run.Arms = append(run.Arms, a)
		}
		return run
	}
	for _, c := range []struct {
		run        *record.Run
		name, want string
	}{
		{arms("base", "control", "head"), "", "head"}, {arms("base", "control"), "", "base"}, {arms("base", "x", "y"), "", "base"},
		{arms("base", "x", "y"), "y", "y"}, {arms("base", "x"), "nightly", "base"},
	} {
		if got, ok := followed(c.run, c.name); !ok || got.Name != c.want {
			t.Errorf("%+v: follows %q", c, got.Name)
		}
	}
}

func TestJudge(t *testing.T) {
	story := steady(30, map[int]float64{29: 0.85})
	s, c := historytest.Store(t, story.Runs())
	m := Analyze(c, TrendOptions{}).Machines[0]
	latest, err := Judge(context.Background(), s, c, m, compare.DefaultPolicy())
	if err != nil || len(latest.Result.Comparisons) != 5 {
		t.Fatalf("%v, %+v", err, latest.Result)
	}
	for _, c := range latest.Result.Comparisons {
		if c.Reason == nil || c.Reason.Code != compare.SuspectedByHistory {
			t.Errorf("%s: %v %v", c.Cell, c.Verdict, c.Reason)
		}
	}
}
