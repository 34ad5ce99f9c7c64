package load_test

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/llama-regress/llama-regress/ci/load"
	"github.com/llama-regress/llama-regress/ci/record"
)

// What a row says of a request that went well.
func TestRow(t *testing.T) {
	res := run(t, prompts(1), load.Options{URL: serve(t, good(true)), Output: 3})
	slot, none := 2, 0
	want := []record.Request{{
		Prompt: "p0", PromptTokens: 7, PromptChars: 12, CachedTokens: &none, OutputTokens: 3, Events: 2, InFlight: 1, Attempts: 1, Slot: &slot,
		Server: &record.ServerTimings{PromptTokens: 7, PromptSeconds: 0.0145, OutputTokens: 3, OutputSeconds: 0.03},
	}}
	times := cmpopts.IgnoreFields(record.Request{}, "Due", "Sent", "TTFT", "TPOT", "MaxGap", "Elapsed", "Queue", "PromptTime")
	if diff := cmp.Diff(want, res.Requests, times); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	r := res.Requests[0]
	if !(0 <= r.Due && r.Due <= r.Sent && 0 < r.TTFT && r.TTFT <= r.Elapsed && r.Elapsed <= res.Seconds) {
		t.Errorf("times out of order: %+v within %g s", r, res.Seconds)
	}
	if r.Queue > 0 && math.Abs(r.Queue+r.PromptTime-r.TTFT) > 1e-9 { // a busy machine may read both at once
		t.Errorf("queue %g s and prompt %g s of %g s", r.Queue, r.PromptTime, r.TTFT)
	}
}
