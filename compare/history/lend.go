package history

import (
	"math"

	"github.com/llama-regress/llama-regress/stats"
)

// lend is what the trends of a machine say of one another: how much neighbouring
// nights resemble each other, by trend. Those that are judged and go on lend what
// their present stretch shows. Success rates have a model of their own and take no
// part.
func (m *Machine) lend() []stats.Resemblance {
	known := make([]stats.Resemblance, len(m.Trends))
	var trends []int
	var series [][]float64
	for i := range m.Trends {
		t := &m.Trends[i]
		sc := t.scale()
		if !t.Judged || sc.lambda <= 0 || !t.current(*m) || t.Points[0].Count != nil {
			continue
		}
		points := t.stretches[t.Points[len(t.Points)-1].stretch].points
		nights := make([]float64, len(m.Nights))
		for n := range nights {
			nights[n] = math.NaN()
		}
		for k, x := range t.on(sc, points) {
			nights[t.Points[points[k]].Night] = x
		}
		trends, series = append(trends, i), append(series, nights)
	}
	for k, r := range stats.Resemblances(series) {
		known[trends[k]] = r
	}
	return known
}
