// Package noise says how much a machine varies while nothing changes, and what
// that leaves to be seen: from sessions in which a build was measured against
// itself it estimates what varies between sessions, processes and repetitions,
// and proposes repetitions, blocks and margins for a time budget.
package noise

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/compare"
	"github.com/llama-regress/llama-regress/stats"
)

// Options are what the proposal is for. The zero value of each has a default.
type Options struct {
	Budget     float64 // seconds that a gate of these cells may take; 0: 45 minutes
	Candidates int     // arms beside the baseline in that gate; 0: 1
}

const (
	alpha       = 0.05
	power       = 0.80
	sureness    = 0.80   // of the upper limit of a spread that a plan is made with
	leastBlocks = 6      // fewer can hardly prove anything
	mostBlocks  = 1000   // of a configuration
	mostRepeats = 100    // repetitions that are considered
	mostMargin  = 0.5    // of a configuration: margins lie below
	roundTo     = 0.001  // margins are rounded up to a multiple
	youngBelow  = 10     // sessions that say how much sessions differ, as the statistics reference, 11, has it
	smallest    = 1e-300 // seconds; a cost must be positive
)

// A Result is what the sessions tell.
type Result struct {
	Machine   string   `json:"machine"`   // host name
	Processor string   `json:"processor"` // as it calls itself
	Builds    []string `json:"builds"`    // version or commit, each once
	Sessions  int      `json:"sessions"`
	Trials    int      `json:"trials"`       // that were used
	Spoilt    int      `json:"contaminated"` // trials that were left out because something else disturbed the machine

	Series   []Series `json:"series"`
	Proposal Proposal `json:"proposal"`
	Warnings []string `json:"warnings,omitempty"` // what a reader should know before believing the numbers
}

// A Series is one metric of one cell. Spreads are standard deviations as shares
// of the value, 0.01 for 1 %.
type Series struct {
	Cell   string        `json:"cell"`
	Metric record.Metric `json:"metric"`
	Level  float64       `json:"level"` // geometric mean, in the metric's unit

	Session    float64 `json:"session"`    // what sessions add
	Process    float64 `json:"process"`    // what processes of a session add
	Repetition float64 `json:"repetition"` // what repetitions of a process add
	SessionDF  int     `json:"session_df"` // degrees of freedom behind Session; 0: one session cannot tell

	Pair   float64 `json:"pair"`    // of one block's difference between two arms, as measured: what a paired gate has to cope with
	PairDF int     `json:"pair_df"` // blocks behind it, less one a session

	Start         float64 `json:"start_s"`      // seconds of a trial without its repetitions that count
	Pass          float64 `json:"repetition_s"` // seconds of one repetition; 0 for a served cell, which has none
	KaliberaJones int     `json:"kalibera_jones"`
	Alarm         bool    `json:"alarm,omitempty"` // an arm differed from itself beyond 3 % in some session

	repetitions float64 // of a trial, mean
	process     float64 // variance that processes add within a block
	planned     float64 // its upper limit: few blocks underestimate a spread half of the time
}

// A Proposal is how a gate of these cells should be measured.
type Proposal struct {
	Budget      float64  `json:"budget_s"`
	Candidates  int      `json:"contenders"`
	Repetitions int      `json:"repetitions"`
	Blocks      int      `json:"blocks"`
	Seconds     float64  `json:"seconds"` // that it takes
	Fits        bool     `json:"fits"`    // into the budget
	Margins     []Margin `json:"margins"`
}

// A Margin is the smallest that a metric can be gated at: where nothing changed
// that is shown with 80 % power, in the noisiest of its cells.
type Margin struct {
	Metric string  `json:"metric"`
	Cell   string  `json:"cell"`   // the noisiest
	Margin float64 `json:"margin"` // as a share, rounded up to a tenth of a percent; 0: it is too noisy for any below 50 %
	Finds  float64 `json:"finds"`  // the loss that is called a regression with 80 % power, as a share; 0: none

	lambda float64 // before rounding, of logs
}

