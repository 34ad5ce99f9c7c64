package stored

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/ci/store"
	"github.com/llama-regress/llama-regress/cmd/internal/cli"
	"github.com/llama-regress/llama-regress/compare"
	"github.com/llama-regress/llama-regress/compare/history"
	"github.com/llama-regress/llama-regress/report"
	"github.com/llama-regress/llama-regress/stats"
)

// Confirm puts what a paired run measured in the place of the suspicions. base is
// the build that it was measured in turns with.
func (j *Judgement) Confirm(run *record.Run, base Rebuild) {
	j.Result.ConfirmSuspected(run)
	base.Commit = short12(BaselineArm(run).Build.Commit)
	j.confirming, j.base = run, base
}

// Verdict is what is to be stored beside the session: the losses that were
// confirmed, and those that it shows to be over. Nil where there are none, and where
// the session does not stand in line.
func (j *Judgement) Verdict(now time.Time) *store.Verdict {
	if j.Memory.OutOfLine {
		return nil
	}
	arm := ArmOf(j.Head)
	v := &store.Verdict{
		Machine: j.machine, Session: store.KeyOf(j.Head.Run, j.machine, 1).String(), Night: j.night, Arm: j.Head.Arm, Commit: arm.Build.Commit, Host: j.Head.Run.Host.Hard, Made: now,
	}
	for _, s := range j.choice.Sessions() {
		v.Against = append(v.Against, s.Key.String())
	}
	blocks := 0
	for _, c := range j.Result.Comparisons {
		if j.confirming == nil || c.Method != compare.Paired || c.Verdict != compare.Regression || c.Change == nil || c.Interval == nil {
			continue
		}
		f := finding(c, store.FindingOpen)
		for _, side := range []compare.Side{c.Baseline, c.Candidate} {
			for _, p := range side.Trials {
				f.Trials = append(f.Trials, p.Trial)
			}
		}
		v.Findings = append(v.Findings, f)
		blocks = max(blocks, c.Replicates)
	}
	if len(v.Findings) > 0 {
		v.Confirmed = &store.Confirmed{Run: j.confirming.ID, Blocks: blocks, Good: j.base.key, Commit: j.base.Commit}
		if last, ok := j.lastGood(); ok {
			v.Confirmed.Last, v.Confirmed.LastOf = last.key, short12(last.arm.Build.Commit)
		}
	}
	for _, s := range j.Memory.Over {
		for _, c := range j.Result.Comparisons {
			if c.Cell == s.Finding.Cell && c.Metric.Name == s.Finding.Metric.Name && c.Change != nil && c.Interval != nil {
				f := finding(c, store.FindingClosed)
				f.Opened = s.Verdict.Key
				v.Findings = append(v.Findings, f)
			}
		}
	}
	if len(v.Findings) == 0 {
		return nil
	}
	return v
}

func finding(c compare.Comparison, state string) store.Finding {
	return store.Finding{
		State: state, Cell: c.Cell, Workload: c.Workload, Model: c.Model, Params: c.Params, Metric: c.Metric,
		Change: *c.Change, Low: c.Interval.Low, High: c.Interval.High, Confidence: c.Interval.Confidence,
	}
}

// fewestConfirming and mostConfirming bound the blocks of a confirmation: what t
// needs to be itself, and what a night has time for.
const (
	fewestConfirming = 6
	mostConfirming   = 60
)

// ConfirmBlocks is how many blocks show each suspected loss four times out of
// five, if it is what it looks like, at the noise that trials have within the stored
// sessions; why says so. Without a noise to plan with it is usual.
func (j *Judgement) ConfirmBlocks(usual int) (blocks int, why string) {
	suspects := j.suspected()
	for _, c := range suspects {
		n, sd, ok := j.blocksFor(c, len(suspects))
		if !ok {
			return usual, "the usual number: the noise of the stored sessions says no other"
		}
		if n > blocks {
			blocks = n
			why = fmt.Sprintf("what it takes to show a loss of %s 4 times out of 5, at a noise of %.2g%% between paired trials", amountOf(c), 100*sd)
		}
	}
	return blocks, why
}

func amountOf(c compare.Comparison) string { return fmt.Sprintf("%.2g%%", 100*math.Abs(*c.Change)) }

