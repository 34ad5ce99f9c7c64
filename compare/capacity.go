package compare

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strconv"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/stats"
)

// Bounds of a level of concurrency that holds. They are conventions, stated
// beside every knee: what a service promises is the objectives' to say.
const (
	LeastSuccess = 0.99 // share of requests that must succeed
	NearBest     = 0.95 // of the best goodput: what lies above counts as the best
)

// A Knee is how many concurrent requests an arm serves before more of them
// bring nothing: in each block the lowest concurrency whose goodput is within
// 5 % of that block's best, among those at which 99 % of requests succeeded.
// The estimate is the median over blocks.
type Knee struct {
	Arm    string            `json:"arm"`
	Model  string            `json:"model"`
	Params map[string]string `json:"params,omitempty"` // of the cells, without the concurrency
	Metric string            `json:"metric"`           // goodput, or request_rate where no objectives were set

	Concurrency float64            `json:"concurrency"`      // 0 when none held in most blocks
	Low         float64            `json:"low"`              // interval of order statistics; 0 when it is not bounded
	High        float64            `json:"high"`             // likewise
	Confidence  float64            `json:"confidence"`       // that it has at least; 0 without an interval
	Blocks      int                `json:"blocks"`           // in which all levels were measured
	Edge        bool               `json:"edge,omitempty"`   // the knee is the highest level: there may be more
	Points      []ConcurrencyPoint `json:"levels,omitempty"` // ascending
}

// A Level is one concurrency of a sweep.
type ConcurrencyPoint struct {
	Concurrency int     `json:"concurrency"`
	Rate        float64 `json:"rate"`    // of the metric, median over blocks, 1/s
	Success     float64 `json:"success"` // pooled over blocks, 0 to 1
}

// Capacity finds the knee of every arm whose serve cells differ in concurrency
// alone, at three levels or more. Cells of the open loop have none.
func Capacity(run *record.Run) []Knee {
	type sweep struct {
		params map[string]string
		cells  map[int]record.Cell // by concurrency
	}
	sweeps := make(map[string]*sweep)
	for _, c := range run.Cells {
		level, err := strconv.Atoi(c.Params["concurrency"])
		if !c.SendsRequests() || err != nil {
			continue
		}
		params := maps.Clone(c.Params)
		delete(params, "concurrency")
		key := record.CellKey(c.Workload, c.Model, params)
		if sweeps[key] == nil {
			sweeps[key] = &sweep{params, make(map[int]record.Cell)}
		}
		sweeps[key].cells[level] = c
	}
	var knees []Knee
	for _, key := range slices.Sorted(maps.Keys(sweeps)) {
		s := sweeps[key]
		if len(s.cells) < 3 {
			continue
		}
		for _, arm := range run.Arms {
			if arm.ControlOf == "" {
				knees = append(knees, kneeOf(run, arm.Name, s.params, s.cells))
			}
		}
	}
	return knees
}

// kneeOf finds the knee of one arm over the cells of a sweep.
func kneeOf(run *record.Run, arm string, params map[string]string, cells map[int]record.Cell) Knee {
	levels := slices.Sorted(maps.Keys(cells))
	first := cells[levels[0]]
	k := Knee{Arm: arm, Model: first.Model, Params: params, Metric: record.RequestRate}
	if _, ok := first.Metric(record.Goodput); ok {
		k.Metric = record.Goodput
	}
	rates := make(map[int]map[int]float64) // block, level: 0 where too few requests succeeded
	rate := make(map[int][]float64)        // level: in each block
	success := make(map[int]*record.Count)
	for _, t := range run.Trials {
		level, ok := levelOf(cells, t.Cell)
		if !ok || t.Arm != arm {
			continue
		}
		value, share := served(t, k.Metric)
		if rates[t.Block] == nil {
			rates[t.Block] = make(map[int]float64)
		}
		rate[level] = append(rate[level], value)
		if success[level] == nil {
			success[level] = new(record.Count)
		}
		success[level].Succeeded += share.Succeeded
		success[level].Total += share.Total
		if float64(share.Succeeded) < LeastSuccess*float64(share.Total) {
			value = 0
		}
		rates[t.Block][level] = value
	}
	for _, level := range levels {
		if rate[level] != nil {
			l := ConcurrencyPoint{Concurrency: level, Rate: stats.Median(rate[level])}
			if s := success[level]; s.Total > 0 {
				l.Success = float64(s.Succeeded) / float64(s.Total)
			}
			k.Points = append(k.Points, l)
		}
	}
	var found []float64
	for _, block := range slices.Sorted(maps.Keys(rates)) {
		if len(rates[block]) == len(levels) {
			found = append(found, lowestNearBest(rates[block], levels))
		}
	}
	k.settle(found, levels[len(levels)-1])
	return k
}

// settle takes the knees of the blocks together.
func (k *Knee) settle(found []float64, highest int) {
	k.Blocks = len(found)
	if len(found) == 0 {
		return
	}
	const confidence = 0.90
	iv := stats.QuantileInterval(found, 0.5, confidence)
	k.Concurrency = iv.Estimate
	if !math.IsInf(iv.Low, 0) && !math.IsInf(iv.High, 0) {
		k.Low, k.High, k.Confidence = iv.Low, iv.High, confidence
	}
	k.Edge = cmp.Or(k.High, k.Concurrency) >= float64(highest)
}

// lowestNearBest is the knee of one block, 0 when no level held.
func lowestNearBest(rates map[int]float64, levels []int) float64 {
	best := 0.0
	for _, r := range rates {
		best = max(best, r)
	}
	for _, level := range levels {
		if best > 0 && rates[level] >= NearBest*best {
			return float64(level)
		}
	}
	return 0
}

func levelOf(cells map[int]record.Cell, key string) (int, bool) {
	for level, c := range cells {
		if c.Key == key {
			return level, true
		}
	}
	return 0, false
}

// served is what a trial served: nothing when none of it counts.
func served(t record.Trial, metric string) (rate float64, success record.Count) {
	if !t.Counts() {
		return 0, record.Count{Total: 1}
	}
	if m, ok := t.Measurement(metric); ok && !m.Censored {
		rate = stats.Median(m.Values)
	}
	if m, ok := t.Measurement(record.SuccessRate); ok && m.Count != nil {
		success = *m.Count
	}
	return rate, success
}
