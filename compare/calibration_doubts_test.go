package compare_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/compare"
)

// unlike is noise of two arms over the blocks of one cell, or of all cells of a
// session: each value has mean 0 and about standard deviation 1.
type unlike struct {
	name  string
	draw  func(rng *rand.Rand, blocks int) (base, head []float64)
	doubt compare.DoubtCode // that this should raise; "" for none
	vary  bool              // levels and spreads differ by cell
	share bool              // cells share half the variance
	drift float64           // of the machine, over the session, as a share
}

func independent(base, head func(*rand.Rand) float64) func(*rand.Rand, int) (x, y []float64) {
	return func(rng *rand.Rand, blocks int) (x, y []float64) {
		for range blocks {
			x, y = append(x, base(rng)), append(y, head(rng))
		}
		return x, y
	}
}

func alike(draw func(*rand.Rand) float64) func(*rand.Rand, int) (x, y []float64) {
	return independent(draw, draw)
}

// resembling blocks follow an autoregression of first order, each arm by itself.
func resembling(r float64) func(*rand.Rand, int) (x, y []float64) {
	series := func(rng *rand.Rand, blocks int) []float64 {
		xs := make([]float64, blocks)
		for i := range xs {
			xs[i] = rng.NormFloat64()
			if i > 0 {
				xs[i] = r*xs[i-1] + math.Sqrt(1-r*r)*xs[i]
			}
		}
		return xs
	}
	return func(rng *rand.Rand, blocks int) (x, y []float64) { return series(rng, blocks), series(rng, blocks) }
}

// centredSpikes is spiky with mean 0.
func centredSpikes(rng *rand.Rand) float64 { return spiky(rng) + 0.5 }

// modes is one of two levels, each half the time.
func modes(rng *rand.Rand) float64 {
	level := 0.954
	if rng.IntN(2) == 0 {
		level = -level
	}
	return level + 0.3*rng.NormFloat64()
}

func studentT4(rng *rand.Rand) float64 { return studentT(rng, 4) }

const doubtSigma = 0.015 // sd of a difference, of noise of sd 1

func (u unlike) session(rng *rand.Rand, cells, blocks int, change float64) *record.Run {
	run := emptySession(cells, throughput)
	memory := newArena(2*cells*blocks, 1)
	var sharedBase, sharedHead []float64
	if u.share {
		sharedBase, sharedHead = u.draw(rng, blocks)
	}
	for c := range cells {
		base, head := u.draw(rng, blocks)
		level, sigma := 0.0, doubtSigma/math.Sqrt2
		if u.vary {
			level, sigma = float64(c%7)-3, sigma*math.Pow(4, 2*rng.Float64()-1)
		}
		for b := range blocks {
			for a, xs := range [][]float64{base, head} {
				x := xs[b]
				if u.share {
					x = math.Sqrt(0.5) * (x + [][]float64{sharedBase, sharedHead}[a][b])
				}
				values := memory.values(1)
				slow := u.drift * (float64(b) + 0.5*float64((a+b)%2)) / float64(blocks)
				values[0] = 1000 * math.Exp(level+sigma*x-slow+change*float64(a))
				memory.add(run, run.Arms[a].Name, run.Cells[c].Key, b, throughput.Name, values)
			}
		}
	}
	return run
}

