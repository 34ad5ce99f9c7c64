package compare

import "github.com/llama-regress/llama-regress/ci/record"

// A Method is how the trials that are compared were measured. It decides what
// counts as a replicate and what may be concluded at all; the estimator follows
// from it and from the metric.
type Method string

const (
	Paired   Method = "paired"   // arms interleaved in blocks of one session
	Unpaired Method = "unpaired" // trials that belong to no block
	Sessions Method = "sessions" // one session against another: the spread between sessions is not known

	// Historical is one session against many stored ones. Its blocks and trials
	// are sessions.
	Historical Method = "history"
)

// An Estimator is what a change and its interval are estimated by; it follows
// from the method and the metric, never from values. It is "" where no change
// could be estimated.
type Estimator string

const (
	PairedT     Estimator = "paired_t"     // t on the differences by block
	Welch       Estimator = "welch"        // two sides of unequal variance
	PooledT     Estimator = "pooled_t"     // exact metrics: t of two sides of one variance, with a floor
	PooledRates Estimator = "pooled_rates" // success counts: Newcombe on counts deflated by their design effect
	Prediction  Estimator = "prediction"   // the prediction interval of a session mean
)

// A Comparison is one metric of one cell, candidate against baseline.
type Comparison struct {
	Cell      string            `json:"cell"` // record.CellKey
	Workload  string            `json:"workload"`
	Model     string            `json:"model"`
	Params    map[string]string `json:"params,omitempty"`
	Metric    record.Metric     `json:"metric"`
	Method    Method            `json:"method"`
	Estimator Estimator         `json:"estimator,omitempty"`
	Baseline  Side              `json:"baseline"`
	Candidate Side              `json:"contender"`

	// Change is candidate/baseline − 1 by Estimator, +0.03 for
	// 3 % more whether that is good or bad; nil when a side has no trial.
	Change *float64 `json:"change"`
	// Interval is the two-sided confidence interval of Change, nil when there
	// are too few trials to form one.
	Interval *Interval `json:"interval"`
	// Margin is the interval of changes that count as none, nil when the
	// policy has none for this metric.
	Margin *Range `json:"margin"`
	// P holds the p-values behind the verdict, nil without Interval or Margin.
	P *PValues `json:"p"`

	Replicates int     `json:"blocks"` // paired: blocks with both arms; else trials of the smaller side
	Sigma      float64 `json:"sigma"`  // sd of the paired log differences, or of the logs within a side; 0 when unknown
	// MDE is the loss, as a positive share of the baseline, that would be
	// called a regression with 80 % power; 0 when unknown.
	MDE float64 `json:"mde"`

	// Disturbance is what else kept the machine busy in at least one block that
	// both arms have; nil when nothing did.
	Disturbance *Disturbance `json:"disturbance,omitempty"`

	Verdict  Verdict   `json:"verdict"`
	Reason   *Reason   `json:"reason,omitempty"` // set exactly when Verdict is Inconclusive
	Warnings []Warning `json:"warnings,omitempty"`

	// Interim is the interim analysis of a run whose cells may stop early; nil for a
	// fixed number of blocks. Confirmed says that a screening suspected this
	// comparison and that it is judged by fresh blocks alone.
	Interim   *Interim `json:"look,omitempty"`
	Confirmed bool     `json:"confirmed,omitempty"`

	effect   effect // what the numbers above were derived from
	whole    effect // the same with the disturbed blocks that were left out; zero where none was
	analysis *analysis
	lost     bool // the baseline has it, and the candidate nothing of the kind

	// equivalence is the part of Policy.Alpha that the claim "equivalent" may
	// spend, of a stage of two; 0 is all of it.
	equivalence float64
}

// A Side is one arm's part in a comparison.
type Side struct {
	Arm string `json:"arm"`
	// Level is what the arm measured, in Metric.Unit: the geometric mean of its
	// trials (of a share the mean, of success counts the pooled rate), in
	// paired mode of the blocks that both arms have. Change is exactly the
	// step from one level to the other. 0 without trials.
	Estimate float64 `json:"level"`
	Trials   []Point `json:"trials"` // usable trials in measured order
	Failed   int     `json:"failed"` // trials that measured nothing

	// Censored trials are known only to lie beyond what could be measured, on
	// the bad side: a latency that falls among failed requests, the throughput
	// of a trial in which none succeeded. They are in neither Trials nor Failed.
	Censored int `json:"censored,omitempty"`

	// Undefined trials were measured and have no such value: a time per token
	// where every answer has one token. They are in neither Trials nor Failed.
	Undefined int `json:"undefined,omitempty"`

	// Of a latency quantile where requests failed on one of the sides; else zero.
	Requests       int              `json:"requests,omitempty"`        // of all trials that count, failed ones included
	FailedRequests int              `json:"failed_requests,omitempty"` // of them
	Estimator      record.Estimator `json:"estimator,omitempty"`       // of the values of Trials, the same on both sides
	// OfSucceeded is the median over trials of the quantile of those requests
	// alone that succeeded, in Metric.Unit, for a reader; 0 for none. It is
	// never judged.
	OfSucceeded float64 `json:"of_succeeded,omitempty"`

	// Disturbed trials ran in a block that something else disturbed. They are
	// left out of Trials, or all in it, marked, where too few others remain.
	Disturbed int `json:"contaminated,omitempty"`

	succeeded []float64   // what OfSucceeded is the median of
	said      []string    // what its programs warned of, each once
	sessions  [][]float64 // history: the values of each session's trials
}

