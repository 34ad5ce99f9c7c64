// Package pattern finds what the failed requests of serve trials have in common
// that the successful ones have not, such as a reused connection.
//
//  1. Each [Factor] gives every request a value, and ranges of values are its
//     possible conditions: "at least 2048 prompt tokens".
//  2. The condition that sets failures apart best is chosen for each factor and
//     tested against what chance would choose, within each trial: requests of a
//     trial share a server, so a trial that went badly as a whole proves nothing.
//     The test counts what was independent: a prompt that was tried six times is
//     one prompt, and failures that followed one another are one event.
//  3. P-values are corrected for the number of factors. The best explanation is
//     the first finding.
//  4. The rest is tested again among requests that are alike in what is already
//     found. What then explains nothing more, such as an arrival order that went
//     along with reuse, is dropped.
package pattern

import (
	"math"
	"slices"

	"github.com/llama-regress/llama-regress/ci/record"
)

// Options of Find; zero fields have the defaults stated.
type Options struct {
	// Alpha is the largest chance, for each step of the search, of a finding
	// where there is none: in (0, 1), 0.01 by default.
	Alpha float64

	// OddsRatio is how strongly a condition must go along with failing, by the
	// Mantel-Haenszel estimate over the trials: above 1, 3 by default.
	OddsRatio float64

	// RSS is the server's resident memory in bytes, at seconds of a trial's
	// load; ok is false when it is unknown. Memory is not tried when it is nil.
	RSS func(trial string, at float64) (bytes int64, ok bool)
}

// A Result is what Find learned from the requests that count.
type Result struct {
	Requests   int                        `json:"requests"`
	Failures   int                        `json:"failures"`
	Class      record.RequestFailureClass `json:"class,omitempty"` // the most frequent one
	ClassCount int                        `json:"class_count"`     // failures of that class

	Tried    []Factor  `json:"tried,omitempty"`    // those in which requests of a trial that failed in part differed
	Enough   bool      `json:"enough"`             // whether any pattern of so few failures could have been told from chance
	Findings []Finding `json:"findings,omitempty"` // the best explanation first
}

// A Finding is a condition that goes along with failing. The four counts are
// over all requests whose value is known. P is the chance that requests failing
// at random show a condition of any factor this telling, given the findings
// before it; below 1e-20 it is only an upper bound.
type Finding struct {
	Factor    Factor    `json:"factor"`
	Condition Condition `json:"condition"` // zero for Prompt and Event

	Prompts []string `json:"prompts,omitempty"` // of Prompt: their IDs, in order
	Trial   string   `json:"trial,omitempty"`   // of Trial, and of an Event in one trial
	Events  int      `json:"events,omitempty"`  // of Event: rows of failures that followed one another
	Begun   int      `json:"begun,omitempty"`   // failures with the condition whose answer's head had come: they had left the queue

	FailuresWith     int `json:"failures_with"`
	FailuresWithout  int `json:"failures_without"`
	SuccessesWith    int `json:"successes_with"`
	SuccessesWithout int `json:"successes_without"`

	P     float64                    `json:"p"`
	Class record.RequestFailureClass `json:"class"` // the most frequent one with the condition

	// Alike are findings of other factors that set the failures apart as well: the
	// requests cannot tell which is the cause.
	Alike []Finding `json:"alike,omitempty"`
}

// Find returns what failures have in common. Warm-up is left out; a request
// that succeeded at a retry is a success. rows may be in any order, which does
// not change the result, and are not modified. Only the first million rows are
// looked at.
func Find(rows []record.Request, o Options) Result {
	if o.Alpha == 0 {
		o.Alpha = 0.01
	}
	if o.OddsRatio == 0 {
		o.OddsRatio = 3
	}
	t := newTable(rows[:min(len(rows), mostRows)], o.RSS)
	r := Result{Requests: len(t.rows)}
	r.Class, r.ClassCount, r.Failures = t.commonClass(func(row) bool { return true })

	for step := 0; step < len(factors); step++ {
		candidates := t.candidates()
		if step == 0 {
			for _, c := range candidates {
				r.Tried = append(r.Tried, c.factor.name)
			}
			r.Enough = len(candidates) > 0 && t.leastLogP()+math.Log(float64(len(candidates))) <= math.Log(o.Alpha)+1e-9
		}
		best, found := t.explain(candidates, o)
		if !found {
			break
		}
		r.Findings = append(r.Findings, t.finding(best))
		if best.factor.consequence {
			break // nothing is explained by what happened after it
		}
		t.given(best)
	}
	return r
}

// finding counts over all rows, whatever was found before.
func (t *table) finding(c candidate) Finding {
	f := Finding{Factor: c.factor.name, Condition: c.condition, P: c.p}
	holds := func(r row) bool { return c.holds(r.values[c.column]) }
	known := func(r row) bool { return !math.IsNaN(r.values[c.column]) }
	switch c.name {
	case Prompt:
		for p := range c.prompts {
			f.Prompts = append(f.Prompts, t.prompts[int(p)])
		}
		slices.Sort(f.Prompts)
		f.Condition = Condition{}
	case Trial:
		f.Trial, f.Condition = t.trials[int(c.condition.Value)], Condition{}
	case Event:
		f.Events = c.events
		mixed := t.mixed()
		holds, known = func(r row) bool { return r.failed() && mixed[r.trial] }, func(row) bool { return true }
		f.Trial = t.onlyTrial(holds)
	}
	for _, row := range t.rows {
		switch with := holds(row); {
		case !known(row):
		case with && row.failed():
			f.FailuresWith++
			if row.begun {
				f.Begun++
			}
		case with:
			f.SuccessesWith++
		case row.failed():
			f.FailuresWithout++
		default:
			f.SuccessesWithout++
		}
	}
	f.Class, _, _ = t.commonClass(holds)
	for _, other := range c.alike {
		f.Alike = append(f.Alike, t.finding(other))
	}
	return f
}

// mixed are the trials that failed in part.
func (t *table) mixed() map[string]bool {
	counts := make(map[string][2]int)
	for _, r := range t.rows {
		n := counts[r.trial]
		if n[1]++; r.failed() {
			n[0]++
		}
		counts[r.trial] = n
	}
	mixed := make(map[string]bool)
	for trial, n := range counts {
		mixed[trial] = n[0] > 0 && n[0] < n[1]
	}
	return mixed
}

// onlyTrial is the trial of the rows for which wanted holds, "" of several.
func (t *table) onlyTrial(wanted func(row) bool) string {
	only := ""
	for _, r := range t.rows {
		switch {
		case !wanted(r) || r.trial == only:
		case only == "":
			only = r.trial
		default:
			return ""
		}
	}
	return only
}
