package config

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/llama-regress/llama-regress/ci/record"
)

// Batched is what llama-batched-bench measures: each length of prompt with each
// length of answer is a cell, and its process runs every batch, as often as
// bench.repetitions says.
type Batched struct {
	Prompts   []int  `yaml:"npp"` // tokens of each prompt
	Gens      []int  `yaml:"ntg"` // tokens generated for each sequence
	Sequences []int  `yaml:"npl"` // of a batch, each once
	Shared    []bool `yaml:"pps"` // whether the sequences of a batch have one prompt; both values are two cells
}

// DefaultBatched returns what is measured where nothing is said.
func DefaultBatched() *Batched {
	return &Batched{Prompts: []int{128}, Gens: []int{32}, Sequences: []int{1, 8}, Shared: []bool{false}}
}

// mostBatched bounds the tokens that a batch holds at once, and mostBatches the
// values of a list.
const (
	mostBatched = 1 << 20
	mostBatches = 32
)

// Check implements Section.
func (b *Batched) Check() error {
	for _, list := range []struct {
		key    string
		values []int
		most   int
	}{{"npp", b.Prompts, mostBatched}, {"ntg", b.Gens, mostBatched}, {"npl", b.Sequences, 1024}} {
		if n := len(list.values); n == 0 || n > mostBatches {
			return fmt.Errorf("%s: want 1 to %d values, have %d", list.key, mostBatches, n)
		}
		seen := make(map[int]bool)
		for _, v := range list.values {
			if v < 1 || v > list.most || seen[v] {
				return fmt.Errorf("%s: %d: want whole numbers from 1 to %d, each once", list.key, v, list.most)
			}
			seen[v] = true
		}
	}
	if n := len(b.Shared); n == 0 || n > 2 || n == 2 && b.Shared[0] == b.Shared[1] {
		return errors.New("pps: want true, false or both")
	}
	if n := b.Tokens(); n > mostBatched {
		return fmt.Errorf("npl: the largest batch holds %d tokens; at most %d are measured", n, mostBatched)
	}
	return nil
}

// Tokens is what the largest batch holds.
func (b *Batched) Tokens() int {
	most := func(values []int) (most int) {
		for _, v := range values {
			most = max(most, v)
		}
		return most
	}
	return most(b.Sequences) * (most(b.Prompts) + most(b.Gens))
}

var batchedSection = section{
	name: record.BatchedWorkload,
	schema: json.RawMessage(`{
  "description": "What llama-batched-bench measures: several sequences at once. Each npp with each ntg is a cell; a process runs every batch bench.repetitions times.",
  "type": "object", "additionalProperties": false,
  "properties": {
    "npp": {"description": "tokens of each prompt", "type": "array", "minItems": 1, "maxItems": 32, "uniqueItems": true, "items": {"type": "integer", "minimum": 1, "maximum": 1048576}, "default": [128]},
    "ntg": {"description": "tokens generated for each sequence", "type": "array", "minItems": 1, "maxItems": 32, "uniqueItems": true, "items": {"type": "integer", "minimum": 1, "maximum": 1048576}, "default": [32]},
    "npl": {"description": "sequences of a batch", "type": "array", "minItems": 1, "maxItems": 32, "uniqueItems": true, "items": {"type": "integer", "minimum": 1, "maximum": 1024}, "default": [1, 8]},
    "pps": {"description": "whether the sequences of a batch share one prompt; [false, true] measures both", "type": "array", "minItems": 1, "maxItems": 2, "uniqueItems": true, "items": {"type": "boolean"}, "default": [false]}
  }
}`),
	empty: func() Section { return DefaultBatched() },
}
