package report

import (
	"fmt"

	"github.com/llama-regress/llama-regress/compare"
)

// Learning is the status of a result that stored sessions are too few to judge.
const Learning = "Learning"

// learned is how many stored sessions a baseline has once its own variance will do
// (statistics reference 7.3): from then on nothing is said of learning.
const learned = 8

// A learning says how far a baseline has come.
type learning struct {
	night int     // which session of its history this one is, from 1; 0 when there are enough
	loss  float64 // the smallest that would be seen 4 times out of 5, as a share; 0 where none would
}

// learningOf looks at one comparison with stored sessions.
func learningOf(c compare.Comparison) learning {
	have := len(c.Baseline.Trials)
	if c.Method != compare.Historical || have >= learned || c.Reason != nil && (c.Reason.Code == compare.Lost || c.Reason.Code == compare.NoMargin) {
		return learning{}
	}
	l := learning{night: have + 1}
	if c.Interval != nil {
		l.loss = c.MDE
	}
	return l
}

// String says "learning, night 3 of 8; a loss below 12% would not be seen yet".
func (l learning) String() string {
	if l.loss <= 0 || l.loss >= 1 {
		return fmt.Sprintf("learning, night %d of %d; no loss would be seen yet", l.night, learned)
	}
	return fmt.Sprintf("learning, night %d of %d; a loss below %s%% would not be seen yet", l.night, learned, significant(100*l.loss, 2))
}

// slowest is what is known of the rows that know least.
func slowest(rows []Row) (worst learning) {
	for _, row := range rows {
		if l := learningOf(row.c); l.night > 0 && (worst.night == 0 || l.night < worst.night || l.night == worst.night && less(worst, l)) {
			worst = l
		}
	}
	return worst
}

// less says whether b sees less than a.
func less(a, b learning) bool { return a.loss > 0 && (b.loss <= 0 || b.loss > a.loss) }

// learningNote says for how many comparisons the baseline is still young.
func learningNote(rows []Row) []Text {
	l := slowest(rows)
	if l.night == 0 {
		return nil
	}
	n := 0
	for _, row := range rows {
		if learningOf(row.c).night > 0 {
			n++
		}
	}
	return []Text{say("%s of %s: %s.", plural(n, "comparison"), plural(len(rows), "comparison"), l.String())}
}
