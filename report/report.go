package report

import (
	"iter"
	"slices"
	"time"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/compare"
	"github.com/llama-regress/llama-regress/compare/history"
	"github.com/llama-regress/llama-regress/compare/pattern"
)

// A Report is everything one comparison has to say. Writers do not change it.
//
// Strings that came from files, programs or users are of type Foreign, which
// only an escaping method turns into a string. All others are this package's own
// words and hold no character that Markdown, HTML, XML or a terminal gives a
// meaning to.
type Report struct {
	Title   Foreign         `json:"title,omitzero"` // empty when the user gave none
	Time    time.Time       `json:"time,omitzero"`  // when the candidate's measurement ended; zero when not known
	Outcome compare.Outcome `json:"outcome"`        // what exit code and conclusion follow from
	Counts  Counts          `json:"counts"`

	Status   string `json:"status"`             // the outcome in one or two words, for a heading: "Regression"
	Lenient  bool   `json:"lenient"`            // Outcome is a pass only because the policy lets the undecided pass; Status says Inconclusive
	Headline string `json:"headline"`           // "2 regressions, 1 improvement, 37 equivalent"
	Lead     Text   `json:"lead"`               // the most important finding in one sentence, never empty
	Patterns []Text `json:"patterns,omitempty"` // what holds for many rows at once
	Steps    []Step `json:"steps"`              // what to do next, most useful first; empty when there is nothing to do

	// Rows holds every comparison in reading order: by Class, and within a
	// class the worst first.
	Rows     []Row `json:"rows"`
	Controls []Row `json:"controls,omitempty"` // the baseline against itself, in measured order

	Serving  []Serving   `json:"serving,omitempty"`         // what became of the requests, by cell, controls last
	Capacity []Capacity  `json:"capacity,omitempty"`        // of sweeps over concurrency; see CapacityRule
	Grids    []Grid      `json:"grids,omitempty"`           // of sweeps over two parameters; see GridRule
	Means    []GroupMean `json:"geometric_means,omitempty"` // over the cells of each kind of test; they decide nothing
	Studies  []Study     `json:"studies,omitempty"`         // where the arms are schedulers, a cell each; see StudyRule
	Works    []Work      `json:"works,omitempty"`           // where the counted instructions of a comparison changed; see WorkRule

	Failures    []Failure    `json:"failures,omitempty"`    // trials that measured nothing, in measured order
	Alone       []Alone      `json:"alone,omitempty"`       // what only one side has
	Differences []Difference `json:"differences,omitempty"` // of machine, build, model and dataset, hard ones first
	Arms        []Arm        `json:"arms,omitempty"`        // baseline first, controls last
	Facts       []Fact       `json:"facts"`                 // how it was measured, in reading order
	Stored      []Stored     `json:"stored,omitempty"`      // history mode: the sessions that serve as baseline, oldest first
	Notes       []Text       `json:"notes,omitempty"`       // what a reader should know about the whole
	Sentinel    *Sentinel    `json:"sentinel,omitempty"`    // history mode: what a pinned build says about the machine; nil for none
	Definitions []Definition `json:"definitions,omitempty"` // of every term that this report uses

	Groups       Unworded[[]compare.Group] `json:"groups,omitzero"`   // regressions that moved together; worded in Patterns
	Suspects     Unworded[[]string]        `json:"suspects,omitzero"` // candidates whose environment is suspect; worded in Patterns
	ControlFired bool                      `json:"control_fired"`     // a control is no Equivalent or Inconclusive

	Method compare.Method           `json:"method"`
	Policy Unworded[compare.Policy] `json:"policy"` // that the verdicts follow
}

// Fact returns the value of the fact with that key, nil when it is not known.
func (r Report) Fact(key string) Text {
	for _, f := range r.Facts {
		if f.Key == key {
			return f.Value
		}
	}
	return nil
}

