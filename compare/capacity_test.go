package compare

import (
	"fmt"
	"strconv"
	"testing"

	"github.com/llama-regress/llama-regress/ci/record"
)

// sweep is a run of one arm whose goodput at each level is given for each block;
// a negative one lost a tenth of its requests.
func sweep(levels []int, blocks [][]float64) *record.Run {
	run := &record.Run{Schema: record.Schema, Baseline: "base", Arms: []record.Arm{{Name: "base"}, {Name: "base~control", ControlOf: "base"}}}
	for _, level := range levels {
		params := map[string]string{"concurrency": strconv.Itoa(level), "threads": "2"}
		run.Cells = append(run.Cells, record.Cell{
			Key: record.CellKey("serve", "m", params), Workload: "serve", Model: "m", Params: params,
			Metrics: record.ServeMetrics(record.ServeDesign{Requests: 100, Objectives: true}),
		})
	}
	for b, rates := range blocks {
		for i, rate := range rates {
			ok := 100
			if rate < 0 {
				rate, ok = -rate, 90
			}
			run.Trials = append(run.Trials, record.Trial{
				ID: fmt.Sprintf("b%d.%d", b, i), Arm: "base", Cell: run.Cells[i].Key, Block: b, Outcome: record.OK,
				Measurements: []record.Measurement{
					{Metric: record.Goodput, Values: []float64{rate}},
					{Metric: record.SuccessRate, Values: []float64{float64(ok) / 100}, Count: &record.Count{Succeeded: ok, Total: 100}},
				},
			})
		}
	}
	return run
}

func repeat(rates []float64, n int) (blocks [][]float64) {
	for range n {
		blocks = append(blocks, rates)
	}
	return blocks
}

func TestCapacity(t *testing.T) {
	levels := []int{1, 2, 4, 8, 16}
	tests := []struct {
		name      string
		blocks    [][]float64
		knee      float64
		low, high float64
		edge      bool
	}{
		{"a collapse after 4", repeat([]float64{1, 2, 4, 2, 1}, 6), 4, 4, 4, false},
		{"a plateau from 4 on", repeat([]float64{1, 2, 3.9, 4, 4}, 6), 4, 4, 4, false},
		{"no end in sight", repeat([]float64{1, 2, 4, 8, 16}, 6), 16, 16, 16, true},
		{"more, but requests fail", repeat([]float64{1, 2, 4, -8, -9}, 6), 4, 4, 4, false},
		{"nothing holds", repeat([]float64{-1, -2, -4, -8, -9}, 6), 0, 0, 0, false},
		{"blocks that differ", append(repeat([]float64{1, 2, 4, 2, 1}, 5), []float64{1, 2, 4, 8, 1}), 4, 4, 8, false},
		{"too few blocks for an interval", repeat([]float64{1, 2, 4, 2, 1}, 3), 4, 0, 0, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			knees := Capacity(sweep(levels, tt.blocks))
			if len(knees) != 1 {
				t.Fatalf("%d knees, want that of the arm which is no control", len(knees))
			}
			k := knees[0]
			if k.Concurrency != tt.knee || k.Low != tt.low || k.High != tt.high || k.Edge != tt.edge || k.Blocks != len(tt.blocks) {
				t.Errorf("%+v, want %v in %v to %v, edge %v", k, tt.knee, tt.low, tt.high, tt.edge)
			}
			if len(k.Points) != len(levels) || k.Params["threads"] != "2" || k.Params["concurrency"] != "" || k.Metric != record.Goodput {
				t.Errorf("%+v", k)
			}
		})
	}
}

func TestCapacityNeedsThreeLevels(t *testing.T) {
	if knees := Capacity(sweep([]int{1, 2}, repeat([]float64{1, 2}, 6))); knees != nil {
		t.Errorf("%+v", knees)
	}
}

// A block that was cut short has no knee.
func TestCapacityOfAnInterruptedRun(t *testing.T) {
	run := sweep([]int{1, 2, 4}, repeat([]float64{1, 2, 1}, 6))
	run.Trials = run.Trials[:len(run.Trials)-1]
	if k := Capacity(run)[0]; k.Blocks != 5 || k.Concurrency != 2 {
		t.Errorf("%+v", k)
	}
}
