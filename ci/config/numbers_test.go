package config_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/llama-regress/llama-regress/ci/config"
)

// Each number of a load is refused just beyond its bounds and taken at them.
func TestBoundsOfServeNumbers(t *testing.T) {
	for name, bounds := range map[string][2]int{
		"output_tokens": {1, 65_536}, "requests": {0, 1_000_000}, "requests_per_user": {0, 1000}, "warmup": {0, 1000},
	} {
		for value, fits := range map[int]bool{bounds[0] - 1: false, bounds[0]: true, bounds[1]: true, bounds[1] + 1: false} {
			text := minimal + fmt.Sprintf("serve: {dataset: {path: d.json}, concurrency: [1], %s: %d}\n", name, value)
			_, err := config.Parse([]byte(text), "c.yaml")
			if refused := err != nil && strings.Contains(err.Error(), "serve."+name+": "); refused == fits {
				t.Errorf("%s %d: %v", name, value, err)
			}
		}
	}
}