// A Source says where a result came from. Its zero value is allowed.
type Source struct {
	Base, Head         *record.Run // the same run in paired mode; nil when not known
	BaseFile, HeadFile string      // what the user called them: "base.json", "store:main"

	Title     string          // optional heading
	Time      time.Time       // of the report; zero takes the head's, then the base's Finished
	Reproduce []string        // program and arguments that measure this again; nil when not known
	Resume    []string        // program and arguments that continue an interrupted run; nil when not known
	Accept    string          // how a regression is accepted where this report appears; "" when it cannot be
	Stored    []Stored        // sessions that serve as baseline in history mode, oldest first
	Compare   []string        // program and arguments that compare this again; nil when not known
	Confirm   []string        // program and arguments that measure what was suspected in turns with the baseline's build; nil when not known
	Rebuild   string          // commit that has to be built before Confirm can run, "" when its build is at hand
	Memory    *history.Memory // history mode: what verdicts of earlier sessions say; nil when none were asked
	Ranges    []Range         // history mode: the builds between which the regressions came
	Machine   string          // history mode: what the store calls the machine
	Store     string          // history mode: reference of the store
	Logs      string          // folder or address of the trials' logs; "" when there are none

	// Requests gives the rows of a run's requests, nil when there are none; nil
	// when no run has.
	Requests func(run *record.Run) iter.Seq2[record.Request, error]
	// Patterns says what the failed requests of an arm's cell have in common,
	// false when their rows are not at hand; nil when none are.
	Patterns func(run *record.Run, arm, cell string) (pattern.Result, bool)
	// Isolated says what became of an arm's failed prompts of a cell when they were sent
	// one at a time; nil when none were.
	Isolated func(run *record.Run, arm, cell string) Isolated

	// TrialLog gives the path of one trial's log, relative to where the report
	// is written, "" when it has none; nil when no trial has.
	TrialLog func(trial string) string

	Calibration string // version of the calibration the error rates are backed by; "" when none is
}

func (s Source) requests(run *record.Run) iter.Seq2[record.Request, error] {
	if s.Requests == nil {
		return nil
	}
	return s.Requests(run)
}

// New orders and words a result. It changes neither argument and keeps slices
// of res. Numbers that are not finite are left out, with a caveat.
func New(res *compare.Result, src Source) Report {
	labels := labelCells(res.Comparisons, res.Controls)
	arms := newArms(res, src)
	r := Report{
		Title:       Foreign{src.Title},
		Time:        src.time(),
		Rows:        newRows(res.Comparisons, res, labels, told(src, arms)),
		Controls:    newRows(res.Controls, res, labels, told(src, arms)),
		Failures:    newFailures(res.Failures, labels, src),
		Alone:       newAlone(res.Alone),
		Differences: hardFirst(withDefaults(slices.Concat(res.Differences, fileDifferences(res, src)), src)),
		Arms:        arms,
		Groups:      Unworded[[]compare.Group]{res.Groups},
		Suspects:    Unworded[[]string]{res.Suspects},
		Method:      res.Method,
		Policy:      Unworded[compare.Policy]{res.Policy},
		Stored:      src.Stored,

		ControlFired: res.ControlFired,
	}
	withStanding(r.Rows, src)
	withDeviations(r.Rows, src)
	setSeconds(r.Rows, src)
	setSeconds(r.Controls, src)
	sortRows(r.Rows)
	r.Counts = count(r.Rows)
	r.Sentinel = newSentinel(src.Memory, labels)
	r.Outcome = withMemory(res.Outcome(), src.Memory)
	r.Status = status(r, res)
	r.Lenient = r.Outcome == compare.Passed && (r.Status == undecided || r.Status == Learning)
	r.Headline = remarked(headline(r.Counts, res.Busy), standingRemark(src.Memory), res)
	r.Lead = lead(r, res, src.interrupted() != "")
	var unread []Text
	r.Serving, unread = newServings(r, src, labels)
	r.Capacity = newCapacity(r, src)
	r.Means = newGroupMeans(res)
	r.Studies = newStudies(src, labels)
	r.Grids = newGrids(src)
	r.Works = newWorks(r, src)
	r.Patterns = slices.Concat(r.Sentinel.patterns(r.Status), overTexts(src.Memory, labels), subjectTexts(res.Namesakes), lines(cacheCause(r.Rows)), sameTexts(res), lines(disturbed(res.Busy), cause(r.Serving), capacityLead(r.Capacity)), doubtTexts(res.Doubts()), patterns(res), meanTexts(r.Means))
	r.Steps = nextSteps(r, res, src)
	r.Facts = newFacts(r, res, src)
	r.Notes = slices.Concat(newNotes(r, res, src), saidNotes(arms), throttledNotes(src.runs()), unread)
	r.Definitions = definitions(r, res)
	return r
}

