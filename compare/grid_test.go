package compare

import (
	"fmt"
	"math"
	"testing"

	"github.com/llama-regress/llama-regress/ci/record"
)

// gridRun is one arm over threads and batch; level gives the truth of a cell.
func gridRun(blocks int, level func(threads, batch int) float64) *record.Run {
	run := &record.Run{Schema: record.Schema, ID: "r", Baseline: "build", Arms: []record.Arm{{Name: "build"}}}
	tg := record.Test{Gen: 128}.Metric()
	for b := range blocks {
		for _, threads := range []int{1, 2, 16} {
			for _, batch := range []int{128, 1024} {
				params := map[string]string{"threads": fmt.Sprint(threads), "batch": fmt.Sprint(batch), "mmap": "on"}
				key := record.CellKey("bench", "m", params)
				if b == 0 {
					run.Cells = append(run.Cells, record.Cell{Key: key, Workload: "bench", Model: "m", Params: params, Metrics: []record.Metric{tg}})
				}
				x := level(threads, batch) * (1 + 0.2*math.Sin(float64(b))) * (1 + 0.001*math.Sin(float64(5*len(run.Trials))))
				run.Trials = append(run.Trials, record.Trial{ID: fmt.Sprint(len(run.Trials)), Arm: "build", Cell: key, Block: b, Order: len(run.Trials), Outcome: record.OK,
					Measurements: []record.Measurement{{Metric: tg.Name, Values: []float64{x}}}})
			}
		}
	}
	return run
}

func TestGridMarksTheBestRegion(t *testing.T) {
	grids := Grids(gridRun(8, func(threads, batch int) float64 {
		switch {
		case threads == 1:
			return 10
		case threads == 2 && batch == 128:
			return 15
		}
		return 20
	}))
	if len(grids) != 1 {
		t.Fatalf("%+v", grids)
	}
	g := grids[0]
	if g.X != "threads" || g.Y != "batch" || fmt.Sprint(g.Xs, g.Ys) != "[1 2 16] [128 1024]" || len(g.Points) != 6 {
		t.Errorf("%s by %s, %v by %v, %d points", g.X, g.Y, g.Xs, g.Ys, len(g.Points))
	}
	for _, p := range g.Points {
		if want := p.Y == "1024" && p.X != "1" || p.X == "16"; p.Best != want {
			t.Errorf("%+v: best, want %v", p, want)
		}
		if !(p.Low < p.Mean && p.Mean < p.High) {
			t.Errorf("%+v", p)
		}
	}
	if !g.Decided {
		t.Error("not decided")
	}
}

// Where nothing is decided nothing is marked.
func TestGridOfNoise(t *testing.T) {
	for name, run := range map[string]*record.Run{
		"equal":     gridRun(8, func(int, int) float64 { return 10 }),
		"one block": gridRun(1, func(threads, _ int) float64 { return float64(threads) }),
	} {
		g := Grids(run)[0]
		if g.Decided {
			t.Errorf("%s: decided", name)
		}
		for _, p := range g.Points {
			if p.Best {
				t.Errorf("%s: %+v is marked", name, p)
			}
		}
	}
}

func TestNoGridWithoutTwoParameters(t *testing.T) {
	run := gridRun(2, func(int, int) float64 { return 10 })
	run.Cells = run.Cells[:3] // fewer than two by two
	if g := Grids(run); len(g) != 0 {
		t.Errorf("%+v", g)
	}
}
