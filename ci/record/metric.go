package record

import (
	"fmt"
)

// A Direction says which way a metric gets better. The zero value is refused
// everywhere, so that nothing is ever gated on a guess.
type Direction int

const (
	Higher Direction = iota + 1 // more is better: tokens per second
	Lower                       // less is better: time to first token
)

// String returns "higher" or "lower".
func (d Direction) String() string {
	switch d {
	case Higher:
		return "higher"
	case Lower:
		return "lower"
	}
	return fmt.Sprintf("Direction(%d)", int(d))
}

// MarshalText refuses a direction that was never set.
func (d Direction) MarshalText() ([]byte, error) {
	if d != Higher && d != Lower {
		return nil, fmt.Errorf("metric direction is not set")
	}
	return []byte(d.String()), nil
}

// UnmarshalText accepts "higher" and "lower".
func (d *Direction) UnmarshalText(text []byte) error {
	switch string(text) {
	case "higher":
		*d = Higher
	case "lower":
		*d = Lower
	default:
		return fmt.Errorf("metric direction %q: want higher or lower", text)
	}
	return nil
}

// A Metric fixes what its numbers mean before any number is written down.
type Metric struct {
	Name   string    `json:"name"`            // "pp512", "tg128@d4096", "ttft_p50"; unique within a cell
	Kind   string    `json:"kind"`            // what a policy's margin is chosen by: "throughput", "ttft_p50", "success_rate"
	Unit   string    `json:"unit"`            // base unit: "tok/s", "s", "1"; scaled only when printed
	Better Direction `json:"better"`          // which way is good
	Exact  bool      `json:"exact,omitempty"` // repeats are alike to a few parts in 100 000, such as a count of instructions
	Needs  int       `json:"needs,omitempty"` // requests a trial would need for this to be judged; 0 when it has enough
}

// InPoints reports whether a change of the metric is a difference, in points of
// its unit, and not a ratio: it is a share, which lies in [0, 1] and may be 0.
func (m Metric) InPoints() bool { return m.Unit == "1" }

// Throughput is the kind of every metric in tokens per second.
const Throughput = "throughput"
