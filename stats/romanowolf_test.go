package stats

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// Adjusted p by NumPy 2.4.6 on all 64 flips, with the t statistic itself:
//
//	S = array(list(itertools.product([1, -1], repeat=6)))
//	x = (shift[:, None] - d)[None] * S[:, None, :]
//	t = x.mean(2) / x.std(2, ddof=1) * sqrt(6)            # flips x cells
//	order = argsort(-t[0]); p = [(t[:, order[j:]].max(1) >= t[0, order[j]] - 1e-9).mean() for j in range(4)]
//	p = maximum.accumulate(p)                             # in the order of `order`
func TestRomanoWolf(t *testing.T) {
	d := [][]float64{
		{-.08, -.07, -.09, -.06, -.10, -.08},
		{-.02, .01, -.05, -.03, .00, -.04},
		{-.06, -.01, -.07, -.05, .02, -.09},
		{.03, .01, .02, -.01, .04, .02},
	}
	shift := []float64{-.03, -.03, -.02, -.03}
	want := []float64{.015625, .9375, .28125, 1}
	expectClose(t, "p", RomanoWolf(d, shift, 1), want, 1e-12)

	reversed := slices.Clone(d)
	slices.Reverse(reversed)
	slices.Reverse(shift)
	slices.Reverse(want)
	expectClose(t, "p in another order", RomanoWolf(reversed, shift, 1), want, 1e-12)
}

// slowRomanoWolf adds up every flip on its own.
func slowRomanoWolf(d [][]float64, shift []float64, seed uint64) []float64 {
	flips := newSignFlips(len(d[0]), seed)
	statistic := func(c, f int) float64 {
		sum, squares := 0.0, 0.0
		for b, v := range d[c] {
			if math.IsNaN(v) {
				continue
			}
			x := shift[c] - v
			squares += x * x
			if flips.masks[b/flipGroup][f]>>(b%flipGroup)&1 == 1 {
				x = -x
			}
			sum += x
		}
		if squares == 0 {
			return 0
		}
		return sum / math.Sqrt(squares)
	}
	p := make([]float64, len(d))
	for c := range d {
		own, reached := statistic(c, 0), 0
		for f := range flips.count {
			top := math.Inf(-1)
			for o := range d {
				if statistic(o, 0) <= own {
					top = max(top, statistic(o, f))
				}
			}
			if top >= own-1e-9 {
				reached++
			}
		}
		p[c] = float64(reached) / float64(flips.count)
	}
	adjusted := slices.Clone(p)
	for c := range d {
		for o := range d {
			if statistic(o, 0) >= statistic(c, 0) {
				adjusted[c] = max(adjusted[c], p[o])
			}
		}
	}
	return adjusted
}

func randomCells(rng *rand.Rand, cells, blocks int, missing, common float64) [][]float64 {
	shared := make([]float64, blocks)
	for b := range shared {
		shared[b] = common * rng.NormFloat64()
	}
	d := make([][]float64, cells)
	for c := range d {
		d[c] = make([]float64, blocks)
		for b := range d[c] {
			d[c][b] = shared[b] + math.Sqrt(1-common*common)*rng.NormFloat64()
			if rng.Float64() < missing {
				d[c][b] = math.NaN()
			}
		}
	}
	return d
}

func TestRomanoWolfAgreesWithBruteForce(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 1))
	for _, blocks := range []int{1, 2, 5, 8, 9, 12, 13, 20} {
		cells := 6
		if blocks > 9 {
			cells = 3
		}
		for _, missing := range []float64{0, .3} {
			d := randomCells(rng, cells, blocks, missing, .5)
			for b := range d[0] {
				d[0][b] -= 2
			}
			shift := make([]float64, cells)
			for c := range shift {
				shift[c] = -rng.Float64()
			}
			expectClose(t, "p", RomanoWolf(d, shift, 7), slowRomanoWolf(d, shift, 7), 1e-12)
		}
	}
}

func TestRomanoWolfProperties(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 2))
	d := randomCells(rng, 8, 20, .1, .3)
	for b := range d[2] {
		d[2][b] -= 1.5
	}
	shift := make([]float64, 8)
	p := RomanoWolf(d, shift, 3)
	if !slices.Equal(p, RomanoWolf(d, shift, 3)) {
		t.Error("the same seed gave other p-values")
	}
	scaled, doubled := make([][]float64, 8), slices.Concat(d, d)
	for c := range d {
		scaled[c] = make([]float64, 20)
		for b := range d[c] {
			scaled[c][b] = d[c][b] * []float64{1e-200, 1e200, 1e307}[c%3]
		}
	}
	expectClose(t, "p of scaled cells", RomanoWolf(scaled, shift, 3), p, 1e-12)
	// Cells that move together cost nothing.
	expectClose(t, "p of doubled cells", RomanoWolf(doubled, slices.Concat(shift, shift), 3)[:8], p, 1e-12)
	// One cell alone is never worse off.
	for c := range d {
		if alone := RomanoWolf(d[c:c+1], shift[c:c+1], 3)[0]; alone > p[c] {
			t.Errorf("cell %d: p %v alone, %v among others", c, alone, p[c])
		}
	}
	if !(p[2] < .01) {
		t.Errorf("a loss of 1.5 sd over 20 blocks has p %v", p[2])
	}
}

