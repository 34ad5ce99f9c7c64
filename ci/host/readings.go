package host

import (
	"math"
	"slices"
	"time"

	"github.com/llama-regress/llama-regress/ci/device"
	"github.com/llama-regress/llama-regress/ci/record"
)

// mostReadings is how many values a series has at most: two minutes at the
// default pace. When it is full neighbours are joined and the pace is halved.
const mostReadings = 480

// A reading has one value a series, NaN for what the machine does not tell: first those
// of the machine, then those of each of its devices.
type reading []float64

const (
	cpuGroup = iota
	cpuSelf
	cpuMachine
	cpuOther
	rssBytes
	rssPeak
	psiCPU
	psiMemory
	psiIO
	steal
	frequency
	temperature
	throttled
	energy
	swapIn
	majorFaults
	seriesCount
)

// absent is a reading of so many series of which none is told.
func absent(series int) reading {
	r := make(reading, series)
	for i := range r {
		r[i] = math.NaN()
	}
	return r
}

// A fold is how two values of a series join, as device.Join is.
type fold device.Join

const (
	mean    = fold(device.Mean)
	largest = fold(device.Largest)
	sum     = fold(device.Sum)
)

// A seriesKind is how two values of a series join, and what they are worth.
type seriesKind struct {
	name  string
	joins fold
	step  float64 // values are rounded to a multiple
}

// machineKinds are those of the machine's own series.
var machineKinds = [seriesCount]seriesKind{
	cpuGroup:    {CPUGroup, mean, 0.001},
	cpuSelf:     {CPUSelf, mean, 0.001},
	cpuMachine:  {CPUMachine, mean, 0.001},
	cpuOther:    {CPUOther, mean, 0.001},
	rssBytes:    {RSSBytes, largest, 1 << 16},
	rssPeak:     {RSSPeak, largest, 1 << 16},
	psiCPU:      {PSICPU, mean, 0.0001},
	psiMemory:   {PSIMemory, mean, 0.0001},
	psiIO:       {PSIIO, mean, 0.0001},
	steal:       {Steal, mean, 0.0001},
	frequency:   {FrequencyMHz, mean, 1},
	temperature: {TemperatureC, largest, 0.1},
	throttled:   {ThrottleCount, sum, 1},
	energy:      {EnergyJ, sum, 0.01},
	swapIn:      {SwapIn, sum, 1},
	majorFaults: {MajorFaults, sum, 1},
}

// readings are the values so far at a steady pace: value i of a series is of the
// interval that ends at first + i·every.
type readings struct {
	kinds  []seriesKind
	first  time.Time
	every  time.Duration
	count  int
	values [][]float64 // by series; nil for what was never told
}

func newReadings(first time.Time, every time.Duration, devices []seriesKind) readings {
	kinds := slices.Concat(machineKinds[:], devices)
	return readings{kinds: kinds, first: first, every: every, values: make([][]float64, len(kinds))}
}

// add stores a reading taken at now, also for each interval that was missed
// before it, its counts shared out among them.
func (r *readings) add(value reading, now time.Time) {
	slots := r.slots(now)
	for r.count+slots > mostReadings {
		r.thin()
		slots = r.slots(now)
	}
	for i, v := range value {
		if r.kinds[i].joins == sum {
			v /= float64(slots)
		}
		if math.IsNaN(v) {
			if r.values[i] == nil {
				continue
			}
			if v = 0; r.kinds[i].joins != sum { // not told this once
				v = r.values[i][len(r.values[i])-1]
			}
		}
		before := v
		if r.kinds[i].joins == sum {
			before = 0
		}
		for len(r.values[i]) < r.count { // told for the first time
			r.values[i] = append(r.values[i], before)
		}
		for range slots {
			r.values[i] = append(r.values[i], v)
		}
	}
	if r.count += slots; r.count == mostReadings { // at once, so that the next is due after a longer interval
		r.thin()
	}
}

// slots is how many intervals a reading at now is of.
func (r *readings) slots(now time.Time) int {
	due := math.Round(float64(now.Sub(r.first))/float64(r.every)) + 1
	return int(min(max(1, due-float64(r.count)), mostReadings/2))
}

// thin joins each two neighbours; an odd last one is left as it is.
func (r *readings) thin() {
	for i, vs := range r.values {
		for j := 0; j < len(vs); j += 2 {
			a, b := vs[j], vs[min(j+1, len(vs)-1)]
			switch {
			case r.kinds[i].joins == largest:
				vs[j/2] = max(a, b)
			case r.kinds[i].joins == mean:
				vs[j/2] = (a + b) / 2
			case j+1 < len(vs):
				vs[j/2] = a + b
			default:
				vs[j/2] = a
			}
		}
		r.values[i] = vs[:(len(vs)+1)/2]
	}
	r.count = (r.count + 1) / 2
	r.first = r.first.Add(r.every)
	r.every *= 2
}

// at returns the value of the last interval that ended at t or before; of the
// first where t is before all, NaN where there is none.
func (r *readings) at(series int, t time.Time) float64 {
	vs := r.values[series]
	if len(vs) == 0 {
		return math.NaN()
	}
	i := int(math.Floor(float64(t.Sub(r.first)) / float64(r.every)))
	return vs[min(max(i, 0), len(vs)-1)]
}

// samples rounds the readings of the series that are kept; nil when there are none.
func (r *readings) samples(began time.Time, kept func(series int) bool) *record.Samples {
	s := &record.Samples{
		Every:  math.Round(r.every.Seconds()*1e6) / 1e6,
		At:     math.Round(r.first.Sub(began).Seconds()*1e3) / 1e3,
		Series: make(map[string][]float64),
	}
	for i, vs := range r.values {
		if len(vs) == 0 || !kept(i) {
			continue
		}
		rounded := make([]float64, len(vs))
		for j, v := range vs {
			rounded[j] = roundTo(v, r.kinds[i].step)
		}
		s.Series[r.kinds[i].name] = rounded
	}
	if len(s.Series) == 0 {
		return nil
	}
	return s
}

// roundTo rounds v to whole steps. Steps below 1 divide 1, so that the result is
// the number with few decimals that JSON writes shortest.
func roundTo(v, step float64) float64 {
	if step < 1 {
		per := math.Round(1 / step)
		return math.Round(v*per) / per
	}
	return math.Round(v/step) * step
}
