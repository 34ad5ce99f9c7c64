package runner

import (
	"context"
	"fmt"
	"time"
)

// givesUpCooling is how often in a row the processor may stay hot up to the
// limit before it is waited for no more: it will not get cooler.
const givesUpCooling = 3

// cooling waits for the processor before trials, for every arm by the same rule.
type cooling struct {
	stayedHot int // times in a row that the limit passed
}

// cool waits until the processor is no warmer than Options.CoolBelow, at most
// Options.CoolLimit. It returns for how long, in seconds, and how warm the
// processor then is; nil where nothing tells.
func (s *session) cool(ctx context.Context) (seconds float64, celsius *float64) {
	begun := s.opts.Now()
	for {
		now, ok := s.opts.Temperature()
		if !ok {
			return 0, nil
		}
		waited := s.opts.Now().Sub(begun)
		switch {
		case s.opts.CoolBelow <= 0 || s.cooling.stayedHot >= givesUpCooling:
			return 0, &now
		case now <= s.opts.CoolBelow:
			s.cooling.stayedHot = 0
			return rounded(waited), &now
		case waited >= s.opts.CoolLimit:
			if s.cooling.stayedHot++; s.cooling.stayedHot == givesUpCooling {
				s.notes = append(s.notes, fmt.Sprintf("the processor stayed above %.0f °C for %v before %d trials in a row; later trials did not wait for it", s.opts.CoolBelow, s.opts.CoolLimit, givesUpCooling))
			}
			return rounded(waited), &now
		}
		if !s.opts.Sleep(ctx, time.Second) {
			return rounded(waited), &now
		}
	}
}

// rounded leaves out the moment that looking takes.
func rounded(d time.Duration) float64 {
	return d.Round(100 * time.Millisecond).Seconds()
}

// sleep is false when ctx ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