// blocksFor plans the confirmation of one suspected loss among so many. sd is the
// noise it goes by; false where that is not known, or shares are compared.
func (j *Judgement) blocksFor(c compare.Comparison, family int) (n int, sd float64, ok bool) {
	margin, gated := j.Result.Policy.Margin(c.Metric)
	if !gated || c.Metric.InPoints() || c.Change == nil || *c.Change <= -1 {
		return 0, 0, false
	}
	squares, df := 0.0, 0.0
	for _, p := range append(j.past[:len(j.past):len(j.past)], j.Head) {
		s, d := within(p, c.Cell, c.Metric.Name)
		squares, df = squares+s, df+d
	}
	size := math.Abs(math.Log1p(*c.Change))
	if df == 0 || squares <= 0 || size <= margin.Lambda() {
		return 0, 0, false
	}
	sd = math.Sqrt2 * stats.UpperSD(math.Sqrt(squares/df), df, 0.80)
	t := stats.Target{Margin: margin.Lambda(), Alpha: j.Result.Policy.Alpha / float64(max(2, family)), Power: 0.80}
	enough := func(n int) bool { return t.Margin+t.Multiplier(n)*sd <= size }
	if !enough(mostConfirming) {
		return mostConfirming, sd, true
	}
	low, high := fewestConfirming-1, mostConfirming
	for high-low > 1 {
		if mid := (low + high) / 2; enough(mid) {
			high = mid
		} else {
			low = mid
		}
	}
	return high, sd, true
}

// within is the sum of squares, of logs, by which the trials of a session vary, and
// its degrees of freedom.
func within(s compare.Selection, cell, metric string) (squares, df float64) {
	var logs []float64
	for _, t := range s.Run.Trials {
		if m, ok := t.Measurement(metric); ok && t.Arm == s.Arm && t.Cell == cell && t.Counts() && !m.Censored && len(m.Values) > 0 {
			if v := stats.Median(m.Values); v > 0 {
				logs = append(logs, math.Log(v))
			}
		}
	}
	if len(logs) < 2 {
		return 0, 0
	}
	mean := 0.0
	for _, x := range logs {
		mean += x / float64(len(logs))
	}
	for _, x := range logs {
		squares += (x - mean) * (x - mean)
	}
	return squares, float64(len(logs) - 1)
}

// suspected lists the comparisons that history suspects, and those that a
// confirmation has taken the place of.
func (j *Judgement) suspected() (list []compare.Comparison) {
	for _, c := range j.historical {
		if c.Reason != nil && c.Reason.Code == compare.SuspectedByHistory {
			list = append(list, c)
		}
	}
	return list
}

// notWorse says whether a stored session is no part of what is suspected: it lies
// nearer to what the sessions mostly measured than to this one.
func (j *Judgement) notWorse(p compare.Selection) bool {
	for _, c := range j.suspected() {
		var values []float64
		at := math.NaN()
		for _, point := range c.Baseline.Trials {
			values = append(values, point.Value)
			if point.Trial == p.Run.ID {
				at = point.Value
			}
		}
		if len(values) == 0 || math.IsNaN(at) {
			return false
		}
		border := (stats.Median(values) + c.Candidate.Estimate) / 2
		if c.Metric.Better == record.Lower && at > border || c.Metric.Better == record.Higher && at < border {
			return false
		}
	}
	return true
}

// Ranges are the builds between which the losses came: that of tonight, and those
// that are open, each pair once.
func (j *Judgement) Ranges(ctx context.Context, checkout *history.Checkout, tonight *store.Verdict) (all []report.Range) {
	seen := make(map[[2]string]bool)
	add := func(v store.Verdict, f store.Finding) {
		r := report.Range{Cell: f.Cell, Metric: f.Metric.Name, Workload: f.Workload}
		if v.Confirmed != nil {
			r.Good = v.Confirmed.LastOf
		}
		r.Bad = short12(v.Commit)
		if r.Good == "" || r.Bad == "" || seen[[2]string{r.Good, r.Bad}] {
			return
		}
		seen[[2]string{r.Good, r.Bad}] = true
		if checkout != nil {
			r.Commits = checkout.Between(ctx, r.Good, r.Bad, 1)
		}
		for _, m := range j.Head.Run.Models {
			if m.Name == f.Model {
				r.Model = m.Path
			}
		}
		all = append(all, r)
	}
	if tonight != nil {
		for _, f := range tonight.Findings {
			if f.State == store.FindingOpen {
				add(*tonight, f)
			}
		}
	}
	for _, s := range j.Memory.Open {
		add(s.Verdict, s.Finding)
	}
	return all
}

// PutVerdict stores what was found out about a stored session, and says what.
func PutVerdict(ctx context.Context, a *cli.App, s store.Store, v store.Verdict, session string) error {
	key, err := store.ParseKey(session)
	if err != nil {
		return err
	}
	v.Machine, v.Session = key.Machine, session
	at, err := store.RecordVerdict(ctx, s, v)
	if err != nil {
		return err
	}
	open := 0
	for _, f := range v.Findings {
		if f.State == store.FindingOpen {
			open++
		}
	}
	fmt.Fprintf(a.Err, "stored: %s (%d opened, %d closed)\n", at, open, len(v.Findings)-open)
	return nil
}
