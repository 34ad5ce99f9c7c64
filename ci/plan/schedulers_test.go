package plan_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/llama-regress/llama-regress/ci/config"
)

// schedulers are three arms, and more cells than one.
func schedulers() *config.Config {
	c := study()
	c.Arms = []config.Arm{
		{Name: "base", Bin: "b"},
		{Name: "lavd", Bin: "b", Scheduler: "scx_lavd"},
		{Name: "rusty", Bin: "b", Scheduler: "scx_rusty"},
	}
	return c
}

// Changing the scheduler disturbs and takes time: it is done once a scheduler
// in a block, and where a block ends the next begins with the same.
func TestASchedulerIsLoadedOnceABlock(t *testing.T) {
	matrix := study()
	matrix.Matrix.Params["scheduler"] = []string{"default", "scx_lavd", "scx_rusty"}
	for name, c := range map[string]*config.Config{"arms": schedulers(), "matrix": matrix} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(20) {
				c.Sampling.Seed = seed + 1
				p := expand(t, c)
				changes, last := 0, ""
				perBlock := make(map[string]int)
				for _, trial := range p.Trials {
					if s := p.Scheduler(trial); s != last {
						changes, last = changes+1, s
					}
					perBlock[fmt.Sprint(trial.Block, " ", trial.Cell, " ", trial.Arm)]++
				}
				if want := 1 + p.Blocks*2; changes != want {
					t.Errorf("seed %d: %d changes of scheduler in %d blocks, want %d", seed, changes, p.Blocks, want)
				}
				for key, n := range perBlock {
					if n != 1 {
						t.Errorf("block, cell and arm %s: %d trials", key, n)
					}
				}
				if got := p.AllSchedulers(); len(got) != 3 || !slices.Contains(got, "default") {
					t.Errorf("schedulers %q", got)
				}
			}
		})
	}
}

// Over two blocks every arm of a cell stands in the middle on average.
func TestSchedulersTakeTurns(t *testing.T) {
	c := schedulers()
	c.Sampling.Control = config.ControlNone
	p := expand(t, c)
	n := len(p.Trials) / p.Blocks
	for arm := range p.Arms {
		sum, count := 0, 0
		for _, trial := range p.Trials[:2*n] {
			if trial.Arm == arm {
				sum, count = sum+trial.Order, count+1
			}
		}
		if got, want := float64(sum)/float64(count), float64(2*n-1)/2; got != want {
			t.Errorf("arm %s: mean position %v, want %v", p.Arms[arm].Name, got, want)
		}
	}
}

func TestWithoutSchedulersNobodyLooks(t *testing.T) {
	p := expand(t, study())
	if p.Schedulers != nil || p.Scheduler(p.Trials[0]) != "" || len(p.AllSchedulers()) != 0 {
		t.Errorf("%+v", p.Schedulers)
	}
	if a, b := p.Trials[0], p.Trials[len(p.Arms)+1]; p.SameRound(a, b) {
		t.Errorf("%s and %s are one round", a.ID, b.ID)
	}
}

// What decides a trial decides the plan's name.
func TestPlanIDKnowsSchedulers(t *testing.T) {
	ids := map[string]string{}
	for name, change := range map[string]func(*config.Config){
		"as it is": func(*config.Config) {},
		"another":  func(c *config.Config) { c.Arms[1].Scheduler = "scx_flash" },
		"settle":   func(c *config.Config) { c.Schedulers.Settle *= 2 },
		"none":     func(c *config.Config) { c.Arms[1].Scheduler, c.Arms[2].Scheduler = "", "" },
	} {
		c := schedulers()
		change(c)
		id := expand(t, c).ID
		if other, ok := ids[id]; ok {
			t.Errorf("%s and %s have one ID", name, other)
		}
		ids[id] = name
	}
}
