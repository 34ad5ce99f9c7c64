package compare_test

import (
	"flag"
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/llama-regress/llama-regress/fixtures/effort"
)

// The calibration gates: on simulated sessions of known truth the product's own
// decisions must be wrong no more often than they say. Every run makes a
// reduced form of them; the full form, asked for by a flag, also stores what the
// sections found, of which -run may pick some, and writes stats/CALIBRATION.md of
// all that is stored and, in calibration.go, its version.
//
// A part of the full form, with fewer draws of all its cases, says how long it
// will take; it writes nothing.
var (
	full = flag.Bool("calibration.full", false, "run the calibration gates in full and write stats/CALIBRATION.md")
	part = flag.Float64("calibration.part", 0, "run the calibration gates with this share of the full form's draws, above 0 and up to 1, and write nothing")
)

// Simulated is how many simulated data sets each kind of case gets, and how
// finely the cases lie.
type simulated struct {
	cells     int // data sets of one cell
	nights    int // of a night at the edge of the margin, which an estimated prior makes worst
	matrices  int // of a matrix of cells
	disturbed int // of a session on a busy machine, in which each tick of it is drawn
	series    int // of nightly values
	width     int // cells of a matrix

	ratios       []float64 // sd between trials over sd within
	trials       []int     // of a service, an arm
	correlations []float64 // of two of its requests
}

// inFull are the numbers behind the document.
var inFull = simulated{cells: 10_000, nights: 10_000, matrices: 5_000, disturbed: 1_000, series: 10_000, width: 100,
	ratios: []float64{0, 0.5, 1, 2}, trials: []int{4, 6, 10}, correlations: []float64{0, 0.05, 0.1, 0.2}}

func planned() simulated {
	e := inFull
	switch {
	case *full:
		return e
	case *part > 0 && *part <= 1:
		for _, draws := range []*int{&e.cells, &e.nights, &e.matrices, &e.series, &e.disturbed} {
			*draws = int(math.Ceil(*part * float64(*draws)))
		}
		return e
	case testing.Short():
		e.cells, e.nights, e.matrices, e.series, e.disturbed = 40, 40, 12, 12, 6
	case effort.Race:
		e.cells, e.nights, e.matrices, e.series, e.disturbed = 40, 100, 12, 20, 5
	default:
		e.cells, e.nights, e.matrices, e.series, e.disturbed = 400, 800, 300, 400, 40
		e.width = 20
		return e
	}
	e.width, e.ratios, e.trials, e.correlations = 20, []float64{0, 2}, []int{4, 10}, []float64{0, 0.2}
	return e
}

// A finding is how often something happened in one simulated case, and how
// often it may.
type finding struct {
	gate, name  string
	hits, draws int
	limit       float64
	atLeast     bool // limit is the least share, not the most
	nominal     bool // limit is a nominal level: it must lie in the share's 95 % interval, or on its good side
}

func (f finding) rate() float64 { return float64(f.hits) / float64(f.draws) }

// normal95 is how many standard errors a 95 % interval reaches to each side.
const normal95 = 1.959964

// bound is the share up to which the full form keeps the limit. Of a nominal
// level it is the share whose 95 % interval (Wilson) just holds the limit.
func (f finding) bound() float64 {
	if !f.nominal {
		return f.limit
	}
	allowed := normal95 * math.Sqrt(f.limit*(1-f.limit)/float64(f.draws))
	if f.atLeast {
		allowed = -allowed
	}
	return f.limit + allowed
}

func (f finding) keepsBound() bool {
	if f.atLeast {
		return f.rate() >= f.bound()
	}
	return f.rate() <= f.bound()
}

// surprise is how likely a count so far beyond the limit would be if the truth
// were at the limit.
func (f finding) surprise() float64 {
	x := distuv.Binomial{N: float64(f.draws), P: f.limit}
	if f.atLeast {
		return x.CDF(float64(f.hits))
	}
	if f.hits == 0 {
		return 1
	}
	return 1 - x.CDF(float64(f.hits-1))
}

// passes asks for the bound itself in full; with a few draws it asks only that
// the count could have come from a truth at the limit, missing one true case in
// 10 000 by chance. Seeds are fixed, so that chance is taken once.
func (f finding) passes(inFull bool) bool {
	if inFull {
		return f.keepsBound()
	}
	return f.surprise() > 1e-4
}

func (f finding) String() string {
	relation := "at most"
	if f.atLeast {
		relation = "at least"
	}
	return fmt.Sprintf("%s %s: %d of %d, %.4f %s, want %s %.4f", f.gate, f.name, f.hits, f.draws, f.rate(), f.interval(), relation, f.bound())
}

