package report

import (
	"slices"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/compare"
	"github.com/llama-regress/llama-regress/compare/pattern"
)

// A Serving is what the servers of one arm made of one serve cell, in numbers
// and in words.
type Serving struct {
	ID   string `json:"id"` // [a-z0-9-]+, unique in the report
	Role Role   `json:"role"`
	served
	Arm      Foreign        `json:"arm"`
	Cell     Foreign        `json:"cell"`
	Failures []FailureCount `json:"failures,omitempty"`
	Label    Foreign        `json:"label"` // as Row.Label

	Queue      float64 `json:"queue_s,omitempty"`  // part of the TTFT until the head of the answer came, median; 0 when not known
	PromptTime float64 `json:"prompt_s,omitempty"` // the rest of it, median

	Warmup *Warmup `json:"warmup,omitempty"` // nil without one

	Figures ServingFigures `json:"figures"`
	Summary Text           `json:"summary"`           // "83 of 96 requests answered (86.5%), in 4 trials"
	Classes Text           `json:"classes,omitempty"` // "12 stale_connection, 1 http_5xx"; empty when nothing failed
	Common  []Text         `json:"common,omitempty"`  // what its failures have in common, best explanation first
	Details []Text         `json:"details,omitempty"` // the numbers beside it, a sentence each

	Pattern Unworded[*pattern.Result] `json:"pattern,omitzero"` // behind Common

	// Timelines are what the machine did in each of its trials, in measured
	// order, as far as that was recorded.
	Timelines []Timeline `json:"-"`
}

// served are the fields of a compare.Serving that Serving does not replace.
type served compare.Serving

// A FailureCount is how many requests failed in one way.
type FailureCount struct {
	Class Foreign `json:"class"`
	Count int     `json:"count"`
}

// Failed is how many requests did not succeed.
func (s Serving) Failed() int { return max(0, s.Requests-s.Succeeded) }

// ServingFigures are the numbers of a serving as text, to three significant
// digits. What is not known is "". They hold nothing foreign.
type ServingFigures struct {
	Answered    string `json:"answered"`     // share of requests: "86.5%"
	PromptSpeed string `json:"prompt_speed"` // of the server: "392 tok/s"
	OutputSpeed string `json:"output_speed"`
	TTFT        string `json:"ttft"`        // of the client: "383 ms"
	ServerTTFT  string `json:"server_ttft"` // of the server: "167 ms"
	Waiting     string `json:"waiting"`     // queueing and transport
	Queue       string `json:"queue"`       // of the TTFT, until the head of the answer
	PromptTime  string `json:"prompt_time"` // of the TTFT, from there to the first content
	Busy        string `json:"busy"`        // slots, mean: "1.81"
	BusyMax     string `json:"busy_max"`
	Deferred    string `json:"deferred"` // requests, mean
	DeferredMax string `json:"deferred_max"`
	Delay       string `json:"delay"` // of the load generator, median: "6.74 µs"
	DelayP99    string `json:"delay_p99"`
	DelayShare  string `json:"delay_share"` // of the median TTFT: "0.002%"
}

// A Timeline is what the machine did during one trial. Any number may be missing
// (NaN).
type Timeline struct {
	Trial  Foreign
	Block  int
	Every  float64               // s between two readings, above 0
	At     float64               // s of the first, since the load began
	Series map[Foreign][]float64 // by name; see package host
	Failed []float64             // when requests that failed ended, s since the load began
}

// newServings lists what was served, by cell and within it the baseline first
// and controls last. The notes say what of the requests could not be read.
func newServings(r Report, src Source, labels map[string]string) (list []Serving, notes []Text) {
	for i, run := range src.runs() {
		found, err := compare.Servings(run, src.requests(run))
		if err != nil {
			notes = append(notes, concat(say("Not all requests could be read, so what is said of their times is of a part of them: "), quote(err.Error()), say(".")))
		}
		for _, s := range found {
			if role, shown := r.role(run, s.Arm, i, len(src.runs())); shown {
				list = append(list, newServing(s, role, run, src, labels))
			}
		}
	}
	sortServings(list)
	return list, notes
}

