package compare

import (
	"cmp"
	"iter"
	"math"
	"slices"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/stats"
)

// A Serving is what the servers of one arm made of the load of one serve cell,
// over all its trials. It describes and is never judged: requests of a trial
// share a server.
type Serving struct {
	Arm  string `json:"arm"`
	Cell string `json:"cell"`

	Trials    int            `json:"trials"`    // that put a load on their server, failed ones included; a repeated one counts once
	Requests  int            `json:"requests"`  // of them; without warm-up
	Succeeded int            `json:"succeeded"` // retries included
	Failures  []FailureCount `json:"failures,omitempty"`

	PromptTokens int64 `json:"prompt_tokens"` // of successful requests
	OutputTokens int64 `json:"output_tokens"`

	// As the server tells them, medians over trials; 0 when it does not.
	ServerPromptTPS float64 `json:"server_prompt_tps,omitempty"` // tok/s
	ServerOutputTPS float64 `json:"server_output_tps,omitempty"` // tok/s
	ServerTTFT      float64 `json:"server_ttft_s,omitempty"`     // s of processing a prompt; with rows, the median over successful requests

	// From the rows of successful requests, medians over all of them; 0 without.
	ClientTTFT float64 `json:"client_ttft_s,omitempty"`
	Waiting    float64 `json:"waiting_s,omitempty"` // what TTFT holds besides the server's own processing: queueing and transport

	Delay      float64 `json:"generator_delay_p50_s"`           // median over trials of the generator's own lateness
	DelayP99   float64 `json:"generator_delay_p99_s"`           // the largest of the trials' 99th percentiles
	DelayShare float64 `json:"generator_delay_share,omitempty"` // Delay by ClientTTFT; 0 when that is not known

	BusySlots *record.Gauge `json:"busy_slots,omitempty"`
	Deferred  *record.Gauge `json:"deferred_requests,omitempty"`

	TTFT *Distribution `json:"ttft,omitempty"` // nil without rows of requests

	// Failed holds the first failed requests with their time, for a reader who
	// wants to see them beside what the machine did.
	Failed []FailedRequest `json:"-"`
}

// A FailureCount is how many requests failed in one way.
type FailureCount struct {
	Class record.RequestFailureClass `json:"class"`
	Count int                        `json:"count"`
}

// A FailedRequest is when a request of a trial ended without success.
type FailedRequest struct {
	Trial string
	At    float64 // s since the trial's load began
	Class record.RequestFailureClass
}

// A Distribution describes a latency of requests, in seconds, the trials taken
// together. A request that failed is infinitely slow.
type Distribution struct {
	Requests int `json:"requests"` // that count
	Failed   int `json:"failed"`

	// Percentiles holds the 1st to the 99th, type 7 of Hyndman and Fan; nil
	// where one falls among the failed requests.
	Percentiles []*float64 `json:"percentiles"`
}

// At returns the p-th percentile, p from 1 to 99; nil where it falls among
// failed requests.
func (d *Distribution) At(p int) *float64 { return d.Percentiles[p-1] }

// Bounds of what is kept of the rows of a run.
const (
	mostRequestRows = 5_000_000 // of a run: two numbers each
	mostFailedShown = 500       // of an arm and cell
)

// Servings sums up every arm's serve cells, by cell and within it by arm, in
// the order of the run. rows are the run's requests, nil when there are none
// to be had. An error of theirs is returned with what is known all the same.
func Servings(run *record.Run, rows iter.Seq2[record.Request, error]) ([]Serving, error) {
	drawn, err := latencies(run, rows)
	var all []Serving
	for _, c := range run.Cells {
		if !c.SendsRequests() {
			continue
		}
		for _, arm := range run.Arms {
			if s, ok := serving(run, arm.Name, c.Key); ok {
				if l := drawn[armCell{arm.Name, c.Key}]; l != nil {
					l.describe(&s)
				}
				all = append(all, s)
			}
		}
	}
	return all, err
}

// An armCell is where a trial belongs.
type armCell struct{ arm, cell string }

