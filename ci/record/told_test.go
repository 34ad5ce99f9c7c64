package record_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/llama-regress/llama-regress/ci/record"
)

// ran is a run of one arm and one bench cell of each parameters, whose programs
// told these defaults, by trials alone where old.
func ran(old bool, told map[string]string, arm map[string]string, cells ...map[string]string) *record.Run {
	r := &record.Run{Schema: record.Schema, Baseline: "a", Arms: []record.Arm{{Name: "a", Params: arm}}}
	for i, params := range cells {
		c := record.Cell{Key: record.CellKey("bench", "m", params), Workload: "bench", Model: "m", Params: params, Metrics: []record.Metric{record.Test{Gen: 1}.Metric()}}
		r.Cells = append(r.Cells, c)
		echo := map[string]string{}
		for name, value := range told {
			echo[name] = value
		}
		for name, value := range params {
			echo[name] = value
		}
		r.Trials = append(r.Trials, record.Trial{ID: string(rune('a' + i)), Arm: "a", Cell: c.Key, Outcome: record.OK, Echo: echo})
		if !old {
			r.Arms[0].Tell(c, echo)
		}
	}
	return r
}

func keysOf(r *record.Run) (keys []string) {
	for _, c := range r.Cells {
		keys = append(keys, c.Key)
	}
	return keys
}

type values = map[string]string

// Cells of two sessions are one where they ran with the same settings, and two
// with keys that say so where they did not, whoever chose the values.
func TestAlign(t *testing.T) {
	pinned := values{"flash_attn": "off", "gpu_layers": "99", "mmap": "on", "threads": "2"} // what every older version passed
	auto := values{"flash_attn": "auto", "gpu_layers": "auto", "mmap": "auto", "threads": "2"}
	for name, c := range map[string]struct {
		base, head         *record.Run
		wantBase, wantHead []string
	}{
		"the same defaults":          {ran(false, auto, nil, nil), ran(false, auto, nil, nil), []string{"bench/m"}, []string{"bench/m"}},
		"older record, values agree": {ran(true, pinned, nil, nil), ran(false, pinned, nil, nil), []string{"bench/m"}, []string{"bench/m"}},
		"older record, another default": {ran(true, pinned, nil, nil), ran(false, auto, nil, nil),
			[]string{"bench/m/flash_attn=off,gpu_layers=99,mmap=on"}, []string{"bench/m/flash_attn=auto,gpu_layers=auto,mmap=auto"}},
		"spelt out on one side": {ran(false, auto, nil, values{"flash_attn": "auto"}), ran(false, auto, nil, nil), []string{"bench/m"}, []string{"bench/m"}},
		"raw output": {ran(true, auto, nil, values{"flash_attn": "auto", "gpu_layers": "auto", "mmap": "auto", "threads": "2"}), ran(false, auto, nil, nil),
			[]string{"bench/m"}, []string{"bench/m"}},
		"raw output of an older build": {ran(true, pinned, nil, values{"threads": "2"}), ran(false, pinned, nil, nil), []string{"bench/m"}, []string{"bench/m"}},
		"raw output, other threads": {ran(true, pinned, nil, values{"threads": "1"}), ran(false, pinned, nil, nil),
			[]string{"bench/m/threads=1"}, []string{"bench/m/threads=2"}},
		"two values, one of them the default": {ran(false, auto, nil, values{"flash_attn": "on"}, values{"flash_attn": "auto"}), ran(false, auto, nil, nil),
			[]string{"bench/m/flash_attn=on", "bench/m"}, []string{"bench/m"}},
		"an arm's own parameter is none of the cell's": {ran(false, auto, values{"flash_attn": "on"}, nil), ran(false, auto, nil, nil), []string{"bench/m"}, []string{"bench/m"}},
		"arguments": {ran(false, auto, nil, values{"bench_args": "--prio 2"}), ran(false, auto, nil, nil),
			[]string{"bench/m/bench_args=--prio 2"}, []string{"bench/m"}},
	} {
		record.Align(c.base, "a", c.head, "a")
		if diff := cmp.Diff([][]string{c.wantBase, c.wantHead}, [][]string{keysOf(c.base), keysOf(c.head)}); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
		for _, r := range []*record.Run{c.base, c.head} {
			if err := r.Validate(); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

func TestSettingsDiffer(t *testing.T) {
	bench, serve := record.Cell{Workload: "bench"}, record.Cell{Workload: "serve"}
	knows := func(workload string, told values) record.Arm {
		return record.Arm{Defaults: map[string]map[string]string{workload: told}}
	}
	for _, c := range []struct {
		a    record.Arm
		x    record.Cell
		b    record.Arm
		y    record.Cell
		want []record.KeyDiff
	}{
		{knows("bench", values{"flash_attn": "auto"}), bench, record.Arm{}, bench, []record.KeyDiff{{Key: "flash_attn", A: "auto", B: "off"}}},
		{knows("bench", values{"threads": "2"}), bench, record.Arm{}, bench, nil}, // nobody knows what it was there
		{record.Arm{}, record.Cell{Workload: "bench", Params: values{"threads": "2"}}, record.Arm{}, bench, []record.KeyDiff{{Key: "threads", A: "2"}}},
		{knows("serve", values{"batch": "512"}), serve, record.Arm{}, serve, []record.KeyDiff{{Key: "batch", A: "512", B: "2048"}}},
		{knows("serve", values{"batch": "512"}), bench, record.Arm{}, bench, nil},
		{record.Arm{}, record.Cell{Workload: "serve", Params: values{"concurrency": "4"}}, record.Arm{}, serve, []record.KeyDiff{{Key: "concurrency", A: "4"}}},
	} {
		if diff := cmp.Diff(c.want, record.SettingsDiffer(c.a, c.x, c.b, c.y)); diff != "" {
			t.Error(diff)
		}
	}
}
