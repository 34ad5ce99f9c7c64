package report

import (
	"strings"
	"testing"

	"github.com/llama-regress/llama-regress/compare"
)

// 100% and 0% are said only where they are so.
func TestShareOf(t *testing.T) {
	for _, test := range []struct {
		n, of int
		want  string
	}{{96, 96, "100%"}, {0, 96, "0.0%"}, {83, 96, "86.5%"}, {99_999, 100_000, "99.9%"}, {1, 100_000, "0.1%"}, {0, 0, "100%"}} {
		if got := shareOf(test.n, test.of); got != test.want {
			t.Errorf("%d of %d is %s, want %s", test.n, test.of, got, test.want)
		}
	}
}

func TestKnee(t *testing.T) {
	for want, k := range map[string]compare.Knee{
		"4 requests at a time, 90% interval 2 to 8, from 6 blocks":                                   {Concurrency: 4, Low: 2, High: 8, Confidence: 0.9, Blocks: 6},
		"1 request at a time, from 2 blocks, too few for an interval":                                {Concurrency: 1, Blocks: 2},
		"6 requests at a time, from 2 blocks, too few for an interval":                               {Concurrency: 6, Blocks: 2},
		"6.5 requests at a time, from 2 blocks, too few for an interval; that may be the highest":    {Concurrency: 6.5, Blocks: 2, Edge: true},
		"none: at no level did 99% of requests succeed in most of 6 blocks":                          {Blocks: 6},
		"not known: no block holds every level":                                                      {},
		"8 requests at a time, 90% interval 8 to 8, from 6 blocks; that may be the highest level me": {Concurrency: 8, Low: 8, High: 8, Confidence: 0.9, Blocks: 6, Edge: true},
	} {
		if got := capacityFinding(k).joined(); !strings.HasPrefix(got, want) || !k.Edge && got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
