package serve

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/llama-regress/llama-regress/ci/config"
	"github.com/llama-regress/llama-regress/ci/load"
	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/stats"
)

// A yield is what a load came to, ready to be turned into metrics.
type yield struct {
	requests []record.Request // that count, but for those at which a conversation was cut
	warmup   []record.Request // before those
	cut      int              // conversations that were
	gaps     []float64        // s; +Inf for each request that failed
	seconds  float64          // of the load, > 0
	limit    float64          // s that a request may take: what a latency that is not known exceeds
	want     config.Objectives
}

func newYield(res *load.Result, s *config.Serve) yield {
	y := yield{gaps: res.Gaps, seconds: res.Seconds, limit: s.RequestTimeout.Seconds(), want: s.Objectives}
	for _, r := range res.Requests {
		switch {
		case r.Cut != "" && !r.Warmup:
			y.cut++
		case r.Cut != "":
		case r.Warmup:
			y.warmup = append(y.warmup, r)
		default:
			y.requests = append(y.requests, r)
		}
	}
	return y
}

// measurements returns the metrics that the load gives, in the order of the
// cell. One that is not defined, such as a time per token where every answer
// has one token, is left out.
func (y yield) measurements(metrics []record.Metric) []record.Measurement {
	var ms []record.Measurement
	for _, m := range metrics {
		if measurement, ok := y.measure(m.Name); ok {
			measurement.Metric = m.Name
			ms = append(ms, measurement)
		}
	}
	return ms
}

func (y yield) measure(metric string) (record.Measurement, bool) {
	switch metric {
	case record.SuccessRate:
		return rate(y.requests, firstTry)
	case record.EventualRate:
		return rate(y.requests, func(r record.Request) bool { return r.Failure == nil })
	case record.WarmupRate:
		return rate(y.warmup, firstTry)
	case record.TTFTp50:
		return y.latency(0.5, ttft)
	case record.TTFTp95:
		return y.latency(0.95, ttft)
	case record.QueueP50:
		return y.latency(0.5, func(r record.Request) float64 { return r.Queue })
	case record.PromptP50:
		return y.latency(0.5, func(r record.Request) float64 { return r.PromptTime })
	case record.TPOTp50:
		return y.latency(0.5, func(r record.Request) float64 { return r.TPOT })
	case record.LatencyP50:
		return y.latency(0.5, elapsed)
	case record.LatencyP95:
		return y.latency(0.95, elapsed)
	case record.InputTPS:
		return y.perSecond(func(r record.Request) float64 { return float64(r.PromptTokens) }), true
	case record.E2Ep50:
		return y.latency(0.5, elapsed)
	case record.E2Ep95:
		return y.latency(0.95, elapsed)
	case record.ITLp99:
		return y.pause(0.99)
	case record.OutputTPS:
		return y.perSecond(func(r record.Request) float64 { return float64(r.OutputTokens) }), true
	case record.TotalTPS:
		return y.perSecond(func(r record.Request) float64 { return float64(r.OutputTokens + r.PromptTokens) }), true
	case record.RequestRate:
		return y.perSecond(func(record.Request) float64 { return 1 }), true
	case record.Goodput:
		return y.perSecond(func(r record.Request) float64 {
			if y.meets(r) {
				return 1
			}
			return 0
		}), true
	}
	if metric == record.DraftAcceptance {
		drafted, accepted, _ := y.drafted()
		return single(float64(accepted) / float64(drafted)), drafted > 0 && accepted <= drafted
	}
	return y.ofTurns(metric)
}

func ttft(r record.Request) float64    { return r.TTFT }
func elapsed(r record.Request) float64 { return r.Elapsed }

// firstTry reports whether a request was answered in full at its first attempt.
func firstTry(r record.Request) bool { return r.Failure == nil && r.FirstFailure == "" }

func single(v float64) record.Measurement { return record.Measurement{Values: []float64{v}} }

// rate is the share of requests for which good holds, with its count; false
// where there are none.
func rate(requests []record.Request, good func(record.Request) bool) (record.Measurement, bool) {
	if len(requests) == 0 {
		return record.Measurement{}, false
	}
	n := 0
	for _, r := range requests {
		if good(r) {
			n++
		}
	}
	m := single(float64(n) / float64(len(requests)))
	m.Count = &record.Count{Succeeded: n, Total: len(requests)}
	return m, true
}

// latency estimates a quantile over all requests. A failed one is infinitely
// slow; a quantile that is one of those is only known to exceed the time a
// request may take. One that succeeded and has no such latency (0) does not
// count; where that leaves none there is no measurement.
func (y yield) latency(q float64, of func(record.Request) float64) (record.Measurement, bool) {
	var all, succeeded []float64
	for _, r := range y.requests {
		switch v := of(r); {
		case r.Failure != nil:
			all = append(all, math.Inf(1))
		case v > 0:
			all, succeeded = append(all, v), append(succeeded, v)
		}
	}
	if len(all) == 0 {
		return record.Measurement{}, false
	}
	behind := &record.Quantile{Requests: len(all), Failed: len(all) - len(succeeded)}
	if v := stats.OrderStatistic(all, q); !math.IsInf(v, 1) {
		behind.Order = &v
	}
	if len(succeeded) > 0 {
		v := stats.HarrellDavis(succeeded, q)
		behind.Succeeded = &v
	}
	m := record.Measurement{Quantile: behind}
	switch v := stats.HarrellDavis(all, q); {
	case !math.IsInf(v, 1):
		m.Values, behind.Estimator = []float64{v}, record.HarrellDavis
	case behind.Order != nil:
		m.Values, behind.Estimator = []float64{*behind.Order}, record.OrderStatistic
	default:
		m.Values, m.Censored = []float64{y.limit}, true
	}
	return m, true
}

