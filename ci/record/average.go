package record

import "math"

// Summarized reports whether an arm has values that are means of repetitions which
// nobody kept.
func (r *Run) Summarized(arm string) bool {
	for i := range r.Trials {
		for _, m := range r.Trials[i].Measurements {
			if r.Trials[i].Arm == arm && m.Summary != nil {
				return true
			}
		}
	}
	return false
}

// Summarize makes of every series of repetitions of an arm its mean, as a program
// prints it, with the standard deviation beside it: to be compared with an arm of
// which nothing else is known. A median beside a mean would show a difference that
// nobody measured. It reports whether there was any.
func (r *Run) Summarize(arm string) (any bool) {
	for i := range r.Trials {
		t := &r.Trials[i]
		if t.Arm != arm {
			continue
		}
		measured := make([]Measurement, len(t.Measurements)) // a session of a store shares them
		for k, m := range t.Measurements {
			if n := float64(len(m.Values)); n > 1 {
				mean, squares := 0.0, 0.0
				for _, v := range m.Values {
					mean += v / n
				}
				for _, v := range m.Values {
					squares += (v - mean) * (v - mean)
				}
				any = true
				m.Values, m.Summary = []float64{mean}, &Summary{Deviation: math.Sqrt(squares / (n - 1))}
			}
			measured[k] = m
		}
		t.Measurements = measured
	}
	return any
}
