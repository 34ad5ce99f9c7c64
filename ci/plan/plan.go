// Package plan expands a configuration into every trial, in the order in which
// it will run, before anything runs.
package plan

import (
	"time"

	"github.com/llama-regress/llama-regress/ci/config"
	"github.com/llama-regress/llama-regress/ci/record"
)

// A Plan is everything a session will do. It depends on the configuration alone,
// never on the machine or the clock: only its absolute paths differ from one
// machine to another, and they are not part of its ID.
type Plan struct {
	ID          string        `json:"id"`              // hash of all that decides the trials and their order; the journal of another plan is never resumed
	Shard       *record.Shard `json:"shard,omitempty"` // which part of the whole plan this is; nil for the whole
	ConfigSHA   string        `json:"config_sha256"`   // of the configuration file's bytes; "" without a file
	Seed        uint64        `json:"seed,string"`     // of the order of cells and arms: as configured, else derived from the content
	Baseline    string        `json:"baseline"`
	Arms        []record.Arm  `json:"arms"`
	Models      []Model       `json:"models"`
	Cells       []Cell        `json:"cells"`
	Serve       *Serve        `json:"serve,omitempty"`         // what all serve cells have in common; nil without any
	Count       *config.Count `json:"count,omitempty"`         // what all count cells have in common; nil without any
	Blocks      int           `json:"blocks"`                  // of a cell at most
	Screen      int           `json:"screen_blocks,omitempty"` // of every cell before the fresh ones of those that may have lost; 0: one stage
	Interims    []int         `json:"looks,omitempty"`         // blocks, after those of the screening, at which a cell may stop; nil: their number is fixed
	Warmup      int           `json:"warmup"`
	Repetitions int           `json:"repetitions"`
	Timeout     time.Duration `json:"timeout_ns"` // of one trial; its process group is ended then

	// Schedulers is how those of the kernel are loaded; nil where no trial asks
	// for one.
	Schedulers *config.Schedulers `json:"schedulers,omitempty"`

	Trials []Trial `json:"trials"` // in the order in which they run, those of cells that stop early left out
}

// A Model is a GGUF file of the configuration.
type Model struct {
	Name   string `json:"name"`
	Path   string `json:"path"`             // absolute; "" where servers that already run have it
	SHA256 string `json:"sha256,omitempty"` // as the configuration demands it, "" when it does not
}

// A Cell is a point of the matrix and what its trials have to do.
type Cell struct {
	Cell      record.Cell   `json:"cell"`
	ModelPath string        `json:"model_path"`       // absolute; "" where servers that already run have it
	Tests     []record.Test `json:"tests,omitempty"`  // of a bench cell, where one process runs them all, or of a count cell
	Blocks    int           `json:"blocks,omitempty"` // that it has, where they are not those of the plan: the first of them
	Load      *Load         `json:"load,omitempty"`   // of a serve cell
	Work      any           `json:"work,omitempty"`   // of a cell of a registered workload: what its bench has to do
}

// A Load is how hard a serve cell's trials press their server: either a
// concurrency or a rate.
type Load struct {
	Concurrency int     `json:"concurrency,omitempty"` // closed loop: requests under way
	Rate        float64 `json:"rate,omitempty"`        // open loop: requests a second
	Requests    int     `json:"requests"`              // that count
}

// Serve is what the trials of all serve cells do.
type Serve struct {
	config.Serve
	DatasetPath string `json:"dataset_path"` // absolute
}

// A Trial is one process invocation to come.
type Trial struct {
	ID    string `json:"id"`   // "b02.c0001.head": block, cell and arm
	Arm   int    `json:"arm"`  // index into Plan.Arms
	Cell  int    `json:"cell"` // index into Plan.Cells
	Block int    `json:"block"`
	Order int    `json:"order"` // position in Plan.Trials
}
