package config_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/llama-regress/llama-regress/ci/config"
)

// Whatever stands before it, a mistake is found on its own line: the YAML
// library counts lines by itself and has miscounted before.
func TestLinesAfterAllSortsOfText(t *testing.T) {
	for name, before := range map[string]string{
		"nothing":           "",
		"blank lines":       "\n \n\n",
		"comments":          "# one\n  # two\n#\n",
		"comment at end":    "sampling: # round\n  blocks: 6 # six\n",
		"flow over lines":   "matrix: {\n  threads: [1,\n    2\n  ], # two\n\n  mmap: on\n}\n",
		"nested":            "matrix:\n  include:\n    - threads: 1\n      mmap: on\n\n    # more\n    - threads: 2\n",
		"quoted over lines": "store: \"dir:a\n  b\n  c\"\n",
		"single quotes":     "store: 'dir:a\n  b''s'\n",
		"plain over lines":  "store: dir:a\n  b\n  c\n",
		"escaped break":     "store: \"dir:a\\\n  b\"\n",
		"quoted keys":       "\"sampling\":\n  'blocks': 6\n",
		"quotes in a list":  "bench:\n  tests:\n  - 'pp512'\n\n  - \"tg128\"\n",
		"beyond ASCII":      "# é 世界 🦙\nstore: \"dir:é\"\n",
	} {
		for _, eol := range []string{"\n", "\r\n"} {
			t.Run(fmt.Sprintf("%s %q", name, eol), func(t *testing.T) {
				text := minimal + before + "mistake: 1\n" + "gate:\n  speed: {}\n"
				line := 1 + strings.Count(minimal+before, "\n")
				_, err := config.Parse([]byte(strings.ReplaceAll(text, "\n", eol)), "c.yaml")
				want := fmt.Sprintf("c.yaml:%d: unknown key \"mistake\"; known here: arms, baseline, batched, bench, build, count, gate, matrix, models, ops, placement, sampling, schedulers, sentinel, serve, store, version\nc.yaml:%d: unknown metric \"speed\" in gate", line, line+2)
				if fmt.Sprint(err) != want {
					t.Errorf("got\n%v\nwant\n%s\nfor\n%s", err, want, text)
				}
			})
		}
	}
}
