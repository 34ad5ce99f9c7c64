package report

import (
	"cmp"
	"slices"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/compare"
	"github.com/llama-regress/llama-regress/stats"
)

// A Warmup is what became of the requests that an arm's servers got before those
// that count. They are in no latency and no other rate.
type Warmup struct {
	Requests int            `json:"requests"`
	Failed   int            `json:"failed"` // at last, retries included
	Failures []FailureCount `json:"failures,omitempty"`
	Summary  Text           `json:"summary"` // "28 of 28 requests of the warm-up failed (28 connection_reset)"
}

// loads lists what the trials of an arm's cell that count put on their servers.
func loads(run *record.Run, arm, cell string) (list []*record.Load) {
	skip := run.Uncounted()
	for _, t := range run.Trials {
		if t.Load != nil && t.Arm == arm && t.Cell == cell && !skip[t.ID] {
			list = append(list, t.Load)
		}
	}
	return list
}

// newWarmup adds up the warm-up of trials; nil where nothing was sent.
func newWarmup(trials []*record.Load) *Warmup {
	w := new(Warmup)
	counts := make(map[record.RequestFailureClass]int)
	for _, l := range trials {
		w.Requests += max(0, l.Warmup)
		for class, n := range l.WarmupFailures {
			counts[class] += n
			w.Failed += n
		}
	}
	if w.Requests == 0 {
		return nil
	}
	var list []compare.FailureCount
	for class, n := range counts {
		list = append(list, compare.FailureCount{Class: class, Count: n})
		w.Failures = append(w.Failures, FailureCount{Foreign{string(class)}, n})
	}
	slices.SortFunc(list, func(a, b compare.FailureCount) int { return cmp.Or(b.Count-a.Count, cmp.Compare(a.Class, b.Class)) })
	slices.SortFunc(w.Failures, func(a, b FailureCount) int { return cmp.Or(b.Count-a.Count, a.Class.Compare(b.Class)) })
	if w.Failed == 0 {
		w.Summary = say("all %s of the warm-up answered", plural(w.Requests, "request"))
		return w
	}
	w.Summary = concat(say("%d of %s of the warm-up failed (", w.Failed, plural(w.Requests, "request")), classList(list),
		say("); no latency and no other rate counts them"))
	return w
}

// WarmupFailed is how many requests of the warm-up did not succeed.
func (s Serving) WarmupFailed() int {
	if s.Warmup == nil {
		return 0
	}
	return s.Warmup.Failed
}

// AnyFailed reports whether a request failed, one of the warm-up included.
func (s Serving) AnyFailed() bool { return s.Failed() > 0 || s.WarmupFailed() > 0 }

// partsOfTTFT are the medians, over trials that know them, of the time until the
// head of an answer and from there to its first content, s; 0 where none does.
func partsOfTTFT(trials []*record.Load) (queue, prompt float64) {
	median := func(of func(*record.Load) float64) float64 {
		var known []float64
		for _, l := range trials {
			if v := of(l); v > 0 && v < absurd {
				known = append(known, v)
			}
		}
		if len(known) == 0 {
			return 0
		}
		return stats.Median(known)
	}
	return median(func(l *record.Load) float64 { return l.Queue }), median(func(l *record.Load) float64 { return l.PromptTime })
}
