package stats

import (
	"math"
	"testing"
)

// The repeated p-value undoes the level: a p-value of just the level that alpha
// asks for at a look is worth alpha there.
func TestRepeatedPValueUndoesTheLevel(t *testing.T) {
	for _, blocks := range [][]int{{6, 10, 15, 20}, {6, 8}, {12}, {1, 20}, {6, 10, 13}} {
		l := NewInterimAnalyses(blocks)
		for k := range blocks {
			for _, alpha := range []float64{0.4, 0.05, 0.0123, 2.5e-4, 1e-6} {
				level := l.Level(k, alpha)
				if level < 1e-290 {
					continue
				}
				if got := l.PValue(k, level); math.Abs(got/alpha-1) > 1e-3 {
					t.Errorf("looks %v, look %d: %g is the level of %g and worth %g", blocks, k, level, alpha, got)
				}
			}
		}
	}
}

func TestRepeatedPValueAtItsEnds(t *testing.T) {
	l := NewInterimAnalyses([]int{6, 20})
	last := 0.0
	for _, p := range []float64{0, 1e-300, 1e-30, 1e-9, 1e-4, 0.03, 0.3, 0.6, 1} {
		for k := range 2 {
			if got := l.PValue(k, p); !(got >= min(p, 0.5)*(1-1e-6)) || got > 1 || got < leastRepeated*(1-1e-9) {
				t.Errorf("look %d: %g is worth %g", k, p, got)
			}
		}
		if got := l.PValue(0, p); got < last {
			t.Errorf("%g is worth %g, less than a smaller one", p, got)
		} else {
			last = got
		}
	}
	if got := l.PValue(0, 0.0004); got < 0.04 {
		t.Errorf("the first look takes 0.0004 for %g: it may hardly spend anything", got)
	}
	if !math.IsNaN(l.PValue(0, math.NaN())) {
		t.Error("NaN is worth something")
	}
	// Nothing can be spent so early, whatever is seen.
	if got := NewInterimAnalyses([]int{1, 1_000_000}).PValue(0, 0); got < 0.5 {
		t.Errorf("one block of a million decides: %g", got)
	}
}

// A look right after another is held to no less than it has to be, and costs no more.
func TestCloseLooks(t *testing.T) {
	near, far := NewInterimAnalyses([]int{290, 291, 1000}), NewInterimAnalyses([]int{290, 310, 1000})
	if a, b := near.Level(1, 0.05), far.Level(1, 0.05); !(a > 0 && a < b) {
		t.Errorf("levels %g just after a look, %g later", a, b)
	}
	const alpha = 0.04
	if got := near.PValue(1, near.Level(1, alpha)); math.Abs(got/alpha-1) > 1e-3 {
		t.Errorf("the level of %g is worth %g", alpha, got)
	}
}

func BenchmarkRepeatedPValues(b *testing.B) {
	for b.Loop() {
		l := NewInterimAnalyses([]int{6, 10, 15, 20})
		for k := range 4 {
			l.PValue(k, 0.01)
		}
	}
}
