package html

import "github.com/llama-regress/llama-regress/report"

// What a page of nights holds at most, whatever the store does: it has to open on a
// telephone. A point is about 14 bytes of it, a trend without points about 1 kB.
const (
	mostPoints      = 200_000 // that are drawn, beside leastDrawn of each trend
	mostTrends      = 2_000   // that are shown
	leastDrawn      = 30      // nights that are drawn of every trend that is shown
	fewTrends       = 200     // beyond them the tables of those that did not move are short
	nightsWhereMany = 7
)

// A portion is how much of a trend the page holds.
type portion struct {
	shown bool
	drawn int // its latest nights
	table int // of which so many stand in numbers
}

// portions divides a page among the trends of all machines: those that moved are
// drawn in full as long as there is room, then the others share what is left. The
// result is by machine and trend.
func portions(n report.Nightly) [][]portion {
	type place struct{ machine, trend int }
	var moved, steady []place
	all := make([][]portion, len(n.Machines))
	for i, m := range n.Machines {
		all[i] = make([]portion, len(m.Trends))
		for k, t := range m.Trends {
			if t.Open || len(t.Marks) > 0 {
				moved = append(moved, place{i, k})
			} else {
				steady = append(steady, place{i, k})
			}
		}
	}
	trends, room := 0, mostPoints
	few := len(moved)+len(steady) <= fewTrends
	give := func(p place, most, table int) {
		if trends++; trends > mostTrends {
			return
		}
		nights := len(n.Machines[p.machine].Trends[p.trend].Nights)
		drawn := min(nights, max(leastDrawn, min(most, room)))
		room -= max(0, drawn-leastDrawn)
		all[p.machine][p.trend] = portion{shown: true, drawn: drawn, table: min(nights, table)}
	}
	for _, p := range moved {
		give(p, mostPoints, nightsShown)
	}
	each, table := leastDrawn+room/max(1, min(len(steady), mostTrends-len(moved))), nightsShown
	if !few {
		table = nightsWhereMany
	}
	for _, p := range steady {
		give(p, each, table)
	}
	return all
}
