package reporttest

import (
	"fmt"
	"math"
	"slices"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/compare"
)

// Counted has counted instructions of two tests: one does more work, in a function
// that changed and in others, and one does the same, in functions of other names.
func Counted() Case {
	const cpu, dot, ops = "libggml-cpu-haswell.so", "ggml-cpu/vec.cpp", "ggml-cpu/ops.cpp"
	pp, tg := record.Test{Prompt: 64}, record.Test{Gen: 16}
	function := func(name, file, object string, perToken float64) record.Function {
		return record.Function{Name: name, File: file, Object: object, PerToken: perToken}
	}
	tests := map[string][]record.CountedTest{
		"base": {
			{Test: pp.Name(), Rest: 12_411, Functions: []record.Function{
				function("ggml_vec_dot_f16", dot, cpu, 2_713_000), function("ggml_compute_forward_mul_mat", "ggml-cpu/ggml-cpu.c", cpu, 202_500),
				function("???", "", "libstdc++.so", 201_000), function("ggml_compute_forward_rope", ops, cpu, 48_100), function("ggml_fp32_to_fp16_row", "", "libggml-base.so", 9_200),
				function("tanhf", "", "libm.so", 8_300), function("malloc", "", "libc.so", 3_100), function("llama_context::decode(llama_batch const&)", "src/llama-context.cpp", "libllama.so", 2_800),
			}},
			{Test: tg.Name(), Rest: 52_000, Functions: []record.Function{
				function("ggml_vec_dot_f16", dot, cpu, 3_713_000), function("ggml_compute_forward_soft_max", ops, cpu, 31_500), function("std::vector<float>::push_back(float const&)", "bits/stl_vector.h", "libllama.so", 18_000),
			}},
		},
		"head": {
			{Test: pp.Name(), Rest: 12_519, Functions: []record.Function{
				function("ggml_vec_dot_f16", dot, cpu, 3_101_000), function("ggml_compute_forward_mul_mat", "ggml-cpu/ggml-cpu.c", cpu, 193_900),
				function("???", "", "libstdc++.so", 201_100), function("ggml_compute_forward_rope", ops, cpu, 48_090), function("ggml_cpu_fp32_to_fp16", "", cpu, 3_400),
				function("tanhf", "", "libm.so", 8_300), function("malloc", "", "libc.so", 7_100), function("llama_context::decode(llama_batch const&)", "src/llama-context.cpp", "libllama.so", 2_800),
			}},
			{Test: tg.Name(), Rest: 52_010, Functions: []record.Function{
				function("ggml_vec_dot_f16", dot, cpu, 3_713_000), function("ggml_compute_forward_soft_max_f32", ops, cpu, 31_300), function("std::vector<float>::push_back(float const&)", "bits/stl_vector.h", "libllama.so", 18_000),
			}},
		},
	}
	c := cell{workload: record.CountWorkload, model: "tiny", params: map[string]string{"threads": "1"},
		series: []series{{metric: pp.InstructionsMetric(), level: 3_200_411}, {metric: tg.InstructionsMetric(), level: 3_814_500}}}
	run := session{seed: 61, arms: []record.Arm{baseArm(), headArm()}, cells: []cell{c}, blocks: 2}.run()
	for i := range run.Trials {
		t := &run.Trials[i]
		t.Counting = &record.Counting{Tool: record.Valgrind, Version: "valgrind-3.19.0", Threads: 1, CPU: "AMD EPYC 9554", CLibrary: "glibc 2.36", Tests: tests[t.Arm]}
		for j, test := range tests[t.Arm] {
			t.Measurements[j].Values = []float64{total(test)}
		}
	}
	res := &compare.Result{Method: compare.Paired, Policy: compare.DefaultPolicy()}
	for j, verdict := range []compare.Verdict{compare.Regression, compare.Equivalent} {
		base, head := total(tests["base"][j]), total(tests["head"][j])
		k := compare.Comparison{Cell: run.Cells[0].Key, Workload: record.CountWorkload, Model: "tiny", Params: c.params, Metric: c.series[j].metric, Method: compare.Paired,
			Baseline: handSide("base", base, 2), Candidate: handSide("head", head, 2)}
		judged(&k, verdict, head/base-1, 0.0001)
		k.Margin = &compare.Range{Low: -0.005 / 1.005, High: 0.005}
		res.Comparisons = append(res.Comparisons, k)
	}
	return Case{"counted", res, sourceOf(run)}
}

func total(t record.CountedTest) float64 {
	sum := t.Rest
	for _, f := range t.Functions {
		sum += f.PerToken
	}
	return sum
}

// hostileCount puts every one of the names where a name of a counted function can
// stand, and numbers that no record should have.
func hostileCount(run *record.Run, res *compare.Result, names []string) {
	test := record.Test{Prompt: 64}
	params := map[string]string{"threads": names[0]}
	key := record.CellKey(record.CountWorkload, names[0], params)
	run.Cells = append(run.Cells, record.Cell{Key: key, Workload: record.CountWorkload, Model: names[0], Params: params, Metrics: []record.Metric{test.InstructionsMetric()}})
	arms := []string{names[0], names[len(names)-1] + "."}
	for side, arm := range arms {
		counted := record.CountedTest{Test: test.Name(), Rest: -1}
		for i, name := range names {
			next := names[(i+1)%len(names)]
			counted.Functions = append(counted.Functions,
				record.Function{Name: name, File: next, Object: name, PerToken: float64(1000 * (i + 1) * (side + 1))},
				record.Function{Name: fmt.Sprint(name, side), File: name, Object: next, PerToken: 500 * float64(i+1)},
				record.Function{Name: fmt.Sprint(side, name), Object: name, PerToken: 10 * float64(i+1)})
		}
		if side == 1 {
			counted.Functions = append(slices.Clip(counted.Functions), record.Function{Name: "???", Object: names[0], PerToken: math.MaxFloat32})
		}
		run.Trials = append(run.Trials, record.Trial{ID: fmt.Sprint("count", side), Arm: arm, Cell: key, Outcome: record.OK,
			Counting: &record.Counting{Tool: record.CountTool(names[0]), Tests: []record.CountedTest{counted}}})
	}
	c := compare.Comparison{Cell: key, Workload: record.CountWorkload, Model: names[0], Params: params, Metric: test.InstructionsMetric(), Method: compare.Paired,
		Baseline: handSide(arms[0], 1000, 2), Candidate: handSide(arms[1], 2000, 2)}
	judged(&c, compare.Regression, 1, 0.01)
	res.Comparisons = append(res.Comparisons, c)
}
