package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/compare/pattern"
)

// Patterns says what failed requests have in common, a sentence a finding and
// the best explanation first, or plainly that nothing was found and what was
// tried; nil when nothing failed.
func Patterns(r pattern.Result) []Text {
	if r.Failures == 0 {
		return nil
	}
	if len(r.Findings) == 0 {
		return []Text{noPattern(r)}
	}
	var list []Text
	for _, f := range r.Findings {
		list = append(list, Pattern(f))
	}
	return list
}

// Pattern words one finding: how many failures and successes it covers, how
// unlikely that is by chance, why it may be so, and what to do.
func Pattern(f pattern.Finding) Text {
	why, remedy := patternCause(f)
	t := concat(set(f), say(", p %s: %s; %s", chance(f.P), why, remedy))
	for i, other := range f.Alike {
		before := "; "
		if i == 0 {
			before = ". These requests cannot tell it from another cause: "
		}
		t = concat(t, say("%s", before), set(other))
	}
	return t
}

// mostNamed is how many prompts a sentence names.
const mostNamed = 5

// set says which failures and successes a finding covers.
func set(f pattern.Finding) Text {
	t := say("%d of %d failures ", f.FailuresWith, f.FailuresWith+f.FailuresWithout)
	switch f.Factor {
	case pattern.Prompt:
		t = concat(t, say("were of %s (", plural(len(f.Prompts), "prompt")))
		for i, id := range f.Prompts {
			if i == mostNamed {
				t = concat(t, say(", …"))
				break
			}
			if i > 0 {
				t = concat(t, say(", "))
			}
			t = concat(t, quote(id))
		}
		t = concat(t, say(")"))
	case pattern.Trial:
		t = concat(t, say("were in one trial, "), quote(f.Trial))
	default:
		t = concat(t, say("%s", condition(f)))
	}
	if f.Factor == pattern.Event {
		return t
	}
	return concat(t, say(" (%d of %d successes)", f.SuccessesWith, f.SuccessesWith+f.SuccessesWithout))
}

// noPattern says why there is no finding, and what is known all the same.
func noPattern(r pattern.Result) Text {
	var t Text
	switch failures := plural(r.Failures, "failure"); {
	case r.Failures == r.Requests:
		t = say("all %s failed, so nothing sets the failures apart", plural(r.Requests, "request"))
	case len(r.Tried) == 0:
		t = say("%s: requests that can be compared failed together or not at all, so nothing sets the failures apart", failures)
	case !r.Enough:
		t = say("%s among %s: too few to tell a common cause from chance", failures, plural(r.Requests, "request"))
	default:
		var tried []Text
		for _, f := range r.Tried {
			tried = append(tried, say("%s", factorName(f)))
		}
		t = concat(say("no common cause found among %s: tried ", failures), join(", ", tried...))
	}
	if 2*r.ClassCount <= r.Failures {
		return t
	}
	why, remedy := classCause(r.Class)
	if why == "" {
		return t
	}
	return concat(t, say("; in %d of %d %s; %s", r.ClassCount, r.Failures, why, remedy))
}

func factorName(f pattern.Factor) string {
	switch f {
	case pattern.PromptChars:
		return "prompt length"
	case pattern.Prompt:
		return "prompt"
	case pattern.Trial:
		return "trial"
	case pattern.Event:
		return "failures in a row"
	case pattern.ConnectionReused:
		return "connection reuse"
	case pattern.ConnectionIdle:
		return "time a connection was idle"
	case pattern.ConnectionAge:
		return "age of the connection"
	case pattern.PromptTokens:
		return "prompt length"
	case pattern.InFlight:
		return "requests in flight"
	case pattern.Slot:
		return "slot"
	case pattern.RSS:
		return "memory of the server"
	case pattern.Index:
		return "order of sending"
	case pattern.Window:
		return "time of sending"
	case pattern.Elapsed:
		return "time taken"
	}
	return "another property"
}

// condition is the predicate of a finding's sentence. A bound is rounded so that
// what it says stays true.
func condition(f pattern.Finding) string {
	c := f.Condition
	side := map[pattern.Operator]string{pattern.AtLeast: " or more", pattern.AtMost: " or fewer"}[c.Op]
	bound := func(v float64) string {
		if c.Op == pattern.AtMost {
			return roundedBound(v, math.Ceil)
		}
		return roundedBound(v, math.Floor)
	}
	switch f.Factor {
	case pattern.PromptChars:
		return fmt.Sprintf("had prompts of %.0f characters%s", c.Value, side)
	case pattern.Event:
		if f.Events == 1 {
			return "came one after another"
		}
		return fmt.Sprintf("came one after another, in %d rows", f.Events)
	case pattern.ConnectionReused:
		return "were on reused connections"
	case pattern.ConnectionIdle:
		return fmt.Sprintf("were on connections idle for %s s%s", bound(c.Value), side)
	case pattern.ConnectionAge:
		return fmt.Sprintf("were on connections open for %s s%s", bound(c.Value), side)
	case pattern.PromptTokens:
		return fmt.Sprintf("had prompts of %.0f tokens%s", c.Value, side)
	case pattern.InFlight:
		return fmt.Sprintf("were sent with %.0f%s requests in flight", c.Value, side)
	case pattern.Slot:
		return fmt.Sprintf("ran in slot %.0f", c.Value)
	case pattern.RSS:
		return fmt.Sprintf("ended with %s GB%s of memory used by the server", bound(c.Value/1e9), side)
	case pattern.Index:
		if c.Op == pattern.AtMost {
			return fmt.Sprintf("were among the first %.0f requests sent", c.Value+1)
		}
		return fmt.Sprintf("were sent after the first %.0f requests", c.Value)
	case pattern.Window:
		return fmt.Sprintf("were sent between %s s and %s s after the load began", roundedBound(c.Value, math.Floor), roundedBound(c.To, math.Ceil))
	case pattern.Elapsed:
		return fmt.Sprintf("took %s s%s", bound(c.Value), side)
	}
	return "have a property in common that this version does not know"
}

