package compare_test

import (
	"math"
	"math/rand/v2"
	"strconv"

	"github.com/llama-regress/llama-regress/ci/record"
)

// A shape draws disturbances on the log scale, of mean 0 and standard
// deviation 1 except for what it says.
type shape struct {
	name string
	draw func(*rand.Rand) float64
	lag  float64 // autocorrelation of the repetitions within a trial
}

func normal(rng *rand.Rand) float64 { return rng.NormFloat64() }

// skewed has the long tail of a log-normal with shape 0.5 to the slow side.
func skewed(rng *rand.Rand) float64 {
	const shape = 0.5
	v := math.Exp(shape * shape)
	return -(math.Exp(shape*rng.NormFloat64()) - math.Sqrt(v)) / math.Sqrt((v-1)*v)
}

// studentT draws from t with so many degrees of freedom, even and at least 4,
// brought to standard deviation 1.
func studentT(rng *rand.Rand, df int) float64 {
	chiSquared := 0.0
	for range df / 2 {
		chiSquared += 2 * rng.ExpFloat64()
	}
	return rng.NormFloat64() / math.Sqrt(chiSquared/float64(df)) * math.Sqrt(float64(df-2)/float64(df))
}

// spiky is normal but for one draw in 20, which is slower by an exponential of
// mean 10: its own standard deviation is about 3.
func spiky(rng *rand.Rand) float64 {
	x := rng.NormFloat64()
	if rng.Float64() < 0.05 {
		x -= 10 * rng.ExpFloat64()
	}
	return x
}

var shapes = []shape{
	{name: "normal", draw: normal},
	{name: "skewed", draw: skewed},
	{name: "t4", draw: func(rng *rand.Rand) float64 { return studentT(rng, 4) }},
	{name: "spikes", draw: spiky},
	{name: "autocorrelated", draw: normal, lag: 0.3},
}

// A simulation makes sessions of two arms, base and head, with known truth.
type simulation struct {
	shape       shape
	within      float64                // sd of a repetition within its trial, as a share
	between     float64                // sd of a trial, as a share
	common      float64                // share of the trial's variance that all cells of a block have in common
	blocks      int                    //
	cells       int                    // 0 is 1
	repetitions int                    // 0 is 5
	change      func(cell int) float64 // log of head's true ratio to base; nil is none
}

// always is the same change in every cell.
func always(change float64) func(int) float64 { return func(int) float64 { return change } }

// loss is a change by a share, such as -0.04, on the log scale.
func loss(share float64) float64 { return math.Log1p(share) }

var throughput = record.Test{Prompt: 512}.Metric()

// session draws one run record.
func (s simulation) session(rng *rand.Rand) *record.Run {
	run := emptySession(max(1, s.cells), throughput)
	run.Trials = make([]record.Trial, 0, 2*s.blocks*len(run.Cells))
	all := make([]int, len(run.Cells))
	for c := range all {
		all[c] = c
	}
	s.extend(run, all, 0, s.blocks, rng)
	return run
}

// extend draws the blocks from first to before end of some cells.
func (s simulation) extend(run *record.Run, cells []int, first, end int, rng *rand.Rand) {
	shared := make([]float64, 2*(end-first))
	if s.common > 0 {
		for i := range shared {
			shared[i] = math.Sqrt(s.common) * s.shape.draw(rng)
		}
	}
	own := math.Sqrt(1 - s.common)
	n := max(1, s.repetitions)
	if s.repetitions == 0 {
		n = 5
	}
	memory := newArena(2*(end-first)*len(cells), n)
	for _, c := range cells {
		for b := first; b < end; b++ {
			for a := range run.Arms {
				truth := s.between * (shared[2*(b-first)+a] + own*s.shape.draw(rng))
				if a == 1 && s.change != nil {
					truth += s.change(c)
				}
				values := memory.values(n)
				s.trial(rng, truth, values)
				memory.add(run, run.Arms[a].Name, run.Cells[c].Key, b, throughput.Name, values)
			}
		}
	}
}

// An arena is memory for trials of one value list each, asked for at once.
type arena struct {
	numbers      []float64
	measurements []record.Measurement
}

func newArena(trials, repetitions int) *arena {
	return &arena{make([]float64, trials*repetitions), make([]record.Measurement, trials)}
}

func (r *arena) values(n int) []float64 {
	vs := r.numbers[:n:n]
	r.numbers = r.numbers[n:]
	return vs
}

func (r *arena) add(run *record.Run, arm, cell string, block int, metric string, values []float64) {
	m := r.measurements[:1:1]
	r.measurements = r.measurements[1:]
	m[0] = record.Measurement{Metric: metric, Values: values}
	order := len(run.Trials)
	run.Trials = append(run.Trials, record.Trial{ID: trialID(order), Arm: arm, Cell: cell, Block: block, Order: order, Outcome: record.OK, Measurements: m})
}

// trialID is the decimal of a trial's place, made once.
func trialID(order int) string {
	if order < len(trialIDs) {
		return trialIDs[order]
	}
	return strconv.Itoa(order)
}

var trialIDs = func() (ids [8192]string) {
	for i := range ids {
		ids[i] = strconv.Itoa(i)
	}
	return ids
}()

// trial draws repetitions around a truth on the log scale.
func (s simulation) trial(rng *rand.Rand, truth float64, values []float64) {
	previous := s.shape.draw(rng)
	for i := range values {
		disturbance := s.shape.draw(rng)
		if s.shape.lag > 0 {
			disturbance = s.shape.lag*previous + math.Sqrt(1-s.shape.lag*s.shape.lag)*disturbance
			previous = disturbance
		}
		values[i] = 1000 * math.Exp(truth+s.within*disturbance)
	}
}

// emptySession is a run of base and head without trials.
func emptySession(cells int, metric record.Metric) *record.Run {
	run := &record.Run{Schema: record.Schema, ID: "simulated", Baseline: "base",
		Arms: []record.Arm{{Name: "base"}, {Name: "head"}}, Cells: make([]record.Cell, cells)}
	metrics := []record.Metric{metric}
	for c := range run.Cells {
		run.Cells[c] = cell(c)
		run.Cells[c].Metrics = metrics
	}
	return run
}

// cell is the so-many-th cell, without metrics. Its key takes a while to make.
func cell(c int) record.Cell {
	if c < len(firstCells) {
		return firstCells[c]
	}
	params := map[string]string{"threads": strconv.Itoa(c + 1)}
	return record.Cell{Key: record.CellKey("bench", "tiny", params), Workload: "bench", Model: "tiny", Params: params}
}

var firstCells []record.Cell

func init() {
	var first []record.Cell
	for c := range 100 {
		first = append(first, cell(c))
	}
	firstCells = first
}

func addTrial(run *record.Run, arm string, cell record.Cell, block int, m record.Measurement) {
	order := len(run.Trials)
	run.Trials = append(run.Trials, record.Trial{ID: trialID(order), Arm: arm, Cell: cell.Key,
		Block: block, Order: order, Outcome: record.OK, Measurements: []record.Measurement{m}})
}

// upTo is what a session looked like after so many blocks.
func upTo(run *record.Run, blocks int) *record.Run {
	early := *run
	early.Trials = make([]record.Trial, 0, len(run.Trials))
	for i := range run.Trials {
		if run.Trials[i].Block < blocks {
			early.Trials = append(early.Trials, run.Trials[i])
		}
	}
	return &early
}
