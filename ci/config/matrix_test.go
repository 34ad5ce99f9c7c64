package config_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/llama-regress/llama-regress/ci/config"
	"github.com/llama-regress/llama-regress/ci/record"
)

type (
	lists   = map[string][]string
	values  = map[string]string
	entries = []map[string]string
)

func TestCombinations(t *testing.T) {
	for _, c := range []struct {
		name   string
		matrix config.Matrix
		want   entries
	}{
		{"empty", config.Matrix{}, entries{{}}},
		{"one", config.Matrix{Params: lists{"threads": {"2"}}}, entries{{"threads": "2"}}},
		{
			"the order is that of record.Params, the last fastest",
			config.Matrix{Params: lists{"mmap": {"on", "off"}, "threads": {"8", "2"}}},
			entries{{"threads": "8", "mmap": "on"}, {"threads": "8", "mmap": "off"}, {"threads": "2", "mmap": "on"}, {"threads": "2", "mmap": "off"}},
		},
		{
			// The example of GitHub's documentation, "Expanding or adding matrix
			// configurations", with fruit: [apple, pear] and animal: [cat, dog]
			// as threads and batch, color and shape as type_k and type_v.
			"GitHub's fruit and animals",
			config.Matrix{
				Params: lists{"threads": {"1", "2"}, "batch": {"3", "4"}},
				Include: entries{
					{"type_k": "green"},
					{"type_k": "pink", "batch": "3"},
					{"threads": "1", "type_v": "circle"},
					{"threads": "9"},
					{"threads": "9", "batch": "3"},
				},
			},
			entries{
				{"threads": "1", "batch": "3", "type_k": "pink", "type_v": "circle"},
				{"threads": "1", "batch": "4", "type_k": "green", "type_v": "circle"},
				{"threads": "2", "batch": "3", "type_k": "pink"},
				{"threads": "2", "batch": "4", "type_k": "green"},
				{"threads": "9"},
				{"threads": "9", "batch": "3"},
			},
		},
		{
			// "Adding configurations": include alone makes a combination each.
			"include alone",
			config.Matrix{Include: entries{{"threads": "1", "type_k": "a"}, {"threads": "2"}, {"type_k": "a"}}},
			entries{{"threads": "1", "type_k": "a"}, {"threads": "2"}, {"type_k": "a"}},
		},
		{
			// "Excluding matrix configurations": a partial match is enough.
			"exclude",
			config.Matrix{
				Params: lists{"threads": {"1", "2"}, "batch": {"3", "4", "5"}, "poll": {"6", "7"}},
				Exclude: entries{
					{"threads": "1", "batch": "3", "poll": "7"},
					{"threads": "2", "poll": "6"},
				},
			},
			entries{
				{"threads": "1", "batch": "3", "poll": "6"},
				{"threads": "1", "batch": "4", "poll": "6"}, {"threads": "1", "batch": "4", "poll": "7"},
				{"threads": "1", "batch": "5", "poll": "6"}, {"threads": "1", "batch": "5", "poll": "7"},
				{"threads": "2", "batch": "3", "poll": "7"},
				{"threads": "2", "batch": "4", "poll": "7"},
				{"threads": "2", "batch": "5", "poll": "7"},
			},
		},
		{
			// "All include combinations are processed after exclude. This
			// allows you to use include to add back combinations".
			"include brings back what exclude took",
			config.Matrix{
				Params:  lists{"threads": {"1", "2"}, "mmap": {"on", "off"}},
				Exclude: entries{{"mmap": "off"}},
				Include: entries{{"threads": "2", "mmap": "off"}},
			},
			entries{{"threads": "1", "mmap": "on"}, {"threads": "2", "mmap": "on"}, {"threads": "2", "mmap": "off"}},
		},
		{
			"everything excluded, something included",
			config.Matrix{Params: lists{"threads": {"1"}}, Exclude: entries{{"threads": "1"}}, Include: entries{{"threads": "2"}}},
			entries{{"threads": "2"}},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := c.matrix.Combinations()
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestCombinationsAreBounded(t *testing.T) {
	hundred := make([]string, 100)
	for i := range hundred {
		hundred[i] = fmt.Sprint(i)
	}
	m := config.Matrix{Params: lists{"threads": hundred, "batch": hundred}}
	if got, err := m.Combinations(); err != nil || len(got) != config.MaxCombinations {
		t.Errorf("at the bound: %d, %v", len(got), err)
	}
	m.Params["mmap"] = []string{"on", "off"}
	if got, err := m.Combinations(); err == nil {
		t.Errorf("beyond the bound: %d combinations", len(got))
	}
}

// TestCombinationsOfRandomMatrices checks the rules one by one, and that
// nothing of the matrix is changed or shared.
func TestCombinationsOfRandomMatrices(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	names := []string{"threads", "batch", "ubatch", "poll"}
	pick := func(from int) values {
		v := values{}
		for _, name := range names[from:] {
			if rng.IntN(2) == 0 {
				v[name] = fmt.Sprint(rng.IntN(4))
			}
		}
		return v
	}
	for range 3000 {
		m := config.Matrix{Params: lists{}}
		size := 1
		for _, name := range names[:1+rng.IntN(3)] {
			for v := range 1 + rng.IntN(3) {
				m.Params[name] = append(m.Params[name], fmt.Sprint(v))
			}
			size *= len(m.Params[name])
		}
		for range rng.IntN(3) {
			m.Exclude = append(m.Exclude, values{"threads": fmt.Sprint(rng.IntN(3))})
			m.Include = append(m.Include, pick(0), pick(1))
		}
		before := fmt.Sprint(m)
		got, err := m.Combinations()
		if fmt.Sprint(m) != before {
			t.Fatalf("the matrix changed from %s to %s", before, fmt.Sprint(m))
		}
		if err != nil {
			if len(m.Exclude) == 0 {
				t.Fatalf("%s: %v", before, err)
			}
			continue
		}
		checkCombinations(t, m, size, got)
		for _, point := range got {
			clear(point)
		}
		if fmt.Sprint(m) != before {
			t.Fatalf("%s: a combination is a part of the matrix", before)
		}
	}
}

func checkCombinations(t *testing.T, m config.Matrix, size int, got entries) {
	t.Helper()
	full := 0 // combinations that have a value of every list, from that list
	for _, point := range got {
		ofLists := true
		for name, list := range m.Params {
			ofLists = ofLists && slices.Contains(list, point[name])
		}
		if ofLists {
			full++
		}
		included := slices.ContainsFunc(m.Include, func(e map[string]string) bool { return reflect.DeepEqual(e, point) })
		if !ofLists && !included {
			t.Errorf("%v: %v is neither of the lists nor an entry of include", m, point)
		}
		for _, e := range m.Exclude {
			if point["threads"] == e["threads"] && !included {
				t.Errorf("%v: %v is excluded", m, point)
			}
		}
	}
	if len(m.Exclude) == 0 && full < size {
		t.Errorf("%v: %d of %d combinations", m, full, size)
	}
	for _, e := range m.Include {
		if !slices.ContainsFunc(got, func(p map[string]string) bool { return inPart(p, e) }) {
			t.Errorf("%v: include %v is nowhere", m, e)
		}
	}
}

// inPart says whether the keys of e that the lists of threads do not own, or
// all of them, are in p; a later entry may have changed an added value.
func inPart(p, e values) bool {
	for name := range maps.Keys(e) {
		if _, ok := p[name]; !ok {
			return false
		}
	}
	return true
}

// The order of cells must not hang on the order of a map.
func TestCombinationsAreOrdered(t *testing.T) {
	m := config.Matrix{Params: lists{}}
	for _, p := range record.Params[:8] {
		m.Params[p.Name] = []string{"a", "b"}
	}
	first, err := m.Combinations()
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		if again, _ := m.Combinations(); !reflect.DeepEqual(first, again) {
			t.Fatal("two calls differ")
		}
	}
}
