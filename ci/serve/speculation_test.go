package serve

import (
	"path/filepath"
	"testing"

	"github.com/llama-regress/llama-regress/ci/config"
	"github.com/llama-regress/llama-regress/ci/gguf"
	"github.com/llama-regress/llama-regress/ci/load"
	"github.com/llama-regress/llama-regress/ci/record"
)

func TestDrafts(t *testing.T) {
	row := func(output, drafted, accepted int) record.Request {
		return record.Request{TTFT: 1, Server: &record.ServerTimings{OutputTokens: output, DraftTokens: drafted, DraftAccepted: accepted}}
	}
	asked := []string{"llama-server", "-m", "m.gguf", "-md", "d.gguf"}
	for _, c := range []struct {
		rows    []record.Request
		command []string
		share   float64 // -1 for none
		fails   bool
	}{
		{[]record.Request{row(8, 10, 5), row(8, 10, 10)}, asked, 0.75, false},
		{[]record.Request{row(8, 0, 0), row(8, 0, 0)}, asked, -1, true},
		{[]record.Request{row(8, 0, 0)}, asked[:3], -1, false},
		{[]record.Request{row(1, 0, 0)}, asked, -1, false}, // nothing to draft
		{[]record.Request{{TTFT: 1}}, asked, -1, false},    // nothing told
		{[]record.Request{row(8, 4, 5)}, asked, -1, false}, // cannot be true
	} {
		y := newYield(&load.Result{Seconds: 1, Requests: c.rows}, config.DefaultServe())
		m, ok := y.measure(record.DraftAcceptance)
		if ok != (c.share >= 0) || ok && m.Values[0] != c.share {
			t.Errorf("%+v: %v, %v", c.rows, m.Values, ok)
		}
		if f := y.undrafted(c.command, nil); (f != nil) != c.fails || f != nil && f.Class != record.NoSpeculation {
			t.Errorf("%+v: %+v", c.rows, f)
		}
	}
}

// The real llama-server drafts with a model of the same vocabulary; with one of
// another it starts all the same and drafts nothing, which is no trial.
func TestRealDrafts(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*gguf.Shape)
		drafts bool
	}{
		{"same vocabulary", func(*gguf.Shape) {}, true},
		{"another vocabulary", func(s *gguf.Shape) { s.Vocab -= 500 }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			draft := filepath.Join(t.TempDir(), "draft.gguf")
			p := realPlan(t, func(s *config.Serve) {
				shape, _ := gguf.Preset("tiny")
				c.change(&shape)
				if _, err := gguf.WriteFile(t.Context(), draft, shape, 1); err != nil {
					t.Fatal(err)
				}
				s.Dataset.Sample, s.Concurrency, s.OutputTokens = 2, []int{1}, 16
				s.Server.Params = map[string]string{"parallel": "1", "threads": "1"}
				s.Args = [][]string{{"--spec-draft-model", draft, "--spec-type", "draft-simple"}}
			})
			trial, rows := realTrial(t, p, nil)
			m, ok := trial.Measurement(record.DraftAcceptance)
			t.Logf("acceptance %v, failure %+v", m.Values, trial.Failure)
			if len(rows) > 0 && rows[0].Server != nil {
				t.Logf("%d of %d drafted tokens were taken", rows[0].Server.DraftAccepted, rows[0].Server.DraftTokens)
			}
			switch {
			case c.drafts && (trial.Failure != nil || !ok || m.Values[0] <= 0):
				t.Errorf("acceptance %v, failure %+v", m, trial.Failure)
			case !c.drafts && (trial.Failure == nil || trial.Failure.Class != record.NoSpeculation && trial.Failure.Class != record.StartFailed):
				t.Errorf("acceptance %v, failure %+v", m, trial.Failure)
			}
		})
	}
}
