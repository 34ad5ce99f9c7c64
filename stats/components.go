package stats

import "math"

// A Component is one level of a nested analysis of variance.
type Component struct {
	MeanSquare float64 // >= 0
	DF         float64 // degrees of freedom of MeanSquare; 0 when there was nothing to compare
	Variance   float64 // variance this level adds to the one below, 0 rather than negative
}

// VarianceComponents splits the variance of values into what differs between
// sessions, between the trials of a session, and between the repetitions of a
// trial. A level without replicates has DF 0 and Variance 0; what it varies is
// then counted in the level above.
type VarianceComponents struct {
	Mean                       float64 // of all values
	Session, Trial, Repetition Component

	// Expected mean squares: Repetition σr²; Trial σr² + perTrial·σt²;
	// Session σr² + perTrialBetween·σt² + perSession·σs².
	perTrial, perTrialBetween, perSession float64
}

// NestedComponents estimates variance components from sessions[i][j][k], the
// value of repetition k of trial j of session i, by equating the mean squares
// of the analysis of variance with their expectations, which for unequal sizes
// carry the coefficients of Searle, Casella and McCulloch (1992, section 3.6).
// A negative estimate becomes 0.
//
// Sizes may differ. Nothing is changed. It panics if there is no value, a
// session has no trial or a trial no value, or a value is NaN, infinite or
// beyond ±1e150.
func NestedComponents(sessions [][][]float64) VarianceComponents {
	checkNested("NestedComponents", sessions)
	var s nestedSums
	s.add(sessions)
	a, b, n := float64(len(sessions)), s.trials, s.values
	c := VarianceComponents{
		Mean:       s.mean,
		Session:    meanSquare(s.between, a-1),
		Trial:      meanSquare(s.trialsWithin, b-a),
		Repetition: meanSquare(s.repetitionsWithin, n-b),
	}
	c.Repetition.Variance = c.Repetition.MeanSquare
	if b > a {
		c.perTrial = (n - s.sizeRatio) / (b - a)
		c.Trial.Variance = max(0, (c.Trial.MeanSquare-c.Repetition.Variance)/c.perTrial)
	}
	if a > 1 {
		c.perTrialBetween = (s.sizeRatio - s.trialSquares/n) / (a - 1)
		c.perSession = (n - s.sessionSquares/n) / (a - 1)
		below := c.Repetition.Variance + c.perTrialBetween*c.Trial.Variance
		c.Session.Variance = max(0, (c.Session.MeanSquare-below)/c.perSession)
	}
	return c
}

// OneWayComponents is NestedComponents for one level of grouping: Session holds
// what differs between the groups, Trial what differs within them, and
// Repetition is empty. It panics if there is no group, a group is empty, or a
// value is NaN, infinite or beyond ±1e150.
func OneWayComponents(groups [][]float64) VarianceComponents {
	nested := make([][][]float64, len(groups))
	for i, group := range groups {
		nested[i] = make([][]float64, len(group))
		for j := range group {
			nested[i][j] = group[j : j+1]
		}
	}
	checkNested("OneWayComponents", nested)
	return NestedComponents(nested)
}

// A Shape is how much was, or will be, measured.
type Shape struct {
	Sessions    int // >= 1
	Trials      int // >= 1, per session
	Repetitions int // >= 1, per trial
}

// DifferenceError returns the standard error of the difference between two
// independent means of the given shapes, as when a session is compared with
// stored ones of another number of trials. Otherwise it is like MeanError.
func (c VarianceComponents) DifferenceError(a, b Shape) (se, df float64) {
	return c.error("DifferenceError", a, b)
}

