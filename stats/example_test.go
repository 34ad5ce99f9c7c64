package stats_test

import (
	"fmt"
	"math"

	"github.com/llama-regress/llama-regress/stats"
)

// A loss beyond the margin has a small p-value against "the loss is at most the
// margin"; equivalence has two.
func ExampleEstimate_PBelow() {
	lambda := math.Log(1.03)
	e := stats.PairedT([]float64{.004, -.006, .002, -.003, .005, -.001, .003, -.002})
	fmt.Printf("worse than the margin: p = %.3f\n", e.PBelow(-lambda))
	fmt.Printf("within the margin:     p = %.7f\n", max(e.PAbove(-lambda), e.PBelow(lambda)))
	// Output:
	// worse than the margin: p = 1.000
	// within the margin:     p = 0.0000001
}

// Trials of two sides that were not measured in turns.
func ExampleWelch() {
	base := []float64{100.1, 99.8, 100.4, 100.0, 99.6}
	head := []float64{97.2, 96.9, 97.5, 98.1, 96.8}
	iv := stats.Welch(base, head).Interval(.90)
	fmt.Printf("%.2f, 90 %% interval %.2f to %.2f\n", iv.Estimate, iv.Low, iv.High)
	// Output:
	// -2.68, 90 % interval -3.20 to -2.16
}

// Holm's correction keeps the chance of even one false rejection.
func ExampleHolm() {
	fmt.Println(stats.Holm([]float64{.01, .04, .03}))
	// Output:
	// [0.03 0.06 0.06]
}

// A failed request ranks above every number.
func ExampleHarrellDavis() {
	latencies := []float64{.21, .19, .22, .24, .20, .23, .25, .21, .22, math.Inf(1)}
	fmt.Printf("median %.3f s, p95 %v\n", stats.HarrellDavis(latencies, .5), stats.HarrellDavis(latencies, .95))
	// Output:
	// median 0.221 s, p95 +Inf
}

// How many blocks find a loss of 5 % beyond a margin of 3 %, if the differences
// of blocks vary by 2 %?
func ExampleBlocksNeeded() {
	target := stats.Target{Margin: math.Log(1.03), Alpha: .025, Power: .80}
	n, ok := stats.BlocksNeeded(target, .02, -math.Log(.95))
	fmt.Println(n, ok)
	fmt.Printf("with 10 blocks a loss of %.1f %%\n", -100*math.Expm1(-stats.MDE(target, .02, 10)))
	// Output:
	// 9 true
	// with 10 blocks a loss of 4.8 %
}

// The level at each of four interim analyses of growing data.
func ExampleInterimAnalyses() {
	planned := stats.NewInterimAnalyses([]int{6, 10, 15, 20})
	for k := range 4 {
		fmt.Printf("%.4f ", planned.Level(k, .025))
	}
	fmt.Printf("and p = 0.01 at the last is worth %.4f\n", planned.PValue(3, .01))
	// Output:
	// 0.0000 0.0015 0.0088 0.0211 and p = 0.01 at the last is worth 0.0115
}

// Where does a series step, and by how much?
func ExampleChangePoints() {
	nights := []float64{.01, -.02, .00, .01, -.01, .02, .00, -.01, -.09, -.11, -.10, -.08, -.10, -.12, -.09, -.10}
	for _, c := range stats.ChangePoints(nights, stats.ChangeRule{Alpha: .01, Margin: .03, Seed: 1}) {
		fmt.Printf("from night %d on: %.3f\n", c.At, c.Shift.Theta)
	}
	// Output:
	// from night 8 on: -0.099
}

// What a new session's mean should be, given stored ones.
func ExamplePrediction() {
	stored := []float64{4.60, 4.62, 4.61, 4.59, 4.61, 4.60, 4.62, 4.60}
	e := stats.Prediction(stored, []float64{4.52}, stats.VariancePrior{})
	iv := e.Interval(.90)
	fmt.Printf("%.3f, 90 %% interval %.3f to %.3f\n", iv.Estimate, iv.Low, iv.High)
	// Output:
	// -0.086, 90 % interval -0.108 to -0.065
}
