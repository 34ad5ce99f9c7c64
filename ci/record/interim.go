package record

// An Interim is one interim analysis: what was seen of one cell after some of its
// blocks, and what became of the cell then.
type Interim struct {
	Cell   string `json:"cell"`   // Cell.Key
	Blocks int    `json:"blocks"` // of the plan that were over: those of a screening included
	Seen   []Seen `json:"seen,omitempty"`
	Stop   Stop   `json:"stop,omitempty"` // why the cell got no further blocks; "" when it went on
	Need   int    `json:"need,omitempty"` // blocks that would decide what is open in 4 of 5 runs, if the change is none or what it looks like; 0 when that is not known

	Extra Extra `json:"-"`
}

// Seen is one comparison at an interim analysis.
type Seen struct {
	Metric    string `json:"metric"`
	Candidate string `json:"contender"`
	Verdict   string `json:"verdict"`          // such as "equivalent"
	Reason    string `json:"reason,omitempty"` // of an inconclusive one, such as "too_noisy"
	// Change and its interval at this analysis, as shares of the baseline; nil
	// where they cannot be given.
	Change *float64 `json:"change,omitempty"`
	Low    *float64 `json:"low,omitempty"`
	High   *float64 `json:"high,omitempty"`
}

// A Stop is why a cell got no further blocks.
type Stop string

const (
	StopDecided Stop = "decided" // every comparison of it has its verdict
	StopCleared Stop = "cleared" // the screening saw no sign of a loss
	StopUseless Stop = "useless" // more blocks could not change that it has none
	StopLast    Stop = "last"    // it had all that were planned
)
