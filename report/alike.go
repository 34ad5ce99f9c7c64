package report

import (
	"fmt"

	"github.com/llama-regress/llama-regress/compare"
)

const (
	shownAlike = 3 // rows of a family that stand for it
	leastAlike = 5 // rows that are one
)

// A Family is what is left of rows that say the same of one metric of one model in
// many cells, after those that stand for it.
type Family struct {
	Metric Foreign
	Rows   []Row  // in their order
	Span   string // of their changes, "-8.2% to -6.6%"; "" where they have none
}

// Families tells the rows to show from those that would only repeat them: of at least
// five rows of one class, reason, candidate, metric and model the first three stand for all.
// Rows keep their order, and none is lost.
func Families(rows []Row) (shown []Row, families []Family) {
	type key struct {
		class              Class
		arm, metric, model string
		reason             compare.ReasonCode
	}
	of := func(r Row) key {
		k := key{r.Class, r.c.Candidate.Arm, r.c.Metric.Name, r.c.Model, ""}
		if r.c.Reason != nil {
			k.reason = r.c.Reason.Code
		}
		return k
	}
	size := make(map[key]int)
	for _, r := range rows {
		size[of(r)]++
	}
	seen, place := make(map[key]int), make(map[key]int)
	for _, r := range rows {
		k := of(r)
		if seen[k]++; r.Class == NotMeasured || size[k] < leastAlike || seen[k] <= shownAlike {
			shown = append(shown, r)
			continue
		}
		if _, ok := place[k]; !ok {
			place[k] = len(families)
			families = append(families, Family{Metric: Foreign{r.c.Metric.Name}})
		}
		f := &families[place[k]]
		f.Rows = append(f.Rows, r)
	}
	for i := range families {
		families[i].Span = spanOf(families[i].Rows)
	}
	return shown, families
}

// spanOf is the smallest and the largest change of rows.
func spanOf(rows []Row) string {
	least, most := "", ""
	var low, high float64
	for _, r := range rows {
		c := r.c.Change
		if c == nil || r.Figures.Change == "" {
			continue
		}
		if least == "" || *c < low {
			low, least = *c, r.Figures.Change
		}
		if most == "" || *c > high {
			high, most = *c, r.Figures.Change
		}
	}
	if least == most {
		return least
	}
	return fmt.Sprintf("%s to %s", least, most)
}
