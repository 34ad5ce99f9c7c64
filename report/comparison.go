package report

import (
	"strings"
	"time"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/compare"
)

// A Comparison is what a row compares: the numbers of a compare.Comparison, and
// its names as text from elsewhere. Every number is finite.
type Comparison struct {
	numbers
	Cell      Foreign   `json:"cell"`
	Workload  Foreign   `json:"workload"`
	Model     Foreign   `json:"model"`
	Params    Params    `json:"params,omitempty"`
	Metric    Metric    `json:"metric"`
	Baseline  Side      `json:"baseline"`
	Candidate Side      `json:"contender"`
	Reason    *Reason   `json:"reason,omitempty"`
	Warnings  []Warning `json:"warnings,omitempty"`
}

// numbers are the fields of a comparison that Comparison does not replace.
type numbers compare.Comparison

// A Metric is a record.Metric.
type Metric struct {
	Name   Foreign          `json:"name"`
	Kind   Foreign          `json:"kind"`
	Unit   Foreign          `json:"unit"` // see Row.Unit for the one to print
	Better record.Direction `json:"better"`
	Exact  bool             `json:"exact,omitempty"`
	Needs  int              `json:"needs,omitempty"`
}

// A Side is a compare.Side.
type Side struct {
	sideNumbers
	Arm    Foreign `json:"arm"`
	Trials []Point `json:"trials"`
}

type sideNumbers compare.Side

// A Point is a compare.Point.
type Point struct {
	Trial     Foreign       `json:"trial"`
	Block     int           `json:"block"`
	Order     int           `json:"order"`
	Value     float64       `json:"value"`
	Count     *record.Count `json:"count,omitempty"`
	Disturbed bool          `json:"contaminated,omitempty"`
}

// A Reason is a compare.Reason.
type Reason struct {
	Code      Foreign   `json:"code"`
	Have      int       `json:"have,omitempty"`
	Need      int       `json:"need,omitempty"`
	AsSeen    bool      `json:"as_seen,omitempty"`
	Since     time.Time `json:"since,omitzero"`
	Keys      []Foreign `json:"keys,omitempty"`
	Disturbed int       `json:"disturbed,omitempty"`
}

// A Warning is a compare.Warning.
type Warning struct {
	Code   Foreign `json:"code"`
	Number float64 `json:"number,omitempty"`
	Text   Foreign `json:"text,omitzero"`
}

func newComparison(c *compare.Comparison) Comparison {
	v := Comparison{
		numbers: numbers(*c), Cell: Foreign{c.Cell}, Workload: Foreign{c.Workload}, Model: Foreign{c.Model}, Params: newParams(c.Params),
		Metric: newMetric(c.Metric), Baseline: newSide(c.Baseline), Candidate: newSide(c.Candidate),
	}
	if r := c.Reason; r != nil {
		v.Reason = &Reason{Foreign{string(r.Code)}, r.Have, r.Need, r.AsSeen, r.Since, foreigners(r.Keys), r.Disturbed}
	}
	for _, w := range c.Warnings {
		v.Warnings = append(v.Warnings, Warning{Foreign{string(w.Code)}, w.Number, Foreign{w.Text}})
	}
	return v
}

func newMetric(m record.Metric) Metric {
	return Metric{Foreign{m.Name}, Foreign{m.Kind}, Foreign{m.Unit}, m.Better, m.Exact, m.Needs}
}

func newSide(s compare.Side) Side {
	v := Side{sideNumbers: sideNumbers(s), Arm: Foreign{s.Arm}}
	if s.Trials != nil {
		v.Trials = make([]Point, len(s.Trials))
	}
	for i, p := range s.Trials {
		v.Trials[i] = Point{Foreign{p.Trial}, p.Block, p.Order, p.Value, p.Count, p.Disturbed}
	}
	return v
}

// ParamText is the part of the cell's key that follows workload and model.
func (c Comparison) ParamText() Foreign {
	rest, _ := strings.CutPrefix(c.Cell.text, c.Workload.text+"/"+c.Model.text)
	return Foreign{strings.TrimPrefix(rest, "/")}
}
