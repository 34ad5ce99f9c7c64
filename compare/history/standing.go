package history

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/ci/store"
	"github.com/llama-regress/llama-regress/compare"
)

// A Standing is a loss of one metric of one cell that was confirmed, and what
// became of it.
type Standing struct {
	Verdict store.Verdict
	Finding store.Finding

	State  State     // Open, Recovered or Accepted
	Ended  time.Time // when the session began that closed it, or from which on it is accepted; zero while Open
	Reason string    // why it was accepted; foreign
	By     string    // who accepted it; foreign

	// Unseen are the keys in which the machine of the session under test differs from
	// what it was when the loss was found: it cannot be looked at, and stays open.
	Unseen []string
}

// Since is when the session began that has the loss first.
func (s Standing) Since() time.Time { return s.Verdict.Start() }

// about says whether it is about a metric of a cell.
func (s Standing) about(cell, metric string) bool {
	return s.Finding.Cell == cell && s.Finding.Metric.Name == metric
}

// Standings lists the confirmed losses of a machine, those of one session in the
// order of its verdict, the earliest session first. A loss is accepted where
// history begins anew with its session or a later one; else a later session closes it.
func Standings(c *store.Contents, machine string) []Standing {
	var all []Standing
	for _, v := range c.Verdicts {
		for _, f := range v.Findings {
			if v.Machine == machine && f.State == store.FindingOpen {
				all = append(all, Standing{Verdict: v, Finding: f, State: Open})
			}
		}
	}
	for _, v := range c.Verdicts {
		for _, f := range v.Findings {
			if v.Machine == machine && f.State == store.FindingClosed {
				closed(all, v, f)
			}
		}
	}
	for i := range all {
		s := &all[i]
		g, ok := c.Segment(machine, s.Finding.Cell)
		if ok && !g.Start().Before(s.Since()) && (s.State == Open || g.Start().Before(s.Ended)) {
			s.State, s.Ended, s.Reason, s.By = Accepted, g.Start(), g.Reason, g.By
		}
	}
	slices.SortStableFunc(all, func(a, b Standing) int {
		return cmp.Or(a.Since().Compare(b.Since()), strings.Compare(a.Verdict.Key, b.Verdict.Key))
	})
	return all
}

// closed ends what a finding closes, at the earliest session that does.
func closed(all []Standing, v store.Verdict, f store.Finding) {
	for i := range all {
		s := &all[i]
		if s.Verdict.Key == f.Opened && s.about(f.Cell, f.Metric.Name) && v.Start().After(s.Since()) && (s.State == Open || v.Start().Before(s.Ended)) {
			s.State, s.Ended = Recovered, v.Start()
		}
	}
}

// spoils says whether a session has the loss, so that it is no baseline for others.
// What was accepted spoils nothing: history begins anew there.
func (s Standing) spoils(began time.Time, host record.Host) bool {
	return s.State != Accepted && s.comparable(host) && !began.Before(s.Since()) && (s.State == Open || began.Before(s.Ended))
}

// comparable says whether a machine is the one that the loss was found on, and not
// another of its name.
func (s Standing) comparable(host record.Host) bool {
	hard, _ := record.Host{Hard: s.Verdict.Host}.Compare(host)
	return len(hard) == 0
}

// another are the hard keys that tell one machine from another of its name; what else
// differs was done to the machine.
var another = []string{"arch", "cpu", "cpu_physical", "gpu", "os"}

// unseen says in which keys the loss's machine differs from what it is now, and
// whether it is another machine.
func (s Standing) unseen(host record.Host) (keys []string, other bool) {
	hard, _ := record.Host{Hard: s.Verdict.Host}.Compare(host)
	for _, d := range hard {
		keys = append(keys, d.Key)
		other = other || slices.Contains(another, d.Key)
	}
	return keys, other
}

// A Memory is what earlier verdicts say about a session.
type Memory struct {
	Open  []Standing // losses that the session still has, or that nothing is known to have ended
	Over  []Standing // losses that it has no more; Ended is its start
	Other []Standing // open, of another machine of this name, or of a later date: nothing is known of them here, and they are told

	Sentinel Reading              // what the session's own says, of Choose
	Withheld []compare.Comparison // what would be suspected, had the sentinel not moved; as it was

	Lost      []store.LostVerdict // verdicts that cannot be read
	OutOfLine bool                // the session is dated before one that is stored: it opens and closes nothing
}

