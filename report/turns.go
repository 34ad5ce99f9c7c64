package report

import (
	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/compare"
)

// Below reprocessed of what the baseline had, a cache gives nothing: what is
// left are the few tokens with which every prompt of a chat begins.
const reprocessed = 0.1

// cacheCause names the cell that takes much less of later turns from the prompt
// cache than with the baseline, and what that means; nil where none does. Rows
// are in reading order.
func cacheCause(rows []Row) Text {
	for _, row := range rows {
		c := row.c
		if c.Metric.Name != record.CacheHitRate || row.Class != Regression && row.Class != Suspected {
			continue
		}
		base, head := c.Baseline.Estimate, c.Candidate.Estimate
		means := "more of each prompt is processed again than before"
		if head < reprocessed*base {
			means = "the whole prompt is processed again each turn"
		}
		if row.Class == Suspected {
			means = "if that is not chance, " + means
		}
		return concat(say("Later turns of "), cite(row.Label), say(": %s of the prompt came from the cache on ", percentage(base)), quote(c.Baseline.Arm),
			say(", %s on ", percentage(head)), quote(c.Candidate.Arm),
			say(": %s. The server's log tells why, such as \"forcing full prompt re-processing\".", means))
	}
	return nil
}

// percentage is a share as a whole percentage.
func percentage(share float64) string { return fixed(100*share, 0) + "%" }

// conversed sums up the conversations of an arm in a cell, over the trials that
// count; the zero value where there were none.
func conversed(run *record.Run, s compare.Serving) record.Conversations {
	var sum record.Conversations
	skip := run.Uncounted()
	for _, t := range run.Trials {
		if t.Arm != s.Arm || t.Cell != s.Cell || t.Load == nil || t.Load.Conversations == nil || skip[t.ID] {
			continue
		}
		c := t.Load.Conversations
		sum.Count += max(0, c.Count)
		sum.Cut += max(0, c.Cut)
		sum.LaterTurns += max(0, c.LaterTurns)
		sum.LaterPromptTokens += max(0, c.LaterPromptTokens)
		sum.LaterCachedTokens += max(0, c.LaterCachedTokens)
	}
	return sum
}

// conversationDetails words them, a sentence each.
func conversationDetails(c record.Conversations) []Text {
	if c.Count <= 0 {
		return nil
	}
	var list []Text
	if c.LaterTurns > 0 && c.LaterPromptTokens > 0 && c.LaterCachedTokens <= c.LaterPromptTokens {
		list = append(list, say("in later turns %s of the prompt came from the cache, and %s of %s tokens were processed, on average",
			percentage(float64(c.LaterCachedTokens)/float64(c.LaterPromptTokens)),
			significant(float64(c.LaterPromptTokens-c.LaterCachedTokens)/float64(c.LaterTurns), 3), significant(float64(c.LaterPromptTokens)/float64(c.LaterTurns), 3)))
	} else {
		list = append(list, say("how much of later turns came from the cache, the server did not tell"))
	}
	if c.Cut > 0 {
		list = append(list, say("%d of %s ended early, as their history no longer fitted into the context", c.Cut, plural(c.Count, "conversation")))
	}
	return list
}