// pause is the q-quantile of the pauses between tokens. Each failed request has
// left one that never ended; what falls among those is beyond the time a
// request may take. Without any pause there is no measurement.
func (y yield) pause(q float64) (record.Measurement, bool) {
	if len(y.gaps) == 0 {
		return record.Measurement{}, false
	}
	m := single(stats.Quantile(y.gaps, q))
	if math.IsInf(m.Values[0], 1) {
		m.Values[0], m.Censored = y.limit, true
		m.Quantile = &record.Quantile{Requests: len(y.requests), Failed: y.failed()}
	}
	return m, true
}

func (y yield) failed() (n int) {
	for _, r := range y.requests {
		if r.Failure != nil {
			n++
		}
	}
	return n
}

// perSecond adds up what the successful requests achieved, by the load's
// duration. Of nothing it is only known to be less than one in that time.
func (y yield) perSecond(of func(record.Request) float64) record.Measurement {
	sum := 0.0
	for _, r := range y.requests {
		if r.Failure == nil {
			sum += of(r)
		}
	}
	m := single(max(sum, 1) / y.seconds)
	m.Censored = sum == 0
	return m
}

// meets says whether a successful request met every objective. An answer of
// one token has no time per token to miss.
func (y yield) meets(r record.Request) bool {
	within := func(v float64, most time.Duration) bool { return most == 0 || v <= most.Seconds() }
	return within(r.TTFT, y.want.TTFT) && within(r.TPOT, y.want.TPOT) && within(r.Elapsed, y.want.E2E)
}

// summary is the load in numbers for a reader.
func (y yield) summary(res *load.Result) *record.Load {
	l := &record.Load{Requests: len(y.requests), Seconds: y.seconds}
	l.Failures = failures(y.requests)
	l.Warmup, l.WarmupFailures = len(y.warmup), failures(y.warmup)
	var prompt, output, first, queue, processing []float64
	for _, r := range y.requests {
		if r.Failure != nil {
			continue
		}
		queue, processing = appendRatio(queue, r.Queue, 1), appendRatio(processing, r.PromptTime, 1)
		l.Succeeded++
		l.PromptTokens += int64(r.PromptTokens)
		l.OutputTokens += int64(r.OutputTokens)
		if t := r.Server; t != nil {
			prompt = appendRatio(prompt, float64(t.PromptTokens), t.PromptSeconds)
			output = appendRatio(output, float64(t.OutputTokens-1), t.OutputSeconds) // its time begins with the first token
			first = appendRatio(first, t.PromptSeconds, 1)
		}
	}
	l.Queue, l.PromptTime = medianOf(queue), medianOf(processing)
	l.ServerPromptTPS, l.ServerOutputTPS, l.ServerTTFT = medianOf(prompt), medianOf(output), medianOf(first)
	if c := y.conversations(); c.Count > 0 {
		l.Conversations = &c
	}
	l.Delay = medianOf(res.Delays)
	if len(res.Delays) > 0 {
		l.DelayP99 = stats.Quantile(res.Delays, 0.99)
	}
	return l
}

// failures counts those that failed by class; nil when none did.
func failures(requests []record.Request) map[record.RequestFailureClass]int {
	var counts map[record.RequestFailureClass]int
	for _, r := range requests {
		if r.Failure == nil {
			continue
		}
		if counts == nil {
			counts = make(map[record.RequestFailureClass]int)
		}
		counts[r.Failure.Class]++
	}
	return counts
}

// dead says of a trial in which no request succeeded what became of them, nil
// of any other.
func (y yield) dead(t record.Trial) *record.Failure {
	f := t.Fault()
	if i := slices.IndexFunc(y.requests, func(r record.Request) bool { return r.Failure != nil }); f != nil && i >= 0 {
		f.Message += ", the first as " + strings.TrimSuffix(y.requests[i].Failure.Message, ".")
	}
	return f
}

func appendRatio(to []float64, a, b float64) []float64 {
	if a > 0 && b > 0 {
		to = append(to, a/b)
	}
	return to
}

func medianOf(xs []float64) float64 {
	if len(xs) == 0 {
		return 0
	}
	return stats.Median(xs)
}

// mostDelay is the share of the median TTFT, or of the time to a whole answer, that the generator's own median
// delay may be: beyond it, the generator is measured with the server.
const mostDelay = 0.01

// late says whether the generator was too late for this load, and by what.
func (y yield) late(l *record.Load) (first float64, late bool) {
	var values []float64
	for _, r := range y.requests {
		if v := cmp.Or(r.TTFT, r.Elapsed); r.Failure == nil && v > 0 { // an answer that comes whole has no first token
			values = append(values, v)
		}
	}
	if len(values) == 0 {
		return 0, false
	}
	slices.Sort(values)
	first = stats.Median(values)
	return first, l.Delay > mostDelay*first
}
