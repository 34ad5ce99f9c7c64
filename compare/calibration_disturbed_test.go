package compare_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/compare"
)

// Others are programs beside what is measured: they keep so many cores busy in
// spells and rest in between, both of exponential length with these means.
type others struct {
	name     string
	cores    float64
	on, rest float64 // seconds; a rest of 0 is none
}

var beside = []others{
	{name: "nobody"},
	{name: "one core, always", cores: 1, on: 1},
	{name: "both cores, 1 s in 5", cores: 1.8, on: 1, rest: 4},
	{name: "both cores, a minute in 4", cores: 1.8, on: 60, rest: 180},
	{name: "both cores, a minute in 2", cores: 1.8, on: 60, rest: 60},
}

// A machine has two cores and others on it. What is measured loses a part of
// its speed for each core that they keep busy.
type machine struct {
	others
	rng     *rand.Rand
	working bool
	left    float64 // seconds of this spell or rest
	tick    float64 // in which it does not change, seconds
}

const lostPerCore = 0.35

func (o others) machine(tick float64, rng *rand.Rand) *machine {
	m := &machine{others: o, rng: rng, tick: tick, working: o.on > 0 && rng.Float64()*(o.on+o.rest) < o.on}
	m.left = m.span()
	return m
}

func (m *machine) span() float64 {
	if m.working {
		return m.on * m.rng.ExpFloat64()
	}
	return m.rest * m.rng.ExpFloat64()
}

// step lets a tick pass and returns the cores that the others kept busy in it.
func (m *machine) step() float64 {
	if m.on == 0 {
		return 0
	}
	for m.left -= m.tick; m.left <= 0; m.left += m.span() {
		m.working = !m.working || m.rest == 0
	}
	if !m.working {
		return 0
	}
	return max(0, m.cores*(1+0.1*m.rng.NormFloat64()))
}

// Lengths are how long a trial of each arm is on a quiet machine, in seconds:
// five repetitions of what is judged by the baseline, and what each arm's other tests take.
type lengths struct {
	name               string
	judged             float64
	baseMore, headMore float64
}

// tick is fine enough for a repetition, and no finer.
func (l lengths) tick() float64 {
	if l.judged < 5 {
		return 0.05
	}
	return 0.25
}

// trial runs one on the machine and returns its five values and what was read
// of the machine each quarter of a second, as by package host.
func (m *machine) trial(judged, more, speed float64) ([]float64, *record.Samples) {
	var read []float64
	busy, ticks, lasted, tick := 0.0, 0, 0.0, m.tick
	pass := func() (speed float64) {
		x := m.step()
		busy += x
		if ticks++; float64(ticks)*tick > 0.249 {
			// The kernel counts hundredths of a second, of three counters.
			read = append(read, busy/float64(ticks)+0.04*(m.rng.Float64()-0.5))
			busy, ticks = 0, 0
		}
		lasted += tick
		return 1 - lostPerCore*x
	}
	values := make([]float64, 5)
	now := pass()
	room := tick // what is left of this tick
	own := within * m.rng.NormFloat64()
	for i := range values {
		need, took := judged/5/speed, 0.0
		for need > now*room {
			need -= now * room
			took += room
			now, room = pass(), tick
		}
		took += need / now
		room -= need / now
		values[i] = 1000 * judged / 5 / took * math.Exp(own+within*m.rng.NormFloat64())
	}
	for need := more; need > 0; {
		need -= tick * pass()
	}
	s := &record.Samples{Every: 0.25, At: 0.25, Series: map[string][]float64{"cpu_other": read}}
	if len(read) == 0 { // shorter than a reading
		s.Every, s.At = lasted, lasted
		s.Series["cpu_other"] = []float64{busy/float64(ticks) + 0.01/lasted*(m.rng.Float64()-0.5)}
	}
	for gap := 0.0; gap < 0.3; gap += tick { // the next process starts
		m.step()
	}
	return values, s
}

// session measures both arms in turns; head has so many times base's speed.
func (l lengths) session(o others, blocks int, speed float64, rng *rand.Rand) *record.Run {
	run := emptySession(1, throughput)
	run.Host.Hard = map[string]string{"cpu_logical": "2"}
	m := o.machine(l.tick(), rng)
	first := rng.IntN(2)
	for b := range blocks {
		for turn := range 2 {
			arm := (first + b + turn) % 2
			more, ratio := l.baseMore, 1.0
			if arm == 1 {
				more, ratio = l.headMore, speed
			}
			values, samples := m.trial(l.judged, more, ratio)
			order := len(run.Trials)
			run.Trials = append(run.Trials, record.Trial{ID: strconv.Itoa(order), Arm: run.Arms[arm].Name, Cell: run.Cells[0].Key, Block: b, Order: order,
				Outcome: record.OK, Samples: samples, Measurements: []record.Measurement{{Metric: throughput.Name, Values: values}}})
		}
	}
	return run
}