// serving sums up the trials' own summaries; false when there is none.
func serving(run *record.Run, arm, cell string) (Serving, bool) {
	s := Serving{Arm: arm, Cell: cell}
	failures, skip := make(map[record.RequestFailureClass]int), run.Uncounted()
	var prompt, output, first, delay []float64
	for _, t := range run.Trials {
		l := t.Load
		if t.Arm != arm || t.Cell != cell || l == nil || skip[t.ID] {
			continue
		}
		s.Trials++
		s.Requests += l.Requests
		s.Succeeded += l.Succeeded
		s.PromptTokens += l.PromptTokens
		s.OutputTokens += l.OutputTokens
		for class, n := range l.Failures {
			failures[class] += n
		}
		prompt, output, first = positive(prompt, l.ServerPromptTPS), positive(output, l.ServerOutputTPS), positive(first, l.ServerTTFT)
		if sane(l.Delay) && sane(l.DelayP99) {
			delay = append(delay, l.Delay)
			s.DelayP99 = max(s.DelayP99, l.DelayP99)
		}
		s.BusySlots, s.Deferred = join(s.BusySlots, l.BusySlots), join(s.Deferred, l.Deferred)
	}
	for class, n := range failures {
		s.Failures = append(s.Failures, FailureCount{class, n})
	}
	slices.SortFunc(s.Failures, func(a, b FailureCount) int { return cmp.Or(b.Count-a.Count, cmp.Compare(a.Class, b.Class)) })
	s.ServerPromptTPS, s.ServerOutputTPS, s.ServerTTFT = medianOr0(prompt), medianOr0(output), medianOr0(first)
	s.Delay = medianOr0(delay)
	return s, s.Trials > 0
}

// sane tells a number of a record from what a damaged one may hold.
func sane(x float64) bool { return x >= 0 && !math.IsInf(x, 1) }

func positive(to []float64, x float64) []float64 {
	if x > 0 && sane(x) {
		to = append(to, x)
	}
	return to
}

func medianOr0(xs []float64) float64 {
	if len(xs) == 0 {
		return 0
	}
	return stats.Median(xs)
}

// join takes the polls of two trials together. Neither is changed.
func join(a, b *record.Gauge) *record.Gauge {
	switch {
	case b == nil || b.N <= 0 || !sane(b.Mean) || !sane(b.Max):
		return a
	case a == nil:
		sum := *b
		return &sum
	}
	n := float64(a.N) + float64(b.N)
	return &record.Gauge{Mean: (a.Mean*float64(a.N) + b.Mean*float64(b.N)) / n, Max: max(a.Max, b.Max), N: a.N + b.N}
}

// A latency gathers what the rows of one arm and cell say.
type latency struct {
	ttft    []float64 // s, of successful requests
	server  []float64 // s of processing the prompt, of those that the server told
	waiting []float64 // s
	n       int       // requests that count
	failed  []FailedRequest
	nFailed int
}

// latencies reads the rows once.
func latencies(run *record.Run, rows iter.Seq2[record.Request, error]) (map[armCell]*latency, error) {
	if rows == nil {
		return nil, nil
	}
	places, skip := make(map[string]armCell, len(run.Trials)), run.Uncounted()
	for _, t := range run.Trials {
		if !skip[t.ID] {
			places[t.ID] = armCell{t.Arm, t.Cell}
		}
	}
	found := make(map[armCell]*latency)
	n := 0
	for row, err := range rows {
		if n++; err != nil || n > mostRequestRows {
			return found, err
		}
		at, known := places[row.Trial]
		if row.Warmup || !known {
			continue
		}
		if found[at] == nil {
			found[at] = new(latency)
		}
		found[at].add(row)
	}
	return found, nil
}

func (l *latency) add(r record.Request) {
	l.n++
	switch {
	case r.Failure != nil:
		l.nFailed++
		if at := r.Due + r.Elapsed; len(l.failed) < mostFailedShown && sane(at) {
			l.failed = append(l.failed, FailedRequest{r.Trial, at, r.Failure.Class})
		}
	case r.TTFT > 0 && sane(r.TTFT):
		l.ttft = append(l.ttft, r.TTFT)
		if r.Server != nil && r.Server.PromptSeconds > 0 && r.Server.PromptSeconds <= r.TTFT {
			l.server = append(l.server, r.Server.PromptSeconds)
			l.waiting = append(l.waiting, r.TTFT-r.Server.PromptSeconds)
		}
	}
}

// describe adds what the rows say to s.
func (l *latency) describe(s *Serving) {
	s.ClientTTFT, s.Waiting, s.Failed = medianOr0(l.ttft), medianOr0(l.waiting), l.failed
	if len(l.server) > 0 {
		s.ServerTTFT = stats.Median(l.server) // of the same requests as ClientTTFT, so that the part never exceeds the whole
	}
	if s.ClientTTFT > 0 {
		s.DelayShare = s.Delay / s.ClientTTFT
	}
	if len(l.ttft) == 0 {
		return
	}
	all := l.ttft
	for range l.nFailed {
		all = append(all, math.Inf(1))
	}
	slices.Sort(all)
	d := &Distribution{Requests: len(all), Failed: l.nFailed}
	for p := 1; p <= 99; p++ {
		q := stats.Quantile(all, float64(p)/100)
		if math.IsInf(q, 1) {
			d.Percentiles = append(d.Percentiles, nil)
			continue
		}
		d.Percentiles = append(d.Percentiles, &q)
	}
	s.TTFT = d
}
