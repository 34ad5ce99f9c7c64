package historytest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/llama-regress/llama-regress/ci/record"
)

// A Sentinel is a pinned build beside the nights of a story, in its cells that have
// no success rate.
type Sentinel struct {
	Build map[int]string  // the digest of its program from a night on; "" for a night without one
	Fails map[int]bool    // nights in which its trials fail
	Steps map[int]float64 // factor on what it measures from a night on, beside Story.Moves
	Noise float64         // sd of a session around its level, of logs; 0: that of the story
}

// sentinelOf measures the sentinel of a night. build is that of the nights before.
func (s Story) sentinelOf(run *record.Run, night int, build *string, level float64, rng *rand.Rand) *record.Sentinel {
	if b, ok := s.Sentinel.Build[night]; ok {
		*build = b
	}
	if *build == "" {
		return nil
	}
	sd := s.Noise
	if s.Sentinel.Noise > 0 {
		sd = s.Sentinel.Noise
	}
	own := &record.Sentinel{
		Arm:   record.Arm{Name: "sentinel", Bin: "pinned/bin", Build: record.Build{Program: "/pinned/bin/llama-bench", SHA256: *build, Commit: "0000001", Number: 1}},
		Cells: []record.Cell{}, Trials: []record.Trial{},
	}
	beside := &record.Run{Started: run.Started, Baseline: own.Arm.Name}
	for _, c := range s.Cells {
		if c.Rate != nil {
			continue
		}
		value := c.Level * level * math.Exp(sd*rng.NormFloat64())
		metric := record.Metric{Name: c.Test, Kind: record.Throughput, Unit: "tok/s", Better: record.Higher}
		trials := trialsOf(beside, record.Cell{Key: record.CellKey("bench", c.Model, nil), Workload: "bench", Model: c.Model}, metric)
		for i := range trials {
			if s.Sentinel.Fails[night] {
				trials[i].Outcome, trials[i].Failure = record.Failed, &record.Failure{Class: "crashed", Message: "exit status 1"}
				continue
			}
			trials[i].Measurements = append(trials[i].Measurements, record.Measurement{Metric: c.Test, Values: []float64{value * math.Exp(0.004*rng.NormFloat64())}})
		}
	}
	own.Cells, own.Trials = beside.Cells, beside.Trials
	for i := range own.Trials {
		own.Trials[i].ID = fmt.Sprintf("s%d", i)
		own.Trials[i].Start = run.Started.Add(time.Duration(i) * time.Second)
	}
	if s.Sentinel.Fails[night] {
		own.Missing = "all of its trials failed: exit status 1"
	}
	return own
}