// Counts says how many comparisons fall where. Regressions, Improvements,
// Equivalent, Inconclusive, Unmeasured and Unjudged add up to Total.
type Counts struct {
	Total        int `json:"total"`
	Regressions  int `json:"regressions"`
	Improvements int `json:"improvements"`
	Equivalent   int `json:"equivalent"`
	Inconclusive int `json:"inconclusive"` // suspected ones included
	Suspected    int `json:"suspected"`    // of Inconclusive
	Lost         int `json:"lost"`         // of Inconclusive: the baseline has it and the candidate does not
	Unmeasured   int `json:"unmeasured"`   // a side has no usable trial
	Unjudged     int `json:"unjudged"`     // the policy has no margin for the metric
	NoFailure    int `json:"no_failure"`   // no request failed on either side, which passes and proves nothing
}

// A Class is where a comparison stands in reading order.
type Class string

const (
	Regression   Class = "regression"
	NotMeasured  Class = "not_measured" // inconclusive because a side has no usable trial
	Suspected    Class = "suspected"    // inconclusive, probably a regression
	Improvement  Class = "improvement"
	Inconclusive Class = "inconclusive" // for any other reason
	Unjudged     Class = "not_judged"   // shown without a verdict: no margin is set
	NoFailure    Class = "no_failure"   // no request failed on either side
	Equivalent   Class = "equivalent"
)

// Classes lists the classes in reading order.
var Classes = []Class{Regression, NotMeasured, Suspected, Improvement, Inconclusive, Unjudged, NoFailure, Equivalent}

// A Row is one comparison, in numbers and in words.
type Row struct {
	ID    string `json:"id"` // [a-z0-9-]+, unique in the report and the same in every report of this comparison
	Class Class  `json:"class"`

	Comparison Comparison `json:"comparison"`
	// Fails is true where the exit code counts the undecided as a failure: the
	// policy says so, or a clear loss was withheld.
	Fails bool `json:"-"`
	// Points is true when Change, Interval and Margin are differences in the
	// metric's unit (percentage points when it is a share), not ratios.
	Points bool `json:"points,omitempty"`

	Label    Foreign `json:"label"`              // what sets this cell apart from the other cells of the report
	Figures  Figures `json:"figures"`            // the numbers, rounded
	Standing Text    `json:"standing,omitempty"` // since when an earlier session was confirmed to have lost it; empty where none was
	Finding  Text    `json:"finding"`            // "8.3% slower (90% interval 7.1% to 9.4% slower), beyond the margin of 3%"
	Reason   Text    `json:"reason"`             // why it is inconclusive, not measured or not judged; empty otherwise
	Remedy   Text    `json:"remedy"`             // what would decide it; empty when nothing would or need be
	Caveats  []Text  `json:"caveats,omitempty"`

	c compare.Comparison // behind Comparison, every number finite

	// Seconds is the wall time of both arms' trials of this cell, divided among
	// the metrics they yield, so that rows add up to the session; 0 when not
	// known.
	Seconds float64 `json:"seconds,omitempty"`
}

// Gain orients a change, or a bound of one, so that more is better whatever
// the metric.
func (r Row) Gain(change float64) float64 {
	if r.Comparison.Metric.Better == record.Lower {
		return -change
	}
	return change
}

