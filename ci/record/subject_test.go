package record

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestModelCompare(t *testing.T) {
	seven := Model{Name: "m", Type: "llama 7B Q4_0", Bytes: 3825065984, Parameters: 6738415616}
	thirteen := Model{Name: "m", Type: "llama 13B Q4_0", Bytes: 7365834624, Parameters: 13015864320}
	for name, c := range map[string]struct {
		a, b Model
		want []string
	}{
		"the same":                     {seven, seven, nil},
		"another model":                {seven, thirteen, []string{"type", "bytes", "parameters"}},
		"another quantisation":         {Model{Type: "llama 7B Q4_0"}, Model{Type: "llama 7B Q4_K - Medium"}, []string{"type"}},
		"nothing known of one":         {seven, Model{Name: "m"}, nil},
		"nothing known of either":      {Model{}, Model{}, nil},
		"as builds of 2023 said it":    {seven, Model{Type: "LLaMA 7B mostly Q4_0"}, nil},
		"a size the build cannot name": {Model{Type: "qwen2 ?B Q8_0"}, Model{Type: "qwen2 1.5B Q8_0"}, nil},
		"another file":                 {Model{SHA256: "a"}, Model{SHA256: "b"}, []string{"sha256"}},
		"one file, told otherwise":     {Model{SHA256: "a", Type: "x", Bytes: 1}, Model{SHA256: "a", Type: "y", Bytes: 2}, nil},
		"tensors against a file":       {Model{Bytes: 10}, Model{Bytes: 11, SHA256: "a"}, nil},
	} {
		for _, diffs := range [][]KeyDiff{c.a.Compare(c.b), c.b.Compare(c.a)} {
			var got []string
			for _, d := range diffs {
				got = append(got, d.Key)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
		}
	}
}

func TestDatasetCompare(t *testing.T) {
	d := Dataset{Name: "chats", SHA256: "a", Rule: "human", Seed: 1, Sample: 100}
	for name, c := range map[string]struct {
		change func(*Dataset)
		want   []string
	}{
		"the same":     {func(*Dataset) {}, nil},
		"renamed":      {func(d *Dataset) { d.Name, d.Path = "talks", "elsewhere" }, nil},
		"another file": {func(d *Dataset) { d.SHA256 = "b" }, []string{"sha256"}},
		"other draw":   {func(d *Dataset) { d.Seed, d.Sample, d.Rule = 2, 50, "all" }, []string{"rule", "seed", "sample"}},
		"unknown":      {func(d *Dataset) { *d = Dataset{Name: "chats"} }, nil},
	} {
		other := d
		c.change(&other)
		var got []string
		for _, diff := range d.Compare(other) {
			got = append(got, diff.Key)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