func (c VarianceComponents) error(caller string, shapes ...Shape) (se, df float64) {
	var session, trial, repetition float64 // coefficients of σs², σt², σr²
	for _, s := range shapes {
		if s.Sessions < 1 || s.Trials < 1 || s.Repetitions < 1 {
			panic("stats: VarianceComponents." + caller + ": every field of the shape must be at least 1")
		}
		n := float64(s.Sessions)
		session += 1 / n
		trial += 1 / n / float64(s.Trials)
		repetition += 1 / n / float64(s.Trials) / float64(s.Repetitions)
	}
	if c.Session.DF == 0 {
		return math.Inf(1), 1
	}
	// Written in mean squares, which are independent; a component floored at 0
	// takes no part.
	var ofSession, ofTrial float64
	if c.Session.Variance > 0 {
		ofSession = session / c.perSession
		repetition -= ofSession
		trial -= ofSession * c.perTrialBetween
	}
	if c.Trial.Variance > 0 {
		ofTrial = trial / c.perTrial
		repetition -= ofTrial
	}
	variance, df := satterthwaite(
		weighted{ofSession, c.Session}, weighted{ofTrial, c.Trial}, weighted{repetition, c.Repetition})
	if variance <= 0 {
		return 0, c.Session.DF
	}
	return math.Sqrt(variance), df
}

type weighted struct {
	weight float64
	Component
}

// satterthwaite returns the sum of the weighted mean squares and its effective
// degrees of freedom, (Σ wM)² / Σ (wM)²/df (Satterthwaite 1946).
func satterthwaite(terms ...weighted) (sum, df float64) {
	spread := 0.0
	for _, t := range terms {
		if t.DF == 0 {
			continue
		}
		part := t.weight * t.MeanSquare
		sum += part
		spread += part * part / t.DF
	}
	return sum, sum * sum / spread
}

func meanSquare(sum, df float64) Component {
	if df <= 0 {
		return Component{}
	}
	return Component{MeanSquare: sum / df, DF: df}
}

// nestedSums are the sums over a nested layout that the analysis needs.
type nestedSums struct {
	mean                                     float64
	values, trials                           float64 // how many
	between, trialsWithin, repetitionsWithin float64 // sums of squares about the mean one level up
	sessionSquares, trialSquares             float64 // Σ (values of a session)², Σ (values of a trial)²
	sizeRatio                                float64 // Σ over sessions of Σ (values of a trial)² / values of the session
}

func (s *nestedSums) add(sessions [][][]float64) {
	var all []float64
	for _, trials := range sessions {
		for _, values := range trials {
			all = append(all, values...)
		}
	}
	s.mean = carefulMean(all)
	for _, trials := range sessions {
		var session []float64
		squares := 0.0
		for _, values := range trials {
			session = append(session, values...)
			squares += float64(len(values)) * float64(len(values))
		}
		n, sessionMean := float64(len(session)), carefulMean(session)
		for _, values := range trials {
			trialMean := carefulMean(values)
			s.trialsWithin += float64(len(values)) * square(trialMean-sessionMean)
			for _, v := range values {
				s.repetitionsWithin += square(v - trialMean)
			}
		}
		s.between += n * square(sessionMean-s.mean)
		s.values += n
		s.trials += float64(len(trials))
		s.sessionSquares += n * n
		s.trialSquares += squares
		s.sizeRatio += squares / n
	}
}

// carefulMean adds the mean of the residuals, so that large values with a small
// spread keep their digits.
// Equal values have exactly that mean.
func carefulMean(values []float64) float64 {
	if isConstant(values) {
		return values[0]
	}
	n := float64(len(values))
	mean := 0.0
	for _, v := range values {
		mean += v / n
	}
	rest := 0.0
	for _, v := range values {
		rest += (v - mean) / n
	}
	return mean + rest
}

func square(x float64) float64 { return x * x }

func checkNested(caller string, sessions [][][]float64) {
	if len(sessions) == 0 {
		panic("stats: " + caller + ": no values")
	}
	for _, trials := range sessions {
		if len(trials) == 0 {
			panic("stats: " + caller + ": a group without values")
		}
		for _, values := range trials {
			checkFinite(caller, values)
		}
	}
}
