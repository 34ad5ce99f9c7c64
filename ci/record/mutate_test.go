package record_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/fixtures/effort"
)

// TestMutatedRecords replaces parts of a record by values of other kinds, which
// fuzzing bytes hardly ever does. Whatever comes out is refused with its place
// or read, written and read again alike.
func TestMutatedRecords(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	misplaced := regexp.MustCompile(`^run\.json: not a run record`)
	read, misfits := 0, 0
	draws := effort.Draws(600, 150)
	for range draws {
		var tree any
		decode(t, readGolden(t), &tree)
		mutate(rng, tree)
		data := encode(t, tree)
		run, err := record.Read(bytes.NewReader(data), "run.json")
		if err != nil {
			if misplaced.MatchString(err.Error()) || !strings.HasPrefix(err.Error(), "run.json:") {
				t.Fatalf("error without its place: %v", err)
			}
			if strings.Contains(err.Error(), "not a run record") {
				misfits++
			}
			continue
		}
		read++
		once, err := json.Marshal(run)
		if err != nil {
			t.Fatalf("read, but cannot be written: %v", err)
		}
		again, err := record.Read(bytes.NewReader(once), "again.json")
		if err != nil {
			t.Fatalf("written, but cannot be read: %v", err)
		}
		if twice, err := json.Marshal(again); err != nil || !bytes.Equal(once, twice) {
			t.Fatalf("%v\nonce  %s\ntwice %s", err, once, twice)
		}
	}
	if read < draws/10 || misfits < draws/10 {
		t.Errorf("%d were read and %d were of a wrong type: the test tests nothing", read, misfits)
	}
}

// mutate replaces, removes or adds one part somewhere in the tree.
func mutate(rng *rand.Rand, tree any) {
	values := []any{nil, true, 1, -1, 1.5, "x", "", []any{}, []any{nil}, map[string]any{}, map[string]any{"new": 1}}
	value := values[rng.IntN(len(values))]
	deeper := rng.IntN(4) > 0
	switch v := tree.(type) {
	case map[string]any:
		if len(v) == 0 {
			return
		}
		keys := slices.Sorted(maps.Keys(v))
		key := keys[rng.IntN(len(keys))]
		switch v[key].(type) {
		case map[string]any, []any:
			if deeper {
				mutate(rng, v[key])
				return
			}
		}
		switch rng.IntN(3) {
		case 0:
			delete(v, key)
		case 1:
			v[key] = value
		default:
			v["new"] = value
		}
	case []any:
		if len(v) == 0 {
			return
		}
		i := rng.IntN(len(v))
		switch v[i].(type) {
		case map[string]any, []any:
			if deeper {
				mutate(rng, v[i])
				return
			}
		}
		v[i] = value
	}
}
