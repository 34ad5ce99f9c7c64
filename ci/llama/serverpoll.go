package llama

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/llama-regress/llama-regress/ci/record"
)

// Polls is what a server's /metrics said over some time.
type Polls struct {
	Busy     *record.Gauge // slots at work; nil when no poll was answered
	Deferred *record.Gauge // requests that wait for a slot; nil as above
	Missed   int           // polls without an answer in time
}

// Poll asks the server's /metrics at a steady pace until ctx is done or the
// server has ended. Builds before b10429 answer only between two batches: a
// poll that takes longer than the pace, or than a second, is missed. It is
// never repeated or overtaken, so that polls do not pile up in the server.
func (srv *Server) Poll(ctx context.Context, every time.Duration) Polls {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	return srv.poll(ctx, ticker.C, min(every, time.Second))
}

func (srv *Server) poll(ctx context.Context, due <-chan time.Time, limit time.Duration) Polls {
	var polls Polls
	var busy, deferred gauge
	for {
		select {
		case <-ctx.Done():
		case <-srv.done:
		case <-due:
			b, d, ok := srv.gauges(ctx, limit)
			switch {
			case ok:
				busy.add(b)
				deferred.add(d)
			case ctx.Err() == nil:
				polls.Missed++
			}
			continue
		}
		polls.Busy, polls.Deferred = busy.record(), deferred.record()
		return polls
	}
}

// gauges reads the two gauges once.
func (srv *Server) gauges(ctx context.Context, limit time.Duration) (busy, deferred float64, ok bool) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	data, err := srv.ask(ctx, http.MethodGet, "/metrics", nil)
	if err != nil {
		return 0, 0, false
	}
	busy, haveBusy := metric(string(data), "llamacpp:requests_processing")
	deferred, haveDeferred := metric(string(data), "llamacpp:requests_deferred")
	return busy, deferred, haveBusy && haveDeferred
}

// metric finds a metric without labels in the text format of Prometheus.
func metric(text, name string) (float64, bool) {
	for line := range strings.Lines(text) {
		if value, found := strings.CutPrefix(line, name+" "); found {
			f, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			return f, err == nil && f >= 0 && f < 1e9 // no NaN, no infinity
		}
	}
	return 0, false
}

// A gauge sums up what was polled.
type gauge struct {
	sum, most float64
	n         int
}

func (g *gauge) add(x float64) {
	g.sum += x
	g.most = max(g.most, x)
	g.n++
}

func (g *gauge) record() *record.Gauge {
	if g.n == 0 {
		return nil
	}
	return &record.Gauge{Mean: g.sum / float64(g.n), Max: g.most, N: g.n}
}
