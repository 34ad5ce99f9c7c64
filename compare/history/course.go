package history

import (
	"math"
	"slices"

	"github.com/llama-regress/llama-regress/stats"
)

// A Stair is one of several steps that went the same way, none of which exceeds the
// margin by itself.
type Stair struct {
	At   int     // first point after it
	Size float64 // as Change.Size
}

// clearlyBetter is by how much the Bayesian information criterion must be lower for
// another course to be believed than that of the steps that were found.
const clearlyBetter = 10

// course looks how a level went from one to another over values for which so many
// steps were found, all the same way. It is told as these steps unless another course
// is much better: one or two steps more, each of them within the margin, whose places
// it returns; or little by little, of which it returns the first value that was moved
// and the first at the new level. Small steps come before that: three of them look like
// a slope that begins in a night on which nothing happened. Nights that resemble each
// other count for as many as they are worth.
func course(xs []float64, steps int, rule stats.ChangeRule) (start, end int, stairs []int) {
	const least = 8 // values of a slope
	n := len(xs)
	if n < least+6 {
		return 0, 0, nil
	}
	xs = slices.Clone(xs)
	mean := stats.PairedT(xs).Theta
	for i := range xs {
		xs[i] -= mean // sums of squares of large numbers lose the small ones
	}
	worth := stats.EffectiveN(n, resembling(rule))
	criterion := func(rest, parameters float64) float64 {
		return worth*math.Log(max(rest, 1e-300)/float64(n)) + parameters*math.Log(worth)
	}
	found, fewest := 0.0, math.Inf(1)
	for more := range 3 {
		cuts := bestStairs(xs, steps+more)
		if len(cuts) < steps+more {
			break
		}
		c := criterion(restBeside(xs, cuts), float64(2*(steps+more)+1))
		if more == 0 {
			found, fewest = c, c
		} else if c < fewest {
			fewest = c
			if c+clearlyBetter < found && oneWay(xs, cuts, rule.Margin) {
				stairs = cuts
			}
		}
	}
	start, end, rest := bestRamp(xs, least)
	if criterion(rest, 4)+clearlyBetter < fewest {
		return start, end, nil
	}
	return 0, 0, stairs
}

// resembling is how much nights are taken to resemble each other.
func resembling(rule stats.ChangeRule) float64 {
	if rule.Resemblance.Nights == 0 {
		return 0 // nothing is known: take them for what they are
	}
	return rule.Resemblance.R
}

// stairsOf are the steps at the given places as they are told.
func stairsOf(sc scale, xs []float64, cuts, points []int) (stairs []Stair) {
	levels := levelsBeside(xs, cuts)
	for i, at := range cuts {
		stairs = append(stairs, Stair{At: points[at], Size: sc.change(sc.better * (levels[i+1] - levels[i]))})
	}
	return stairs
}

// oneWay says whether all steps go the same way, none of them by more than the margin.
func oneWay(xs []float64, cuts []int, margin float64) bool {
	levels := levelsBeside(xs, cuts)
	for i := range cuts {
		step := levels[i+1] - levels[i]
		if math.Abs(step) > margin || (step > 0) != (levels[1] > levels[0]) {
			return false
		}
	}
	return true
}

// levelsBeside are the means of the parts that the cuts make.
func levelsBeside(xs []float64, cuts []int) (levels []float64) {
	from := 0
	for _, to := range append(slices.Clone(cuts), len(xs)) {
		levels = append(levels, stats.PairedT(xs[from:to]).Theta)
		from = to
	}
	return levels
}

// restBeside is the residual sum of squares beside those means.
func restBeside(xs []float64, cuts []int) (rest float64) {
	from := 0
	for _, to := range append(slices.Clone(cuts), len(xs)) {
		rest += squares(xs[from:to])
		from = to
	}
	return rest
}

// bestStairs places so many steps, each after the others, then each anew between its
// neighbours until none moves. It returns fewer where there is no room.
func bestStairs(xs []float64, steps int) (cuts []int) {
	for range steps {
		best, at := 0.0, 0
		for i := 0; i <= len(cuts); i++ {
			from, to := max(0, beside(cuts, i-1, 0)), beside(cuts, i, len(xs))
			if k, gain := bestCut(xs[from:to]); gain > best {
				best, at = gain, from+k
			}
		}
		if at == 0 {
			break
		}
		cuts = append(cuts, at)
		slices.Sort(cuts)
	}
	for range 10 {
		moved := false
		for i := range cuts {
			from, to := beside(cuts, i-1, 0), beside(cuts, i+1, len(xs))
			if k, _ := bestCut(xs[from:to]); k > 0 && from+k != cuts[i] {
				cuts[i], moved = from+k, true
			}
		}
		if !moved {
			break
		}
	}
	return cuts
}

// beside is cuts[i], or the end where there is none.
func beside(cuts []int, i, end int) int {
	if i < 0 || i >= len(cuts) {
		return end
	}
	return cuts[i]
}

// bestCut is the best place of one step, with 3 values on either side, and by how much
// it lowers the sum of squares; 0 where there is none.
func bestCut(part []float64) (at int, best float64) {
	if len(part) < 6 {
		return 0, 0
	}
	sum, mean := 0.0, stats.PairedT(part).Theta
	for k := 1; k <= len(part)-3; k++ {
		sum += part[k-1] - mean
		if gain := sum * sum * float64(len(part)) / (float64(k) * float64(len(part)-k)); k >= 3 && gain > best {
			at, best = k, gain
		}
	}
	return at, best
}

// bestRamp is the slope over at least so many values that leaves least.
func bestRamp(xs []float64, least int) (start, end int, best float64) {
	n, total := len(xs), 0.0
	sums, moments := make([]float64, n+1), make([]float64, n+1)
	for i, x := range xs {
		sums[i+1], moments[i+1] = sums[i]+x, moments[i]+x*float64(i)
		total += x * x
	}
	grid := max(1, n/60)
	best = math.Inf(1)
	for p := 3; p+least <= n-3; p += grid {
		for q := p + least; q <= n-3; q += grid {
			if rest := rampRest(xs, sums, moments, total, p, q); rest < best {
				start, end, best = p, q, rest
			}
		}
	}
	return start, end, best
}

// rampRest is the residual sum of squares of a level until p, a straight line
// from there to q, and a level from then on, by least squares.
func rampRest(xs, sums, moments []float64, total float64, p, q int) float64 {
	n := len(xs)
	// x ≈ a + b·u, with u = 0 before p, (i-p+1)/(q-p+1) between, 1 from q on.
	length := float64(q - p + 1)
	m := float64(q - p)
	su := m*(m+1)/2/length + float64(n-q)
	suu := m*(m+1)*(2*m+1)/6/(length*length) + float64(n-q)
	sx := sums[n]
	sxu := (moments[q]-moments[p]-float64(p-1)*(sums[q]-sums[p]))/length + sums[n] - sums[q]
	det := float64(n)*suu - su*su
	if det <= 0 {
		return math.Inf(1)
	}
	b := (float64(n)*sxu - su*sx) / det
	a := (sx - b*su) / float64(n)
	return max(total-a*sx-b*sxu, 0)
}
