package load

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// Bounds of what is accepted, far beyond what is useful.
const (
	maxConcurrency = 100_000
	maxRequests    = 1_000_000
	maxRate        = 1e6 // requests/s
	maxOutput      = 10_000_000
)

// complete returns o with its defaults filled in, or what is wrong with it.
func (o Options) complete(prompts []Prompt) (Options, error) {
	if len(prompts) == 0 {
		return o, errors.New("load: no prompts; check the dataset and its filters")
	}
	setDefault(&o.API, Completion)
	setDefault(&o.Arrivals, Poisson)
	setDefault(&o.Cache, CacheOff)
	setDefault(&o.Requests, len(conversations(prompts)))
	setDefault(&o.Output, 64)
	setDefault(&o.Timeout, 60*time.Second)
	setDefault(&o.Backoff, time.Second)
	if o.Rate == 0 {
		setDefault(&o.Concurrency, 1)
	}
	if _, ok := routes[o.API]; !ok {
		return o, fmt.Errorf("load: API %q: want %s, %s, %s, %s or %s", o.API, Completion, Completions, Chat, Embeddings, Rerank)
	}
	if o.Arrivals != Poisson && o.Arrivals != Constant {
		return o, fmt.Errorf("load: arrivals %q: want %s or %s", o.Arrivals, Poisson, Constant)
	}
	if o.Cache != CacheOff && o.Cache != CacheOn && o.Cache != CacheUnset {
		return o, fmt.Errorf("load: prompt cache %q: want %s, %s or %s", o.Cache, CacheOff, CacheOn, CacheUnset)
	}
	for _, f := range []struct {
		name string
		n    int
		max  int
	}{
		{"concurrency", o.Concurrency, maxConcurrency},
		{"requests", o.Requests, maxRequests},
		{"warm-up requests", o.Warmup, maxRequests},
		{"output tokens", o.Output, maxOutput},
		{"retries", o.Retries, 100},
	} {
		if f.n < 0 || f.n > f.max {
			return o, fmt.Errorf("load: %d %s: want 0 to %d", f.n, f.name, f.max)
		}
	}
	for name, rate := range map[string]float64{"rate": o.Rate, "limit": o.Limit} {
		if math.IsNaN(rate) || rate < 0 || rate > maxRate {
			return o, fmt.Errorf("load: %s of %g requests/s: want 0 to %g", name, rate, maxRate)
		}
	}
	if err := o.Key.Check(); err != nil {
		return o, fmt.Errorf("load: %w", err)
	}
	if o.Timeout < 0 || o.Backoff < 0 || o.ThinkTime < 0 {
		return o, fmt.Errorf("load: timeout %s, backoff %s, think time %s: want none below 0", o.Timeout, o.Backoff, o.ThinkTime)
	}
	return o, nil
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
