package record

import (
	"fmt"
	"strings"
	"sync"
)

// Names of the metrics of a serve trial; those with a kind of their own are
// judged by a margin of that name. The latencies are quantiles over all requests
// that count, failed ones infinitely slow: see Quantile.
const (
	TTFTp50      = "ttft_p50"              // s
	TTFTp95      = "ttft_p95"              // s
	QueueP50     = "ttft_queue_p50"        // s, the part of TTFT up to the head of the answer
	PromptP50    = "ttft_prompt_p50"       // s, the part of TTFT after that
	TPOTp50      = "tpot_p50"              // s
	E2Ep50       = "e2e_p50"               // s
	E2Ep95       = "e2e_p95"               // s
	ITLp99       = "itl_p99"               // s, over all pauses between events with content; a request that failed has one that never ended
	OutputTPS    = "output_tps"            // tok/s, generated tokens of successful requests by the load's duration
	TotalTPS     = "total_tps"             // tok/s, their prompt tokens included
	RequestRate  = "request_rate"          // req/s that succeeded
	Goodput      = "goodput"               // req/s that met every objective
	SuccessRate  = "success_rate"          // 1, at the first attempt
	EventualRate = "eventual_success_rate" // 1, retries included
	WarmupRate   = "warmup_success_rate"   // 1, of the requests before those that count

	DraftAcceptance = "draft_acceptance" // 1, tokens that speculative decoding drafted and that were taken, by all that it drafted

	// Of conversations.
	TTFTFirst      = "ttft_first_p50"          // s, of first turns
	TTFTLater      = "ttft_later_p50"          // s, of the turns after them
	CacheHitRate   = "cache_hit_rate"          // 1, tokens of later turns' prompts that came from the cache by all of them
	EvaluatedLater = "prompt_eval_later"       // tok, of a later turn's prompt that were evaluated; mean over those that succeeded
	Completed      = "completed_conversations" // 1, conversations that got to their last turn
)

// Least requests of a trial for a quantile to be judged: as many as an interval
// of order statistics that is finite on both sides at 95 % needs
// (stats.QuantileInterval).
const (
	requestsForMedian = 6
	requestsForP95    = 72
)

