package load

import (
	"testing"
	"time"
)

// The load lasts until its last answer, whichever request that was: a straggler
// that was sent early ends late, and throughput is by that time.
func TestDurationEndsWithTheLastAnswer(t *testing.T) {
	g := &generator{outcomes: []outcome{
		{begin: 2 * time.Second, end: 9 * time.Second}, // the straggler
		{begin: 1 * time.Second, end: 3 * time.Second}, // begun first
		{begin: 3 * time.Second, end: 5 * time.Second},
		{},
	}}
	if res := g.result(); res.Seconds != 8 || len(res.Requests) != 3 {
		t.Errorf("%v s of %d requests, want 8 s of 3", res.Seconds, len(res.Requests))
	}
}
