package stats_test

import (
	"fmt"

	"github.com/llama-regress/llama-regress/stats"
)

// Eight paired differences of logs, about 4 % lower.
func ExamplePairedT() {
	d := []float64{-.041, -.036, -.050, -.044, -.031, -.047, -.039, -.042}
	e := stats.PairedT(d)
	iv := e.Interval(.90)
	fmt.Printf("%.4f, 90 %% interval %.4f to %.4f\n", iv.Estimate, iv.Low, iv.High)
	fmt.Printf("below -0.03: p = %.5f\n", e.PBelow(-.03))
	// Output:
	// -0.0412, 90 % interval -0.0453 to -0.0372
	// below -0.03: p = 0.00058
}

// Four trials of 50 requests a side; head lost most of its failures in one.
func ExampleDeflatedNewcombe() {
	base := []stats.Count{{K: 50, N: 50}, {K: 49, N: 50}, {K: 50, N: 50}, {K: 50, N: 50}}
	head := []stats.Count{{K: 50, N: 50}, {K: 31, N: 50}, {K: 48, N: 50}, {K: 49, N: 50}}
	d := stats.DeflatedNewcombe(base, head)
	iv := d.Interval(.90)
	fmt.Printf("%.3f, 90 %% interval %.3f to %.3f\n", iv.Estimate, iv.Low, iv.High)
	fmt.Printf("one request in %.1f counts as independent\n", d.HeadDeff)
	// Output:
	// -0.105, 90 % interval -0.340 to 0.111
	// one request in 13.0 counts as independent
}
