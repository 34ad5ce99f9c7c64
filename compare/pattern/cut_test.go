package pattern

import (
	"testing"

	"github.com/llama-regress/llama-regress/ci/record"
)

// A turn at which a conversation was cut was neither answered nor failed.
func TestCutTurnsAreNoSuccess(t *testing.T) {
	rows := []record.Request{
		{Prompt: "a"}, {Prompt: "b/9", Turn: 9, Cut: "too long"},
		{Prompt: "c", Failure: &record.RequestFailure{Class: record.HTTP5xx}},
	}
	if r := Find(rows, Options{}); r.Requests != 2 || r.Failures != 1 {
		t.Errorf("%d requests, %d failures", r.Requests, r.Failures)
	}
}
