package host

import (
	"fmt"

	"github.com/llama-regress/llama-regress/ci/record"
)

// Rules say which conditions make a trial's numbers unfit: limits fixed before
// anything is measured, on what the machine did and never on the result. A value
// above its limit breaks the rule.
type Rules struct {
	Steal         float64 // share of processor time, 0 to 1
	OtherCPU      float64 // cores
	ThrottleCount float64
	SwapIn        float64 // pages
	MajorFaults   float64
}

// StandardRules are the limits unless a configuration says otherwise.
func StandardRules() Rules { return Rules{Steal: 0.01, OtherCPU: 0.1} }

// Contaminated says, a sentence each, which rules the samples of a trial break:
// the means of steal and foreign CPU, and the sums of all else, over the readings
// that lie after the load began (or, of a load shorter than a reading, the one it
// ended in). A series that is absent breaks no rule; nil samples have none. The
// samples are not modified.
func (r Rules) Contaminated(s *record.Samples) []string {
	if s == nil {
		return nil
	}
	var broken []string
	if v := meanOf(s, Steal); v > r.Steal {
		broken = append(broken, fmt.Sprintf("the hypervisor gave %.1f%% of processor time to others, more than %.3g%%", 100*v, 100*r.Steal))
	}
	if v := sumOf(s, ThrottleCount); v > r.ThrottleCount {
		broken = append(broken, fmt.Sprintf("the processor was slowed down for heat %.0f times, more than %.3g", v, r.ThrottleCount))
	}
	if v := meanOf(s, CPUOther); v > r.OtherCPU {
		broken = append(broken, fmt.Sprintf("other programs used %.2f cores, more than %.3g", v, r.OtherCPU))
	}
	if v := sumOf(s, SwapIn); v > r.SwapIn {
		broken = append(broken, fmt.Sprintf("%.0f pages were read back from swap, more than %.3g", v, r.SwapIn))
	}
	if v := sumOf(s, MajorFaults); v > r.MajorFaults {
		broken = append(broken, fmt.Sprintf("the program waited for %.0f pages from disk, more than %.3g", v, r.MajorFaults))
	}
	return broken
}

// duringLoad are the values of a series whose intervals lie after the load began.
func duringLoad(s *record.Samples, series string) []float64 {
	values := s.Series[series]
	for i := range values {
		if s.At+float64(i-1)*s.Every >= -0.001 { // it is rounded to ms
			return values[i:]
		}
	}
	return values[max(0, len(values)-1):]
}

func sumOf(s *record.Samples, series string) float64 {
	sum := 0.0
	for _, v := range duringLoad(s, series) {
		sum += v
	}
	return sum
}

// meanOf is 0 for a series that is absent.
func meanOf(s *record.Samples, series string) float64 {
	return sumOf(s, series) / max(1, float64(len(duringLoad(s, series))))
}
