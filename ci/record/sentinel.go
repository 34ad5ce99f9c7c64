package record

import (
	"fmt"
	"time"
)

// A Sentinel is a pinned build that was measured beside the arms, in some of their
// cells: it never changes, so that where it moves, the machine did. Its trials are
// no part of Run.Trials, and no arm is compared with it.
type Sentinel struct {
	Arm     Arm       `json:"arm"`
	Started time.Time `json:"started,omitzero"`
	Cells   []Cell    `json:"cells"`
	Trials  []Trial   `json:"trials"`

	// Missing is why it was not measured, or not as often as it should have been, one
	// clause; "" where it was. Foreign.
	Missing string `json:"missing,omitempty"`

	Extra Extra `json:"-"`
}

// Session is the sentinel as the run of one arm that it was, on the machine of the
// run that it was measured beside.
func (s *Sentinel) Session(beside *Run) *Run {
	return &Run{
		Schema: Schema, ID: beside.ID, Started: beside.Started, Finished: beside.Finished, Tool: beside.Tool, Host: beside.Host,
		Plan: beside.Plan, Baseline: s.Arm.Name, Arms: []Arm{s.Arm}, Models: beside.Models, Datasets: beside.Datasets, Cells: s.Cells, Trials: s.Trials,
	}
}

// validateSentinel checks it as the run that it was.
func (r *Run) validateSentinel() error {
	if r.Sentinel == nil {
		return nil
	}
	if r.Sentinel.Arm.ControlOf != "" {
		return fmt.Errorf("sentinel: it is the control of %q", r.Sentinel.Arm.ControlOf)
	}
	if len(r.Sentinel.Missing) > foreignText {
		return fmt.Errorf("sentinel: missing: %d bytes, at most %d are read", len(r.Sentinel.Missing), foreignText)
	}
	session := r.Sentinel.Session(r)
	session.Plan, session.Models, session.Datasets = Plan{}, nil, nil // checked once
	if err := session.Validate(); err != nil {
		return fmt.Errorf("sentinel: %w", err)
	}
	return nil
}
