package report

import (
	"math"

	"github.com/llama-regress/llama-regress/compare"
	"github.com/llama-regress/llama-regress/compare/geomean"
)

// A GroupMean is the geometric mean of a candidate's ratios over the cells of a
// group of tests. It stands beside the cells and decides nothing.
type GroupMean struct {
	groupMean
	Arm     Foreign `json:"arm"`     // the candidate
	Finding Text    `json:"finding"` // one sentence
}

// groupMean are the fields of a geomean.Mean that GroupMean does not replace.
type groupMean geomean.Mean

// newGroupMeans words the means of a result.
func newGroupMeans(res *compare.Result) []GroupMean {
	var list []GroupMean
	for _, m := range geomean.Of(res.Comparisons) {
		arm := m.Arm
		half := math.Abs(m.Change)
		if m.Rounds > 0 {
			half = (m.High - m.Low) / 2
		}
		digits := decimalsFor(100 * half)
		text := concat(say("Geometric mean over %d cells of %s with ", m.Cells, m.Group), quote(arm), say(": %s%%", signed(100*m.Change, digits)))
		switch {
		case m.Rounds > 0:
			rounds := plural(m.Rounds, "block")
			if res.Method == compare.Unpaired {
				rounds = plural(m.Rounds, "invocation") + " a side"
			}
			text = concat(text, say(" (%s interval %s to %s%%, from %s).", shortPercent(m.Confidence), signed(100*m.Low, digits), signed(100*m.High, digits), rounds))
		case m.Why == geomean.Stopped:
			text = concat(text, say(", without an interval: cells stopped as soon as they were decided."))
		case m.Why == geomean.OneEach:
			text = concat(text, say(", without an interval: how much sessions differ is not known."))
		default:
			text = concat(text, say(", without an interval: the cells have fewer than three rounds in common."))
		}
		list = append(list, GroupMean{groupMean(m), Foreign{arm}, text})
	}
	return list
}

// meanTexts are the sentences of all means.
func meanTexts(list []GroupMean) (texts []Text) {
	for _, m := range list {
		texts = append(texts, m.Finding)
	}
	return texts
}
