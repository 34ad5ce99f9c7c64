package pattern

import (
	"math"

	"github.com/llama-regress/llama-regress/ci/record"
)

// A Factor is a property of requests that may explain why some fail, named
// after its field in a request's row.
type Factor string

const (
	PromptTokens     Factor = "prompt_tokens"
	PromptChars      Factor = "prompt_chars"      // tried where the tokens of some prompts are not known
	Prompt           Factor = "prompt"            // the same prompts fail whenever they are sent; Finding.Prompts names them
	ConnectionReused Factor = "connection.reused" // 1 or 0
	ConnectionIdle   Factor = "connection.idle_s" // s; 0 on a fresh connection
	ConnectionAge    Factor = "connection.age_s"  // s; 0 on a fresh connection
	InFlight         Factor = "in_flight"
	Slot             Factor = "slot"
	RSS              Factor = "rss_bytes" // of the server when the request ended
	Index            Factor = "index"     // place in the order of sending
	Window           Factor = "sent_s"    // s since the load began; a stretch with neither its start nor its end
	Trial            Factor = "trial"     // one trial went badly; Finding.Trial names it
	Event            Factor = "event"     // failures came one after another; Finding.Events counts the rows of them
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
	unit   unit
	kin    kin

	// consequence says that a request's failing decides the value: a request
	// that ran into its deadline has taken long. It describes failures but never
	// competes with a cause. That one trial went badly, or that failures came
	// together, is no cause either.
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

// unit is what the values of a factor are independent between, and so what its
// test counts.
type unit int

const (
	request unit = iota
	prompt       // a prompt that was tried six times is one
	event        // failures that follow one another are one, as those of a server that died
)

// kin are factors that measure the same thing: of two that explain alike the one
// that is believed earlier is told alone.
type kin int

const (
	alone kin = iota
	ofPrompt
	ofConnection
	ofTime
)

// factors in the order in which they are believed where the data cannot tell
// them apart: the prompt first, and a mechanism before a measure of time.
var factors = [...]factor{
	{name: PromptTokens, ranges: either, unit: prompt, kin: ofPrompt, value: func(r record.Request) float64 { return positive(r.PromptTokens) }},
	{name: PromptChars, ranges: either, unit: prompt, kin: ofPrompt, value: func(r record.Request) float64 { return positive(r.PromptChars) }},
	{name: Prompt, ranges: each, unit: prompt, kin: ofPrompt}, // newTable numbers the prompts
	{name: ConnectionReused, kin: ofConnection, ranges: upper, value: func(r record.Request) float64 {
		if r.Connection.Reused {
			return 1
		}
		return 0
	}},
	{name: ConnectionIdle, kin: ofConnection, ranges: upper, value: func(r record.Request) float64 { return r.Connection.Idle }},
	{name: ConnectionAge, kin: ofConnection, ranges: upper, value: func(r record.Request) float64 { return r.Connection.Age }},
	{name: InFlight, unit: event, ranges: upper, value: func(r record.Request) float64 { return positive(r.InFlight) }},
	{name: Slot, ranges: each, value: func(r record.Request) float64 {
		if r.Slot == nil {
			return math.NaN()
		}
		return float64(*r.Slot)
	}},
	{name: RSS, unit: event, ranges: upper}, // Options.RSS reads it
	{name: Index, unit: event, kin: ofTime, ranges: either, value: func(r record.Request) float64 { return float64(r.Index) }},
	{name: Window, unit: event, kin: ofTime, ranges: stretch, value: func(r record.Request) float64 { return r.Sent }},
	{name: Trial, ranges: each, consequence: true}, // newTable numbers the trials
	{name: Event, consequence: true},               // of the order of sending
	{name: Elapsed, ranges: upper, value: func(r record.Request) float64 { return r.Elapsed }, consequence: true},
}

// positive is n, and NaN where 0 stands for unknown.
func positive(n int) float64 {
	if n <= 0 {
		return math.NaN()
	}
	return float64(n)
}
