package runner

import (
	"context"
	"fmt"
	"math"
	"time"
)

// givesUpCooling is how often in a row something may stay hot up to the limit before
// nothing is waited for any more: it will not get cooler.
const givesUpCooling = 3

// cooling waits for processor and devices before trials, for every arm by the same rule.
type cooling struct {
	stayedHot int // times in a row that the limit passed
}

// cooled is how the machine was left to cool down before a trial. The zero value is that of one
// that tells no temperature.
type cooled struct {
	seconds           float64  // waited
	processor, device *float64 // °C then; nil where nothing tells
}

// cool waits until the processor is no warmer than Options.CoolBelow and the devices no
// warmer than Options.CoolDevices, at most Options.CoolLimit.
func (s *session) cool(ctx context.Context) cooled {
	var begun time.Time // of the wait; reading a temperature is none
	for {
		now, hot := s.warmth()
		var waited time.Duration
		if begun.IsZero() {
			begun = s.opts.Now()
		} else {
			waited = s.opts.Now().Sub(begun)
		}
		switch {
		case s.cooling.stayedHot >= givesUpCooling:
			return now
		case hot == "":
			s.cooling.stayedHot = 0
			now.seconds = rounded(waited)
			return now
		case waited >= s.opts.CoolLimit:
			if s.cooling.stayedHot++; s.cooling.stayedHot == givesUpCooling {
				s.notes = append(s.notes, fmt.Sprintf("%s for %v before %d trials in a row; later trials did not wait for it", hot, s.opts.CoolLimit, givesUpCooling))
			}
			now.seconds = rounded(waited)
			return now
		}
		if !s.opts.Sleep(ctx, time.Second) {
			now.seconds = rounded(waited)
			return now
		}
	}
}

// warmth is how warm processor and used devices are, and what stays above its limit; "" when
// nothing does.
func (s *session) warmth() (now cooled, hot string) {
	if c, ok := s.opts.Temperature(); ok {
		now.processor = &c
		if s.opts.CoolBelow > 0 && c > s.opts.CoolBelow {
			hot = fmt.Sprintf("the processor stayed above %.0f °C", s.opts.CoolBelow)
		}
	}
	used := make(map[string]bool)
	for i := range s.run.Trials {
		for _, id := range s.run.Trials[i].Devices {
			used[id] = true
		}
	}
	if len(used) == 0 {
		return now, hot
	}
	devices := s.opts.Devices.Devices()
	for i, c := range s.opts.Devices.Temperatures() {
		if used[devices[i].ID] && !math.IsNaN(c) && (now.device == nil || c > *now.device) {
			now.device = &c
		}
	}
	if hot == "" && s.opts.CoolDevices > 0 && now.device != nil && *now.device > s.opts.CoolDevices {
		hot = fmt.Sprintf("a device stayed above %.0f °C", s.opts.CoolDevices)
	}
	return now, hot
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
