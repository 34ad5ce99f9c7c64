package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/compare"
)

// mostSaid is how many different things are told of one arm: a program may word
// one warning anew in every trial.
const mostSaid = 20

// Said is what an arm's programs warned of and what the tool noticed of them, each
// once, in the order of the trials, with in how many trials it was said where that
// is not all.
func Said(run *record.Run, arm string) []Text {
	var order []string
	times := make(map[string]int)
	trials := 0
	for _, t := range run.Trials {
		if t.Arm != arm {
			continue
		}
		trials++
		for i, w := range t.Warnings {
			if slices.Contains(t.Warnings[:i], w) || w == "" {
				continue
			}
			if times[w]++; times[w] == 1 {
				order = append(order, w)
			}
		}
	}
	var said []Text
	for i, w := range order {
		if i == mostSaid {
			said = append(said, say("and %s", more(len(order)-i)))
			break
		}
		t := quoteLong(w)
		if n := times[w]; n < trials {
			t = concat(t, say(" (in %d of %s)", n, plural(trials, "trial")))
		}
		said = append(said, t)
	}
	return said
}

// quoteLong quotes a sentence piece by piece, because a writer shows only the
// beginning of what is foreign: a name must not fill a page, a warning be read.
func quoteLong(s string) (t Text) {
	const piece, most = 70, 600
	s = Line(s, most)
	for s != "" {
		end := len(s)
		if end > piece {
			if end = strings.LastIndexByte(s[:piece], ' '); end <= 0 {
				if end = strings.IndexByte(s, ' '); end <= 0 {
					end = len(s)
				}
			}
		}
		if t != nil {
			t = concat(t, say(" "))
		}
		t, s = concat(t, quote(s[:end])), strings.TrimLeft(s[end:], " ")
	}
	return t
}

func more(n int) string { return fmt.Sprintf("%d more such lines", n) }

// saidNotes are the lines of all arms, each under the arm's name. A control says
// what its arm says.
func saidNotes(arms []Arm) (notes []Text) {
	for _, a := range arms {
		if a.Role == Control {
			continue
		}
		for _, t := range a.Said {
			notes = append(notes, concat(cite(a.Name), say(": "), t))
		}
	}
	return notes
}

// told are the warnings of programs that stand under their arm already.
func told(src Source, arms []Arm) map[string]bool {
	all := make(map[string]bool)
	for _, run := range []*record.Run{src.Base, src.Head} {
		if run == nil {
			continue
		}
		for _, t := range run.Trials {
			if slices.ContainsFunc(arms, func(a Arm) bool { return a.Role != Control && a.Name.text == t.Arm }) {
				for _, w := range t.Warnings {
					all[w] = true
				}
			}
		}
	}
	return all
}

// fileDifferences lists what else differs in the builds: the device that they found,
// and the libraries where the programs themselves are the same bytes.
func fileDifferences(res *compare.Result, src Source) (list []compare.Difference) {
	find := func(run *record.Run, name string) (record.Arm, bool) {
		if run == nil {
			return record.Arm{}, false
		}
		i := slices.IndexFunc(run.Arms, func(a record.Arm) bool { return a.Name == name })
		if i < 0 {
			return record.Arm{}, false
		}
		return run.Arms[i], true
	}
	seen := make(map[string]bool)
	for _, c := range res.Comparisons {
		base, ok := find(src.Base, c.Baseline.Arm)
		head, also := find(src.Head, c.Candidate.Arm)
		if !ok || !also || seen[head.Name] {
			continue
		}
		seen[head.Name] = true
		if base.Build.GPU != head.Build.GPU {
			list = append(list, compare.Difference{Key: "build.gpu", Arm: head.Name, Baseline: base.Build.GPU, Candidate: head.Build.GPU})
		}
		names := base.OtherFiles(head)
		if len(names) == 0 || slices.Contains(names, "llama-bench") || slices.Contains(names, "llama-server") {
			continue
		}
		list = append(list, compare.Difference{Key: "build.libraries", Arm: head.Name,
			Baseline: librariesOf(base, names), Candidate: librariesOf(head, names)})
	}
	return list
}

// librariesOf says which bytes the named libraries of an arm are, of many the first.
func librariesOf(arm record.Arm, names []string) string {
	const most = 4
	var parts []string
	for _, l := range arm.Libraries {
		if slices.Contains(names, l.Name) && len(parts) < most {
			parts = append(parts, fmt.Sprintf("%s %.12s", l.Name, l.SHA256))
		}
	}
	return strings.Join(parts, ", ")
}
