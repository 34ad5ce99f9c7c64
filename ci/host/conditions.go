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
	ThrottleCount float64 // times
	SwapIn        float64 // pages a second, of the machine
	MajorFaults   float64 // pages a second, of the watched processes
}

// leastJudged is how many seconds must have been watched: the kernel counts
// processor time in hundredths, so shorter trials show its rounding.
const leastJudged = 1.0

// StandardRules are the limits unless a configuration says otherwise. A page
// read from a solid-state disk stops a program for some 0.1 ms, so ten a second
// take a thousandth of its time.
func StandardRules() Rules {
	return Rules{Steal: 0.01, OtherCPU: 0.1, SwapIn: 10, MajorFaults: 10}
}

// Contaminated says, a sentence each, which rules the samples of a trial break:
// by the number of throttlings and the means of all else over the readings that
// lie after the load began (or, of a load shorter than a reading, the one it
// ended in). What a cold model file costs to load is thus not counted. A series
// that is absent breaks no rule; nil samples and loads watched for less than a
// second have none. The samples are not modified.
func (r Rules) Contaminated(s *record.Samples) []string {
	if s == nil || !longEnough(s) {
		return nil
	}
	var broken []string
	rule := func(value, most float64, format string, args ...any) {
		if value > most {
			broken = append(broken, fmt.Sprintf(format, args...))
		}
	}
	v := func(series string) float64 { return meanOf(s, series) }
	rate := func(series string) float64 { return meanOf(s, series) / max(s.Every, 1e-3) }
	rule(v(Steal), r.Steal, "the hypervisor gave %.1f%% of processor time to others, more than %.3g%%", 100*v(Steal), 100*r.Steal)
	throttlings := v(ThrottleCount) * float64(len(duringLoad(s, ThrottleCount)))
	rule(throttlings, r.ThrottleCount, "the processor was slowed down for heat %.0f times, more than %.3g", throttlings, r.ThrottleCount)
	rule(v(CPUOther), r.OtherCPU, "other programs used %.2f cores, more than %.3g", v(CPUOther), r.OtherCPU)
	rule(rate(SwapIn), r.SwapIn, "%.0f pages a second were read back from swap, more than %.3g", rate(SwapIn), r.SwapIn)
	rule(rate(MajorFaults), r.MajorFaults, "the program waited for %.0f pages a second from disk, more than %.3g", rate(MajorFaults), r.MajorFaults)
	return broken
}

func longEnough(s *record.Samples) bool {
	for series := range s.Series { // all are of one length
		return float64(len(duringLoad(s, series)))*s.Every >= leastJudged-1e-3
	}
	return false
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

// meanOf is 0 for a series that is absent.
func meanOf(s *record.Samples, series string) float64 {
	sum, values := 0.0, duringLoad(s, series)
	for _, v := range values {
		sum += v
	}
	return sum / max(1, float64(len(values)))
}
