package compare

import "testing"

// Budget: effects, intervals and verdicts for 1 000 cells of 20 blocks under 1 s and 200 MB on one core.
func BenchmarkThousandCells(b *testing.B) {
	run := session{arms: []string{"base", "head"}, blocks: 20, noise: 0.02, cells: 1000, seed: 1}.run()
	b.ReportAllocs()
	for b.Loop() {
		if res := Run(run, DefaultPolicy()); len(res.Comparisons) != 1000 {
			b.Fatalf("%d comparisons", len(res.Comparisons))
		}
	}
}

// How much more is needed is asked of every cell that could not be judged: it
// must not cost more than judging did. Budget: 10 ms.
func BenchmarkHundredInconclusiveCells(b *testing.B) {
	run := session{arms: []string{"base", "head"}, blocks: 12, noise: 0.10, cells: 100, seed: 1}.run()
	b.ReportAllocs()
	for b.Loop() {
		if res := Run(run, DefaultPolicy()); res.Count(Inconclusive) < 90 {
			b.Fatalf("%d inconclusive", res.Count(Inconclusive))
		}
	}
}