// Figures are a row's numbers as text, rounded to two significant digits of
// the interval's half width, with ASCII signs; see Minus. A number that is
// not known is "". They hold nothing foreign.
type Figures struct {
	Baseline   string `json:"baseline"`   // "812.4 tok/s"
	Candidate  string `json:"contender"`  // "745.0 tok/s"
	Change     string `json:"change"`     // "-8.3%", "+1.20 pp"
	Low        string `json:"low"`        // lower bound of the interval: "-9.4%"
	High       string `json:"high"`       // upper bound
	Confidence string `json:"confidence"` // of the interval: "90%"
	Margin     string `json:"margin"`     // "3%", "2 pp"
	Noise      string `json:"noise"`      // Comparison.Sigma: "1.4%"
	Detectable string `json:"detectable"` // Comparison.MDE: "2.6%"
}

// A Step is something to do next.
type Step struct {
	Kind    StepKind `json:"kind"`
	Text    Text     `json:"text"`             // what and why, one sentence
	Command Foreign  `json:"command,omitzero"` // what to type: one printable line, quoted for a shell; empty when there is nothing to type
	Short   Text     `json:"short,omitempty"`  // says Command by what it adds to that of a step above; nil when no step has the rest of it
}

// A StepKind says what a step is for.
type StepKind string

const (
	Reproduce  StepKind = "reproduce"   // measure the same again
	MoreBlocks StepKind = "more_blocks" // measure more to decide what is open
	ReadLogs   StepKind = "read_logs"   // find out why trials failed
	SameHost   StepKind = "same_host"   // measure both sides on one machine
	Quieten    StepKind = "quieten"     // make the machine steadier
	Resume     StepKind = "resume"      // finish what was interrupted
	CheckInput StepKind = "check_input" // the two sides have nothing in common
	Accept     StepKind = "accept"      // the regression is intended
	Explain    StepKind = "explain"     // see where the time went
)

// An Arm is one side as measured.
type Arm struct {
	Name      Foreign                     `json:"name"`
	Role      Role                        `json:"role"`
	ControlOf Foreign                     `json:"control_of,omitzero"`
	URL       Foreign                     `json:"url,omitzero"` // of a server that already ran
	Build     Unworded[record.Build]      `json:"build"`        // worded by Details
	Params    Unworded[map[string]string] `json:"params,omitzero"`
	Env       Unworded[map[string]string] `json:"env,omitzero"`
	File      Foreign                     `json:"file,omitzero"`  // the run it was read from
	Said      []Text                      `json:"said,omitempty"` // what its programs warned of and what was noticed of them
}

// A Role is what an arm is there for.
type Role string

const (
	Baseline  Role = "baseline"
	Candidate Role = "contender"
	Control   Role = "control"
)

// String is the word for readers; the value itself is that of the JSON report,
// which keeps the older word.
func (r Role) String() string {
	if r == Candidate {
		return "candidate"
	}
	return string(r)
}

// A Stored session serves as baseline.
type Stored struct {
	Key     Foreign   `json:"key"` // under which its record is stored
	Started time.Time `json:"started"`
	Commit  Foreign   `json:"commit,omitzero"` // of the build of its baseline arm
}

// Alone is a metric of a cell that only one side has.
type Alone struct {
	Cell   Foreign `json:"cell"`
	Metric Foreign `json:"metric"`
	Arm    Foreign `json:"arm"` // the side that has it
}

func newAlone(list []compare.Alone) (all []Alone) {
	for _, a := range list {
		all = append(all, Alone{Foreign{a.Cell}, Foreign{a.Metric}, Foreign{a.Arm}})
	}
	return all
}

// A Fact is one thing to know about how the numbers came about.
type Fact struct {
	Key   string `json:"key"`   // stable: "machine", "blocks", "seed"
	Label string `json:"label"` // "random seed"
	Value Text   `json:"value"`
}

// A Definition explains a term.
type Definition struct {
	Term    string `json:"term"`
	Meaning string `json:"meaning"` // one or two sentences
}
