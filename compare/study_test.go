package compare

import (
	"fmt"
	"iter"
	"math"
	"slices"
	"testing"

	"github.com/llama-regress/llama-regress/ci/record"
)

// schedulerRun has one cell, eight blocks, and arms whose true levels are given
// as factors of the default's.
func schedulerRun(workload string, metrics []record.Metric, levels map[string]map[string]float64) *record.Run {
	run := &record.Run{Schema: record.Schema, ID: "r", Baseline: "default"}
	for _, name := range []string{"scx_lavd", "default", "scx_rusty", "scx_same"} {
		run.Arms = append(run.Arms, record.Arm{Name: name, Params: map[string]string{record.SchedulerParam: name}})
	}
	cell := record.Cell{Key: record.CellKey(workload, "m", nil), Workload: workload, Model: "m", Metrics: metrics}
	run.Cells = []record.Cell{cell}
	for b := range 8 {
		machine := 1 + 0.2*math.Sin(float64(b)) // what a block shares
		for i, arm := range run.Arms {
			t := record.Trial{ID: fmt.Sprintf("b%d.%s", b, arm.Name), Arm: arm.Name, Cell: cell.Key, Block: b, Order: len(run.Trials), Outcome: record.OK}
			noise := 1 + 0.002*math.Sin(float64(7*b+3*i))
			for _, m := range metrics {
				level := levels[m.Name][arm.Name]
				if m.Unit != "1" {
					level *= machine * noise
				}
				t.Measurements = append(t.Measurements, record.Measurement{Metric: m.Name, Values: []float64{level}})
			}
			run.Trials = append(run.Trials, t)
		}
	}
	return run
}

func TestStudyRanksWhatIsDecided(t *testing.T) {
	pp, tg := record.Test{Prompt: 512}.Metric(), record.Test{Gen: 128}.Metric()
	of := map[string]float64{"default": 100, "scx_lavd": 120, "scx_rusty": 80, "scx_same": 100.01}
	studies := Studies(schedulerRun("bench", []record.Metric{pp, tg}, map[string]map[string]float64{"pp512": of, "tg128": of}), nil)
	if len(studies) != 1 || len(studies[0].Rankings) != 2 {
		t.Fatalf("%+v", studies)
	}
	s := studies[0]
	if want := []string{"default", "scx_lavd", "scx_rusty", "scx_same"}; !slices.Equal(s.Arms, want) {
		t.Errorf("arms %q", s.Arms)
	}
	r := s.Rankings[0]
	ranks := make(map[string]string)
	for _, p := range r.Places {
		ranks[p.Arm] = fmt.Sprintf("%d-%d", p.BestRank, p.WorstRank)
		if !(p.Low < p.Mean && p.Mean < p.High) || p.Trials != 8 {
			t.Errorf("%+v", p)
		}
	}
	if r.Places[0].Arm != "scx_lavd" || r.Places[3].Arm != "scx_rusty" {
		t.Errorf("order %+v", r.Places)
	}
	// The spread between blocks is a hundred times that within: only pairing
	// decides, and only what differs.
	for arm, want := range map[string]string{"scx_lavd": "1-1", "default": "2-3", "scx_same": "2-3", "scx_rusty": "4-4"} {
		if ranks[arm] != want {
			t.Errorf("%s has rank %s, want %s", arm, ranks[arm], want)
		}
	}
	if len(r.Undecided) != 1 || !slices.Contains(r.Undecided[0][:], "default") || !slices.Contains(r.Undecided[0][:], "scx_same") {
		t.Errorf("undecided %q", r.Undecided)
	}
}

// Serving: mean and p99 of TTFT from the rows of requests.
func TestStudyOfServing(t *testing.T) {
	metrics := record.ServeMetrics(record.ServeDesign{Requests: 100})
	level := func(x float64) map[string]float64 {
		return map[string]float64{"default": x, "scx_lavd": x, "scx_rusty": x, "scx_same": x}
	}
	levels := make(map[string]map[string]float64)
	for _, m := range metrics {
		levels[m.Name] = level(1)
	}
	levels[record.OutputTPS]["scx_lavd"] = 2
	levels[record.SuccessRate]["scx_rusty"] = 0.5
	run := schedulerRun("serve", metrics, levels)
	rows := iter.Seq2[record.Request, error](func(yield func(record.Request, error) bool) {
		for _, trial := range run.Trials {
			for i := range 100 {
				r := record.Request{Trial: trial.ID, TTFT: 0.1 * float64(i+1), Warmup: i >= 90}
				if i == 89 {
					r.TTFT, r.Failure = 1000, &record.RequestFailure{Class: record.HTTP5xx}
				}
				if trial.Arm == "scx_same" {
					r.TTFT *= 2
				}
				if !yield(r, nil) {
					return
				}
			}
		}
	})
	s := Studies(run, rows)[0]
	if s.Rankings[0].Metric.Name != TTFTMean || s.Rankings[1].Metric.Name != TTFTp99 {
		t.Fatalf("%+v", s.Rankings)
	}
	for _, p := range s.Rankings[0].Places {
		want := 4.5 // of 0.1 to 8.9: the warm-up and the failed request are left out
		if p.Arm == "scx_same" {
			want = 9
		}
		if math.Abs(p.Mean-want) > 1e-9 {
			t.Errorf("TTFT mean of %s is %v, want %v", p.Arm, p.Mean, want)
		}
	}
	if bare := Studies(run, nil)[0]; bare.Rankings[0].Metric.Name == TTFTMean {
		t.Errorf("without requests: %+v", bare.Rankings[0].Metric)
	}
}

func TestNoStudyWithoutSchedulers(t *testing.T) {
	run := schedulerRun("bench", []record.Metric{record.Test{Prompt: 512}.Metric()}, map[string]map[string]float64{"pp512": {"default": 1, "scx_lavd": 1, "scx_rusty": 1, "scx_same": 1}})
	for i := range run.Arms {
		run.Arms[i].Params = nil
	}
	if s := Studies(run, nil); s != nil {
		t.Errorf("%+v", s)
	}
}

// One block decides nothing, and an arm without a trial has no place.
func TestStudyOfOneBlock(t *testing.T) {
	run := schedulerRun("bench", []record.Metric{record.Test{Prompt: 512}.Metric()}, map[string]map[string]float64{"pp512": {"default": 1, "scx_lavd": 2, "scx_rusty": 3, "scx_same": 4}})
	run.Trials = run.Trials[:3]
	r := Studies(run, nil)[0].Rankings[0]
	if len(r.Places) != 3 || len(r.Undecided) != 3 || r.Places[0].BestRank != 1 || r.Places[0].WorstRank != 3 || r.Places[0].High != 0 {
		t.Errorf("%+v", r)
	}
}
