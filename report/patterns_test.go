package report

import (
	"strings"
	"testing"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/compare/pattern"
)

func TestPattern(t *testing.T) {
	atLeast := func(v float64) pattern.Condition { return pattern.Condition{Op: pattern.AtLeast, Value: v} }
	for _, tt := range []struct {
		factor pattern.Factor
		cond   pattern.Condition
		class  record.RequestFailureClass
		p      float64
		want   string
	}{
		{pattern.ConnectionReused, atLeast(1), record.StaleConnection, 7.6e-8, "13 of 13 failures were on reused connections (0 of 17 successes), p = 8e-8: the server closes a connection after a streamed response although it promises to keep it; use a fresh connection for each request"},
		{pattern.ConnectionIdle, atLeast(5.0179), record.StaleConnection, 0.004, "were on connections idle for 5.01 s or more (0 of 17 successes), p = 0.004: the server closes a connection after a while"},
		{pattern.PromptTokens, atLeast(1801), record.ContextExceeded, 1e-22, "had prompts of 1801 tokens or more (0 of 17 successes), p below 1e-20: prompt and answer did not fit into the context of a slot, which is that of the server divided by its slots; raise the context size"},
		{pattern.PromptTokens, pattern.Condition{Op: pattern.AtMost, Value: 12}, record.EmptyResponse, 0.004, "had prompts of 12 tokens or fewer"},
		{pattern.InFlight, atLeast(17), record.Rejected, 0.004, "were sent with 17 or more requests in flight (0 of 17 successes), p = 0.004: the server does not keep up with that many requests at once; lower the concurrency"},
		{pattern.Slot, pattern.Condition{Op: pattern.Is, Value: 2}, record.EmptyResponse, 0.004, "ran in slot 2"},
		{pattern.RSS, atLeast(3.0162e9), record.ServerOutOfMemory, 0.004, "ended with 3.01 GB or more of memory used by the server"},
		{pattern.Index, atLeast(50), record.ServerCrash, 0.004, "were sent after the first 50 requests (0 of 17 successes), p = 0.004: the server had crashed; look at the end of the log"},
		{pattern.Index, pattern.Condition{Op: pattern.AtMost, Value: 3}, record.HTTP5xx, 0.004, "were among the first 4 requests sent (0 of 17 successes), p = 0.004: the server was not ready for load"},
		{pattern.Window, pattern.Condition{Op: pattern.Between, Value: 40.16, To: 59.81}, record.HTTP5xx, 0.004, "were sent between 40.1 s and 59.9 s after the load began"},
		{pattern.Elapsed, atLeast(60.0004), record.QueueTimeout, 0.004, "took 60 s or more (0 of 17 successes), p = 0.004: the deadline passed before the answer began; lower the concurrency, or give"},
		{pattern.Elapsed, atLeast(60), "of the future", 0.004, "the reason is not known to this version; look at the log"},
		{"of the future", atLeast(60), "of the future", 0.004, "have a property in common that this version does not know"},
	} {
		got := Pattern(pattern.Finding{Factor: tt.factor, Condition: tt.cond, Class: tt.class, P: tt.p, FailuresWith: 13, SuccessesWithout: 17}).joined()
		if !strings.Contains(got, tt.want) {
			t.Errorf("got  %q\nwant %q", got, tt.want)
		}
	}
}

