package plan_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/llama-regress/llama-regress/ci/config"
)

func TestStages(t *testing.T) {
	auto := config.Default().Sampling
	with := func(blocks, adaptive, confirm int) config.Sampling {
		s := auto
		s.Blocks, s.Adaptive, s.ConfirmBlocks = blocks, adaptive, confirm
		return s
	}
	for _, c := range []struct {
		name              string
		sampling          config.Sampling
		cells, candidates int
		want              config.Stages
	}{
		{"few cells", auto, 19, 1, config.Stages{Blocks: 6}},
		{"many cells", auto, 20, 1, config.Stages{Blocks: 26, Screen: 6}},
		{"many cells of one arm", auto, 100, 0, config.Stages{Blocks: 6}},
		{"many cells, too few blocks to screen by", with(3, 0, config.AutoConfirm), 100, 1, config.Stages{Blocks: 3}},
		{"many cells, enough blocks for each", with(20, 0, config.AutoConfirm), 100, 1, config.Stages{Blocks: 20}},
		{"one stage by request", with(6, 0, 0), 100, 1, config.Stages{Blocks: 6}},
		{"two stages by request", with(8, 0, 12), 2, 1, config.Stages{Blocks: 20, Screen: 8}},
		{"adaptive", with(6, 20, config.AutoConfirm), 2, 1, config.Stages{Blocks: 20, Interims: []int{6, 10, 15, 20}}},
		{"adaptive, close looks", with(6, 8, config.AutoConfirm), 2, 1, config.Stages{Blocks: 8, Interims: []int{6, 7, 8}}},
		{"adaptive, hardly any room", with(990, 1000, 0), 2, 1, config.Stages{Blocks: 1000, Interims: []int{1000}}},
		{"adaptive, many cells", with(6, 20, config.AutoConfirm), 20, 1, config.Stages{Blocks: 26, Screen: 6, Interims: []int{6, 10, 15, 20}}},
		{"adaptive, few fresh blocks", with(6, 20, 4), 20, 1, config.Stages{Blocks: 10, Screen: 6, Interims: []int{4}}},
	} {
		if diff := cmp.Diff(c.want, c.sampling.Stages(c.cells, c.candidates)); diff != "" {
			t.Errorf("%s: -want +got:\n%s", c.name, diff)
		}
	}
}

func TestPlanWithStages(t *testing.T) {
	c := study()
	fixed := expand(t, c)
	c.Sampling.Blocks, c.Sampling.ConfirmBlocks = 6, 12
	p := expand(t, c)
	if p.ID == fixed.ID || p.Blocks != 18 || p.Screen != 6 || p.Interims != nil {
		t.Errorf("%d blocks, screening of %d, looks %v", p.Blocks, p.Screen, p.Interims)
	}
	for n, want := range map[int]int{0: 6, 5: 6, 6: 18, 17: 18, 18: 18} {
		if got := p.NextInterim(n); got != want {
			t.Errorf("after %d blocks the next look is at %d, want %d", n, got, want)
		}
	}
	for _, want := range []string{"trials  54 to 162, about 75 when nothing changed", "6 blocks of every cell, then 12 fresh ones"} {
		if got := p.Summary(); !strings.Contains(got, want) {
			t.Errorf("the summary lacks %q:\n%s", want, got)
		}
	}
	c.Sampling.ConfirmBlocks, c.Sampling.Adaptive = config.AutoConfirm, 20
	p = expand(t, c)
	if got, want := p.Summary(), "after 6, 10, 15 or 20 blocks"; !strings.Contains(got, want) {
		t.Errorf("the summary lacks %q:\n%s", want, got)
	}
	if p.NextInterim(6) != 10 || p.Blocks != 20 {
		t.Errorf("%d blocks, look after 6 at %d", p.Blocks, p.NextInterim(6))
	}
}
