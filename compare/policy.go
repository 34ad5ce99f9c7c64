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

	FailOn FailOn `json:"fail"` // "" is OnRegression

	// Ignore names what may stand for something else on the other side, because
	// comparing unlike things is wanted: IgnoreModel, IgnoreDataset. Results say
	// so.
	Ignore []string `json:"ignore,omitempty"`
}

// FailOn says which comparisons keep a run from passing; each value those of the
// values before it too. Losses that the state of the machine withholds always do.
type FailOn string

const (
	OnRegression   FailOn = "regression"   // what is proved
	OnSuspected    FailOn = "suspected"    // losses that are likely and not proved
	OnInconclusive FailOn = "inconclusive" // all that was to be judged and could not be
)

// FailsOn are the values of FailOn, the most lenient first.
var FailsOn = []FailOn{OnRegression, OnSuspected, OnInconclusive}

// Undecided reports whether an inconclusive comparison keeps a run from passing.
// A metric without a margin was not to be judged. Where no request ever failed
// there is no sign of a loss, and no number of trials that a gate can afford
// would show that there is none: to fail it would fail every healthy server.
func (p Policy) Undecided(c Comparison) bool {
	if p.Withheld(c) {
		return true
	}
	code := ReasonCode("")
	if c.Reason != nil {
		code = c.Reason.Code
	}
	switch p.FailOn {
	case OnSuspected:
		return code == Suspected || code == SuspectedByHistory
	case OnInconclusive:
		if code == Lost {
			_, judged := p.Margin(c.Metric)
			return judged
		}
		return c.Verdict == Inconclusive && code != NoMargin && code != NoFailure
	}
	return false
}

// Withheld reports whether the numbers of a comparison show a loss that the
// state of the machine keeps from being called one. Whatever a policy lets pass,
// that is no pass.
func (p Policy) Withheld(c Comparison) bool {
	switch {
	case c.Reason == nil || c.P == nil:
		return false
	case c.Reason.Disturbed > 0:
		return true
	}
	return c.P.AdjustedRegression <= p.Alpha && (c.Reason.Code == ControlFired || c.Reason.Code == Disturbed)
}

// DefaultPolicy holds the default margins of the catalogue of metrics.
func DefaultPolicy() Policy {
	p := Policy{Margins: make(map[string]Margin), Alpha: 0.05, MinTrials: 4, FailOn: OnRegression}
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
