package serve

import (
	"regexp"
	"strings"
	"testing"

	"github.com/llama-regress/llama-regress/ci/load"
)

// No two requests of two trials begin alike, but for the turns of one conversation; the
// prompts of the sample stay as they are.
func TestFresh(t *testing.T) {
	sample := []load.Prompt{
		{ID: "a", Text: "one"},
		{ID: "b", Text: "two", Turn: 1},
		{ID: "b", Text: "three", Turn: 2, History: []load.Exchange{{Question: "two", Answer: "x"}}},
	}
	begins := regexp.MustCompile(`^[1-9][0-9]{8} `)
	seen := make(map[string]bool)
	for range 2 {
		all := fresh(sample, 30)
		if len(all) != 30 {
			t.Fatalf("%d prompts", len(all))
		}
		for i, p := range all {
			was, first := sample[i%3], p.Text
			if p.Turn == 2 {
				first = p.History[0].Question
				if all[i-1].Text != first {
					t.Errorf("a turn begins with %q, the one before with %q", first, all[i-1].Text)
				}
			} else if seen[begins.FindString(first)] {
				t.Errorf("%q was there before", first)
			}
			if seen[begins.FindString(first)] = true; p.ID != was.ID || !begins.MatchString(first) || !strings.HasSuffix(p.Text, was.Text) {
				t.Fatalf("%+v of %+v", p, was)
			}
		}
	}
	if sample[0].Text != "one" || sample[2].History[0].Question != "two" {
		t.Errorf("the sample was changed: %+v", sample)
	}
}
