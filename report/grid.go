package report

import (
	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/compare"
)

// A Grid is a parameter sweep: one metric of an arm over two parameters.
type Grid struct {
	ID       string      `json:"id"` // [a-z0-9-]+, unique in the report
	Arm      Foreign     `json:"arm"`
	Workload Foreign     `json:"workload"`
	Model    Foreign     `json:"model"`
	Metric   Metric      `json:"metric"`
	X        Foreign     `json:"x"` // the parameter with more values
	Y        Foreign     `json:"y"`
	Xs       []Foreign   `json:"xs"`
	Ys       []Foreign   `json:"ys"`
	Points   []GridPoint `json:"points"`  // by Ys, within it by Xs; cells that were not measured are left out
	Decided  bool        `json:"decided"` // some points are worse than the best beyond chance

	Unit    string        `json:"unit"`    // of Figures: "tok/s"
	Factor  float64       `json:"factor"`  // makes a level of Points a number in Unit
	Figures []GridFigures `json:"figures"` // of Points, in their order
	Finding Text          `json:"finding"` // what the best region is, or that none is decided
}

// A GridPoint is one cell of a Grid.
type GridPoint struct {
	gridPoint
	X Foreign `json:"x"`
	Y Foreign `json:"y"`
}

type gridPoint compare.GridPoint

// GridFigures are a point's numbers as text.
type GridFigures struct {
	Estimate string  `json:"level"` // "812 tok/s"
	Low      string  `json:"low"`   // bounds of its interval, "" without one
	High     string  `json:"high"`
	Share    float64 `json:"share"` // of the best point, 0 to 1: 1 is the best
}

// Interval is "804 to 820 tok/s", "" without one.
func (f GridFigures) Interval() string { return Figures{Low: f.Low, High: f.High}.Interval() }

// GridRule says what a grid's numbers are.
var GridRule = "Level of each cell over its trials with its " + shortPercent(compare.StudyConfidence) + " interval. A mark is on every cell that no other exceeds beyond chance, comparing within blocks (Holm over all pairs); where no cell is worse beyond chance nothing is marked."

// mostGrids bounds what a report holds of a run with many arms and metrics.
const mostGrids = 24

func newGrids(src Source) []Grid {
	var list []Grid
	for _, run := range src.runs() {
		for _, g := range compare.Grids(run) {
			if len(list) == mostGrids {
				return list
			}
			list = append(list, newGrid(g, run))
		}
	}
	return list
}

func newGrid(g compare.Grid, run *record.Run) Grid {
	best := g.Points[0].Mean
	for _, p := range g.Points {
		if g.Metric.Better == record.Lower {
			best = min(best, p.Mean)
		} else {
			best = max(best, p.Mean)
		}
	}
	u := unitFor(g.Metric.Unit, best)
	v := Grid{
		ID: "g-" + hashed(6, "grid", run.ID, g.Arm, g.Workload, g.Model, g.Metric.Name), Arm: Foreign{g.Arm}, Workload: Foreign{g.Workload}, Model: Foreign{g.Model}, Metric: newMetric(g.Metric),
		X: Foreign{g.X}, Y: Foreign{g.Y}, Xs: foreigners(g.Xs), Ys: foreigners(g.Ys), Decided: g.Decided, Unit: u.name, Factor: u.factor,
	}
	for _, p := range g.Points {
		v.Points = append(v.Points, GridPoint{gridPoint(p), Foreign{p.X}, Foreign{p.Y}})
	}
	for _, p := range g.Points {
		decimals := decimalsFor(p.Mean * u.factor / 100)
		if p.High > p.Low {
			decimals = decimalsFor((p.High - p.Low) / 2 * u.factor)
		}
		number := func(x float64) string { return fixed(x*u.factor, decimals) + u.suffix() }
		f := GridFigures{Estimate: number(p.Mean)}
		if p.Trials > 1 {
			f.Low, f.High = number(p.Low), number(p.High)
		}
		switch {
		case p.Mean <= 0 || best <= 0:
		case g.Metric.Better == record.Lower:
			f.Share = min(1, best/p.Mean)
		default:
			f.Share = min(1, p.Mean/best)
		}
		v.Figures = append(v.Figures, f)
	}
	v.Finding = bestRegion(g)
	return v
}

// bestRegion names the cells that no other exceeds.
func bestRegion(g compare.Grid) Text {
	if !g.Decided {
		return say("no cell is better than another beyond chance")
	}
	var cells []Text
	n := 0
	for _, p := range g.Points {
		if !p.Best {
			continue
		}
		if n++; n <= mostPairs {
			cells = append(cells, quote(g.X+"="+p.X+" "+g.Y+"="+p.Y))
		}
	}
	text := concat(say("best, each no worse than any other beyond chance: "), join(", ", cells...))
	if n > mostPairs {
		text = concat(text, say(" and %d more", n-mostPairs))
	}
	return text
}