// Recall is the memory of a machine's verdicts for a session, its result not yet
// looked at.
func Recall(c *store.Contents, head *record.Run, machine string) Memory {
	m := Memory{Lost: c.LostVerdicts(machine)}
	for _, s := range Standings(c, machine) {
		keys, other := s.unseen(head.Host)
		s.Unseen = keys
		switch {
		case s.State != Open && !(s.State == Recovered && s.Ended.After(started(head))):
		case other, s.Since().After(started(head)):
			m.Other = append(m.Other, s)
		case !slices.ContainsFunc(m.Open, func(o Standing) bool { return o.about(s.Finding.Cell, s.Finding.Metric.Name) }):
			m.Open = append(m.Open, s) // of two about one thing the earlier one
		}
	}
	for _, s := range c.Sessions {
		m.OutOfLine = m.OutOfLine || s.Key.Machine == machine && s.Run.ID != head.ID && s.Key.Started.After(started(head))
	}
	return m
}

// started is when a run began, as keys have it.
func started(run *record.Run) time.Time { return run.Started.UTC().Truncate(time.Second) }

// Apply gives what is still lost its verdict, regression, and moves to Over what
// the session shows to be well. Where the session did not measure it, a comparison
// is added: what is not measured is not known to be over.
func (m *Memory) Apply(res *compare.Result, head compare.Selection) {
	if m.Sentinel.Withholds() {
		m.withhold(res)
	}
	var still []Standing
	for _, s := range m.Open {
		i := slices.IndexFunc(res.Comparisons, func(c compare.Comparison) bool { return s.about(c.Cell, c.Metric.Name) })
		if i >= 0 && !m.Sentinel.Withholds() && len(s.Unseen) == 0 && s.over(res.Comparisons[i]) {
			s.State, s.Ended = Recovered, started(head.Run)
			m.Over = append(m.Over, s)
			continue
		}
		still = append(still, s)
		if i < 0 {
			f := s.Finding
			i = len(res.Comparisons)
			res.Comparisons = append(res.Comparisons, compare.Comparison{
				Cell: f.Cell, Workload: f.Workload, Model: f.Model, Params: f.Params, Metric: f.Metric, Method: compare.Historical,
				Baseline: compare.Side{Arm: head.Arm, Trials: []compare.Point{}}, Candidate: compare.Side{Arm: head.Arm, Trials: []compare.Point{}},
			})
		}
		res.Comparisons[i].Verdict, res.Comparisons[i].Reason = compare.Regression, nil
	}
	m.Open = still
}

// over says whether a comparison with the sessions before the loss shows that it
// is gone: no change beyond the margin is to be seen, and as large a loss as was
// confirmed is ruled out.
func (s Standing) over(c compare.Comparison) bool {
	if c.Reason != nil && c.Reason.Code == compare.Lost {
		return false
	}
	if c.Verdict == compare.Equivalent || c.Verdict == compare.Improvement {
		return true
	}
	if c.Verdict != compare.Inconclusive || c.Change == nil || c.Interval == nil || c.Margin == nil || c.Baseline.Censored+c.Candidate.Censored > 0 {
		return false
	}
	if c.Reason != nil && c.Reason.Code != compare.TooNoisy && c.Reason.Code != compare.NoFailure && c.Reason.Code != compare.FewFailures {
		return false
	}
	if c.Metric.Better == record.Lower {
		return *c.Change <= c.Margin.High && c.Interval.High < s.Finding.Change
	}
	return *c.Change >= c.Margin.Low && c.Interval.Low > s.Finding.Change
}

// Nominate suspects a loss that stands out although its baseline is too young for
// any other verdict: the prediction interval allows for how little is known, and a
// paired run decides.
func Nominate(res *compare.Result) {
	for i := range res.Comparisons {
		c := &res.Comparisons[i]
		if c.Method == compare.Historical && c.Reason != nil && c.Reason.Code == compare.BaselineTooYoung && c.P != nil && c.P.AdjustedRegression <= res.Policy.Alpha {
			c.Reason = &compare.Reason{Code: compare.SuspectedByHistory, Have: c.Reason.Have}
		}
	}
}
