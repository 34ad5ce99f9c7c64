package compare_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/compare"
)

// mostAdvised is how many blocks reports still ask for.
const mostAdvised = 60

// advice, C9: a new run of the size that an open comparison asks for, judged by
// itself alone, decides in at least 80 % of runs if the truth is the one that the
// advice names: that nothing changed, or that the change is what it looked like.
// The tables show what happens when the truth is the one that the first session
// had: the advice does not promise that.
func advice(t *testing.T, b *book) {
	for _, way := range []struct {
		name  string
		judge func(*record.Run) compare.Comparison
	}{
		{"paired", func(run *record.Run) compare.Comparison { return judgeOne(run, defaults) }},
		{"unpaired", func(run *record.Run) compare.Comparison { return unpaired(run, defaults) }},
	} {
		tab := table{title: "Advice: a new run of the size asked for, " + way.name,
			text: fmt.Sprintf("One cell, 6 blocks or trials a side at first. Share of first runs that stay open and ask for at most %d, their mean number; and how often a new run of that size decides: if the truth is what the advice names, and if it is that of the first run.", mostAdvised),
			head: []string{"differences vary by", "true loss", "advised", "mean number", "decides, by the truth named", "decides, by the true loss"}}
		for _, sigma := range []float64{0.015, 0.025, 0.05} {
			for _, lost := range []float64{0, -0.02, -0.04, -0.06, -0.10} {
				type outcome struct {
					need                    int
					asSeen, decided, really bool
				}
				s := exactly(sigma, 6)
				truth := fmt.Sprintf("%g %%", math.Abs(100*lost))
				name := fmt.Sprintf("%s, differences vary by %.1f %%, %s lost", way.name, 100*sigma, truth)
				draws := max(1, b.cells/2)
				all := simulate("C9 "+name, draws, func(rng *rand.Rand) outcome {
					s := s
					s.change = always(loss(lost))
					c := way.judge(s.session(rng))
					if c.Reason == nil || c.Reason.Need == 0 || c.Reason.Need > mostAdvised {
						return outcome{}
					}
					o := outcome{need: c.Reason.Need, asSeen: c.Reason.AsSeen}
					s.blocks = c.Reason.Need
					o.really = way.judge(s.session(rng)).Verdict != compare.Inconclusive
					s.change = nil
					if o.asSeen {
						s.change = always(math.Log1p(*c.Change))
					}
					o.decided = way.judge(s.session(rng)).Verdict != compare.Inconclusive
					return o
				})
				advised, blocks, decided, really := 0, 0, 0, 0
				for _, o := range all {
					if o.need == 0 {
						continue
					}
					advised, blocks = advised+1, blocks+o.need
					if o.decided {
						decided++
					}
					if o.really {
						really++
					}
				}
				if advised == 0 {
					continue
				}
				tab.rows = append(tab.rows, []string{fmt.Sprintf("%.1f %%", 100*sigma), truth, share(advised, draws),
					fmt.Sprintf("%.1f", float64(blocks)/float64(advised)), share(decided, advised), share(really, advised)})
				b.hold(t, finding{gate: "C9", name: "advice decides: " + name, hits: decided, draws: advised, limit: 0.80, atLeast: true, nominal: true})
			}
		}
		b.tables = append(b.tables, tab)
	}
}
