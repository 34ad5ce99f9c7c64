package serve

import (
	"math/rand/v2"
	"slices"

	"github.com/llama-regress/llama-regress/ci/load"
)

// orderStream keeps the order of prompts apart from other uses of the plan's seed.
const orderStream = 1 << 40

// ordered are the prompts in the order of a block: drawn anew for each, and the same
// for all of its arms. Were it the same in every block, a prompt that fails could not be
// told from its place in the load. Each block counts each prompt as often as
// without that: prompts change places only with those that are counted as often. Turns of
// conversations keep their order.
func ordered(prompts []load.Prompt, seed uint64, block, warmup, requests int) []load.Prompt {
	n := len(prompts)
	if n == 0 || slices.ContainsFunc(prompts, func(p load.Prompt) bool { return p.Turn > 0 }) {
		return prompts
	}
	counted := make([]int, n)
	for i := range counted {
		counted[i] = requests / n
	}
	for i := range requests % n {
		counted[(warmup+i)%n]++
	}
	rng := rand.New(rand.NewPCG(seed, orderStream+uint64(block)))
	all := slices.Clone(prompts)
	for _, often := range []int{requests / n, requests/n + 1} {
		var places []int
		for i, c := range counted {
			if c == often {
				places = append(places, i)
			}
		}
		rng.Shuffle(len(places), func(i, j int) { all[places[i]], all[places[j]] = all[places[j]], all[places[i]] })
	}
	return all
}
