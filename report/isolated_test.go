package report

import (
	"strings"
	"testing"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/compare/pattern"
)

// What prompts do alone replaces the cause that it refutes, and no other.
func TestIsolatedReplacesWhatItRefutes(t *testing.T) {
	failed := func(c record.RequestFailureClass) record.Request {
		return record.Request{Failure: &record.RequestFailure{Class: c}}
	}
	const cause, yet = "long prompts are more than", "; yet all 2 prompts "
	for _, tt := range []struct {
		name   string
		factor pattern.Factor
		rows   []record.Request
		want   string // in the first sentence
		told   int    // sentences
	}{
		{"not asked", pattern.PromptTokens, nil, cause, 1},
		{"long prompts that succeed", pattern.PromptTokens, make([]record.Request, 2), yet + "succeed alone on a fresh connection: the load", 1},
		{"long prompts that fail", pattern.PromptTokens, []record.Request{failed(record.HTTP5xx), failed(record.HTTP5xx)}, cause, 2},
		{"position, and they fail", pattern.Index, []record.Request{failed(record.HTTP5xx), failed(record.HTTP5xx)}, yet + "fail alone, too (2 http_5xx): they are", 1},
		{"position, and they succeed", pattern.Index, make([]record.Request, 2), "something built up", 2},
		{"position, and one fails", pattern.Index, []record.Request{{}, failed(record.HTTP5xx)}, "something built up", 2},
		{"position, and the server is gone", pattern.Index, []record.Request{failed(record.HTTP5xx), failed(record.ConnectionRefused)}, "something built up", 2},
	} {
		var a Isolated
		for _, r := range tt.rows {
			a.Add(r)
		}
		r := pattern.Result{Requests: 30, Failures: 13, Enough: true, Class: record.HTTP5xx, Findings: []pattern.Finding{{Factor: tt.factor,
			Condition: pattern.Condition{Op: pattern.AtLeast, Value: 60}, Class: record.HTTP5xx, FailuresWith: 13, SuccessesWithout: 17, P: 1e-4}}}
		list := patternsBeside(r, a)
		if len(list) != tt.told || !strings.Contains(list[0].joined(), tt.want) {
			t.Errorf("%s: %d sentences, first\n%s\nwant %d with\n%s", tt.name, len(list), list[0].joined(), tt.told, tt.want)
		}
	}
}
