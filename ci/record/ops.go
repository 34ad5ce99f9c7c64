package record

import "strings"

// OpsWorkload is llama.cpp's test-backend-ops, which times single operators of a
// backend without a model. A process is a trial, however many operators it times:
// what they share, such as where memory lies, makes them alike.
const OpsWorkload = "ops"

// Parameters of an ops cell that say which of the program's cases are timed. In the
// place of a model it has the backend, as the program names it: "CPU", "CUDA0".
const (
	OpsParam    = "ops"    // names of operators, joined by +
	ShapesParam = "shapes" // regular expression of the program over a case's parameters; absent for all
)

// Kinds of the metrics of operators.
const (
	OpTime = "op_time" // seconds a run
	OpRate = "op_rate" // what the program makes of it, GFLOPS or GB/s
)

// casePattern is what a case looks like: MUL_MAT(type_a=q4_0,type_b=f32,m=4096,n=1).
const casePattern = `[A-Z][A-Z0-9_]{0,63}\([ -~]{0,400}\)`

// Endings of the names of rates.
const (
	flopsEnding     = " gflops"
	bandwidthEnding = " gbs"
)

var ops = Workload{
	Name: OpsWorkload, Title: "test-backend-ops", Program: "test-backend-ops", Bare: true, Discovers: true,
	Metrics: []Definition{
		{Name: "MUL_MAT(m=4096,n=1,k=4096)", Pattern: casePattern, Kind: OpTime, Unit: "s", Better: Lower, Scale: Ratio, Margin: 0.05,
			Term: "operator", Meaning: "Time of one run of an operator on one shape, the mean of the runs of a process, as test-backend-ops perf has it. What a model gains or loses by it depends on how often it runs it."},
		{Name: "MUL_MAT(m=4096,n=1,k=4096)" + flopsEnding, Pattern: casePattern + flopsEnding, Kind: OpRate, Unit: "GFLOPS", Better: Higher, Scale: Ratio,
			Term: "rate of an operator", Meaning: "The same time, as operations in a second: shown, and judged by the time."},
		{Name: "ADD(ne=[4096,1,1,1])" + bandwidthEnding, Pattern: casePattern + bandwidthEnding, Kind: OpRate, Unit: "GB/s", Better: Higher, Scale: Ratio,
			Meaning: "The same time, as memory read and written in a second."},
	},
}

// An OpCase is what a process measured of one operator on one shape.
type OpCase struct {
	Op, Params string  // as the program prints them
	Seconds    float64 // of one run, above 0
	Flops      float64 // a second; 0 where the program tells none
	Bandwidth  float64 // bytes a second, by 10^9; 0 where it tells none
}

// Name is the name of the metric of its time; it may be none that the catalogue
// knows.
func (c OpCase) Name() string { return c.Op + "(" + c.Params + ")" }

// Measurements are those of a case.
func (c OpCase) Measurements() []Measurement {
	all := []Measurement{{Metric: c.Name(), Values: []float64{c.Seconds}}}
	if c.Flops > 0 {
		all = append(all, Measurement{Metric: c.Name() + flopsEnding, Values: []float64{c.Flops / 1e9}})
	}
	if c.Bandwidth > 0 {
		all = append(all, Measurement{Metric: c.Name() + bandwidthEnding, Values: []float64{c.Bandwidth}})
	}
	return all
}

// IsOpCase reports whether a text is the name of a metric of operators.
func IsOpCase(name string) bool { return strings.HasSuffix(name, ")") && ops.Metrics[0].Is(name) }

// Discover adds to the trial's cell the metrics that it does not know yet, where its
// workload learns what it measures from the program alone. Metrics that
// the catalogue does not know are left for Validate.
func (r *Run) Discover(t *Trial) {
	for i := range r.Cells {
		c := &r.Cells[i]
		w, _ := WorkloadByName(c.Workload)
		if c.Key != t.Cell || !w.Discovers {
			continue
		}
		known := make(map[string]bool, len(c.Metrics))
		for _, m := range c.Metrics {
			known[m.Name] = true
		}
		metrics := c.Metrics[:len(c.Metrics):len(c.Metrics)] // a plan shares them
		for _, m := range t.Measurements {
			if d, of, ok := DefinitionOf(m.Metric); ok && of == w.Name && !known[m.Metric] {
				metrics = append(metrics, d.Metric(m.Metric))
			}
		}
		c.Metrics = metrics
	}
}
