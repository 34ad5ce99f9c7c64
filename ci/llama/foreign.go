package llama

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// shapes are fields that tell whose results a JSON object is: it has all of them.
// The first that fits is named.
var shapes = []struct {
	tool   string
	fields []string
}{
	{"vllm bench serve", []string{"request_throughput", "mean_ttft_ms", "output_throughput"}},
	{"AIPerf", []string{"input_config", "request_throughput"}},
	{"AIPerf", []string{"request_latency", "time_to_first_token"}},
	{"GuideLLM", []string{"benchmarks", "metadata", "args"}},
	{"GuideLLM", []string{"benchmarks", "metadata"}},
	{"llama-batched-bench", []string{"n_kv", "speed_pp", "speed_tg"}},
	{"test-backend-ops", []string{"op_name", "op_params", "backend_name"}},
	{"github-action-benchmark", []string{"name", "unit", "value"}},
	{"Google Benchmark", []string{"context", "benchmarks"}},
	{"hyperfine", []string{"results"}},
	{"k6", []string{"root_group", "metrics"}},
	{"a report of llama-regress: compare the run.json beside it", []string{"schema", "rows"}},
}

// foreign says what an object is that is no result of llama-bench, "" for one that
// may be.
func foreign(fields map[string]any) string {
	has := func(name string) bool { _, ok := fields[name]; return ok }
	if has("samples_ns") || has("n_prompt") || has("n_gen") || has("build_commit") {
		return ""
	}
	for _, s := range shapes {
		all := true
		for _, name := range s.fields {
			all = all && has(name)
		}
		if all {
			return "looks like " + s.tool
		}
	}
	names := slices.Sorted(maps.Keys(fields))
	return fmt.Sprintf("its fields are %.100s", strings.Join(names, ", "))
}