// serve is llama-server under a load of requests.
var serve = Workload{
	Name: ServeWorkload, Title: "llama-server", Program: "llama-server", Sends: true,
	Metrics: withResources([]Definition{
		{Name: SuccessRate, Kind: SuccessRate, Unit: "1", Better: Higher, Scale: Points, Margin: 0.02, Censoring: Counted,
			Term: "success rate", Meaning: "Share of requests that were answered in full at the first attempt. Retries do not mend it."},
		{Name: TTFTp50, Kind: TTFTp50, Unit: "s", Better: Lower, Scale: Ratio, Margin: 0.05, Censoring: SlowFailure, Requests: requestsForMedian,
			Term: "TTFT", Meaning: "Time to first token: from sending a request (at a given rate: from when it was to be sent) to the first event with content. Quantiles count failed requests as infinitely slow."},
		{Name: TTFTp95, Kind: TTFTp95, Unit: "s", Better: Lower, Scale: Ratio, Margin: 0.15, Censoring: SlowFailure, Requests: requestsForP95},
		{Name: TPOTp50, Kind: TPOTp50, Unit: "s", Better: Lower, Scale: Ratio, Margin: 0.05, Censoring: SlowFailure, Requests: requestsForMedian, Needs: NeedsTokens,
			Term: "TPOT", Meaning: "Time per output token: from the first content to the last, divided by the answer's tokens less one."},
		{Name: OutputTPS, Kind: Throughput, Unit: "tok/s", Better: Higher, Scale: Ratio, Margin: 0.03, Censoring: Survivors,
			Term: "output tokens/s", Meaning: "Tokens of the answers that succeeded, divided by the duration of the load."},
		{Name: QueueP50, Kind: QueueP50, Unit: "s", Better: Lower, Scale: Ratio, Censoring: SlowFailure, Requests: requestsForMedian, Needs: NeedsHead,
			Term: "queue", Meaning: "The part of the time to first token up to the head of the answer, which llama-server sends when a slot takes the request: waiting for a slot, and transport."},
		{Name: PromptP50, Kind: PromptP50, Unit: "s", Better: Lower, Scale: Ratio, Censoring: SlowFailure, Requests: requestsForMedian, Needs: NeedsHead,
			Term: "prompt time", Meaning: "The part of the time to first token from the head of the answer to the first content: the server processes the prompt."},
		{Name: E2Ep50, Kind: E2Ep50, Unit: "s", Better: Lower, Scale: Ratio, Censoring: SlowFailure, Requests: requestsForMedian,
			Term: "E2E", Meaning: "End to end: from sending a request to the end of its answer. Quantiles count failed requests as infinitely slow."},
		{Name: E2Ep95, Kind: E2Ep95, Unit: "s", Better: Lower, Scale: Ratio, Censoring: SlowFailure, Requests: requestsForP95},
		{Name: ITLp99, Kind: ITLp99, Unit: "s", Better: Lower, Scale: Ratio, Censoring: SlowFailure, Needs: NeedsTokens,
			Term: "ITL", Meaning: "Inter-token latency: the pauses between events with content; here their 99th percentile over all answers of a trial."},
		{Name: TotalTPS, Kind: TotalTPS, Unit: "tok/s", Better: Higher, Scale: Ratio, Censoring: Survivors,
			Term: "total tokens/s", Meaning: "Tokens of prompts and answers of the requests that succeeded, divided by the duration of the load."},
		{Name: RequestRate, Kind: RequestRate, Unit: "req/s", Better: Higher, Scale: Ratio, Censoring: Survivors,
			Term: "request rate", Meaning: "Requests that succeeded, divided by the duration of the load."},
		{Name: Goodput, Kind: Goodput, Unit: "req/s", Better: Higher, Scale: Ratio, Censoring: Survivors, Needs: NeedsObjectives,
			Term: "goodput", Meaning: "Requests that succeeded and met every objective (those of this run stand among the facts), divided by the duration of the load."},
		{Name: EventualRate, Kind: SuccessRate, Unit: "1", Better: Higher, Scale: Points, Margin: 0.02, Censoring: Counted, Needs: NeedsRetries,
			Term: "eventual success rate", Meaning: "Share of requests that were answered in full at last, retries included."},
		{Name: WarmupRate, Kind: SuccessRate, Unit: "1", Better: Higher, Scale: Points, Margin: 0.02, Censoring: Counted, Needs: NeedsWarmup,
			Term: "warm-up success rate", Meaning: "Share of the requests sent before those that count that were answered in full at the first attempt. It is in no other metric."},
		{Name: DraftAcceptance, Kind: DraftAcceptance, Unit: "1", Better: Higher, Scale: Points, Censoring: Survivors, Needs: NeedsDraft,
			Term: "draft acceptance", Meaning: "Share of the tokens that speculative decoding drafted and the model took, as the server tells them."},
		{Name: TTFTFirst, Kind: TTFTFirst, Unit: "s", Better: Lower, Scale: Ratio, Censoring: SlowFailure, Requests: requestsForMedian, Needs: NeedsTurns,
			Term: "TTFT of first turns", Meaning: "Time to first token of the first turn of each conversation, which has no history."},
		{Name: TTFTLater, Kind: TTFTLater, Unit: "s", Better: Lower, Scale: Ratio, Margin: 0.05, Censoring: SlowFailure, Requests: requestsForMedian, Needs: NeedsTurns,
			Term: "TTFT of later turns", Meaning: "Time to first token of the turns after the first, whose history the server may have in its prompt cache."},
		{Name: CacheHitRate, Kind: CacheHitRate, Unit: "1", Better: Higher, Scale: Points, Margin: 0.05, Censoring: Survivors, Needs: NeedsTurns,
			Term: "cache hit rate", Meaning: "Share of the tokens in the prompts of later turns that the server took from its prompt cache, as it tells them. The others were processed again."},
		{Name: EvaluatedLater, Kind: EvaluatedLater, Unit: "tok", Better: Lower, Scale: Ratio, Censoring: Survivors, Needs: NeedsTurns,
			Term: "prompt evaluated, later turns", Meaning: "Tokens of a later turn's prompt that the server processed, on average, as it tells them."},
		{Name: Completed, Kind: Completed, Unit: "1", Better: Higher, Scale: Points, Margin: 0.02, Censoring: Counted, Needs: NeedsTurns,
			Term: "completed conversations", Meaning: "Share of conversations that got to their last turn. The others ended where their history no longer fitted into the context."},
	}...),
}

