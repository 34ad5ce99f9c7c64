package stats

import "math/rand/v2"

// maxFlips is how many common sign flips are used when there are more.
const maxFlips = 4096

// flipGroup is how many blocks share one table of signed sums: 2^8 sums of 8
// bytes stay in the first-level cache, and a flip costs one addition a group.
const flipGroup = 8

// signFlips holds assignments of signs to blocks. The first is the identity.
// masks[g][f] has bit j set where flip f turns the sign of block g·flipGroup+j.
type signFlips struct {
	count int
	masks [][]uint8
}

// newSignFlips returns all 2^blocks assignments when they are at most maxFlips,
// else the identity and maxFlips-1 random ones.
func newSignFlips(blocks int, seed uint64) signFlips {
	groups := (blocks + flipGroup - 1) / flipGroup
	all := blocks < 63 && 1<<blocks <= maxFlips
	flips := signFlips{count: maxFlips, masks: make([][]uint8, groups)}
	if all {
		flips.count = 1 << blocks
	}
	rng := rand.New(rand.NewPCG(seed, 0x5167_6e66_6c69_7073))
	for g := range flips.masks {
		flips.masks[g] = make([]uint8, flips.count)
		for f := 1; f < flips.count; f++ {
			if all {
				flips.masks[g][f] = uint8(f >> (g * flipGroup))
			} else {
				flips.masks[g][f] = uint8(rng.Uint32())
			}
		}
	}
	return flips
}

// sums sets out[f], for every flip f, to the sum of x over the blocks with the
// signs of f. len(out) is flips.count.
func (flips signFlips) sums(x, out []float64) {
	var table [1 << flipGroup]float64
	clear(out)
	for g, masks := range flips.masks {
		signedSums(&table, x[g*flipGroup:min(len(x), (g+1)*flipGroup)])
		masks = masks[:len(out)]
		for f := range out {
			out[f] += table[masks[f]]
		}
	}
}

// signedSums sets table[m] to the sum of x with the sign of x[j] turned where
// bit j of m is set. Bits beyond len(x) change nothing.
func signedSums(table *[1 << flipGroup]float64, x []float64) {
	table[0] = 0
	for _, v := range x {
		table[0] += v
	}
	for j := range flipGroup {
		turn := 0.0
		if j < len(x) {
			turn = 2 * x[j]
		}
		for m := range 1 << j {
			table[m|1<<j] = table[m] - turn
		}
	}
}

// identity returns the sum of x, added up as sums does, so that the two agree
// to the last digit.
func (flips signFlips) identity(x []float64) float64 {
	total := 0.0
	for g := range flips.masks {
		group := 0.0
		for _, v := range x[g*flipGroup : min(len(x), (g+1)*flipGroup)] {
			group += v
		}
		total += group
	}
	return total
}