// interval is the 95 % interval of the share (Wilson), as text.
func (f finding) interval() string {
	low, high := wilson(f.hits, f.draws)
	return fmt.Sprintf("[%.4f, %.4f]", low, high)
}

// wilson is the 95 % score interval of a share (Wilson 1927).
func wilson(hits, draws int) (low, high float64) {
	const z2 = 1.959963984540054 * 1.959963984540054
	n := float64(draws)
	p := float64(hits) / n
	centre, half := (p+z2/2/n)/(1+z2/n), math.Sqrt(z2*(p*(1-p)/n+z2/4/n/n))/(1+z2/n)
	return max(0, centre-half), min(1, centre+half)
}

// A book collects what the gates found, in their order.
type book struct {
	simulated
	findings []finding
	tables   []table
}

// A table is shown in the document as it is.
type table struct {
	title, text string
	head        []string
	rows        [][]string
	unkept      bool // shows what does not hold
}

// hold notes a finding and fails the test if it does not keep its limit.
func (b *book) hold(t *testing.T, f finding) {
	t.Helper()
	b.findings = append(b.findings, f)
	if !f.passes(*full) {
		t.Error(f)
	}
}

// holdDrawnAgain holds what is found of a case. In full, a case that misses a nominal
// level is drawn ten times as often, the first draws among them, and judged by all of them
// at the narrower bound: of hundreds of cases some miss theirs by chance, and only more
// draws tell these from a level that is not kept.
func (b *book) holdDrawnAgain(t *testing.T, draws int, find func(draws int) []finding) {
	t.Helper()
	findings := find(draws)
	if *full && slices.ContainsFunc(findings, func(f finding) bool { return f.nominal && !f.keepsBound() }) {
		findings = find(10 * draws)
	}
	for _, f := range findings {
		b.hold(t, f)
	}
}

// simulate draws a case so often and returns what came of each draw, in their
// order. The processors share the draws; the generator depends on the case's
// name and the draw alone.
func simulate[T any](name string, draws int, draw func(rng *rand.Rand) T) []T {
	results := make([]T, draws)
	var workers sync.WaitGroup
	step := runtime.GOMAXPROCS(0)
	for first := range step {
		workers.Go(func() {
			for i := first; i < draws; i += step {
				results[i] = draw(generator(name, i))
			}
		})
	}
	workers.Wait()
	return results
}

// count simulates a case and returns in how many draws it happened.
func count(name string, draws int, happens func(rng *rand.Rand) bool) int {
	return howMany(simulate(name, draws, happens), func(happened bool) bool { return happened })
}

func howMany[T any](results []T, happened func(T) bool) int {
	n := 0
	for _, r := range results {
		if happened(r) {
			n++
		}
	}
	return n
}

func generator(name string, draw int) *rand.Rand {
	h := fnv.New64a()
	h.Write([]byte(name))
	return rand.New(rand.NewPCG(h.Sum64(), uint64(draw)))
}

// sections are the parts of the calibration, in the order of the document. Each
// can be run by itself.
var sections = []struct {
	name string
	run  func(*testing.T, *book)
}{
	{"C1 no change", noChange},
	{"C2 edge of the margin", edgeOfMargin},
	{"C3 family", familyError},
	{"C4 coverage", coverage},
	{"C4 latency among failures", orderStatistics},
	{"C4 success rates", rateCoverage},
	{"C5 power", powerAtMDE},
	{"C5 two stages", twoStagePower},
	{"C6 equivalence", equivalence},
	{"C6 layouts", equivalenceOfLayouts},
	{"C6 success rates", rateEquivalence},
	{"C7 success rates", successRates},
	{"C8 change points", changePoints},
	{"C9 advice", advice},
	{"CE exact metrics", exactMetrics},
	{"CC busy machine", disturbed},
	{"CS survivors", survivors},
	{"CH history", suspicions},
	{"CH success rates", rateSuspicions},
	{"CN what does not hold", whatDoesNotHold},
	{"CA anchors", anchors},
	{"CA nightly anchors", nightlyAnchors},
	{"CA machine time", machineTime},
}

func TestCalibration(t *testing.T) {
	// Records live for one draw: collecting them less often takes a fifth less time.
	defer debug.SetGCPercent(debug.SetGCPercent(800))
	for _, s := range sections {
		t.Run(s.name, func(t *testing.T) {
			b := &book{simulated: planned()}
			s.run(t, b)
			if *full {
				newSection(t, s.name, b.findings, b.tables).save(t)
				writeDocument(t)
			}
		})
	}
}
