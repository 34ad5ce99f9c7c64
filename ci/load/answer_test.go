package load

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/llama-regress/llama-regress/ci/record"
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

// The time to first token has two parts where the head of the answer comes before
// its content: until then the request waited, from then on the prompt was processed.
// Where both come together, as from builds that wait with the head, nothing is split.
func TestTTFTParts(t *testing.T) {
	const s = time.Second
	for _, tt := range []struct {
		name                       string
		rate                       float64
		sent, head, first          time.Duration
		wantTTFT, wantQueue, wantP float64
	}{
		{"closed loop", 0, 10 * s, 12 * s, 15 * s, 5, 2, 3},
		{"open loop, from when it was due", 1, 10 * s, 12 * s, 15 * s, 7, 4, 3},
		{"head with the content", 0, 10 * s, 15 * s, 15 * s, 5, 0, 0},
		{"a head and no content", 0, 10 * s, 12 * s, 0, 0, 2, 0},
		{"nothing", 0, 10 * s, 0, 0, 0, 0, 0},
	} {
		a := attempt{g: &generator{opts: Options{Rate: tt.rate}}, sent: tt.sent, head: tt.head, ended: 20 * s}
		if tt.first > 0 {
			a.answer.events, a.answer.first = 1, tt.first
		}
		var row record.Request
		a.fill(&row, Prompt{}, 8*s)
		if row.TTFT != tt.wantTTFT || row.Queue != tt.wantQueue || row.PromptTime != tt.wantP {
			t.Errorf("%s: TTFT %g s of queue %g s and prompt %g s, want %g, %g and %g", tt.name, row.TTFT, row.Queue, row.PromptTime, tt.wantTTFT, tt.wantQueue, tt.wantP)
		}
	}
}