// With every cell exactly at its margin, some cell is rejected at .05 in about
// 5 % of matrices, independent or not, with missing blocks or without.
func TestRomanoWolfFamilyError(t *testing.T) {
	const matrices = 400
	limit := .05 + 3*math.Sqrt(.05*.95/matrices)
	for _, common := range []float64{0, .8} {
		rng := rand.New(rand.NewPCG(5, 3))
		rejected := 0
		for range matrices {
			if slices.Min(RomanoWolf(randomCells(rng, 20, 8, .05, common), make([]float64, 20), 1)) <= .05 {
				rejected++
			}
		}
		if share := float64(rejected) / matrices; share > limit || share == 0 {
			t.Errorf("common part %v: a true null was rejected in %v of matrices, want about .05", common, share)
		}
	}
}

func TestRomanoWolfAtTheEdges(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct {
		name        string
		d           [][]float64
		shift, want []float64
	}{
		{"no cells", nil, nil, []float64{}},
		{"no blocks", [][]float64{{}, {}}, []float64{0, 0}, []float64{1, 1}},
		{"one block", [][]float64{{-1}}, []float64{0}, []float64{.5}},
		{"one block, on the good side", [][]float64{{1}}, []float64{0}, []float64{1}},
		{"a cell without blocks", [][]float64{{nan, nan, nan}, {-1, -1, -1}}, []float64{0, 0}, []float64{1, .125}},
		{"exactly at the margin", [][]float64{{-.5, -.5}, {-1, -1}}, []float64{-.5, 0}, []float64{1, .25}},
		{"no spread, on the bad side", [][]float64{{-1, -1, -1}}, []float64{-.5}, []float64{.125}},
		{"largest numbers", [][]float64{{-math.MaxFloat64, -math.MaxFloat64}}, []float64{math.MaxFloat64}, []float64{.25}},
	} {
		expectClose(t, c.name, RomanoWolf(c.d, c.shift, 1), c.want, 1e-12)
	}
}

func TestRomanoWolfMisuse(t *testing.T) {
	const prefix = "stats: RomanoWolf: "
	expectPanic(t, prefix, func() { RomanoWolf([][]float64{{1}}, nil, 1) })
	expectPanic(t, prefix, func() { RomanoWolf([][]float64{{1}, {1, 2}}, []float64{0, 0}, 1) })
	expectPanic(t, prefix, func() { RomanoWolf([][]float64{{math.Inf(-1)}}, []float64{0}, 1) })
	expectPanic(t, prefix, func() { RomanoWolf([][]float64{{1}}, []float64{math.NaN()}, 1) })
	expectPanic(t, prefix, func() { RomanoWolf([][]float64{{1}}, []float64{math.Inf(1)}, 1) })
}

func FuzzRomanoWolf(f *testing.F) {
	f.Add([]byte{1, 2, 3, 4, 5, 6}, 3, 0.)
	f.Add([]byte{0, 0, 0, 0, 255, 255, 255, 255}, 4, -1e300)
	f.Add([]byte("aaaaaaaaaaaaaaaaaaaaaaaaaa"), 13, 97.)
	f.Fuzz(func(t *testing.T, raw []byte, blocks int, shift float64) {
		if blocks < 1 || blocks > 20 || len(raw) > 200 || math.IsNaN(shift) || math.IsInf(shift, 0) {
			return
		}
		var d [][]float64
		var shifts []float64
		for ; len(raw) >= blocks; raw = raw[blocks:] {
			row := make([]float64, blocks)
			for b, v := range raw[:blocks] {
				row[b] = float64(v) - 128
				if v == 255 {
					row[b] = math.NaN()
				}
			}
			d, shifts = append(d, row), append(shifts, shift)
		}
		least := max(1./maxFlips, math.Pow(2, -float64(blocks)))
		for _, p := range RomanoWolf(d, shifts, 1) {
			if !(p >= least && p <= 1) {
				t.Errorf("%v against %v: p %v, want from %v to 1", d, shift, p, least)
			}
		}
	})
}

// Budget: 300 ms and 1 MB for 1 000 cells of 20 blocks and 4 096 flips, so that a
// whole comparison stays below 1 s.
func BenchmarkRomanoWolf(b *testing.B) {
	d := randomCells(rand.New(rand.NewPCG(5, 4)), 1000, 20, .02, .3)
	shift := make([]float64, len(d))
	b.ReportAllocs()
	for b.Loop() {
		RomanoWolf(d, shift, 1)
	}
}
