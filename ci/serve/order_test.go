package serve

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/llama-regress/llama-regress/ci/load"
)

// The order of prompts differs from block to block and is that of the block for every
// arm; what is counted stays the same, also where prompts are left over or taken
// again.
func TestOrderOfPrompts(t *testing.T) {
	var prompts []load.Prompt
	for i := range 12 {
		prompts = append(prompts, load.Prompt{ID: fmt.Sprint(i)})
	}
	sent := func(block, warmup, requests int) (ids []string) {
		all := ordered(prompts, 7, block, warmup, requests)
		for i := range requests {
			ids = append(ids, all[(warmup+i)%len(all)].ID)
		}
		return ids
	}
	count := func(ids []string) map[string]int {
		n := make(map[string]int)
		for _, id := range ids {
			n[id]++
		}
		return n
	}
	for _, requests := range []int{5, 12, 24, 30} {
		first := sent(0, 4, requests)
		if again := sent(0, 4, requests); !slices.Equal(first, again) {
			t.Errorf("%d requests: one block has two orders, %v and %v", requests, first, again)
		}
		other := sent(1, 4, requests)
		if slices.Equal(first, other) {
			t.Errorf("%d requests: two blocks have the order %v", requests, first)
		}
		if !maps.Equal(count(first), count(other)) {
			t.Errorf("%d requests: counted %v in one block and %v in another", requests, count(first), count(other))
		}
	}
	turns := []load.Prompt{{ID: "a", Turn: 1}, {ID: "b", Turn: 2}, {ID: "c", Turn: 3}}
	for i, p := range ordered(turns, 7, 1, 0, 3) {
		if p.ID != turns[i].ID {
			t.Errorf("turn %d is %s", i, p.ID)
		}
	}
	if slices.ContainsFunc(prompts, func(p load.Prompt) bool { return p.ID == "" }) || prompts[3].ID != "3" {
		t.Error("the drawn prompts were changed")
	}
}
