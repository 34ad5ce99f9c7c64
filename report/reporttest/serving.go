package reporttest

import (
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/compare/pattern"
	"github.com/llama-regress/llama-regress/report"
)

// Serving is a sweep over concurrency of two builds behind a client that reuses
// connections, which the server closes: with the head, which is slower besides.
func Serving() Case {
	return serving("serving", []int{2, 4, 8}, 6, 40)
}

// ServingGrid is n cells with requests and samples, of which some fail: what a
// page has to bound.
func ServingGrid(n, blocks int) Case {
	var levels []int
	for i := range n {
		levels = append(levels, i+1)
	}
	return serving(fmt.Sprintf("serving-%d", n), levels, blocks, 30)
}

// serving simulates a session of so many requests a trial.
func serving(name string, levels []int, blocks, requests int) Case {
	s := session{seed: 53, arms: []record.Arm{baseArm(), headArm(), controlArm()}, blocks: blocks}
	for _, level := range levels {
		s.cells = append(s.cells, serve("tinyllama-1.1b-q4_k_m", fmt.Sprint(level)))
	}
	run := s.run()
	run.Datasets = []record.Dataset{{Name: "sharegpt_benchmark.json", Records: 512, Damaged: 2, DamagedAt: []string{"record 17: invalid character"}, Rule: "human", Seed: 1, Sample: requests}}
	for i := range run.Cells {
		run.Cells[i].Metrics = slices.DeleteFunc(record.ServeMetrics(record.ServeDesign{Requests: requests, Objectives: true, Warmup: true}), func(m record.Metric) bool {
			return slices.Contains([]string{record.E2Ep50, record.E2Ep95, record.ITLp99, record.TotalTPS}, m.Name)
		})
	}
	rng := rand.New(rand.NewPCG(53, 2))
	var rows []record.Request
	sent := make(map[[2]string][]record.Request) // by arm and cell
	clock := start
	for i := range run.Trials {
		t := &run.Trials[i]
		level := levels[slices.IndexFunc(run.Cells, func(c record.Cell) bool { return c.Key == t.Cell })]
		load := newLoad(rng, t, level, requests)
		rows = append(rows, load...)
		sent[[2]string{t.Arm, t.Cell}] = append(sent[[2]string{t.Arm, t.Cell}], load...)
		t.Start = clock
		clock = clock.Add(time.Duration(t.Seconds * float64(time.Second)))
	}
	run.Finished = clock
	kase := paired(name, run)
	kase.Source.Requests = func(*record.Run) iter.Seq2[record.Request, error] {
		return func(yield func(record.Request, error) bool) {
			for _, r := range rows {
				if !yield(r, nil) {
					return
				}
			}
		}
	}
	kase.Source.Patterns = func(_ *record.Run, arm, cell string) (pattern.Result, bool) {
		return pattern.Find(sent[[2]string{arm, cell}], pattern.Options{}), true
	}
	return kase
}

// newLoad simulates one trial's requests, and what the trial says of them.
func newLoad(rng *rand.Rand, t *record.Trial, level, requests int) []record.Request {
	slow, fails := 1.0, 0.0
	if t.Arm == "head" {
		slow = 1.25
		if level >= 4 {
			fails = 0.5
		}
	}
	const slots = 4
	queue := math.Max(1, float64(level)/slots)
	l := &record.Load{Requests: requests, ServerPromptTPS: 392 / slow, ServerOutputTPS: 37.6 / slow, ServerTTFT: 0.09 * slow,
		Delay: 6.7e-6, DelayP99: 2.1e-5, BusySlots: &record.Gauge{Mean: math.Min(float64(level), slots) * 0.95, Max: math.Min(float64(level), slots), N: 20},
		Deferred: &record.Gauge{Mean: math.Max(0, float64(level)-slots), Max: math.Max(0, float64(level)-slots), N: 20}}
	l.Warmup = 4
	if fails > 0 {
		l.WarmupFailures = map[record.RequestFailureClass]int{record.ConnectionReset: 2}
	}
	var rows []record.Request
	at := 0.0
	var ttft, waits []float64
	for i := range requests {
		prompt := 0.09 * slow * math.Exp(0.2*rng.NormFloat64())
		r := record.Request{Trial: t.ID, Index: i, Prompt: fmt.Sprintf("sample-%03d", i), PromptTokens: 20 + rng.IntN(200), OutputTokens: 16,
			Due: at, Sent: at, TTFT: prompt * queue * (1 + 0.1*rng.Float64()), TPOT: 0.026 * slow, InFlight: level, Attempts: 1,
			Server: &record.ServerTimings{PromptSeconds: prompt}}
		r.Queue, r.PromptTime = r.TTFT-prompt, prompt
		r.Elapsed = r.TTFT + 15*r.TPOT
		if r.Connection.Reused = fails > 0 && i > level; r.Connection.Reused && rng.Float64() < fails {
			r.TTFT, r.Queue, r.PromptTime, r.TPOT, r.OutputTokens, r.Elapsed, r.Server = 0, 0, 0, 0, 0, 0.0004, nil
			r.Failure = &record.RequestFailure{Class: record.StaleConnection, Message: "read: connection reset by peer"}
			if rng.IntN(9) == 0 {
				r.Failure.Class = record.ConnectionReset
			}
			if l.Failures == nil {
				l.Failures = make(map[record.RequestFailureClass]int)
			}
			l.Failures[r.Failure.Class]++
		} else {
			l.Succeeded++
			l.PromptTokens += int64(r.PromptTokens)
			l.OutputTokens += 16
			ttft, waits = append(ttft, r.TTFT), append(waits, r.Queue)
		}
		at += r.Elapsed / float64(level) * queue
		rows = append(rows, r)
	}
	l.Seconds, t.Seconds, t.Load = at, at+2, l
	slices.Sort(waits)
	l.Queue, l.PromptTime = waits[len(waits)/2], 0.09*slow
	t.Measurements = measured(l, ttft, requests, slow)
	t.Samples = sampled(rng, at, math.Min(float64(level), slots))
	return rows
}

