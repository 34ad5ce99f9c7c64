package history

import (
	"fmt"
	"testing"

	"github.com/llama-regress/llama-regress/compare/history/historytest"
)

// Budget: 10 s for 100 cells of 1 000 nights, and no change point of pure noise.
func BenchmarkAnalyze(b *testing.B) {
	for name, step := range map[string]float64{"noise": 1, "steps": 0.93} {
		b.Run(name, func(b *testing.B) {
			s := historytest.Story{Machine: "bench-01", Nights: 1000, Noise: 0.01, Seed: 4}
			for i := range 100 {
				s.Cells = append(s.Cells, historytest.Cell{Model: fmt.Sprintf("m%03d", i), Test: "tg128", Level: 100, Steps: map[int]float64{150 + 7*i: step, 900: step}})
			}
			_, c := historytest.Store(b, s.Runs())
			b.ResetTimer()
			for b.Loop() {
				m := Analyze(c, TrendOptions{}).Machines[0]
				if n := len(m.ChangePoints); (step == 1) != (n == 0) {
					b.Fatalf("%d change points", n)
				}
			}
		})
	}
}