func TestPatterns(t *testing.T) {
	for _, tt := range []struct {
		f    pattern.Finding
		want string
	}{
		{pattern.Finding{Factor: pattern.Prompt, Prompts: []string{"a", "b", "c", "d", "e", "f"}, P: 1e-4}, "were of 6 prompts (a, b, c, d, e, …) (0 of 17 successes), p = 1e-4: they fail whenever they are sent; send them alone"},
		{pattern.Finding{Factor: pattern.Trial, Trial: "b01.c0000.head", P: 1e-4}, "were in one trial, b01.c0000.head (0 of 17 successes), p = 1e-4: that server went badly"},
		{pattern.Finding{Factor: pattern.Event, Events: 1, Class: record.ConnectionRefused, P: 1e-4}, "13 of 13 failures came one after another, p = 1e-4: no server was listening any more; look at the end of the log"},
		{pattern.Finding{Factor: pattern.PromptTokens, Condition: pattern.Condition{Op: pattern.AtLeast, Value: 60}, Class: record.HTTP5xx, P: 1e-4, Alike: []pattern.Finding{
			{Factor: pattern.Index, Condition: pattern.Condition{Op: pattern.AtLeast, Value: 50}, FailuresWith: 12, FailuresWithout: 1},
			{Factor: pattern.Slot, Condition: pattern.Condition{Op: pattern.Is, Value: 2}, FailuresWith: 11, FailuresWithout: 2}}},
			". These requests cannot tell it from another cause: 12 of 13 failures were sent after the first 50 requests (0 of 0 successes); 11 of 13 failures ran in slot 2 (0 of 0 successes)"},
	} {
		tt.f.FailuresWith, tt.f.SuccessesWithout = 13, 17
		if got := Pattern(tt.f).joined(); !strings.Contains(got, tt.want) {
			t.Errorf("%s:\n%s\nwant\n%s", tt.f.Factor, got, tt.want)
		}
	}
	tried := []pattern.Factor{pattern.ConnectionReused, pattern.PromptTokens, pattern.InFlight}
	for _, tt := range []struct {
		result pattern.Result
		want   string
	}{
		{pattern.Result{Requests: 30}, ""},
		{pattern.Result{Requests: 30, Failures: 30, Class: record.ServerCrash, ClassCount: 30}, "all 30 requests failed, so nothing sets the failures apart; in 30 of 30 the server had crashed; look at the end of the log of the server"},
		{pattern.Result{Requests: 60, Failures: 30, Class: "of the future", ClassCount: 30}, "30 failures: requests that can be compared failed together or not at all, so nothing sets the failures apart"},
		{pattern.Result{Requests: 5, Failures: 2, Class: record.StaleConnection, ClassCount: 2, Tried: tried}, "2 failures among 5 requests: too few to tell a common cause from chance; in 2 of 2 the server had closed the connection that was reused; use a fresh connection for each request"},
		{pattern.Result{Requests: 30, Failures: 7, Class: record.HTTP5xx, ClassCount: 3, Tried: tried, Enough: true}, "no common cause found among 7 failures: tried connection reuse, prompt length, requests in flight"},
		{pattern.Result{Requests: 30, Failures: 7, Findings: make([]pattern.Finding, 2)}, "0 of 0 failures"},
	} {
		list := Patterns(tt.result)
		got := ""
		if len(list) > 0 {
			got = list[0].joined()
		}
		if got != tt.want && (tt.result.Findings == nil || len(list) != 2) {
			t.Errorf("got  %q\nwant %q", got, tt.want)
		}
	}
}

// Every class and factor is worded, and in words that need no escaping.
func TestPatternWordsAreComplete(t *testing.T) {
	check := func(words ...string) {
		for _, w := range words {
			if w == "" || strings.ContainsAny(w, "_*`<>&|[]#\"\\") {
				t.Errorf("words %q", w)
			}
		}
	}
	for _, c := range record.RequestFailureClasses {
		why, remedy := classCause(c)
		check(why, remedy)
	}
	for _, f := range []pattern.Factor{pattern.PromptChars, pattern.Prompt, pattern.Trial, pattern.Event, pattern.ConnectionReused, pattern.ConnectionIdle, pattern.ConnectionAge, pattern.PromptTokens,
		pattern.InFlight, pattern.Slot, pattern.RSS, pattern.Index, pattern.Window, pattern.Elapsed} {
		name := factorName(f)
		if check(name); name == "another property" {
			t.Errorf("%s has no name", f)
		}
		why, remedy := patternCause(pattern.Finding{Factor: f, Condition: pattern.Condition{Op: pattern.AtLeast, Value: 1}, Class: record.HTTP5xx})
		check(why, remedy, Pattern(pattern.Finding{Factor: f, Condition: pattern.Condition{Op: pattern.AtLeast, Value: 1}}).joined())
	}
}