// A ServeDesign is what the metrics of a serve cell follow from.
type ServeDesign struct {
	Requests   int  // of a trial that count; conversations where they have turns
	Turns      int  // of each conversation at least; 0 where prompts stand alone
	Tokens     int  // the most an answer has; 0 when that is not known
	Objectives bool // a request is to keep to some
	Draft      bool // some arm drafts tokens
	Retries    bool // failed requests are sent again
	Warmup     bool // requests are sent before those that count
	Running    bool // an arm is a server that already runs, of whose process nothing is known
}

// ServeMetrics returns the metrics of a serve cell, in order. Goodput is there
// only with objectives, the eventual success rate only with retries, that of the
// warm-up only where there is one, and what lies between the tokens of an answer
// only where it may have two. Those of turns are there only for conversations. A metric that
// would need more requests says how many, and is shown without being judged.
func ServeMetrics(of ServeDesign) []Metric { return RequestMetrics(ServeWorkload, of) }

// RequestMetrics returns those of a cell of any workload that sends requests.
func RequestMetrics(workload string, of ServeDesign) []Metric {
	w, _ := WorkloadByName(workload)
	has := map[Need]bool{
		NeedsNothing: true, NeedsHead: true, NeedsTokens: of.Tokens != 1, NeedsObjectives: of.Objectives, NeedsRetries: of.Retries, NeedsWarmup: of.Warmup, NeedsTurns: of.Turns > 0, NeedsDraft: of.Draft,
		NeedsProcess: !of.Running, NeedsDevice: !of.Running,
	}
	var ms []Metric
	for _, d := range w.Metrics {
		if !has[d.Needs] {
			continue
		}
		m := d.Metric(d.Name)
		requests := of.Requests // of first turns, and later ones are no fewer
		if d.Needs != NeedsTurns {
			requests *= max(1, of.Turns)
		}
		if requests < d.Requests {
			m.Needs = d.Requests
		}
		ms = append(ms, m)
	}
	return ms
}

// MayNotExist says whether a trial can be whole without the metric: what lies
// between the tokens of an answer does not exist where every answer has one, and
// the parts of a TTFT not where the head of the answer comes with its first content,
// and what came from a cache is not known where the server does not tell. What a trial
// takes is not known of every program and machine, and a device is not used by every trial.
func MayNotExist(metric string) bool { return mayNotExist()[metric] }

// mayNotExist is asked of every trial and metric.
var mayNotExist = sync.OnceValue(func() map[string]bool {
	names := make(map[string]bool)
	for _, d := range serve.Metrics {
		switch d.Needs {
		case NeedsTokens, NeedsHead, NeedsTurns, NeedsDraft, NeedsProcess, NeedsDevice:
			names[d.Name] = true
		}
	}
	return names
})

