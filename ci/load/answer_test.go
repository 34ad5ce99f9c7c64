package load

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// Of an answer's moments, to the nanosecond.
func TestAnswerTimes(t *testing.T) {
	a := answer{api: Completion, output: 5}
	for i, e := range []struct {
		at   time.Duration
		data string
		last bool
	}{
		{5, `{"content":""}`, false},
		{100, `{"content":"a"}`, false},
		{130, `{"content":"b"}`, false},
		{150, `{"content":""}`, false},
		{230, `{"content":"c"}`, false},
		{230, `{"content":"d"}`, false},
		{300, `{"content":"","stop":true,"tokens_predicted":5,"tokens_evaluated":9}`, true},
	} {
		if last, f := a.take(event{data: []byte(e.data)}, e.at); last != e.last || f != nil {
			t.Fatalf("event %d: last %t, %+v", i, last, f)
		}
	}
	if a.first != 100 || a.last != 230 || a.maxGap != 100 || !slices.Equal(a.gaps, []time.Duration{30, 100, 0}) || a.events != 4 {
		t.Errorf("first %d, last %d, longest %d, gaps %v, events %d", a.first, a.last, a.maxGap, a.gaps, a.events)
	}
	if got, want := fmt.Sprintf("%.3g", a.tpot()), "3.25e-08"; got != want {
		t.Errorf("TPOT %s s, want %s: 130 ns for the 4 tokens after the first", got, want)
	}
}

// Without the server's count of tokens, or with nothing to divide, there is no
// time per token.
func TestTPOTUndefined(t *testing.T) {
	for _, a := range []answer{
		{events: 9, outputTokens: 0, last: 9}, {events: 9, outputTokens: 1, last: 9}, {events: 1, outputTokens: 9, last: 9, first: 9}, {},
	} {
		if got := a.tpot(); got != 0 {
			t.Errorf("%+v: TPOT %g", a, got)
		}
	}
}
