package plan

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"time"

	"github.com/llama-regress/llama-regress/ci/config"
	"github.com/llama-regress/llama-regress/ci/record"
)

// content is what decides the trials, apart from their order. Paths stand in it
// as the configuration writes them, so that two machines with the same file in
// different folders have the same plan. What does not change a trial is left
// out: a comment or a margin may be edited and the run still be resumed.
type content struct {
	Format      int // of this hash; to be raised when the order of trials is drawn in another way
	Baseline    string
	Arms        []arm
	Control     config.Control
	Models      []config.Model
	Cells       []string // keys
	Tests       []record.Test
	Serve       *config.Serve `json:",omitempty"`
	Count       *config.Count `json:",omitempty"`
	Blocks      int
	Screen      int   `json:",omitempty"`
	Interims    []int `json:"Looks,omitempty"` // this name is part of the hash
	Warmup      int
	Repetitions int
	Timeout     time.Duration
	Schedulers  *config.Schedulers `json:",omitempty"`

	Sections map[string]config.Section `json:",omitempty"`
}

// arm is what of config.Arm decides trials, with no difference between no
// parameters and none given.
type arm struct {
	Name   string
	Bin    string
	URL    string            `json:",omitempty"`
	Model  string            `json:",omitempty"`
	Params map[string]string `json:",omitempty"`
	Env    map[string]string `json:",omitempty"`
}

func contentOf(cfg *config.Config, p *Plan) content {
	c := content{
		Format:      1,
		Baseline:    cfg.Baseline,
		Control:     cfg.Sampling.Control,
		Models:      cfg.Models,
		Tests:       cfg.Bench.Tests,
		Serve:       cfg.Serve,
		Count:       cfg.Count,
		Blocks:      p.Blocks,
		Screen:      p.Screen,
		Interims:    p.Interims,
		Warmup:      p.Warmup,
		Repetitions: p.Repetitions,
		Timeout:     p.Timeout,
		Schedulers:  p.Schedulers,
		Sections:    cfg.Sections,
	}
	for _, a := range cfg.Arms {
		c.Arms = append(c.Arms, arm{a.Name, a.Bin, a.URL, a.Model, cfg.AllParams(a), a.Env})
	}
	for _, cell := range p.Cells {
		c.Cells = append(c.Cells, cell.Cell.Key)
	}
	return c
}

// seed derives the seed of a configuration that gives none. It is never 0.
func (c content) seed() uint64 {
	sum := hash(c)
	return max(binary.BigEndian.Uint64(sum[:8]), 1)
}

// id names the plan: two plans with the same ID run the same trials in the same
// order.
func (c content) id(p *Plan) string {
	sum := hash(struct {
		Content content
		Seed    uint64
		Trials  []Trial
		Unset   string // where parameters that nobody sets come from: a run is not resumed by another rule
	}{c, p.Seed, p.Trials, "build"})
	return hex.EncodeToString(sum[:16])
}

// shardID names a shard of a plan.
func shardID(trials []Trial, shard record.Shard) string {
	sum := hash(struct {
		Shard  record.Shard
		Trials []Trial
	}{shard, trials})
	return hex.EncodeToString(sum[:16])
}

// hash is over JSON, which writes maps in the order of their keys.
func hash(v any) [sha256.Size]byte {
	data, err := json.Marshal(v)
	if err != nil {
		panic("plan: " + err.Error()) // strings and whole numbers always marshal
	}
	return sha256.Sum256(data)
}