// roundedBound prints v to three digits, rounded to one side.
func roundedBound(v float64, round func(float64) float64) string {
	if !(v > 1e-6) || v > absurd {
		return significant(max(v, 0), 3)
	}
	unit := math.Pow(10, math.Floor(math.Log10(v))-2)
	// What a decimal's own error puts a hair over a step is on it.
	steps := v / unit
	if whole := math.Round(steps); math.Abs(steps-whole) < 1e-9 {
		steps = whole
	}
	return significant(round(steps)*unit, 3)
}

// chance words a p-value to one digit.
func chance(p float64) string {
	switch {
	case p < 1e-20:
		return "below 1e-20"
	case p < 0.001:
		return "= " + strings.Replace(strconv.FormatFloat(p, 'e', 0, 64), "e-0", "e-", 1)
	}
	return "= " + strconv.FormatFloat(p, 'g', 1, 64)
}

// patternCause says why failures have a condition in common, and what to do.
func patternCause(f pattern.Finding) (why, remedy string) {
	class, classRemedy := classCause(f.Class)
	switch f.Factor {
	case pattern.ConnectionReused:
		return "the server closes a connection after a streamed response although it promises to keep it", freshConnections
	case pattern.ConnectionIdle, pattern.ConnectionAge:
		return "the server closes a connection after a while and the client uses it all the same", freshConnections
	case pattern.Prompt:
		return "they fail whenever they are sent", "send them alone (run --isolate) and look at the answers"
	case pattern.Trial:
		return "that server went badly, or the machine did then; one trial does not say why", "look at its log and at what the machine did"
	case pattern.Event:
		if f.Class == record.ServerCrash || f.Class == record.ConnectionRefused || f.Class == record.ServerOutOfMemory {
			break
		}
		if f.Events > 1 {
			return "each row of failures is one event, whose causes these requests do not show", "look at the log of the server and at what the machine did then"
		}
		return "they are one event, and one does not say why", "look at the log of the server and at what the machine did then"
	case pattern.PromptTokens, pattern.PromptChars:
		if f.Class == record.ContextExceeded {
			break
		}
		if f.Class == record.QueueTimeout && f.Begun > 0 && f.Condition.Op == pattern.AtLeast {
			return "the server had begun with them, and the deadline passed while it processed the prompt", "limit the tokens of a prompt, or give each request more time"
		}
		if f.Condition.Op == pattern.AtMost {
			return "short prompts are not answered as they should be", "send one of them alone and look at the answer"
		}
		return "long prompts are more than the server or the deadline allows", "limit the tokens of a prompt, or give each request more time"
	case pattern.InFlight:
		return "the server does not keep up with that many requests at once", lessLoad
	case pattern.Slot:
		return "other slots serve the same prompts, so that slot is at fault", "look for it in the log of the server"
	case pattern.RSS:
		return "the server fails from that size on, as when memory runs short", lessMemory
	case pattern.Index:
		if f.Class == record.ServerCrash || f.Class == record.ConnectionRefused || f.Class == record.ServerOutOfMemory {
			break
		}
		if f.Condition.Op == pattern.AtMost {
			return "the server was not ready for load when it began", "send more requests as warm-up"
		}
		return "something built up during the load, or the machine changed", "look at memory, temperature and the log of the server from then on"
	case pattern.Window:
		return "something else happened in that time", "look at what the machine did then"
	}
	if class == "" {
		return "the reason is not known to this version", "look at the log of the server"
	}
	return class, classRemedy
}

const (
	freshConnections = "use a fresh connection for each request"
	lessLoad         = "lower the concurrency, or give the server more parallel slots"
	lessMemory       = "lower the context size or the number of parallel slots, or use a machine with more memory"
	seeLog           = "look at the end of the log of the server"
	moreTime         = "lower the concurrency, or give each request more time"
)

// classCause says what a class of failures means, and what to do; "" for one
// that this version does not know.
func classCause(c record.RequestFailureClass) (why, remedy string) {
	switch c {
	case record.ContextExceeded:
		return "prompt and answer did not fit into the context of a slot, which is that of the server divided by its slots",
			"raise the context size, lower the number of parallel slots, or limit the tokens of a prompt"
	case record.Rejected:
		return "the server said that it was busy or still loading", lessLoad
	case record.QueueTimeout:
		return "the deadline passed before the answer began", moreTime
	case record.StreamTimeout:
		return "the deadline passed before the answer was complete", moreTime
	case record.ConnectionRefused:
		return "no server was listening any more", seeLog
	case record.ConnectionReset:
		return "a fresh connection broke before the answer began", seeLog
	case record.StaleConnection:
		return "the server had closed the connection that was reused", freshConnections
	case record.TruncatedStream:
		return "the answer ended without its last event", seeLog
	case record.EmptyResponse:
		return "the answer was empty", "send one of these prompts alone and look at the answer"
	case record.MalformedEvent:
		return "the answer was not a valid stream of events", "check that the server is llama-server and that no proxy is in between"
	case record.HTTP4xx:
		return "the server refused the request", "look at the body of its answer"
	case record.HTTP5xx:
		return "the server reported an error of its own", seeLog
	case record.ServerCrash:
		return "the server had crashed", seeLog
	case record.ServerOutOfMemory:
		return "the server ran out of memory", lessMemory
	}
	return "", ""
}
