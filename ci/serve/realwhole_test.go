package serve

import (
	"testing"

	"github.com/llama-regress/llama-regress/ci/config"
	"github.com/llama-regress/llama-regress/ci/record"
)

// The real llama-server makes embeddings and ranks of the tiny model, whose weights are
// noise: what is measured is the work, and that is the same.
func TestRealWholeAnswers(t *testing.T) {
	for api, args := range map[string][]string{"embeddings": {"--pooling", "mean"}, "rerank": nil} {
		p := realPlan(t, func(s *config.Serve) {
			s.API, s.Dataset.Sample, s.Concurrency = api, 4, []int{2}
			s.Server.Params = map[string]string{"ubatch": "2048"} // an input must fit
			if api == "rerank" {
				s.Documents = 2
			}
			if args != nil {
				s.Args = [][]string{args}
			}
		})
		trial, rows := realTrial(t, p, nil)
		if trial.Load == nil || trial.Load.Succeeded != 4 {
			t.Fatalf("%s: %+v, %+v", api, trial.Failure, trial.Load)
		}
		if w := p.Cells[0].Cell.Workload; w != api {
			t.Errorf("%s: workload %s", api, w)
		}
		for _, m := range withoutDevices(p.Cells[0].Cell.Metrics) {
			measured, ok := trial.Measurement(m.Name)
			if !ok || measured.Censored || measured.Values[0] <= 0 {
				t.Errorf("%s: %s is %+v", api, m.Name, measured)
			} else {
				t.Logf("%s: %s %.4g %s", api, m.Name, measured.Values[0], m.Unit)
			}
		}
		for _, r := range rows {
			if r.PromptTokens == 0 || r.TTFT != 0 {
				t.Errorf("%s: %+v", api, r)
			}
		}
		if m, _ := trial.Measurement(record.SuccessRate); m.Count == nil || m.Count.Total != 4 {
			t.Errorf("%s: %+v", api, m.Count)
		}
	}
}