// unwatched is the same session of a machine that tells nothing: its noise is
// the same, and nothing is known of its cause.
func unwatched(run *record.Run) *record.Run {
	blind := *run
	blind.Trials = append([]record.Trial(nil), run.Trials...)
	for i := range blind.Trials {
		blind.Trials[i].Samples = nil
	}
	return &blind
}

// disturbed, CC: on a busy machine a loss of just the margin is called no more
// often than promised, however long the trials of each arm are, and a loss that the
// disturbance cannot explain is called as often as of a machine that has the same
// noise and is not known to be disturbed.
func disturbed(t *testing.T, b *book) {
	tab := table{title: "A machine that is disturbed", text: "10 blocks on two cores; trials and repetitions vary by 1 % each, and the speed falls by 35 % for each core that others keep busy. " +
		"What a trial was read to meet goes into the record as it does in a run, and the record is judged. Share of sessions in which a loss is called; in brackets that of the same sessions " +
		"if nothing had been read. What both arms' blocks met is left out where it can be; else a loss may not be of the kind that blocks differ by themselves. That is the price of the rule: " +
		"it is suspected then, and such a session never passes.",
		head: []string{"others", "length of base's and head's trials", "margin's edge (−2.91 %)", "−10 %", "−20 %", "−50 %", "−75 %", "−90 %", "coverage of −5 %", "clear losses that passed"}}
	const blocks = 10
	for _, o := range beside {
		for _, l := range []lengths{{"0.3 s", 0.3, 0, 0}, {"1.5 s", 1.5, 0, 0}, {"5 s", 5, 0, 0}, {"30 s", 30, 0, 0},
			{"0.3 s, 3 s", 0.3, 0, 2.7}, {"1.5 s, 15 s", 1.5, 0, 13.5}, {"15 s, 1.5 s", 1.5, 13.5, 0}, {"4 s, 4.8 s", 2, 2, 2.8}} {
			name := o.name + ", " + l.name
			draws := b.disturbed
			atEdge := 4 * draws // forty cases whose truth is about the level: few draws would miss it by chance in one of them
			type judged struct{ called, blind, passed bool }
			at := func(change float64, draws int) []judged {
				return simulate(fmt.Sprint("CC ", name, change), draws, func(rng *rand.Rand) judged {
					run := l.session(o, blocks, 1+change, rng)
					res, blind := compare.Run(run, defaults), compare.Run(unwatched(run), defaults)
					j := judged{called: res.Outcome() == compare.Regressed, blind: blind.Outcome() == compare.Regressed}
					j.passed = j.blind && res.Outcome() == compare.Passed
					return j
				})
			}
			calls := func(all []judged) (called, blind, passed int) {
				return howMany(all, func(j judged) bool { return j.called }), howMany(all, func(j judged) bool { return j.blind }), howMany(all, func(j judged) bool { return j.passed })
			}
			row := []string{o.name, l.name}
			edge, blind, _ := calls(at(math.Expm1(-lambda), atEdge))
			b.hold(t, finding{gate: "CC", name: "edge of the margin: " + name, hits: edge, draws: atEdge, limit: defaults.Alpha / 2, nominal: true})
			row = append(row, fmt.Sprintf("%s (%s)", share(edge, atEdge), share(blind, atEdge)))
			lost := 0
			for _, change := range []float64{-0.10, -0.20, -0.50, -0.75, -0.90} {
				drawn := draws
				if change > -0.50 {
					drawn = (draws + 3) / 4 // shown only
				}
				called, blind, passed := calls(at(change, drawn))
				if change <= -0.50 {
					lost += passed
					// The two shares are of the same sessions: what the rule costs is their difference,
					// known as exactly as a share of so many draws.
					b.hold(t, finding{gate: "CC", name: fmt.Sprintf("calls that the rule costs: %g %%, %s", 100*change, name), hits: max(0, blind-called), draws: drawn, limit: 0.05, nominal: true})
				}
				row = append(row, fmt.Sprintf("%s (%s)", share(called, drawn), share(blind, drawn)))
			}
			b.hold(t, finding{gate: "CC", name: "clear losses that pass: " + name, hits: lost, draws: 3 * draws, limit: 0.001})
			covered := count(fmt.Sprint("CC coverage ", name), draws, func(rng *rand.Rand) bool {
				return covers(compare.Run(l.session(o, blocks, 0.95, rng), at95()).Comparisons[0].Interval, -0.05)
			})
			b.hold(t, finding{gate: "CC", name: "interval: " + name, hits: covered, draws: draws, limit: 0.94, atLeast: true, nominal: true})
			tab.rows = append(tab.rows, append(row, share(covered, draws), share(lost, 3*draws)))
		}
	}
	b.tables = append(b.tables, tab)
}
