package record_test

import (
	"testing"

	"github.com/llama-regress/llama-regress/ci/record"
)

func TestARepeatIsNoTrialOfThePlan(t *testing.T) {
	run := &record.Run{Trials: []record.Trial{{ID: "a"}, {ID: "a.again1", Repeats: "a"}, {ID: "b"}}}
	if got := run.Walked(); got != 2 {
		t.Errorf("%d, want 2", got)
	}
}
