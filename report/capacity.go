package report

import (
	"fmt"
	"maps"
	"slices"

	"github.com/llama-regress/llama-regress/compare"
)

// A Capacity is how many requests at a time an arm serves before more of them
// bring nothing.
type Capacity struct {
	Role Role `json:"role"`
	knee
	Arm     Foreign              `json:"arm"`
	Model   Foreign              `json:"model"`
	Params  Params               `json:"params,omitempty"`
	Metric  Foreign              `json:"metric"`
	Label   Foreign              `json:"label"`   // model and parameters of the sweep
	Finding Text                 `json:"finding"` // "8 requests at a time (90% interval 4 to 16, from 6 blocks)"
	Figures []ConcurrencyFigures `json:"figures"` // of Points, in their order
}

// knee are the fields of a compare.Knee that Capacity does not replace.
type knee compare.Knee

// ConcurrencyFigures are the numbers of one concurrency as text.
type ConcurrencyFigures struct {
	Concurrency string `json:"concurrency"` // "8"
	Rate        string `json:"rate"`        // "1.48 req/s"
	Success     string `json:"success"`     // "99.5%"
}

// newCapacity words the knees of every sweep, baseline first.
func newCapacity(r Report, src Source) []Capacity {
	var list []Capacity
	for i, run := range src.runs() {
		for _, k := range compare.Capacity(run) {
			role, shown := r.role(run, k.Arm, i, len(src.runs()))
			if !shown {
				continue
			}
			label := k.Model
			for _, name := range slices.Sorted(maps.Keys(k.Params)) {
				label += " " + name + "=" + k.Params[name]
			}
			c := Capacity{Role: role, knee: knee(k), Arm: Foreign{k.Arm}, Model: Foreign{k.Model}, Params: newParams(k.Params), Metric: Foreign{k.Metric}, Label: Foreign{label}, Finding: capacityFinding(k)}
			for _, l := range k.Points {
				c.Figures = append(c.Figures, ConcurrencyFigures{fmt.Sprint(l.Concurrency), perSecond(l.Rate), significant(100*l.Success, 3) + "%"})
			}
			list = append(list, c)
		}
	}
	return list
}

func perSecond(x float64) string {
	if text := quantity(x, "req/s"); text != "" {
		return text
	}
	return "0 req/s"
}

// capacityFinding says how many requests at a time, and how sure that is.
func capacityFinding(k compare.Knee) Text {
	switch {
	case k.Blocks == 0:
		return say("not known: no block holds every level")
	case k.Concurrency == 0:
		return say("none: at no level did %s of requests succeed in most of %s", shortPercent(compare.LeastSuccess), plural(k.Blocks, "block"))
	}
	text := fmt.Sprintf("%s at a time", plural(int(k.Concurrency), "request"))
	if k.Concurrency != float64(int(k.Concurrency)) { // the median of an even number of blocks
		text = fmt.Sprintf("%s requests at a time", significant(k.Concurrency, 3))
	}
	if k.Confidence > 0 {
		text += fmt.Sprintf(", %s interval %s to %s, from %s", shortPercent(k.Confidence), significant(k.Low, 3), significant(k.High, 3), plural(k.Blocks, "block"))
	} else {
		text += fmt.Sprintf(", from %s, too few for an interval", plural(k.Blocks, "block"))
	}
	if k.Edge {
		text += "; that may be the highest level measured, so there may be more"
	}
	return say("%s", text)
}

// CapacityRule is the convention behind every Capacity.
var CapacityRule = fmt.Sprintf("The lowest concurrency whose goodput (or request rate, where no objectives are set) is within %s of the best, among those at which %s of requests succeeded; found in each block, the median over blocks.",
	shortPercent(1-compare.NearBest), shortPercent(compare.LeastSuccess))

// capacityLead says in one sentence what the arms serve; nil without a sweep.
func capacityLead(list []Capacity) Text {
	var parts []Text
	for _, c := range list {
		if c.Blocks > 0 && len(parts) < 4 {
			parts = append(parts, concat(cite(c.Arm), say(" "), c.Finding))
		}
	}
	if len(parts) == 0 {
		return nil
	}
	return concat(say("Capacity: "), join("; ", parts...), say("."))
}
