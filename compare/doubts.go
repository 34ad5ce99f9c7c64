package compare

import (
	"encoding/binary"
	"hash/fnv"
	"maps"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/stat"
)

// A Doubt says that the differences of a session do not look like what the
// paired t-test asks for, so that verdicts may be wrong more often than promised.
// It changes no verdict.
type Doubt struct {
	Candidate string    `json:"contender"`
	Code      DoubtCode `json:"code"`
	Cells     int       `json:"cells"`  // whose differences were pooled, one metric each
	Number    float64   `json:"number"` // what was seen; see the codes
}

// A DoubtCode says what the differences look like. Number is a mean over cells.
type DoubtCode string

const (
	// ResemblingBlocks: neighbouring blocks resemble each other. Number is the lag-1
	// autocorrelation, with the bias of short series (-1/n) taken out.
	ResemblingBlocks DoubtCode = "resembling_blocks"
	// OneSidedSpikes: one arm is slow now and then, and the other is not. Number is
	// the skewness: below 0 the candidate is slow, above 0 the baseline.
	OneSidedSpikes DoubtCode = "one_sided_spikes"
	// SeparateModes: the differences lie in separate groups. Number is how far the
	// kurtosis lies below that of normal samples of the size.
	SeparateModes DoubtCode = "separate_modes"
)

const (
	doubtLeast  = 4       // blocks of a cell below which its differences have no shape
	doubtDraws  = 399     // of a null distribution
	doubtAlpha  = 0.01    // false alarms of each rule, a candidate and session
	doubtPooled = 100_000 // differences that are looked at, at most; cells beyond it are left out
)

// Doubts looks for what invalidates paired verdicts, over all cells of each
// candidate together, so that few blocks of many cells can show it. Each rule
// raises a false alarm in at most 1 % of sessions whose differences are independent,
// symmetric and not in separate groups. Levels and spreads of cells do not matter,
// and neither does what both trials of a block share, such as a drift.
//
// Each cell counts once, by its first metric with a paired change and a margin: metrics of
// a cell are of the same trials. One cell of 6 blocks shows next to nothing; CALIBRATION.md
// has the share of bad sessions that each rule sees. Without a paired comparison of at least
// 4 blocks there is no doubt.
func (r *Result) Doubts() []Doubt {
	var list []Doubt
	for _, arm := range r.pairedCandidates() {
		d := newDifferenceTable(r.Comparisons, arm)
		if len(d.rows) == 0 {
			continue
		}
		for _, rule := range []struct {
			code DoubtCode
			seen func(differenceTable) (number float64, seen bool)
		}{{ResemblingBlocks, differenceTable.resemble}, {OneSidedSpikes, differenceTable.lopsided}, {SeparateModes, differenceTable.separate}} {
			if number, seen := rule.seen(d); seen {
				list = append(list, Doubt{Candidate: arm, Code: rule.code, Cells: len(d.rows), Number: number})
			}
		}
	}
	return list
}

func (r *Result) pairedCandidates() (names []string) {
	seen := make(map[string]bool)
	for _, c := range r.Comparisons {
		if c.Estimator == PairedT && !seen[c.Candidate.Arm] {
			seen[c.Candidate.Arm] = true
			names = append(names, c.Candidate.Arm)
		}
	}
	return names
}

// A differenceTable has a row for each cell and a column for each block of the
// session, in measured order. Rows are centred and have a mean square of 1. NaN marks a
// block that a cell does not have.
type differenceTable struct {
	rows   [][]float64
	blocks int
}

func newDifferenceTable(cs []Comparison, arm string) (d differenceTable) {
	type row struct {
		blocks []int
		values []float64
	}
	var rows []row
	cells, column := make(map[string]bool), make(map[int]int)
	for _, c := range cs {
		if c.Candidate.Arm != arm || c.Estimator != PairedT || c.Margin == nil || cells[c.Cell] {
			continue
		}
		blocks, values := differencesByBlock(c)
		mean, sd := stat.PopMeanStdDev(values, nil)
		if len(values) < doubtLeast || !(sd > 1e-9) { // a constant has no shape
			continue
		}
		cells[c.Cell] = true
		for i, b := range blocks {
			column[b] = 0
			values[i] = (values[i] - mean) / sd
		}
		if (len(rows)+1)*len(column) > doubtPooled {
			break
		}
		rows = append(rows, row{blocks, values})
	}
	for i, b := range slices.Sorted(maps.Keys(column)) {
		column[b] = i
	}
	d.blocks = len(column)
	for _, r := range rows {
		xs := make([]float64, d.blocks)
		for i := range xs {
			xs[i] = math.NaN()
		}
		for i, b := range r.blocks {
			xs[column[b]] = r.values[i]
		}
		d.rows = append(d.rows, xs)
	}
	return d
}

// differencesByBlock are candidate minus baseline in the blocks that both have, better
// above, on the scale that the change is estimated on.
func differencesByBlock(c Comparison) (blocks []int, values []float64) {
	sc := scaleOf(c.Metric, Margin{})
	base := make(map[int]float64)
	for _, p := range c.Baseline.Trials {
		base[p.Block] = sc.to(p.Value)
	}
	for _, p := range c.Candidate.Trials {
		if b, ok := base[p.Block]; ok {
			if x := sc.better * (sc.to(p.Value) - b); !math.IsNaN(x) && !math.IsInf(x, 0) {
				blocks, values = append(blocks, p.Block), append(values, x)
			}
		}
	}
	return blocks, values
}

