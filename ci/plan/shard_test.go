package plan_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/llama-regress/llama-regress/ci/config"
	"github.com/llama-regress/llama-regress/ci/plan"
	"github.com/llama-regress/llama-regress/ci/record"
)

// Together the shards are the plan: each cell in one of them with every trial of
// every arm, and in each one null control.
func TestShardsMakeUpThePlan(t *testing.T) {
	c := study()
	whole := expand(t, c)
	for of := 1; of <= len(whole.Cells); of++ {
		seen, ids := map[string]bool{}, map[string]bool{whole.ID: true}
		cells, most, least := 0, 0, len(whole.Cells)
		for i := 1; i <= of; i++ {
			p, err := plan.ExpandShard(c, record.Shard{Index: i, Of: of})
			if err != nil {
				t.Fatal(err)
			}
			if *p.Shard != (record.Shard{Index: i, Of: of, Plan: whole.ID}) || ids[p.ID] {
				t.Errorf("%d/%d: shard %+v, id %s", i, of, p.Shard, p.ID)
			}
			ids[p.ID] = true
			cells += len(p.Cells)
			most, least = max(most, len(p.Cells)), min(least, len(p.Cells))
			controls, models := 0, map[string]bool{}
			perCell := map[string]int{}
			for order, trial := range p.Trials {
				if seen[trial.ID] || trial.Order != order {
					t.Fatalf("%d/%d: trial %s is there twice, or not at its place", i, of, trial.ID)
				}
				seen[trial.ID] = true
				models[p.Cells[trial.Cell].Cell.Model] = true
				if p.Arms[trial.Arm].ControlOf != "" {
					controls++
				} else {
					perCell[p.Cells[trial.Cell].Cell.Key]++
				}
			}
			if controls != p.Blocks {
				t.Errorf("%d/%d: %d trials of the null control, want one a block", i, of, controls)
			}
			if len(p.Models) != len(models) {
				t.Errorf("%d/%d: models %v, its cells use %v", i, of, p.Models, models)
			}
			for key, n := range perCell {
				if n != 2*p.Blocks {
					t.Errorf("%d/%d: %d trials of %s, want both arms in %d blocks", i, of, n, key, p.Blocks)
				}
			}
		}
		for _, trial := range whole.Trials { // the control's cell aside, which each shard has
			if !seen[trial.ID] {
				t.Errorf("of %d: trial %s is in no shard", of, trial.ID)
			}
		}
		if cells != len(whole.Cells) || most-least > 1 {
			t.Errorf("of %d: %d cells, from %d to %d a shard", of, cells, least, most)
		}
	}
}

func TestShardsThatCannotBe(t *testing.T) {
	if _, err := plan.ExpandShard(study(), record.Shard{Index: 1, Of: 5}); err == nil || !strings.Contains(err.Error(), "at most 4") {
		t.Errorf("five shards of four cells: %v", err)
	}
	for _, n := range []int{-1, 257} {
		if _, err := plan.Jobs(study(), n); err == nil {
			t.Errorf("%d jobs are no error", n)
		}
	}
	for _, text := range []string{"", "1", "0/2", "3/2", "1/257", "a/b", "1/2/3", "-1/2"} {
		if s, err := record.ParseShard(text); err == nil {
			t.Errorf("%q is read as %v", text, s)
		}
	}
}

func TestJobs(t *testing.T) {
	jobs, err := plan.Jobs(study(), 2)
	if err != nil {
		t.Fatal(err)
	}
	want := []plan.Job{
		{Shard: "1/2", Name: "1/2 bench/tiny/threads=1 and 1 more", Cells: 2, Trials: 4*4 + 4},
		{Shard: "2/2", Name: "2/2 bench/small/threads=1 and 1 more", Cells: 2, Trials: 4*4 + 4},
	}
	if diff := cmp.Diff(want, jobs); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	wide := study()
	wide.Sampling.Control = config.ControlNone
	wide.Matrix.Params["batch"] = nil
	for i := range 100 {
		wide.Matrix.Params["batch"] = append(wide.Matrix.Params["batch"], fmt.Sprint(i+1))
	}
	if jobs, err := plan.Jobs(wide, 0); err != nil || len(jobs) != record.MostShards {
		t.Errorf("400 cells make %d jobs: %v", len(jobs), err)
	}
}

// A shard without serve cells needs no dataset.
func TestShardOfOneWorkload(t *testing.T) {
	c := serving()
	first, err := plan.ExpandShard(c, record.Shard{Index: 1, Of: 5})
	if err != nil {
		t.Fatal(err)
	}
	if first.Serve != nil {
		t.Error("a shard of llama-bench alone has a serve section")
	}
	last, err := plan.ExpandShard(c, record.Shard{Index: 2, Of: 5})
	if err != nil || last.Serve == nil {
		t.Errorf("a shard of serving has no serve section: %v", err)
	}
}
