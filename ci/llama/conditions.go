package llama

import (
	"context"
	"time"

	"github.com/llama-regress/llama-regress/ci/device"
	"github.com/llama-regress/llama-regress/ci/host"
	"github.com/llama-regress/llama-regress/ci/record"
)

// A watched is what the machine did while a child ran.
type watched struct {
	watch *host.Watcher
	ended time.Time
}

// runWatched runs a program as runChild does and watches the machine meanwhile.
// stop must be called where the program could be started.
func runWatched(ctx context.Context, spec childSpec, devices *device.Set) (*childEnd, watched, error) {
	begun := time.Now()
	c, err := startChild(ctx, spec)
	if err != nil {
		return nil, watched{}, err
	}
	watch := host.Watch(func() []int { return []int{c.cmd.Process.Pid} }, 0, devices)
	<-c.done
	w := watched{watch, begun.Add(time.Duration(c.end.seconds * float64(time.Second)))}
	if c.end.reason == endedCancel {
		err = ctx.Err()
	}
	return c.end, w, err
}

// stop ends the watch. The load began when the repetitions that were printed
// would have begun if nothing had come between them and the program's end. In
// truth they began earlier, so that reading the model and the program's own
// warm-up of its first test are certain to lie before it.
func (w watched) stop(measured time.Duration) *record.Samples {
	if w.watch == nil {
		return nil
	}
	if measured > 0 {
		w.watch.Began(w.ended.Add(-measured))
	}
	return w.watch.Stop()
}

// longer returns the samples that cover more time: of a trial's several
// commands the longest is the one that is judged.
func longer(a, b *record.Samples) *record.Samples {
	if covered(b) > covered(a) {
		return b
	}
	return a
}

// covered is how many seconds samples are of, 0 for none.
func covered(s *record.Samples) float64 {
	if s == nil {
		return 0
	}
	for _, values := range s.Series {
		return float64(len(values)) * s.Every
	}
	return 0
}
