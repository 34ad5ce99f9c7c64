package compare

import (
	"fmt"
	"sync"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/stats"
)

// A Look says at which of the planned looks a comparison was judged: its
// interval is then the repeated one, and its p-values of margin are repeated
// p-values, which hold however often was looked and whatever made the cell stop.
type Look struct {
	Blocks int   `json:"blocks"` // measured by then
	Plan   []int `json:"plan"`   // blocks at each planned look; the last is the most a cell gets
}

// A look is one of a sequence. Nil is the only one at a number of blocks that
// was fixed.
type look struct {
	blocks int
	looks  *stats.Looks
	k      int // of looks
}

// lookAt is the look at a cell that has so many blocks of a plan. Where they
// are none of the planned numbers, because time ran out, this is a look more:
// spending the error by what is measured allows it.
func lookAt(plan []int, blocks int) *look {
	last := plan[len(plan)-1]
	blocks = max(1, min(blocks, last))
	var at []int
	for _, n := range plan {
		if n < blocks {
			at = append(at, n)
		}
	}
	l := &look{blocks: blocks, k: len(at)}
	at = append(at, blocks)
	if blocks < last {
		at = append(at, last)
	}
	l.looks = sequence(at)
	return l
}

// sequences are those that were asked for: their tables cost tens of
// milliseconds, and every comparison of a run has the same.
var sequences sync.Map

func sequence(at []int) *stats.Looks {
	key := fmt.Sprint(at)
	if l, ok := sequences.Load(key); ok {
		return l.(*stats.Looks)
	}
	l, _ := sequences.LoadOrStore(key, stats.NewLooks(at))
	return l.(*stats.Looks)
}

// level is the one-sided p-value that is needed now for an error of alpha over
// all looks.
func (l *look) level(alpha float64) float64 {
	if l == nil {
		return alpha
	}
	type asked struct {
		looks *stats.Looks
		k     int
		alpha float64
	}
	key := asked{l.looks, l.k, alpha}
	if v, ok := levels.Load(key); ok {
		return v.(float64)
	}
	v := l.looks.Level(l.k, alpha)
	levels.Store(key, v)
	return v
}

var levels sync.Map

// pValue is what a one-sided p-value seen now is worth over all looks.
func (l *look) pValue(p float64) float64 {
	if l == nil {
		return p
	}
	return l.looks.PValue(l.k, p)
}

// blocksOf counts the blocks that trials lie in, whatever came of them.
func blocksOf(trials []record.Trial) int {
	seen := make(map[int]bool)
	for _, t := range trials {
		seen[t.Block] = true
	}
	return len(seen)
}
