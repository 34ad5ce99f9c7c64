package load

import (
	"math/rand/v2"
	"sync"
	"time"
)

// Streams of random numbers that share the seed and nothing else.
const (
	arrivalStream = iota + 1
	gapStream
	backoffStream // and above: one for each request
)

// schedule returns when n requests are due after the start of an open loop, in
// order. Poisson arrivals have exponential pauses of mean 1/rate before each
// request; constant ones come every 1/rate from 0. The same random source gives
// the same schedule. With a limit above 0, requests are moved back until they
// are at least 1/limit apart: the client's own limit is no latency.
func schedule(n int, rate float64, arrivals string, limit float64, rng *rand.Rand) []time.Duration {
	due := make([]time.Duration, n)
	var t float64 // s
	for i := range due {
		if arrivals == Poisson {
			t += rng.ExpFloat64() / rate
		} else {
			t = float64(i) / rate
		}
		due[i] = seconds(t)
		if i > 0 && limit > 0 {
			due[i] = max(due[i], due[i-1]+seconds(1/limit))
		}
	}
	return due
}

// seconds returns s seconds, at most what a time.Duration holds with room to
// add to it.
func seconds(s float64) time.Duration {
	const most = 100 * 365 * 24 * time.Hour
	return time.Duration(min(s*float64(time.Second), float64(most)))
}

// A limiter hands out moments that are a fixed time apart.
type limiter struct {
	gap  time.Duration // 0 for no limit
	mu   sync.Mutex
	next time.Duration
}

// reserve returns the first free moment from now on and takes it.
func (l *limiter) reserve(now time.Duration) time.Duration {
	if l.gap == 0 {
		return now
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	at := max(now, l.next)
	l.next = at + l.gap
	return at
}

// maxBackoff bounds the pause between two attempts.
const maxBackoff = 30 * time.Second

// backoff returns the pause before retry number retry (from 0) of a request:
// uniform below base doubled that often ("full jitter" of M. Brooker,
// Exponential Backoff and Jitter, AWS 2015). It depends on nothing but its
// arguments, so that it does not change with the order in which requests end.
func backoff(base time.Duration, retry int, seed uint64, request int) time.Duration {
	bound := base
	for i := 0; i < retry && bound < maxBackoff; i++ {
		bound *= 2
	}
	rng := rand.New(rand.NewPCG(seed, backoffStream+uint64(request)<<8+uint64(retry)))
	return time.Duration(rng.Int64N(int64(min(bound, maxBackoff)) + 1))
}
