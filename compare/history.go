package compare

import (
	"math"
	"slices"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/stats"
)

// oldEnough is how many stored sessions a baseline needs before its own
// variance will do; from minSessions on, that of similar cells has to help
// (statistics reference 7.3).
const oldEnough = 8

// History compares one arm of a session with the same arm of stored sessions,
// by the interval in which a session's mean is to be expected. The variances of
// all cells of a metric kind moderate one another, so that a young baseline is
// not at the mercy of its own few values.
//
// Stored sessions of another machine take no part. Where the session ran a null
// control, a difference there forbids suspicions too. A loss found here is a
// suspicion and never a verdict: what has changed between then and now is not
// the build alone. Paired mode confirms.
func History(past []Selection, head Selection, policy Policy) *Result {
	res := &Result{Method: Historical, Policy: policy, Notes: head.Run.Notes, Failures: failures(head.Run), machines: head.Run.PartOfCells()}
	var same []armTrials
	var mismatched []string
	for _, p := range past {
		if hard := HardDifferences(p, head); len(hard) > 0 {
			mismatched = append(mismatched, keys(hard)...)
			continue
		}
		same = append(same, side(p))
	}
	if len(same) > 0 {
		mismatched = nil // enough that some are comparable
	}
	slices.Sort(mismatched)
	h := side(head)
	what := subjectsOfPast(past, head, policy)
	res.Namesakes, res.Differences = what.found, what.diffs
	for _, c := range h.cells {
		if len(h.trials[c.Key]) == 0 {
			continue
		}
		for _, m := range c.Metrics {
			res.Comparisons = append(res.Comparisons, Comparison{
				Cell: c.Key, Workload: c.Workload, Model: c.Model, Params: c.Params, Metric: m, Method: Historical,
				Baseline:  sessionMeans(fit(same, what.unfit[c.Key]), past, c.Key, m),
				Candidate: sessionMeans([]armTrials{h}, []Selection{head}, c.Key, m),
			})
		}
	}
	predict(res.Comparisons, policy)
	res.Comparisons = append(res.Comparisons, lostSince(past, same, h, head.Arm, policy)...)
	for _, arm := range head.Run.Arms {
		if arm.ControlOf == head.Arm {
			controls, _ := match(h, side(Selection{head.Run, arm.Name}), method(head.Run, head.Run), policy)
			res.Controls = append(res.Controls, controls...)
		}
	}
	if len(same) > 0 {
		res.Differences = append(res.Differences, since(past, same[len(same)-1], head)...)
	}
	res.judge(mismatches{slices.Compact(mismatched), what.cells})
	return res
}

// pastSubjects are the namesakes among a session and those before it.
type pastSubjects struct {
	subjects
	unfit map[string]map[string]bool // by cell: the runs, by ID, that measured something else under its name
}

// subjectsOfPast compares what a session measured with what the stored ones did.
// A cell is not judged where every stored session measured something else.
func subjectsOfPast(past []Selection, head Selection, policy Policy) pastSubjects {
	all := pastSubjects{subjects{cells: make(map[string]Reason)}, make(map[string]map[string]bool)}
	served := make(map[string]bool)
	for _, p := range slices.Backward(past) { // the latest speaks for those before it
		one := subjectsOf(p.Run, head.Run, head.Arm, policy)
		for _, c := range p.Run.Cells {
			if r, unlike := one.cells[c.Key]; !unlike {
				served[c.Key] = true
			} else {
				if _, told := all.cells[c.Key]; !told {
					all.cells[c.Key] = r
				}
				if all.unfit[c.Key] == nil {
					all.unfit[c.Key] = make(map[string]bool)
				}
				all.unfit[c.Key][p.Run.ID] = true
			}
		}
		if len(all.found) == 0 {
			all.found, all.diffs = one.found, one.diffs
		}
	}
	for cell := range served {
		delete(all.cells, cell)
	}
	if len(all.cells) == 0 && !slices.ContainsFunc(all.found, func(n Namesake) bool { return n.Ignored }) {
		all.found, all.diffs = nil, nil
	}
	return all
}

// fit leaves out the sessions of those IDs.
func fit(sessions []armTrials, unfit map[string]bool) []armTrials {
	if len(unfit) == 0 {
		return sessions
	}
	return slices.DeleteFunc(slices.Clone(sessions), func(a armTrials) bool { return unfit[a.run] })
}

// HardDifferences lists what keeps a session from being the history of another:
// hard keys of the machines, and of the builds their arms ran.
func HardDifferences(past, head Selection) []record.KeyDiff {
	hard, _ := past.Run.Host.Compare(head.Run.Host)
	return append(hard, buildOf(past).Compare(buildOf(head))...)
}

func buildOf(s Selection) record.Build {
	for _, arm := range s.Run.Arms {
		if arm.Name == s.Arm {
			return arm.Build
		}
	}
	return record.Build{}
}

// since lists what is another than in the latest of the stored sessions.
func since(past []Selection, latest armTrials, head Selection) []Difference {
	var ds []Difference
	for _, p := range past {
		if p.Run.ID == latest.run {
			_, soft := p.Run.Host.Compare(head.Run.Host)
			ds = hostDifferences(head.Arm, soft, false)
		}
	}
	return append(ds, buildDifferences(latest.arm, side(head).arm)...)
}

