package load

import (
	"context"
	"time"
)

// coarse is how late the runtime's timers may be: they wake the poller, which
// counts in whole milliseconds.
const coarse = 3 * time.Millisecond

// sleep returns true after d, or false once ctx ends. A request sent late
// counts as a server that answers late, so the last bit is slept exactly.
func sleep(ctx context.Context, d time.Duration) bool {
	end := time.Now().Add(d)
	if d > coarse {
		t := time.NewTimer(d - coarse)
		defer t.Stop()
		select {
		case <-t.C:
		case <-ctx.Done():
			return false
		}
	}
	doze(time.Until(end))
	return ctx.Err() == nil
}
