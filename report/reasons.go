package report

import (
	"cmp"
	"slices"
)

// Because is why a row has no verdict, and what would give it one; nil where it
// has a verdict.
func (r Row) Because() Text { return join("; ", r.Reason, r.Remedy) }

// A Shared reason is one that rows have in common.
type Shared struct {
	Why  Text
	Rows []Row // that have it, in reading order
}

// ByReason gathers rows by why they have no verdict, in the order of the first
// row of each reason. Rows with a verdict are left out.
func ByReason(rows []Row) []Shared {
	var all []Shared
	at := make(map[string]int)
	for _, row := range rows {
		why := row.Because()
		if len(why) == 0 {
			continue
		}
		i, known := at[why.joined()]
		if !known {
			i = len(all)
			at[why.joined()] = i
			all = append(all, Shared{Why: why})
		}
		all[i].Rows = append(all[i].Rows, row)
	}
	return all
}

// severalTimes is how many rows with one reason have it said once above them.
const severalTimes = 3

// Repeated lists the reasons that so many rows have that a reader need see each
// only once. What was not measured is told by cell: see Unmeasured.
func Repeated(rows []Row) Repeats {
	return slices.DeleteFunc(ByReason(rows), func(s Shared) bool { return len(s.Rows) < severalTimes || s.Rows[0].Class == NotMeasured })
}

// Repeats are reasons that are said once, above the rows that have them.
type Repeats []Shared

// Tell reports whether the reason of a row is one of them.
func (r Repeats) Tell(row Row) bool {
	why := row.Because().joined()
	return why != "" && slices.ContainsFunc(r, func(s Shared) bool { return s.Why.joined() == why })
}

// Sentences say each reason, and of how many of so many rows it holds.
func (r Repeats) Sentences(of int) (list []Text) {
	for _, s := range r {
		who := say("All: ")
		if len(s.Rows) < of {
			who = say("%d of them: ", len(s.Rows))
		}
		list = append(list, concat(who, s.Why))
	}
	return list
}

// MetricNames names the metrics of rows, each once.
func MetricNames(rows []Row) Text {
	var names []Text
	for _, row := range rows {
		if name := quote(cmp.Or(row.c.Metric.Name, " ")); !slices.ContainsFunc(names, func(t Text) bool { return slices.Equal(t, name) }) {
			names = append(names, name)
		}
	}
	return join(", ", names...)
}

// SeveralCandidates says that rows are of more than one candidate, so that each
// has to name its own.
func SeveralCandidates(rows []Row) bool {
	return slices.ContainsFunc(rows, func(r Row) bool { return r.c.Candidate.Arm != rows[0].c.Candidate.Arm })
}
