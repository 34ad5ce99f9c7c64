package compare

import (
	"testing"

	"github.com/llama-regress/llama-regress/ci/record"
)

// One name for two models or datasets is no comparison, unless that is wanted.
func TestNamesakes(t *testing.T) {
	serve := record.Metric{Name: record.TTFTp50, Kind: record.TTFTp50, Unit: "s", Better: record.Lower}
	for name, c := range map[string]struct {
		serve  bool
		change func(base, head *record.Run)
		ignore []string
		want   ReasonCode // "" for a verdict
		found  int
	}{
		"the same":     {false, func(_, _ *record.Run) {}, nil, "", 0},
		"unknown":      {false, func(_, head *record.Run) { head.Models = nil }, nil, "", 0},
		"another hash": {false, func(_, head *record.Run) { head.Models[0].SHA256 = "b" }, nil, SubjectMismatch, 1},
		"another size": {false, func(base, head *record.Run) {
			base.Models[0].Bytes, head.Models[0] = 5, record.Model{Name: "tiny", Bytes: 6}
			base.Models[0].SHA256 = ""
		}, nil, SubjectMismatch, 1},
		"told by the echo": {false, func(base, head *record.Run) {
			echo(base, "model_type", "a 7B F16")
			echo(head, "model_type", "a 13B F16")
			head.Models[0].SHA256 = ""
		}, nil, SubjectMismatch, 1},
		"wanted":              {false, func(_, head *record.Run) { head.Models[0].SHA256 = "b" }, []string{IgnoreModel}, "", 1},
		"other thing wanted":  {false, func(_, head *record.Run) { head.Models[0].SHA256 = "b" }, []string{IgnoreDataset}, SubjectMismatch, 1},
		"a dataset of serve":  {true, func(_, head *record.Run) { head.Datasets[0].SHA256 = "e" }, nil, SubjectMismatch, 1},
		"its other prompts":   {true, func(_, head *record.Run) { head.Datasets[0].Seed = 9 }, nil, SubjectMismatch, 1},
		"dataset wanted":      {true, func(_, head *record.Run) { head.Datasets[0].SHA256 = "e" }, []string{IgnoreDataset}, "", 1},
		"no dataset of bench": {false, func(_, head *record.Run) { head.Datasets[0].SHA256 = "e" }, nil, "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := session{arms: []string{"base", "head"}, blocks: 8, noise: 0.002, seed: 3, change: map[string]float64{"head": -0.4}}
			if c.serve {
				s.metric, s.change["head"] = serve, 0.4
			}
			var sides []Selection
			for i, arm := range s.arms {
				s.seed += uint64(i)
				run := s.raw(arm)
				run.Models = []record.Model{{Name: "tiny", SHA256: "a"}}
				run.Datasets = []record.Dataset{{Name: "chats", SHA256: "d", Seed: 1}}
				if c.serve {
					run.Cells[0].Workload = "serve"
				}
				sides = append(sides, Selection{run, arm})
			}
			c.change(sides[0].Run, sides[1].Run)
			policy := DefaultPolicy()
			policy.Ignore = c.ignore
			res := Between(sides[0], sides[1], policy)
			if c.want == "" {
				checkVerdict(t, res.Comparisons[0], Regression, "")
			} else {
				checkVerdict(t, res.Comparisons[0], Inconclusive, c.want)
			}
			if len(res.Namesakes) != c.found {
				t.Errorf("namesakes %+v, want %d", res.Namesakes, c.found)
			}
			for _, d := range res.Differences {
				if d.Hard != (c.want != "") {
					t.Errorf("difference %+v: hard exactly where it forbids a verdict", d)
				}
			}
		})
	}
}

func echo(run *record.Run, key, value string) {
	for i := range run.Trials {
		run.Trials[i].Echo = map[string]string{key: value}
	}
}