// whatDoesNotHold, CN: what the promises become where the noise is not what they
// ask for, and how often a session like that is warned of. A session whose noise is as
// asked for hardly ever is.
func whatDoesNotHold(t *testing.T, b *book) {
	type size struct{ cells, blocks int }
	sizes := []size{{1, 6}, {1, 20}, {24, 6}, {24, 20}}
	draws := max(1, b.matrices*2/5)
	reduced := b.width < inFull.width
	if reduced {
		draws = max(1, b.matrices/12)
	}
	alarms := table{title: "Doubts about sessions that are as they should be",
		text: "Share of sessions that each rule warns of, of which at most 1 % is promised: neighbouring blocks resemble each other, one arm has spikes, differences lie in separate groups.",
		head: []string{"noise of both arms", "cells", "blocks", "resembling", "spikes", "separate"}}
	codes := []compare.DoubtCode{compare.ResemblingBlocks, compare.OneSidedSpikes, compare.SeparateModes}
	asAsked := []unlike{
		{name: "normal", draw: alike(normal)},
		{name: "t4", draw: alike(studentT4)},
		{name: "skewed", draw: alike(skewed)},
		{name: "spikes in both", draw: alike(centredSpikes)},
		{name: "level and spread differ by cell", draw: alike(normal), vary: true},
		{name: "cells share half the variance", draw: alike(normal), share: true},
		{name: "candidate varies 4 times as much", draw: independent(normal, func(rng *rand.Rand) float64 { return 4 * rng.NormFloat64() })},
		{name: "machine drifts by 10 %", draw: alike(normal), drift: 0.1},
	}
	if reduced {
		asAsked = asAsked[:3]
	}
	for _, u := range asAsked {
		// Over all sizes: the rules are at their level in most, and one size in 40 would miss it by chance.
		hits, of := make([]int, len(codes)), make([]int, len(codes))
		for _, s := range sizes {
			name := fmt.Sprintf("%s, cells %d, blocks %d", u.name, s.cells, s.blocks)
			row := []string{u.name, fmt.Sprint(s.cells), fmt.Sprint(s.blocks)}
			all := simulate("CN "+name, draws, func(rng *rand.Rand) []compare.Doubt {
				return compare.Run(u.session(rng, s.cells, s.blocks, 0), defaults).Doubts()
			})
			for i, code := range codes {
				n := howMany(all, func(ds []compare.Doubt) bool { return doubts(ds, code) })
				row = append(row, share(n, draws))
				if s.cells > 1 || code != compare.OneSidedSpikes { // which one cell cannot show
					hits[i], of[i] = hits[i]+n, of[i]+draws
				}
			}
			alarms.rows = append(alarms.rows, row)
		}
		for i, code := range codes {
			b.hold(t, finding{gate: "CN", name: fmt.Sprintf("false doubt, %s: %s", code, u.name), hits: hits[i], draws: of[i], limit: 0.01, nominal: true})
		}
	}
	tab := table{title: "Noise that the promises do not cover", unkept: true,
		text: fmt.Sprintf("Differences vary by %.1f %% where the noise is not spiky. Every cell lost just the margin (−2.91 %%). Share of sessions with a false regression, of which at most 5 %% is promised (2.5 %% of one cell); "+
			"share of cells that are falsely called equivalent, of which at most 5 %% is promised; and share of sessions whose report warns of just this. Where that share is small, nothing in the session shows it.", 100*doubtSigma),
		head: []string{"noise", "cells", "blocks", "false regression", "falsely equivalent", "warned of"}}
	for _, u := range []unlike{
		{name: "blocks of an arm resemble each other, autocorrelation 0.3", draw: resembling(0.3), doubt: compare.ResemblingBlocks},
		{name: "blocks of an arm resemble each other, autocorrelation 0.6", draw: resembling(0.6), doubt: compare.ResemblingBlocks},
		{name: "slow spikes in the baseline only", draw: independent(centredSpikes, normal), doubt: compare.OneSidedSpikes},
		{name: "slow spikes in the candidate only", draw: independent(normal, centredSpikes), doubt: compare.OneSidedSpikes},
		{name: "two modes in each arm, half and half", draw: alike(modes), doubt: compare.SeparateModes},
	} {
		for _, s := range sizes {
			type found struct {
				regression, doubted bool
				equivalent          int
			}
			name := fmt.Sprintf("%s, cells %d, blocks %d", u.name, s.cells, s.blocks)
			all := simulate("CN "+name, draws, func(rng *rand.Rand) found {
				r := compare.Run(u.session(rng, s.cells, s.blocks, -lambda), defaults)
				return found{r.Count(compare.Regression) > 0, doubts(r.Doubts(), u.doubt), r.Count(compare.Equivalent)}
			})
			regressions, doubted := howMany(all, func(f found) bool { return f.regression }), howMany(all, func(f found) bool { return f.doubted })
			equivalent := 0
			for _, f := range all {
				equivalent += f.equivalent
			}
			tab.rows = append(tab.rows, []string{u.name, fmt.Sprint(s.cells), fmt.Sprint(s.blocks),
				share(regressions, draws), share(equivalent, draws*s.cells), share(doubted, draws)})
			if s.cells > 1 && s.blocks == 20 {
				b.hold(t, finding{gate: "CN", name: "seen with 20 blocks: " + name, hits: doubted, draws: draws, limit: 0.80, atLeast: true})
			}
		}
	}
	b.tables = append(b.tables, tab, alarms)
}

func doubts(ds []compare.Doubt, code compare.DoubtCode) bool {
	return slices.ContainsFunc(ds, func(d compare.Doubt) bool { return d.Code == code })
}
