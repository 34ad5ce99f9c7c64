package compare

import (
	"cmp"
	"maps"
	"slices"
	"strconv"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/stats"
)

// A Grid is one metric of one arm over the two parameters in which the cells of
// a workload and model differ: a parameter sweep, such as threads by batch. It
// describes and is never judged.
type Grid struct {
	Arm      string        `json:"arm"`
	Workload string        `json:"workload"`
	Model    string        `json:"model"`
	Metric   record.Metric `json:"metric"`
	X        string        `json:"x"` // the parameter with more values
	Y        string        `json:"y"`
	Xs       []string      `json:"xs"`
	Ys       []string      `json:"ys"`
	Points   []GridPoint   `json:"points"` // by Ys, within it by Xs; cells that were not measured are left out

	// Decided says that some points are worse than the best beyond chance; Best
	// marks those that are not, of a grid where that is so.
	Decided bool `json:"decided"`
}

// A GridPoint is a cell of a Grid.
type GridPoint struct {
	X      string  `json:"x"`
	Y      string  `json:"y"`
	Mean   float64 `json:"level"`         // over trials: the geometric mean, of shares the mean
	Low    float64 `json:"low,omitempty"` // bounds of its interval at StudyConfidence; both 0 without one
	High   float64 `json:"high,omitempty"`
	Trials int     `json:"trials"`
	Best   bool    `json:"best,omitempty"` // no point is better beyond chance
}

// mostGridCells bounds what is compared pair by pair.
const mostGridCells = 200

// Grids returns every grid of a run, in its order. The points are compared
// within blocks, each of which goes through all cells, and adjusted over all
// pairs of a grid (Holm).
func Grids(run *record.Run) []Grid {
	type group struct{ workload, model string }
	cells := make(map[group][]record.Cell)
	var order []group
	for _, c := range run.Cells {
		g := group{c.Workload, c.Model}
		if cells[g] == nil {
			order = append(order, g)
		}
		cells[g] = append(cells[g], c)
	}
	var all []Grid
	for _, g := range order {
		x, y, ok := sweptParams(cells[g])
		if !ok {
			continue
		}
		for _, arm := range run.Arms {
			if arm.ControlOf != "" {
				continue
			}
			trials := side(Selection{Run: run, Arm: arm.Name})
			for _, m := range cells[g][0].Metrics {
				grid := Grid{Arm: arm.Name, Workload: g.workload, Model: g.model, Metric: m, X: x, Y: y, Xs: paramValues(cells[g], x), Ys: paramValues(cells[g], y)}
				if grid.fill(cells[g], trials) {
					all = append(all, grid)
				}
			}
		}
	}
	return all
}

// sweptParams are the two parameters in which the cells differ, that with more
// values first.
func sweptParams(cells []record.Cell) (x, y string, ok bool) {
	var names []string
	for name := range cells[0].Params {
		if len(paramValues(cells, name)) > 1 {
			names = append(names, name)
		}
	}
	for _, c := range cells {
		if len(c.Params) != len(cells[0].Params) {
			return "", "", false
		}
	}
	if len(names) != 2 || len(cells) < 4 || len(cells) > mostGridCells {
		return "", "", false
	}
	slices.Sort(names)
	if len(paramValues(cells, names[1])) > len(paramValues(cells, names[0])) {
		slices.Reverse(names)
	}
	return names[0], names[1], true
}

// paramValues lists the values of a parameter, as numbers when all of them are.
func paramValues(cells []record.Cell, name string) []string {
	seen := make(map[string]bool)
	for _, c := range cells {
		seen[c.Params[name]] = true
	}
	list := slices.Sorted(maps.Keys(seen))
	numbers := make(map[string]float64, len(list))
	for _, v := range list {
		n, err := strconv.ParseFloat(v, 64)
		if err != nil {
			return list
		}
		numbers[v] = n
	}
	slices.SortStableFunc(list, func(a, b string) int { return cmp.Compare(numbers[a], numbers[b]) })
	return list
}

// fill measures the points; false when there is none.
func (g *Grid) fill(cells []record.Cell, trials armTrials) bool {
	sc := scaleOf(g.Metric, Margin{})
	var sides []Side
	for _, y := range g.Ys {
		for _, x := range g.Xs {
			i := slices.IndexFunc(cells, func(c record.Cell) bool { return c.Params[g.X] == x && c.Params[g.Y] == y })
			if i < 0 {
				continue
			}
			s := points(trials, cells[i].Key, g.Metric)
			if len(s.Trials) == 0 {
				continue
			}
			p := levelOver(s, sc, g.Metric)
			g.Points = append(g.Points, GridPoint{X: x, Y: y, Mean: p.Mean, Low: p.Low, High: p.High, Trials: p.Trials})
			sides = append(sides, s)
		}
	}
	better := decided(sides, sc)
	for i := range g.Points {
		best := true
		for j := range g.Points {
			best = best && !better[j][i]
		}
		g.Points[i].Best = best
		g.Decided = g.Decided || !best
	}
	if !g.Decided {
		for i := range g.Points {
			g.Points[i].Best = false
		}
	}
	return len(g.Points) > 1
}

// levelOver is an arm's level over its trials, with its interval.
func levelOver(s Side, sc scale, m record.Metric) Place {
	e := stats.PairedT(sc.oriented(s))
	p := Place{Arm: s.Arm, Mean: sc.from(sc.better * e.Theta), Trials: len(s.Trials)}
	if len(s.Trials) > 1 {
		i := e.Interval(StudyConfidence)
		p.Low, p.High = sc.from(sc.better*i.Low), sc.from(sc.better*i.High)
		if p.Low > p.High {
			p.Low, p.High = p.High, p.Low
		}
		if m.InPoints() {
			p.Low, p.High = max(0, p.Low), min(1, p.High)
		}
	}
	return p
}
