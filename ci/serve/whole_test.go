package serve

import (
	"testing"

	"github.com/llama-regress/llama-regress/ci/config"
)

// A prompt of rerank is sent alone with the documents that it had under load.
func TestIsolateKeepsDocuments(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *config.Config) { c.Serve.API, c.Serve.Documents = "rerank", 3 })
	trial, rows := r.measure()
	if trial.Failure != nil {
		t.Fatal(trial.Failure)
	}
	last := rows[len(rows)-1]
	alone, failure, err := r.bench.Isolate(t.Context(), r.plan, r.plan.Trials[0], []string{last.Prompt})
	if err != nil || failure != nil || len(alone) != 1 {
		t.Fatalf("%d rows, %v, %v", len(alone), failure, err)
	}
	if got := alone[0]; got.Failure != nil || got.PromptTokens != last.PromptTokens {
		t.Errorf("alone %d tokens (%v), under load %d", got.PromptTokens, got.Failure, last.PromptTokens)
	}
}