// resemble tests the sum of the lag-1 autocorrelations against that of the blocks in
// another order. All cells get the same order, so that what cells share does no harm.
func (d differenceTable) resemble() (number float64, seen bool) {
	order := make([]int, d.blocks)
	for i := range order {
		order[i] = i
	}
	sum := func() (r float64) {
		for _, xs := range d.rows {
			products, last, n := 0.0, 0.0, 0
			for _, i := range order {
				if x := xs[i]; x == x {
					products += x * last
					last, n = x, n+1
				}
			}
			r += products / float64(n)
		}
		return r
	}
	have, bias := sum(), 0.0
	for _, xs := range d.rows {
		bias -= 1 / float64(len(present(xs)))
	}
	return (have - bias) / float64(len(d.rows)), d.rare(func(rng *rand.Rand) bool {
		rng.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		return sum() >= have-1e-9
	})
}

// lopsided tests the sum of the skewnesses against that with signs drawn anew:
// differences of two arms whose noise is alike are symmetric, whatever its shape, so that
// the skewness of a cell is as likely of either sign. It takes 8 cells.
func (d differenceTable) lopsided() (number float64, seen bool) {
	have := 0.0
	var each []float64
	for _, xs := range d.rows {
		skewness, _ := shape(present(xs))
		have, each = have+skewness, append(each, skewness)
	}
	least := math.Abs(have)/d.inflation(3) - 1e-9
	return have / float64(len(d.rows)), len(each) >= 8 && d.rare(func(rng *rand.Rand) bool {
		sum := 0.0
		for _, x := range each {
			if rng.Uint64()&1 == 0 {
				x = -x
			}
			sum += x
		}
		return math.Abs(sum) >= least
	})
}

// separate tests the sum of the kurtoses against that of normal samples of the same
// sizes. Groups apart make it small; heavy tails, spikes and skewness make it large.
func (d differenceTable) separate() (number float64, seen bool) {
	have, mean := 0.0, 0.0
	var samples [][]float64
	for _, xs := range d.rows {
		xs = present(xs)
		_, kurtosis := shape(xs)
		n := float64(len(xs))
		have, mean = have+kurtosis, mean+3*(n-1)/(n+1)
		samples = append(samples, xs)
	}
	most := mean + (have-mean)/d.inflation(4)
	return (mean - have) / float64(len(d.rows)), d.rare(func(rng *rand.Rand) bool {
		sum := 0.0
		for _, xs := range samples {
			for i := range xs {
				xs[i] = rng.NormFloat64()
			}
			_, kurtosis := shape(xs)
			sum += kurtosis
		}
		return sum <= most
	})
}

// inflation is by how much the standard deviation of a sum over cells of a moment of
// that degree is larger than of independent cells: normal values with correlation r have
// Hermite polynomials of degree k with correlation r to the power of k.
func (d differenceTable) inflation(degree float64) float64 {
	products, pairs := 0.0, 0.0
	for b := range d.blocks {
		sum, squares, n := 0.0, 0.0, 0.0
		for _, xs := range d.rows {
			if x := xs[b]; x == x {
				sum, squares, n = sum+x, squares+x*x, n+1
			}
		}
		products, pairs = products+sum*sum-squares, pairs+n*(n-1)
	}
	if pairs == 0 || products <= 0 {
		return 1
	}
	return math.Sqrt(1 + float64(len(d.rows)-1)*math.Pow(products/pairs, degree))
}

// rare says whether what was seen is among the doubtAlpha most extreme of it and
// doubtDraws draws that are as they should be. It ends as soon as it is not. The draws
// follow from the differences, so that a session is always judged alike, and no two
// sessions by the same draws.
func (d differenceTable) rare(asExtreme func(*rand.Rand) bool) bool {
	h := fnv.New64a()
	for _, xs := range d.rows {
		for _, x := range xs {
			h.Write(binary.LittleEndian.AppendUint64(nil, math.Float64bits(x)))
		}
	}
	rng := rand.New(rand.NewPCG(h.Sum64(), doubtDraws))
	allowed := int(math.Round(doubtAlpha*(doubtDraws+1))) - 1
	for range doubtDraws {
		if asExtreme(rng) {
			if allowed--; allowed < 0 {
				return false
			}
		}
	}
	return true
}

func present(xs []float64) []float64 {
	return slices.DeleteFunc(slices.Clone(xs), math.IsNaN)
}

// shape is the skewness m3/m2^1.5 and the kurtosis m4/m2² of values, 0 and 0 of a constant.
func shape(xs []float64) (skewness, kurtosis float64) {
	mean := stat.Mean(xs, nil)
	var m2, m3, m4 float64
	for _, x := range xs {
		u := x - mean
		m2, m3, m4 = m2+u*u, m3+u*u*u, m4+u*u*u*u
	}
	if m2 < 1e-12 {
		return 0, 0
	}
	n := float64(len(xs))
	return math.Sqrt(n) * m3 / (m2 * math.Sqrt(m2)), n * m4 / (m2 * m2)
}
