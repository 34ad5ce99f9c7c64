package pattern

import (
	"math"

	"github.com/llama-regress/llama-regress/ci/record"
)

// A Factor is a property of requests that may explain why some fail, named
// after its field in a request's row.
type Factor string

const (
	ConnectionReused Factor = "connection.reused" // 1 or 0
	ConnectionIdle   Factor = "connection.idle_s" // s; 0 on a fresh connection
	ConnectionAge    Factor = "connection.age_s"  // s; 0 on a fresh connection
	PromptTokens     Factor = "prompt_tokens"
	InFlight         Factor = "in_flight"
	Slot             Factor = "slot"
	RSS              Factor = "rss_bytes" // of the server when the request ended
	Index            Factor = "index"     // place in the order of sending
	Window           Factor = "sent_s"    // s since the load began; a stretch with neither its start nor its end
	Elapsed          Factor = "elapsed_s" // s
)

// A Condition is a range of a factor's values.
type Condition struct {
	Op    Operator `json:"op"`
	Value float64  `json:"value"`        // in the factor's unit; a value that occurred
	To    float64  `json:"to,omitempty"` // the last value of Between
}

// An Operator compares a request's value with a Condition's.
type Operator string

const (
	Is      Operator = "=="
	AtLeast Operator = ">="
	AtMost  Operator = "<="
	Between Operator = "between" // both ends included
)

// Holds reports whether v meets the condition; NaN, unknown, meets none.
func (c Condition) Holds(v float64) bool {
	switch c.Op {
	case Is:
		return v == c.Value
	case AtLeast:
		return v >= c.Value
	case AtMost:
		return v <= c.Value
	case Between:
		return v >= c.Value && v <= c.To
	}
	return false
}

// A factor is how a Factor is read and searched.
type factor struct {
	name   Factor
	value  func(record.Request) float64
	ranges ranges

	// consequence says that a request's failing decides the value: a request
	// that ran into its deadline has taken long. It describes failures but never
	// competes with a cause.
	consequence bool
}

// ranges is which conditions a factor has.
type ranges int

const (
	upper   ranges = iota // at least
	either                // at least, at most
	each                  // is
	stretch               // between
)

// factors in the order in which they are believed where the data cannot tell
// them apart: a mechanism before a measure of time.
var factors = [...]factor{
	{name: ConnectionReused, ranges: upper, value: func(r record.Request) float64 {
		if r.Connection.Reused {
			return 1
		}
		return 0
	}},
	{name: ConnectionIdle, ranges: upper, value: func(r record.Request) float64 { return r.Connection.Idle }},
	{name: ConnectionAge, ranges: upper, value: func(r record.Request) float64 { return r.Connection.Age }},
	{name: PromptTokens, ranges: either, value: func(r record.Request) float64 { return positive(r.PromptTokens) }},
	{name: InFlight, ranges: upper, value: func(r record.Request) float64 { return positive(r.InFlight) }},
	{name: Slot, ranges: each, value: func(r record.Request) float64 {
		if r.Slot == nil {
			return math.NaN()
		}
		return float64(*r.Slot)
	}},
	{name: RSS, ranges: upper}, // Options.RSS reads it
	{name: Index, ranges: either, value: func(r record.Request) float64 { return float64(r.Index) }},
	{name: Window, ranges: stretch, value: func(r record.Request) float64 { return r.Sent }},
	{name: Elapsed, ranges: upper, value: func(r record.Request) float64 { return r.Elapsed }, consequence: true},
}

// positive is n, and NaN where 0 stands for unknown.
func positive(n int) float64 {
	if n <= 0 {
		return math.NaN()
	}
	return float64(n)
}