// sessionMeans reduces each session to one point, the geometric mean of its
// trials, of success counts their sum: sessions are what history replicates. A
// session in which a trial lies beyond what could be measured has no mean.
func sessionMeans(sessions []armTrials, selections []Selection, cell string, m record.Metric) Side {
	var s Side
	for i, session := range sessions {
		all := points(session, cell, m)
		all.withoutFallbacks() // other sessions have the estimate of first choice
		trials := excludeDisturbedAlone(all, Policy{})
		if trials.disturbed() == 0 {
			s.Disturbed += trials.Disturbed
		}
		s.Failed += trials.Failed
		s.Censored += trials.Censored
		s.Arm = session.arm.Name
		if len(trials.Trials) == 0 || trials.Censored > 0 {
			continue
		}
		p := Point{Trial: session.run, Block: record.NoBlock, Order: i}
		p.Value, p.Count = sessionMean(trials, m)
		s.Trials = append(s.Trials, p)
		s.sessions = append(s.sessions, trials.values())
	}
	if s.Arm == "" && len(selections) > 0 {
		s.Arm = selections[0].Arm
	}
	return s
}

// sessionMean is the mean of a session's trials and, if all of them have one,
// the count behind it.
func sessionMean(trials Side, m record.Metric) (float64, *record.Count) {
	if counts := trials.counts(); counts != nil {
		sum := new(record.Count)
		for _, p := range trials.Trials {
			sum.Succeeded, sum.Total = sum.Succeeded+p.Count.Succeeded, sum.Total+p.Count.Total
		}
		return float64(sum.Succeeded) / float64(sum.Total), sum
	}
	sc := scaleOf(m, Margin{})
	return sc.level(sc.oriented(trials)), nil
}

// predict fills in change, interval and margin of every comparison, with one
// variance prior for each kind of metric that is compared by ratio.
func predict(cs []Comparison, policy Policy) {
	kinds := make(map[string][]*Comparison)
	for i := range cs {
		cs[i].Baseline.Censored = 0 // stored sessions without a mean are missing, which is no fault of this one
		kinds[cs[i].Metric.Kind] = append(kinds[cs[i].Metric.Kind], &cs[i])
	}
	for _, list := range kinds {
		var variances, df []float64
		for _, c := range list {
			if c.Metric.InPoints() {
				continue
			}
			if n := len(c.Baseline.Trials); n > 1 {
				sd := spread(logs(c.Baseline))
				variances, df = append(variances, sd*sd), append(df, float64(n-1))
			}
		}
		prior := stats.FitVariancePrior(variances, df)
		for _, c := range list {
			*c = predictOne(*c, prior, policy)
		}
	}
}

func predictOne(c Comparison, prior stats.VariancePrior, policy Policy) Comparison {
	margin, gated := policy.Margin(c.Metric)
	sc := scaleOf(c.Metric, margin)
	if len(c.Baseline.Trials) == 0 || len(c.Candidate.Trials) == 0 {
		return c.withLevels(sc)
	}
	if base, head := c.Baseline.counts(), c.Candidate.counts(); base != nil && head != nil && sc.better > 0 {
		// As of two arms, with sessions for trials: a bad night fails many
		// requests at once.
		c.Estimator = PooledRates
		d := stats.DeflatedNewcombe(base, head)
		c.Baseline.Estimate, c.Candidate.Estimate = pooledRate(base), pooledRate(head)
		c.effect = effect{inference: d, theta: d.Difference, lambda: sc.lambda, n: len(base)}
		return c.withInterval(sc, gated, policy)
	}
	base, head := sc.oriented(c.Baseline), sc.oriented(c.Candidate)
	c.Baseline.Estimate, c.Candidate.Estimate = sc.level(base), sc.level(head)
	if c.Metric.InPoints() {
		prior = stats.VariancePrior{} // that of ratios says nothing of differences
	}
	c.Estimator = Prediction
	t := stats.Prediction(base, head, prior)
	moderated := prior.DF > 0
	if se, df, other := otherShape(c, sc); other {
		t.SE, t.DF, moderated = se, df, false
	}
	if c.Metric.Exact {
		t.SE = math.Hypot(t.SE, math.Sqrt2*ExactFloor)
	}
	c.effect = effect{inference: t, theta: t.Theta, lambda: sc.lambda, n: len(base), moderated: moderated}
	if !math.IsInf(t.SE, 1) {
		c.Sigma = t.SE / math.Sqrt(1/float64(len(base))+1/float64(len(head)))
	}
	return c.withInterval(sc, gated, policy)
}

// otherShape is the error of the change when the new session has another number
// of trials than the median stored session. Means of fewer trials vary more, by what trials differ within a session (statistics reference 7.3).
func otherShape(c Comparison, sc scale) (se, df float64, other bool) {
	var sizes []float64
	groups := make([][]float64, len(c.Baseline.sessions))
	for i, values := range c.Baseline.sessions {
		sizes = append(sizes, float64(len(values)))
		for _, v := range values {
			groups[i] = append(groups[i], sc.better*sc.to(v))
		}
	}
	stored, fresh := int(stats.Median(sizes)), len(c.Candidate.sessions[0])
	if stored == fresh {
		return 0, 0, false
	}
	se, df = stats.OneWayComponents(groups).DifferenceError(
		stats.Shape{Sessions: len(groups), Trials: stored, Repetitions: 1}, stats.Shape{Sessions: 1, Trials: fresh, Repetitions: 1})
	return se, df, true
}

func logs(s Side) []float64 {
	vs := s.values()
	for i, v := range vs {
		vs[i] = math.Log(v)
	}
	return vs
}