// A Point is one trial: the median of its repetitions, in Metric.Unit.
type Point struct {
	Trial string  `json:"trial"` // record.Trial.ID
	Block int     `json:"block"`
	Order int     `json:"order"`
	Value float64 `json:"value"`

	Count *record.Count `json:"count,omitempty"` // behind a success rate

	Disturbed bool `json:"contaminated,omitempty"` // something else disturbed its block

	quantile *record.Quantile // behind a latency
	samples  *record.Samples  // nil: none
	said     []string         // what the record itself says disturbed the trial
}

// Interval is a two-sided confidence interval of a change.
type Interval struct {
	Low        float64 `json:"low"`
	High       float64 `json:"high"`
	Confidence float64 `json:"confidence"` // 0.90: one-sided tests at 0.05 and the interval agree
}

// A Range is an interval of changes.
type Range struct {
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

// PValues are one-sided. Small means the claim of that name is shown.
type PValues struct {
	Regression  float64 `json:"regression"`  // worse than the margin
	Improvement float64 `json:"improvement"` // better than the margin
	Equivalence float64 `json:"equivalence"` // within the margin: the larger of two one-sided tests; in two stages over the stage's share of Alpha
	Worse       float64 `json:"worse"`       // worse at all: what screening selects by
	// AdjustedRegression is Regression after Holm's correction for all gated
	// comparisons of the run; AdjustedImprovement likewise for improvements.
	AdjustedRegression  float64 `json:"adjusted_regression"`
	AdjustedImprovement float64 `json:"adjusted_improvement"`
}

// A Warning is a caveat shown beside a result; it changes no verdict.
type Warning struct {
	Code   WarningCode `json:"code"`
	Number float64     `json:"number,omitempty"` // what it measured; see the codes
	Text   string      `json:"text,omitempty"`   // foreign text, such as a program's own warning; to be escaped
}

// A WarningCode says what a warning is about.
type WarningCode string

const (
	FailedTrials   WarningCode = "failed_trials"  // Number of them, on both sides together
	Outlier        WarningCode = "outlier"        // one block lies far from the others
	Drift          WarningCode = "drift"          // the baseline arm drifted; Number: per trial, as a share of its median
	Autocorrelated WarningCode = "autocorrelated" // neighbouring blocks resemble each other; Number: lag-1 autocorrelation

	DisturbedExcluded WarningCode = "contaminated_left_out" // Number of trials that something disturbed, which were left out
	DisturbedKept     WarningCode = "contaminated_kept"     // Number of trials that something disturbed, which had to be kept

	ProgramWarning WarningCode = "build" // Text: what the program itself warned of

	PageFaults     WarningCode = "page_faults"     // the arms read unlike amounts from disk; Number: pages a second that the candidate read more
	ControlDiffers WarningCode = "control_differs" // the null control fired, and the finding lies beyond what it shows; Number: the largest change that the control leaves possible

	Constant WarningCode = "constant" // all differences between the arms are equal, so the interval has no width
)

// A Result is everything one comparison run found.
type Result struct {
	Method       Method        `json:"method"`
	Policy       Policy        `json:"policy"`
	Comparisons  []Comparison  `json:"comparisons"` // in the order of the baseline's cells and metrics; what the candidate lost, last
	Controls     []Comparison  `json:"controls,omitempty"`
	ControlFired bool          `json:"control_fired"`
	Groups       []Group       `json:"groups,omitempty"`      // regressions that moved together
	Suspects     []string      `json:"suspects,omitempty"`    // candidates whose metrics nearly all moved alike without being interleaved: the environment is suspect
	Failures     []Failure     `json:"failures,omitempty"`    // trials that are no pass, in measured order
	Reliability  []Reliability `json:"reliability,omitempty"` // candidates that fail more often than the baseline
	Alone        []Alone       `json:"alone,omitempty"`       // what has no partner is named, not dropped
	Same         []string      `json:"same,omitempty"`        // candidates that are the baseline's own build, set alike
	Libraries    bool          `json:"same_libraries"`        // and so, for each of them, are the libraries beside the programs
	Ignorable    []string      `json:"ignorable,omitempty"`   // parameters in which cells of one model and test differ, so that they were not compared
	Differences  []Difference  `json:"differences,omitempty"`
	Namesakes    []Namesake    `json:"namesakes,omitempty"` // models and datasets that only share their name
	Notes        []string      `json:"notes,omitempty"`     // of the run records
	Busy         *Busy         `json:"busy,omitempty"`      // nil when nothing else disturbed the machine

	Confirmation *Confirmation `json:"confirmation,omitempty"` // history: nil when nothing suspected was measured again

	machines map[string]int // by cell, of a record that was merged from shards; else nil
}

// A Failure is a trial that is no pass: it measured nothing, its server broke
// down, or none of its requests succeeded.
type Failure struct {
	Trial string         `json:"trial"`
	Arm   string         `json:"arm"`
	Cell  string         `json:"cell"`
	Block int            `json:"block"`
	Cause record.Failure `json:"cause"`
}

// Alone is a metric of a cell that only one side has.
type Alone struct {
	Cell   string `json:"cell"`
	Metric string `json:"metric"`
	Arm    string `json:"arm"` // the side that has it

	lost *Comparison // where that is the baseline
}

// A Difference is a property of machine, build, model or dataset that is not the
// same on both sides. Hard differences forbid a comparison.
type Difference struct {
	Key       string `json:"key"` // "host.cpu", "build.commit"
	Baseline  string `json:"baseline"`
	Candidate string `json:"contender"`
	Arm       string `json:"arm"` // the candidate
	Hard      bool   `json:"hard"`
}
