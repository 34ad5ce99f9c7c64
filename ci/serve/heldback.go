package serve

import (
	"fmt"
	"math"
	"strings"

	"github.com/llama-regress/llama-regress/stats"
)

// When events count as held back: so many pauses, and more than half of all events with
// the one before, in waits that hardly differ from one another.
const (
	leastPauses = 30
	atOnce      = 50e-6 // s, mean pause: no model generates 20 000 tokens/s for one request
	mostShare   = 0.05  // of the mean pause: events that are closer come together
	mostSpread  = 0.25  // of the median wait: between its quartiles
)

// heldBack says how the events of answers came where something holds them back on the
// way, from the pauses between them in s; "" where they came one by one. HAProxy bundles
// what a server sends for up to 0.2 s, and nginx may keep a whole answer. A server that
// sends several tokens at a time looks the same, so both are named.
func heldBack(pauses []float64) string {
	sum, n := 0.0, 0
	for _, p := range pauses {
		if !math.IsInf(p, 1) {
			sum, n = sum+p, n+1
		}
	}
	if n < leastPauses {
		return ""
	}
	mean := sum / float64(n)
	var waits []float64
	for _, p := range pauses {
		if p > mostShare*mean && !math.IsInf(p, 1) {
			waits = append(waits, p)
		}
	}
	const (
		haproxy = "HAProxy without option http-no-delay"
		nginx   = "nginx with proxy_buffering"
	)
	switch {
	case mean < atOnce:
		return "the events of each answer came all at once: something on the way holds answers back until they are complete, such as " + nginx +
			"; the time to the first token is that of the whole answer"
	case 2*len(waits) > n:
		return ""
	}
	median := stats.Median(waits)
	if stats.Quantile(waits, 0.75)-stats.Quantile(waits, 0.25) > mostSpread*median {
		return ""
	}
	return fmt.Sprintf("the events of answers came in bundles, about every %s: something on the way holds them back, such as %s or %s, or the server sends several tokens at a time; "+
		"the times to the first token and between tokens are those of the bundles", roughly(median), haproxy, nginx)
}

// roughly is a time with one digit: one sentence stands for all trials.
func roughly(seconds float64) string {
	if seconds < 0.095 {
		text := fmt.Sprintf("%.1g", 1e3*seconds)
		if strings.Contains(text, "e") { // 9.5 and more
			text = fmt.Sprintf("%.0f", 10*math.Round(1e2*seconds))
		}
		return text + " ms"
	}
	return fmt.Sprintf("%.1g s", seconds)
}