// measured are the metrics of a load; a quantile among failures is censored.
func measured(l *record.Load, ttft []float64, requests int, slow float64) []record.Measurement {
	slices.Sort(ttft)
	quantile := func(metric string, q float64) record.Measurement {
		if i := int(q * float64(requests)); i < len(ttft) {
			return record.Measurement{Metric: metric, Values: []float64{ttft[i]}}
		}
		return record.Measurement{Metric: metric, Values: []float64{60}, Censored: true}
	}
	one := func(metric string, v float64) record.Measurement {
		return record.Measurement{Metric: metric, Values: []float64{v}}
	}
	success := one(record.SuccessRate, float64(l.Succeeded)/float64(requests))
	success.Count = &record.Count{Succeeded: l.Succeeded, Total: requests}
	n, warm := float64(l.Succeeded), 4
	for _, failed := range l.WarmupFailures {
		warm -= failed
	}
	warmup := one(record.WarmupRate, float64(warm)/4)
	warmup.Count = &record.Count{Succeeded: warm, Total: 4}
	return []record.Measurement{success, quantile(record.TTFTp50, 0.5), quantile(record.TTFTp95, 0.95), one(record.TPOTp50, 0.026*slow),
		one(record.OutputTPS, 16*n/l.Seconds), one(record.RequestRate, n/l.Seconds), one(record.Goodput, 0.98*n/l.Seconds),
		one(record.QueueP50, l.Queue), one(record.PromptP50, l.PromptTime), warmup}
}

// sampled is what the machine did in a load of that length.
func sampled(rng *rand.Rand, seconds, busy float64) *record.Samples {
	s := &record.Samples{Every: 0.25, At: -0.25, Series: make(map[string][]float64)}
	for i := range int(seconds/0.25) + 2 {
		on := busy * (0.9 + 0.1*rng.Float64())
		s.Series["cpu_group"] = append(s.Series["cpu_group"], math.Round(1000*on)/1000)
		s.Series["cpu_other"] = append(s.Series["cpu_other"], math.Round(100*rng.Float64())/1000)
		s.Series["rss_bytes"] = append(s.Series["rss_bytes"], 1.2e9+2e6*float64(i))
		s.Series["psi_cpu"] = append(s.Series["psi_cpu"], math.Round(200*rng.Float64())/1000)
		s.Series["psi_memory"] = append(s.Series["psi_memory"], 0)
		s.Series["steal"] = append(s.Series["steal"], math.Round(20*rng.Float64())/1000)
	}
	return s
}

// hostileServing puts every one of the names where a name of serving can stand.
// The run has as many arms.
func hostileServing(run *record.Run, src *report.Source, names []string) {
	for i, name := range names {
		cell := record.Cell{Key: record.CellKey("serve", name, nil), Workload: "serve", Model: name}
		run.Cells = append(run.Cells, cell)
		run.Trials = append(run.Trials, record.Trial{ID: name + "#", Arm: run.Arms[i].Name, Cell: cell.Key, Outcome: record.OK,
			Load: &record.Load{Requests: 9, Succeeded: 5, Failures: map[record.RequestFailureClass]int{record.RequestFailureClass(name): 4},
				Warmup: 3, WarmupFailures: map[record.RequestFailureClass]int{record.RequestFailureClass(name): 2}, Queue: -1, PromptTime: math.MaxFloat64,
				ServerTTFT: -1, Delay: math.MaxFloat64, BusySlots: &record.Gauge{Mean: -2, Max: math.MaxFloat64, N: 1}},
			Samples: &record.Samples{Every: 0.25, Series: map[string][]float64{name: {1, -1, math.MaxFloat64}, "cpu_group": {math.MaxFloat64, -1}}}})
		for level := range 3 {
			params := map[string]string{"concurrency": fmt.Sprint(level + 1), "kind": name}
			run.Cells = append(run.Cells, record.Cell{Key: record.CellKey("serve", "sweep", params), Workload: "serve", Model: name, Params: params})
		}
	}
	run.Datasets = append(run.Datasets, record.Dataset{Name: names[0], Rule: names[len(names)-1], Damaged: 1, DamagedAt: names})
	src.Requests = func(*record.Run) iter.Seq2[record.Request, error] {
		return func(yield func(record.Request, error) bool) {
			for _, name := range names {
				failure := &record.RequestFailure{Class: record.RequestFailureClass(name), Message: name}
				for _, r := range []record.Request{{Trial: name + "#", TTFT: 0.1}, {Trial: name + "#", TTFT: math.MaxFloat64}, {Trial: name + "#", Due: 0.2, Failure: failure}} {
					if !yield(r, nil) {
						return
					}
				}
			}
			yield(record.Request{}, fmt.Errorf("requests.jsonl.gz: %s", names[0]))
		}
	}
	src.Patterns = func(*record.Run, string, string) (pattern.Result, bool) {
		return pattern.Result{Requests: 9, Failures: 4, Class: record.RequestFailureClass(names[0]), ClassCount: 4,
			Findings: []pattern.Finding{{Factor: pattern.Factor(names[0]), Condition: pattern.Condition{Op: pattern.Operator(names[len(names)-1])}, FailuresWith: 4, SuccessesWithout: 5, P: 0.001}}}, true
	}
}
