package compare

import (
	"math"

	"github.com/llama-regress/llama-regress/ci/record"
)

// A Policy says how large a change matters and how sure we must be. It is
// fixed before anything is measured.
type Policy struct {
	Margins map[string]Margin `json:"margins"` // by metric name, else by metric kind

	// Alpha is the one-sided error allowed for the whole family of gated
	// comparisons of one run; a family of one is held to half of it
	// (statistics reference 7.4).
	Alpha float64 `json:"alpha"`

	// MinTrials is how many blocks (unpaired: trials a side) a verdict other
	// than inconclusive needs. t is exact for normal data from 2 on, but with
	// fewer than 4 one odd trial cannot be told from a habit.
	MinTrials int `json:"min_trials"`

	InconclusiveFails bool `json:"inconclusive_fails"`

	// Ignore names what may stand for something else on the other side, because
	// comparing unlike things is wanted: IgnoreModel, IgnoreDataset. Results say
	// so.
	Ignore []string `json:"ignore,omitempty"`
}

// DefaultPolicy holds the default margins of the catalogue of metrics.
func DefaultPolicy() Policy {
	p := Policy{Margins: make(map[string]Margin), Alpha: 0.05, MinTrials: 4}
	for kind, value := range record.DefaultMargins() {
		p.Margins[kind] = Margin{Value: value}
	}
	return p
}

// A Margin is the change that still counts as none. Whether it is a ratio or a
// difference follows from its metric (record.Metric.InPoints).
type Margin struct {
	Value float64 `json:"value"` // > 0; 0.03 is 3 % or, of a metric in points, 3 points
}

// Lambda is the margin on the log scale, ln(1+Value): a loss of 2.91 % is as
// far from none as a gain of 3 %.
func (m Margin) Lambda() float64 { return math.Log1p(m.Value) }

// Margin finds the margin of a metric, by its name or else its kind; without
// one, or where its trials have too few requests, it is shown but not judged.
func (p Policy) Margin(m record.Metric) (Margin, bool) {
	if m.Needs > 0 {
		return Margin{}, false
	}
	if margin, ok := p.Margins[m.Name]; ok {
		return margin, true
	}
	margin, ok := p.Margins[m.Kind]
	return margin, ok
}
