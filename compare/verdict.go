package compare

import (
	"fmt"
	"time"
)

// A Verdict says what is known about one metric of one cell. The zero value is
// Inconclusive: we could not tell, which is not a pass.
type Verdict int

const (
	Inconclusive Verdict = iota // neither of the others is shown; Reason says why
	Regression                  // worse than the margin allows
	Improvement                 // better by more than the margin
	Equivalent                  // shown to lie within the margin
)

var verdictNames = [...]string{"inconclusive", "regression", "improvement", "equivalent"}

// String returns the verdict's name in lower case.
func (v Verdict) String() string {
	if v < 0 || int(v) >= len(verdictNames) {
		return fmt.Sprintf("Verdict(%d)", int(v))
	}
	return verdictNames[v]
}

// MarshalText writes the name.
func (v Verdict) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText reads a name and refuses any other text.
func (v *Verdict) UnmarshalText(text []byte) error {
	for i, name := range verdictNames {
		if name == string(text) {
			*v = Verdict(i)
			return nil
		}
	}
	return fmt.Errorf("verdict %q: want one of %v", text, verdictNames)
}

// A ReasonCode says why a comparison is inconclusive.
type ReasonCode string

const (
	TooFewTrials       ReasonCode = "too_few_trials"       // not enough to estimate the spread at all
	TooNoisy           ReasonCode = "too_noisy"            // the interval reaches both into and out of the margin
	Suspected          ReasonCode = "suspected"            // probably worse than the margin, not proven
	SuspectedByHistory ReasonCode = "nominated"            // worse than the stored sessions; only a paired run can blame the build
	Unconfirmed        ReasonCode = "unconfirmed"          // the screening saw a sign of a loss, and the fresh blocks to judge it by were not measured
	EnvironmentMixed   ReasonCode = "environment_mismatch" // hard keys differ between the sides
	SubjectMismatch    ReasonCode = "subject_mismatch"     // one name stands for another model or dataset on the other side
	ControlFired       ReasonCode = "control_fired"        // the baseline measured against itself differed, by enough to explain the finding
	NoBaseline         ReasonCode = "no_baseline"          // no stored session has this cell
	BaselineTooYoung   ReasonCode = "baseline_too_young"   // too few stored sessions
	MethodsDisagree    ReasonCode = "methods_disagree"     // mean and rank estimates give different verdicts
	Disturbed          ReasonCode = "contaminated"         // Have trials were disturbed by something else, too many to exclude them, and the interval is as wide as with TooNoisy; or they may explain a gain
	NotDeterministic   ReasonCode = "not_deterministic"    // an exact metric whose Have trials of one arm are not alike
	NoMargin           ReasonCode = "no_margin"            // the policy has no margin for this metric
	Censored           ReasonCode = "censored"             // Have trials whose value lies beyond what could be measured, such as a latency among failed requests
	Survivors          ReasonCode = "survivors"            // requests failed more often on one side, and what is left speaks for that side
	Lost               ReasonCode = "lost"                 // the baseline has it, last Since, and the candidate no longer
	Undefined          ReasonCode = "undefined"            // one side's Have trials were measured and have no such value, such as a time per token of answers of one token
	NoFailure          ReasonCode = "no_failure"           // no request failed on either side, in Have trials of the smaller one; passes, and claims no equivalence
	AllFailed          ReasonCode = "all_failed"           // no request succeeded on either side, in Have trials of the smaller one; no pass
	FewFailures        ReasonCode = "few_failures"         // no loss to be seen, and too few trials with failures to tell how failures come together: a crash now and then may have been missed
	NotMeasured        ReasonCode = "not_measured"         // a side has no usable trial; exit 4, never a pass
)

// A Reason is mandatory beside Inconclusive and empty beside every other
// verdict. Numbers that do not apply are 0.
type Reason struct {
	Code ReasonCode `json:"code"`
	Have int        `json:"have,omitempty"` // blocks, trials a side, or sessions at hand
	// Need is how many of them a new run, judged by itself alone, needs to decide in
	// at least 80 % of such runs: if the change is what it looks like where AsSeen,
	// else if nothing changed. 0 when no sensible number would. Of too few trials or
	// sessions it is the least that is judged at all.
	Need   int       `json:"need,omitempty"`
	AsSeen bool      `json:"as_seen,omitempty"`
	Since  time.Time `json:"since,omitzero"` // lost: when the latest session began that still had it; zero when not known
	Keys   []string  `json:"keys,omitempty"` // hard keys, or properties of model or dataset, that differ

	// Disturbed is how many trials something else disturbed, which may be all of the
	// loss that is Suspected: by the numbers alone it is one.
	Disturbed int `json:"disturbed,omitempty"`
}