// A Load is what a serve trial put on its server and what became of it, in
// numbers for a reader; what is judged are the trial's measurements.
type Load struct {
	Requests  int                         `json:"requests"`  // that count: without warm-up
	Succeeded int                         `json:"succeeded"` // retries included
	Failures  map[RequestFailureClass]int `json:"failures,omitempty"`
	Seconds   float64                     `json:"seconds"` // from the first request that counts to the end of the last

	// Of the requests before those that count; in none of the other numbers.
	Warmup         int                         `json:"warmup_requests,omitempty"`
	WarmupFailures map[RequestFailureClass]int `json:"warmup_failures,omitempty"` // at last, retries included

	PromptTokens int64 `json:"prompt_tokens"` // of successful requests
	OutputTokens int64 `json:"output_tokens"`

	// Delay is how late the load generator itself was, in seconds: the median
	// and the 99th percentile over requests, of sending after the time it
	// meant to. What it adds to a latency is at most that.
	Delay    float64 `json:"generator_delay_p50_s"`
	DelayP99 float64 `json:"generator_delay_p99_s"`

	// The parts of the time to first token, medians over successful requests; 0 when not known.
	Queue      float64 `json:"queue_s,omitempty"`  // Request.Queue
	PromptTime float64 `json:"prompt_s,omitempty"` // Request.PromptTime

	// As the server tells them; medians over successful requests, 0 when it does not.
	ServerPromptTPS float64 `json:"server_prompt_tps,omitempty"` // tok/s
	ServerOutputTPS float64 `json:"server_output_tps,omitempty"` // tok/s, of the tokens after the first, with which the server's time begins
	ServerTTFT      float64 `json:"server_ttft_s,omitempty"`     // prompt processing; queueing not included

	BusySlots *Gauge `json:"busy_slots,omitempty"`
	Deferred  *Gauge `json:"deferred_requests,omitempty"`

	Conversations *Conversations `json:"conversations,omitempty"` // nil where prompts stand alone

	Extra Extra `json:"-"`
}

// Conversations is what became of those of a trial that count.
type Conversations struct {
	Count int `json:"count"`
	Cut   int `json:"cut,omitempty"` // of them ended early, as their history no longer fitted into the context

	// Of the later turns that succeeded and whose cached tokens the server told.
	LaterTurns        int   `json:"later_turns,omitempty"`
	LaterPromptTokens int64 `json:"later_prompt_tokens,omitempty"`
	LaterCachedTokens int64 `json:"later_cached_tokens,omitempty"`

	Extra Extra `json:"-"`
}

// failures lists what became of the requests that failed, by class in their
// order: "3 http_5xx, 1 server_crash". A class that this version does not know
// is not listed.
func (l *Load) failures() string {
	var list []string
	for _, class := range RequestFailureClasses {
		if n := l.Failures[class]; n > 0 {
			list = append(list, fmt.Sprintf("%d %s", n, class))
		}
	}
	return strings.Join(list, ", ")
}

// A Gauge sums up a number that was polled.
type Gauge struct {
	Mean float64 `json:"mean"`
	Max  float64 `json:"max"`
	N    int     `json:"n"` // polls that were answered
}

// Samples are readings of the machine taken at a steady pace during a trial.
// Each series has one value a reading, in order; a series that this machine
// cannot give is absent. Values are rounded to what they are worth.
type Samples struct {
	Every  float64              `json:"every_s"`          // between two readings
	At     float64              `json:"at_s"`             // of the first, since the trial's load began; negative before it
	Series map[string][]float64 `json:"series,omitempty"` // by name; see package host for names and units

	Extra Extra `json:"-"`
}

// A Dataset is where the prompts of a run's serve trials come from.
type Dataset struct {
	Name      string   `json:"name"`
	Path      string   `json:"path"`
	SHA256    string   `json:"sha256"` // of the file as it is stored
	Bytes     int64    `json:"bytes"`
	Records   int      `json:"records"`              // conversations read
	Damaged   int      `json:"damaged,omitempty"`    // of them could not be read
	DamagedAt []string `json:"damaged_at,omitempty"` // the first few: where and why
	Rule      string   `json:"rule"`                 // how prompts were chosen
	Seed      uint64   `json:"seed,string"`
	Sample    int      `json:"sample"` // prompts chosen

	Extra Extra `json:"-"`
}
