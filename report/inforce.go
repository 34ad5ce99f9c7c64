package report

import (
	"fmt"
	"slices"

	"github.com/llama-regress/llama-regress/ci/record"
)

// mostOps bounds the names that are kept of what one request had in force; one
// is right, and three are shown.
const mostOps = 10

// inForce says of each scheduler that trials asked for what the kernel reported
// during them: its name, its count of loads, and how often it did not stay. Nil
// for a run that asked for none.
func inForce(r *record.Run) Text {
	type seen struct {
		asked       string
		ops         []string
		from, to    int // counts of loads
		kept, ended int // trials
	}
	var all []seen
	at := make(map[string]int) // by what was asked for
	for _, t := range r.Trials {
		s := t.Scheduler
		if s == nil {
			continue
		}
		i, ok := at[s.Asked]
		if !ok {
			i = len(all)
			at[s.Asked] = i
			all = append(all, seen{asked: s.Asked, from: s.SeqBefore, to: s.SeqBefore})
		}
		x := &all[i]
		if s.Ejected != "" {
			x.ended++
			continue
		}
		x.kept++
		x.from, x.to = min(x.from, s.SeqBefore), max(x.to, s.SeqAfter)
		if s.Ops != "" && len(x.ops) < mostOps && !slices.Contains(x.ops, s.Ops) {
			x.ops = append(x.ops, s.Ops)
		}
	}
	var each []Text
	for _, x := range all {
		text := quote(x.asked)
		switch {
		case x.kept == 0:
			each = append(each, concat(text, say(" did not stay in force in %s", plural(x.ended, "trial"))))
			continue
		case len(x.ops) == 0:
			text = concat(text, say(" (the kernel's own) in %s", plural(x.kept, "trial")))
		default:
			loads := fmt.Sprintf("loads %d to %d", x.from, x.to)
			if x.from == x.to {
				loads = fmt.Sprintf("load %d", x.from)
			}
			text = concat(text, say(" (to the kernel "), quoteAll(x.ops, 3), say(", %s) in %s", loads, plural(x.kept, "trial")))
		}
		if x.ended > 0 {
			text = concat(text, say(", and did not stay so in %d more", x.ended))
		}
		each = append(each, text)
	}
	return join("; ", each...)
}