// role says what an arm of the i-th of n runs is there for. Of two runs each
// shows the arm that was compared; of one run every arm is shown.
func (r Report) role(run *record.Run, arm string, i, n int) (role Role, shown bool) {
	for _, a := range r.Arms {
		if a.Name.text == arm && (n == 1 || i == 0 == (a.Role == Baseline)) {
			return a.Role, true
		}
	}
	j := slices.IndexFunc(run.Arms, func(a record.Arm) bool { return a.Name == arm })
	switch {
	case j >= 0 && run.Arms[j].ControlOf != "":
		return Control, n == 1
	case arm == run.Baseline:
		return Baseline, n == 1
	}
	return Candidate, n == 1
}

func newServing(s compare.Serving, role Role, run *record.Run, src Source, labels map[string]string) Serving {
	label, ok := labels[s.Cell]
	if !ok {
		label = s.Cell
	}
	v := Serving{ID: "s-" + hashed(6, string(role), s.Arm, s.Cell), Role: role, served: served(s), Arm: Foreign{s.Arm}, Cell: Foreign{s.Cell}, Label: Foreign{label}}
	for _, f := range s.Failures {
		v.Failures = append(v.Failures, FailureCount{Foreign{string(f.Class)}, f.Count})
	}
	trials := loads(run, s.Arm, s.Cell)
	v.Queue, v.PromptTime = partsOfTTFT(trials)
	v.Warmup = newWarmup(trials)
	v.Figures = servingFigures(s)
	v.Figures.Queue, v.Figures.PromptTime = quantity(v.Queue, "s"), quantity(v.PromptTime, "s")
	v.Summary, v.Classes = servedSummary(v), classList(s.Failures)
	v.Details = slices.Concat(servingDetails(v), conversationDetails(conversed(run, s)))
	if v.Failed() > 0 && src.Patterns != nil {
		if found, ok := src.Patterns(run, s.Arm, s.Cell); ok {
			var alone Isolated
			if src.Isolated != nil {
				alone = src.Isolated(run, s.Arm, s.Cell)
			}
			v.Pattern, v.Common = Unworded[*pattern.Result]{&found}, patternsBeside(found, alone)
		}
	}
	v.Timelines = timelines(run, s)
	return v
}

func sortServings(list []Serving) {
	first := make(map[Foreign]int)
	for i, s := range list {
		if _, ok := first[s.Cell]; !ok {
			first[s.Cell] = i
		}
	}
	roles := []Role{Baseline, Candidate, Control}
	slices.SortStableFunc(list, func(a, b Serving) int {
		if a.Cell != b.Cell {
			return first[a.Cell] - first[b.Cell]
		}
		return slices.Index(roles, a.Role) - slices.Index(roles, b.Role)
	})
}

// timelines pairs the samples of trials with the requests that failed.
func timelines(run *record.Run, s compare.Serving) []Timeline {
	var list []Timeline
	for _, t := range run.Trials {
		if t.Arm != s.Arm || t.Cell != s.Cell || t.Samples == nil || !(t.Samples.Every > 0) || len(t.Samples.Series) == 0 {
			continue
		}
		line := Timeline{Trial: Foreign{t.ID}, Block: t.Block, Every: t.Samples.Every, At: t.Samples.At, Series: make(map[Foreign][]float64)}
		for name, values := range t.Samples.Series {
			line.Series[Foreign{name}] = values
		}
		for _, f := range s.Failed {
			if f.Trial == t.ID {
				line.Failed = append(line.Failed, f.At)
			}
		}
		list = append(list, line)
	}
	return list
}

// cause names the arm and cell with the largest share of failed requests, and
// what these have in common; nil when none failed or nothing is known of them.
func cause(list []Serving) Text {
	var worst *Serving
	for i := range list {
		s := &list[i]
		if s.Role == Control || s.Failed() == 0 || len(s.Common) == 0 {
			continue
		}
		if worst == nil || s.failedShare() > worst.failedShare() || s.failedShare() == worst.failedShare() && s.Role == Candidate && worst.Role == Baseline {
			worst = s
		}
	}
	if worst == nil {
		return nil
	}
	return concat(say("Failed requests of "), cite(worst.Label), say(" with "), cite(worst.Arm), say(": "), worst.Common[0], say("."))
}

func (s Serving) failedShare() float64 { return float64(s.Failed()) / float64(max(1, s.Requests)) }