// Of analyses sessions of the same cells, builds and machine. Only the baseline
// arm and its null control count. It is an error if nothing can be told: no
// cell with two trials in a session.
func Of(runs []*record.Run, o Options) (*Result, error) {
	o.Budget, o.Candidates = cmp.Or(o.Budget, 45*60), cmp.Or(o.Candidates, 1)
	r := &Result{Sessions: len(runs)}
	for _, run := range runs {
		if len(run.Parts) > 1 {
			return nil, fmt.Errorf("%s is merged from the shards of several machines: calibrate each machine with its own record", run.ID)
		}
	}
	r.describe(runs)
	order, cells := gather(runs)
	r.Trials, r.Spoilt = count(runs)
	for _, key := range order {
		s, ok := cells[key].series()
		if ok {
			r.Series = append(r.Series, s)
		}
	}
	if len(r.Series) == 0 {
		return nil, fmt.Errorf("%d sessions hold no cell in which the baseline arm has two usable trials: measure more blocks", len(runs))
	}
	r.alarms(runs)
	r.propose(o)
	r.warn(runs)
	return r, nil
}

func (r *Result) describe(runs []*record.Run) {
	for i, run := range runs {
		if i == 0 {
			r.Machine, r.Processor = run.Host.Name, run.Host.Hard["cpu"]
		}
		for _, arm := range run.Arms {
			name := cmp.Or(arm.Build.Version, arm.Build.Commit)
			if arm.Name == run.Baseline && name != "" && !slices.Contains(r.Builds, name) {
				r.Builds = append(r.Builds, name)
			}
		}
	}
}

// alarms judges each session as a gate would.
func (r *Result) alarms(runs []*record.Run) {
	for _, run := range runs {
		for _, c := range compare.Run(run, compare.DefaultPolicy()).Controls {
			if c.Verdict != compare.Regression && c.Verdict != compare.Improvement {
				continue
			}
			for i := range r.Series {
				if s := &r.Series[i]; s.Cell == c.Cell && s.Metric.Name == c.Metric.Name {
					s.Alarm = true
				}
			}
		}
	}
}

func (r *Result) warn(runs []*record.Run) {
	say := func(format string, args ...any) { r.Warnings = append(r.Warnings, fmt.Sprintf(format, args...)) }
	for _, run := range runs[1:] {
		if hard, _ := runs[0].Host.Compare(run.Host); len(hard) > 0 {
			say("the sessions are of different machines: %s was %q and is %q", hard[0].Key, hard[0].A, hard[0].B)
			break
		}
	}
	if len(r.Builds) > 1 {
		say("the sessions measured %d builds: what changed between them counts as noise of the machine", len(r.Builds))
	}
	if n := slices.IndexFunc(r.Series, func(s Series) bool { return s.PairDF < leastBlocks-1 }); n >= 0 {
		say("%s of %s rests on %d blocks: the spread is hardly known", r.Series[n].Metric.Name, r.Series[n].Cell, r.Series[n].PairDF+1)
	}
	switch {
	case r.Sessions == 1:
		say("one session cannot tell how much sessions differ; paired gates do not need it, nightly comparisons do")
	case r.Sessions < youngBelow:
		say("%d sessions, all of one time, tell little of how much sessions differ: for nightly comparisons calibrate with %d or more, over days", r.Sessions, youngBelow)
	}
	if r.Spoilt > 0 {
		say("%d trials were left out because something else disturbed the machine", r.Spoilt)
	}
	for _, s := range r.Series {
		if s.Alarm {
			say("%s of %s: the build differed from itself by more than 3%% in a session; find out what disturbs this machine before gating on it", s.Metric.Name, s.Cell)
		}
	}
	if p := r.Proposal; !p.Fits {
		say("the budget has no room for %d blocks: they take %.0f s; measure fewer cells, or give more time", p.Blocks, math.Ceil(p.Seconds))
	}
}

// levels are what Kalibera and Jones's rule and the planner reckon with.
func (s *Series) levels() (repetition, process stats.Stratum) {
	return stats.Stratum{Variance: s.Repetition * s.Repetition, Cost: max(s.Pass, smallest)},
		stats.Stratum{Variance: s.process, Cost: max(s.Start, smallest)}
}
