package serve

import (
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/llama-regress/llama-regress/ci/load"
	"github.com/llama-regress/llama-regress/ci/record"
)

// openLog creates the trial's log, or one that keeps nothing.
func (tr *trial) openLog() (io.WriteCloser, error) {
	if tr.bench.LogDir == "" {
		return nopCloser{io.Discard}, nil
	}
	return os.Create(filepath.Join(tr.bench.LogDir, tr.of.ID+".log"))
}

type nopCloser struct{ io.Writer }

func (nopCloser) Close() error { return nil }

// keep completes the rows of the trial's requests, gives those that failed the
// server's words and memory of their time, and adds them to the run's file.
func (tr *trial) keep(res *load.Result, srv server, watch watching) error {
	for i := range res.Requests {
		r := &res.Requests[i]
		r.Trial = tr.of.ID
		if r.Failure == nil {
			continue
		}
		sent := res.Start.Add(seconds(r.Sent))
		ended := sent.Add(seconds(r.Elapsed))
		r.Failure.Log = srv.logBetween(sent, ended)
		r.Failure.RSS = watch.rssAt(ended)
	}
	if tr.bench.Requests == "" {
		return nil
	}
	b := tr.bench
	if b.rows == nil || b.rows.Path != b.Requests {
		b.rows = &record.RequestLog{Path: b.Requests}
	}
	return b.rows.Append(res.Requests)
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
