package compare

import (
	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/stats"
)

// requests counts what stands behind a trial's latency quantile; nil, of another
// metric or of an older record, counts nothing.
func (s *Side) requests(q *record.Quantile) {
	if q == nil {
		return
	}
	s.Requests += q.Requests
	s.FailedRequests += q.Failed
	if q.Succeeded != nil {
		s.succeeded = append(s.succeeded, *q.Succeeded)
	}
}

// alike makes two sides of a latency quantile comparable. Estimators of a
// quantile differ by more than many changes do, so where one trial has the
// estimate of second choice, all trials of both sides take it. Where some record
// does not have it, such trials count as censored.
func alike(base, head Side) (Side, Side) {
	if fallbacks(base)+fallbacks(head) > 0 {
		change := (*Side).byOrder
		if !haveOrder(base) || !haveOrder(head) {
			change = (*Side).withoutFallbacks
		}
		change(&base)
		change(&head)
	}
	failed := base.FailedRequests+head.FailedRequests > 0
	for _, s := range []*Side{&base, &head} {
		switch {
		case !failed:
			s.Requests, s.FailedRequests, s.Estimator = 0, 0, ""
		case len(s.succeeded) > 0:
			s.OfSucceeded = stats.Median(s.succeeded)
		}
		if failed && s.Estimator == "" && len(s.Trials) > 0 && s.Requests > 0 {
			s.Estimator = record.HarrellDavis
		}
	}
	return base, head
}

func isFallback(p Point) bool {
	return record.Measurement{Quantile: p.quantile}.Fallback()
}

func fallbacks(s Side) (n int) {
	for _, p := range s.Trials {
		if isFallback(p) {
			n++
		}
	}
	return n
}

func haveOrder(s Side) bool {
	for _, p := range s.Trials {
		if p.quantile == nil || p.quantile.Order == nil {
			return false
		}
	}
	return true
}

// byOrder takes the order statistic of every trial.
func (s *Side) byOrder() {
	s.Estimator = record.OrderStatistic
	for i := range s.Trials {
		s.Trials[i].Value = *s.Trials[i].quantile.Order
	}
}

// withoutFallbacks counts trials as censored that have the order statistic alone.
func (s *Side) withoutFallbacks() {
	kept := make([]Point, 0, len(s.Trials))
	for _, p := range s.Trials {
		if isFallback(p) {
			s.Censored++
			continue
		}
		kept = append(kept, p)
	}
	s.Trials = kept
}

// undefined says that the side was measured and that the metric does not exist
// in any of its trials.
func (s Side) undefined() bool {
	return s.Undefined > 0 && len(s.Trials) == 0 && s.Censored == 0
}
