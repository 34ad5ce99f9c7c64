package history

import (
	"fmt"
	"testing"

	"github.com/llama-regress/llama-regress/compare/history/historytest"
)

// A dozen trends know more of how much nights resemble each other than one: a loss
// is seen earlier among them. A trend is told by the others alone, whatever became of
// it, and success rates take no part.
func TestTrendsLendOneAnother(t *testing.T) {
	story := func(cells int) historytest.Story {
		s := historytest.Story{Machine: "lend-01", Nights: 40, Noise: 0.02, Seed: 3, Missing: map[int]bool{7: true, 8: true}}
		for i := range cells {
			s.Cells = append(s.Cells, historytest.Cell{Model: fmt.Sprintf("m%02d", i), Test: "tg128", Level: 100})
		}
		return s
	}
	_, alone := analyzed(t, story(1), TrendOptions{})
	s := story(12)
	s.Cells = append(s.Cells, historytest.Cell{Model: "rates", Rate: map[int]float64{0: 0.99}})
	_, among := analyzed(t, s, TrendOptions{})
	if a, b := alone.Trends[0].Blind.Nights, among.Trends[0].Blind.Nights; b == 0 || a > 0 && a <= b {
		t.Errorf("a loss has to last %d nights alone and %d among a dozen", a, b)
	}
	for i, known := range among.lend() {
		switch rate := among.Trends[i].Points[0].Count != nil; {
		case rate && known.Nights != 0:
			t.Errorf("a success rate is lent %+v", known)
		case !rate && (known.R > 0.15 || known.Nights < 60 || known.Nights > 11*38+1):
			t.Errorf("trend %d is lent %+v by independent nights", i, known)
		}
	}
	if known := alone.lend()[0]; known.Nights != 0 {
		t.Errorf("one trend alone is lent %+v", known)
	}
}
