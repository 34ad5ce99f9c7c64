package report

import (
	"fmt"
	"strings"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/compare"
)

// quantity prints x > 0 to three digits in a unit that suits it; "" when it is
// not known.
func quantity(x float64, base string) string {
	if !(x > 0) {
		return ""
	}
	u := unitFor(base, x)
	return significant(x*u.factor, 3) + u.suffix()
}

func servingFigures(s compare.Serving) ServingFigures {
	f := ServingFigures{
		PromptSpeed: quantity(s.ServerPromptTPS, "tok/s"), OutputSpeed: quantity(s.ServerOutputTPS, "tok/s"),
		TTFT: quantity(s.ClientTTFT, "s"), ServerTTFT: quantity(s.ServerTTFT, "s"), Waiting: quantity(s.Waiting, "s"),
		Delay: quantity(s.Delay, "s"), DelayP99: quantity(s.DelayP99, "s"),
		DelayShare: quantity(s.DelayShare, "1"),
	}
	if s.DelayShare > 0 && s.DelayShare < 1e-4 {
		f.DelayShare = "below 0.01%"
	}
	if s.Requests > 0 {
		f.Answered = shareOf(s.Succeeded, s.Requests)
	}
	if g := s.BusySlots; g != nil {
		f.Busy, f.BusyMax = significant(g.Mean, 3), significant(g.Max, 3)
	}
	if g := s.Deferred; g != nil {
		f.Deferred, f.DeferredMax = significant(g.Mean, 3), significant(g.Max, 3)
	}
	return f
}

// shareOf is a share in percent that is 100% or 0% only where it is so.
func shareOf(n, of int) string {
	text := fixed(100*float64(n)/float64(max(1, of)), 1)
	switch {
	case n == of:
		return "100%"
	case text == "100.0":
		return "99.9%"
	case n > 0 && text == "0.0":
		return "0.1%"
	}
	return text + "%"
}

// servedSummary counts what was answered.
func servedSummary(s Serving) Text {
	trials := plural(s.Trials, "trial")
	switch s.Failed() {
	case 0:
		return say("all %s answered, in %s", plural(s.Requests, "request"), trials)
	case s.Requests:
		return say("none of %s answered, in %s", plural(s.Requests, "request"), trials)
	}
	return say("%d of %s answered (%s), in %s", s.Succeeded, plural(s.Requests, "request"), s.Figures.Answered, trials)
}

// classList counts failures by class.
func classList(list []compare.FailureCount) Text {
	var parts []Text
	for _, f := range list {
		parts = append(parts, concat(say("%d ", f.Count), quote(string(f.Class))))
	}
	return join(", ", parts...)
}

// servingDetails words the server's own numbers beside the client's.
func servingDetails(s Serving) []Text {
	f := s.Figures
	var list []Text
	add := func(when bool, format string, args ...any) {
		if when {
			list = append(list, say(format, args...))
		}
	}
	switch {
	case f.TTFT != "" && f.ServerTTFT != "" && f.Waiting != "":
		add(true, "first token after %s at the client, of which the server worked %s on the prompt; queueing and transport took %s", f.TTFT, f.ServerTTFT, f.Waiting)
	case f.TTFT != "":
		add(true, "first token after %s at the client", f.TTFT)
	default:
		add(f.ServerTTFT != "", "the server worked %s on a prompt", f.ServerTTFT)
	}
	add(f.Queue != "" && f.PromptTime != "", "of a time to first token, %s passed until the head of the answer (waiting for a slot) and %s from there to the first content (the prompt)", f.Queue, f.PromptTime)
	switch {
	case f.PromptSpeed != "" && f.OutputSpeed != "":
		add(true, "by its own account the server read prompts at %s and wrote answers at %s, for each request", f.PromptSpeed, f.OutputSpeed)
	default:
		add(f.OutputSpeed != "", "by its own account the server wrote answers at %s, for each request", f.OutputSpeed)
	}
	busy := ""
	if f.Busy != "" {
		busy = fmt.Sprintf("%s slots busy on average, at most %s", f.Busy, f.BusyMax)
	}
	if f.Deferred != "" {
		busy += fmt.Sprintf("; %s requests waiting for a slot on average, at most %s", f.Deferred, f.DeferredMax)
	}
	add(busy != "", "%s", strings.TrimPrefix(busy, "; "))
	switch {
	case f.Delay != "" && f.DelayP99 != "" && f.DelayShare != "":
		add(true, "the load generator itself was late by %s (p99 %s), %s of the time to first token", f.Delay, f.DelayP99, f.DelayShare)
	case f.Delay != "" && f.DelayP99 != "":
		add(true, "the load generator itself was late by %s (p99 %s)", f.Delay, f.DelayP99)
	}
	if s.Warmup != nil && s.Warmup.Failed == 0 {
		list = append(list, s.Warmup.Summary)
	}
	add(s.PromptTokens+s.OutputTokens > 0, "%d tokens of prompts and %d of answers, in the requests that succeeded", s.PromptTokens, s.OutputTokens)
	return list
}

// requestsFact counts the requests of a run's serve trials.
func requestsFact(r *record.Run) Text {
	sent, answered := 0, 0
	for _, t := range r.Trials {
		if t.Load != nil {
			sent += t.Load.Requests
			answered += t.Load.Succeeded
		}
	}
	switch {
	case sent == 0:
		return nil
	case answered == sent:
		return say("%d, all answered", sent)
	}
	return say("%d, of which %d failed", sent, sent-answered)
}

// datasets says where the prompts came from.
func datasets(r *record.Run) Text {
	var list []Text
	for _, d := range r.Datasets {
		t := concat(quote(d.Name), say(": %s by the rule ", plural(d.Sample, "prompt")), quote(d.Rule), say(" with seed %d, of %s", d.Seed, plural(d.Records, "record")))
		if d.Damaged > 0 {
			t = concat(t, say(", of which %d could not be read", d.Damaged))
			if len(d.DamagedAt) > 0 {
				t = concat(t, say(", first "), quote(d.DamagedAt[0]))
			}
		}
		list = append(list, t)
	}
	return join("; ", list...)
}

// workload is the row of the catalogue; its zero value is one that nobody knows.
func workload(name string) record.Workload {
	w, _ := record.WorkloadByName(name)
	return w
}

// metricDefinitions explains the metrics that the rows show, in the order of
// the catalogue.
func metricDefinitions(rows []Row, add func(when bool, term, meaning string)) {
	shown := make(map[string]bool)
	for _, r := range rows {
		shown[r.c.Metric.Name] = true
	}
	said := make(map[string]bool)
	var term, meaning string
	for _, d := range record.Definitions() {
		if d.Term != "" { // else a further quantile of the term before
			term, meaning = d.Term, d.Meaning
		}
		add(term != "" && shown[d.Name] && !said[term], term, meaning)
		said[term] = said[term] || shown[d.Name]
	}
}

// objectives says what a request had to meet to count for goodput; every serve
// cell of a run has the same.
func objectives(r *record.Run) Text {
	for _, c := range r.Cells {
		var parts []string
		for _, name := range []string{"ttft", "tpot", "e2e"} {
			if limit := c.Objectives[name]; limit > 0 && limit < absurd {
				parts = append(parts, strings.ToUpper(name)+" within "+quantity(limit, "s"))
			}
		}
		if parts != nil {
			return say("%s", strings.Join(parts, ", "))
		}
	}
	return nil
}
