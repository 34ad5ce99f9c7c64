package plan_test

import (
	"strings"
	"testing"
	"time"

	"github.com/llama-regress/llama-regress/ci/config"
	"github.com/llama-regress/llama-regress/ci/record"
)

// TestID changes one thing at a time: what decides the trials changes the ID,
// what does not leaves it alone.
func TestID(t *testing.T) {
	id := expand(t, study()).ID
	if len(id) != 32 || strings.Trim(id, "0123456789abcdef") != "" {
		t.Errorf("ID %q", id)
	}
	seen := map[string]string{id: "nothing"}
	for name, change := range map[string]func(*config.Config){
		"arm":          func(c *config.Config) { c.Arms[1].Name = "new" },
		"bin":          func(c *config.Config) { c.Arms[1].Bin = "/opt/new" },
		"arm's params": func(c *config.Config) { c.Arms[1].Params["mmap"] = "on" },
		"arm's env":    func(c *config.Config) { c.Arms[1].Env["A"] = "2" },
		"env moved":    func(c *config.Config) { c.Arms[0].Env, c.Arms[1].Env = c.Arms[1].Env, nil },
		"another arm":  func(c *config.Config) { c.Arms = append(c.Arms, config.Arm{Name: "third", Bin: "x"}) },
		"arms swapped": func(c *config.Config) { c.Arms[0], c.Arms[1] = c.Arms[1], c.Arms[0] },
		"baseline":     func(c *config.Config) { c.Baseline = "head" },
		"model":        func(c *config.Config) { c.Models[0].Name = "new" },
		"model's path": func(c *config.Config) { c.Models[0].Path = "new.gguf" },
		"model's hash": func(c *config.Config) { c.Models[0].SHA256 = strings.Repeat("1", 64) },
		"matrix":       func(c *config.Config) { c.Matrix.Params["threads"][1] = "4" },
		"matrix order": func(c *config.Config) { c.Matrix.Params["threads"] = []string{"2", "1"} },
		"include":      func(c *config.Config) { c.Matrix.Include = []map[string]string{{"poll": "0"}} },
		"exclude":      func(c *config.Config) { c.Matrix.Exclude = []map[string]string{{"threads": "1"}} },
		"tests":        func(c *config.Config) { c.Bench.Tests = c.Bench.Tests[:1] },
		"tests' order": func(c *config.Config) { c.Bench.Tests = []record.Test{{Gen: 128}, {Prompt: 512}} },
		"repetitions":  func(c *config.Config) { c.Bench.Repetitions = 6 },
		"warmup":       func(c *config.Config) { c.Sampling.Warmup = 2 },
		"blocks":       func(c *config.Config) { c.Sampling.Blocks = 5 },
		"timeout":      func(c *config.Config) { c.Sampling.Timeout = time.Minute },
		"control none": func(c *config.Config) { c.Sampling.Control = config.ControlNone },
		"control all":  func(c *config.Config) { c.Sampling.Control = config.ControlAll },
		"seed":         func(c *config.Config) { c.Sampling.Seed = 2 },
	} {
		c := study()
		change(c)
		got := expand(t, c).ID
		if other, ok := seen[got]; ok {
			t.Errorf("%s gives the ID of %s", name, other)
		}
		seen[got] = name
	}
	for name, change := range map[string]func(*config.Config){
		"folder of the file": func(c *config.Config) { c.Dir = "/somewhere/else" },
		"bytes of the file":  func(c *config.Config) { c.SHA256 = strings.Repeat("2", 64) },
		"margin":             func(c *config.Config) { c.Gate.Margins["throughput"] = 0.1 },
		"fail":               func(c *config.Config) { c.Gate.Fail = "suspected" },
		"store":              func(c *config.Config) { c.Store = "dir:x" },
		"budget":             func(c *config.Config) { c.Sampling.Budget = time.Hour },
		"empty params":       func(c *config.Config) { c.Arms[0].Params = map[string]string{} },
	} {
		c := study()
		change(c)
		if got := expand(t, c).ID; got != id {
			t.Errorf("%s changes the ID", name)
		}
	}
}

// Without a seed the content gives one: never 0, the same wherever the file
// lies, another for other content.
func TestDerivedSeed(t *testing.T) {
	derived := func(change func(*config.Config)) uint64 {
		c := study()
		c.Sampling.Seed = 0
		change(c)
		return expand(t, c).Seed
	}
	seed := derived(func(*config.Config) {})
	if seed == 0 {
		t.Error("the derived seed is 0")
	}
	if got := derived(func(c *config.Config) { c.Dir, c.SHA256, c.Store = "/else", "x", "dir:y" }); got != seed {
		t.Errorf("in another folder %d, not %d", got, seed)
	}
	if got := derived(func(c *config.Config) { c.Sampling.Blocks++ }); got == seed {
		t.Error("other content, the same seed")
	}

	c := study()
	c.Sampling.Seed = 0
	p := expand(t, c)
	c.Sampling.Seed = p.Seed
	if again := expand(t, c); again.ID != p.ID {
		t.Error("giving the derived seed explicitly is another plan")
	}
}
