package stats

// A Test is the outcome of a hypothesis test. The p-values lie in [0, 1] and
// include the observed outcome, so they are never 0 in an exact test.
//
// Functions of two samples take the baseline before the candidate: Less and
// Greater say where head lies relative to base.
type Test struct {
	Statistic float64 // what was compared with its null distribution; each function says what
	Less      float64 // p-value against the alternative that the location, or head, is lower
	Greater   float64 // p-value against the alternative that it is higher
	TwoSided  float64 // p-value against the alternative that it differs
	Exact     bool    // from the complete null distribution, not from an approximation or a draw
}
