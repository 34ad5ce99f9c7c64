package config_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/llama-regress/llama-regress/ci/config"
	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/ci/sched"
)

// TestSchemaHasTheKeysOfTheStructs compares in both directions.
func TestSchemaHasTheKeysOfTheStructs(t *testing.T) {
	var root map[string]any
	if err := json.Unmarshal([]byte(config.Schema()), &root); err != nil {
		t.Fatal(err)
	}
	at := func(path ...string) []string {
		v := root
		for _, name := range path {
			next, ok := v[name].(map[string]any)
			if !ok {
				t.Fatalf("the schema has no %v", path)
			}
			v = next
		}
		if v["additionalProperties"] != false {
			t.Errorf("%v takes keys that nobody knows", path)
		}
		return slices.Sorted(maps.Keys(v["properties"].(map[string]any)))
	}
	keys := func(v any, more ...string) []string {
		typ := reflect.TypeOf(v)
		for i := range typ.NumField() {
			if name := typ.Field(i).Tag.Get("yaml"); name != "-" {
				more = append(more, name)
			}
		}
		slices.Sort(more)
		return more
	}
	var params, serverParams []string
	for _, p := range record.Params {
		if p.Target == record.Arguments {
			continue // keys of an arm and of the sections
		}
		params = append(params, p.Name)
		if p.Target != record.System {
			serverParams = append(serverParams, p.Name)
		}
	}
	kinds := slices.Collect(maps.Keys(config.Default().Gate.Margins))
	for _, d := range record.Definitions() {
		if d.Pattern != "" && !slices.Contains(kinds, d.Kind) {
			kinds = append(kinds, d.Kind) // shown, and judged where somebody sets a margin
		}
		if d.Pattern == "" && !slices.Contains(kinds, d.Name) {
			kinds = append(kinds, d.Name)
		}
	}
	for _, c := range []struct {
		name         string
		schema, want []string
	}{
		{"root", at(), keys(config.Config{}, record.BatchedWorkload, record.OpsWorkload)},
		{"batched", at("properties", "batched"), keys(config.Batched{})},
		{"ops", at("properties", "ops"), keys(config.Ops{})},
		{"arms", at("properties", "arms", "items"), keys(config.Arm{})},
		{"models", at("properties", "models", "items"), keys(config.Model{})},
		{"bench", at("properties", "bench"), keys(config.Bench{})},
		{"serve", at("properties", "serve"), keys(config.Serve{})},
		{"dataset", at("properties", "serve", "properties", "dataset"), keys(config.Dataset{})},
		{"objectives", at("properties", "serve", "properties", "objectives"), keys(config.Objectives{})},
		{"server", at("properties", "serve", "properties", "server"), keys(config.Server{}, serverParams...)},
		{"schedulers", at("properties", "schedulers"), keys(config.Schedulers{})},
		{"placement", at("properties", "placement"), slices.Sorted(slices.Values(sched.PlacementParams))},
		{"sampling", at("properties", "sampling"), keys(config.Sampling{})},
		{"gate", at("properties", "gate"), keys(config.Gate{}, kinds...)},
		{"params", at("$defs", "params"), slices.Sorted(slices.Values(params))},
		{"matrix", at("properties", "matrix"), slices.Sorted(slices.Values(append(params, "include", "exclude")))},
	} {
		if diff := cmp.Diff(c.want, c.schema); diff != "" {
			t.Errorf("%s: -structs +schema:\n%s", c.name, diff)
		}
	}
}

// TestSchemaAgreesWithParse: what one accepts the other accepts, except where a
// schema cannot know better.
func TestSchemaAgreesWithParse(t *testing.T) {
	full, err := os.ReadFile("testdata/full.yaml")
	if err != nil {
		t.Fatal(err)
	}
	type sample struct {
		text  string
		valid bool // to both
	}
	samples := []sample{{string(full), true}, {config.Starter(), true}, {minimal, true}}
	for _, line := range accepted {
		samples = append(samples, sample{minimal + line + "\n", true})
	}
	for _, line := range refused {
		samples = append(samples, sample{minimal + line + "\n", false})
	}
	for _, head := range []string{
		"", "[]", "version: 1", "arms: [{name: a, bin: b}]\nmodels: [{path: m}]", "version: 2\narms: [{name: a, bin: b}]\nmodels: [{path: m}]",
		"version: 1\narms: []\nmodels: [{path: m}]", "version: 1\narms: [{name: a}]\nmodels: [{path: m}]", "version: 1\narms: [{bin: b}]\nmodels: [{path: m}]",
		"version: 1\narms: [{name: a, bin: b}]\nmodels: []", "version: 1\narms: [{name: a, bin: b}]\nmodels: [{name: m}]",
		"version: 1\narms: [{name: a b, bin: b}]\nmodels: [{path: m}]", "version: 1\narms: [{name: a, bin: b, nice: 5}]\nmodels: [{path: m}]",
		"version: 1\narms: [{name: a, bin: b, params: {treads: 1}}]\nmodels: [{path: m}]", "version: 1\narms: [{name: a, bin: b, env: {1A: x}}]\nmodels: [{path: m}]", "version: 1\narms: [{name: a, bin: b, scheduler: rusty}]\nmodels: [{path: m}]",
		"version: 1\narms: [{name: a, bin: b, env: {A: [x]}}]\nmodels: [{path: m}]", "version: 1\narms: [{name: a, bin: ''}]\nmodels: [{path: m}]",
		"version: 1\narms: [{name: a, bin: b}]\nmodels: [{path: m, sha256: 12}]", "version: 1\narms: [{name: a, bin: b}]\nmodels: [{path: m, url: x}]",
	} {
		samples = append(samples, sample{head, false})
	}
	schema := compileSchema(t)
	for _, s := range samples {
		_, parsed := config.Parse([]byte(s.text), "c.yaml")
		checked := schema.Validate(instance(t, s.text))
		if (parsed == nil) != s.valid {
			t.Errorf("Parse says %v, want valid: %v\n%s", parsed, s.valid, s.text)
		}
		if s.text == "version: 1\narms: [{name: a, bin: b}]\nmodels: [{path: m, sha256: 12}]" {
			continue // YAML makes a number of it, to which no pattern applies
		}
		if (checked == nil) != s.valid {
			t.Errorf("the schema says %v, want valid: %v\n%s", checked, s.valid, s.text)
		}
	}
}

// accepted and refused are lines that a valid configuration may go on with or not.
var accepted = []string{
	"baseline: base", "store: dir:x", "store: git:origin#bench", "store: s3://bucket/prefix", "store: s3://bucket",
	"matrix:", "matrix: {}", "matrix: {threads: 4}", "matrix: {threads: [4]}", "matrix: {threads: \"4\"}",
	"matrix: {mmap: on}", "matrix: {mmap: [true, false]}", "matrix: {flash_attn: auto}", "matrix: {cpu_mask: [0xff, 15]}",
	"matrix: {include: [{threads: 1}, {threads: 2, mmap: off}]}", "matrix: {threads: [1, 2], exclude: [{threads: 1}]}",
	"bench: {}", "bench: {tests: [\"pp512 @ d64\", pp1+tg1@d1]}", "bench: {repetitions: 1}",
	"sampling: {cool_below: {gpu: 60}}", "sampling: {cool_below: {cpu: 0, gpu: 120}}",
	"sampling: {seed: 0}", "sampling: {seed: 18446744073709551615}", "sampling: {budget: 1h30m, timeout: 1.5m}", "sampling: {timeout: 90s}",
	"sampling: {control: none}", "sampling: {control: one}", "sampling: {control: all}", "sampling: {blocks: 1000, warmup: 100}", "sampling: {repeat_contaminated: 0}", "sampling: {repeat_contaminated: 10}", "sampling: adaptive", "sampling: {adaptive: on}", "sampling: {adaptive: 12}", "sampling: {adaptive: off, confirm_blocks: off}", "sampling: {confirm_blocks: 12, adaptive: true}", "sampling: {cool_below: 0}", "sampling: {cool_below: 120, cool_limit: 10m}",
	"gate: {throughput: {margin: 49.9%}}", "gate: {throughput: {margin: 0.001%}}", "gate: {throughput: {margin: 10 %}}", "gate: {throughput: {margin: .5%}}",
	"gate: {throughput: {margin: 40%}}", "gate: {throughput: {margin: 05%}}", "gate: {throughput: {margin: 0.49}}", "gate: {throughput: {}}",
	"gate: {pp512: {margin: 1%}}", "gate: {success_rate: {margin: 0.1pp}}", "gate: {success_rate: {margin: 0.1}}",
	"matrix: {scheduler: [default, scx_rusty, scx_layered --run-example, /opt/scx_x, ./build/mine -v]}", "schedulers: {settle: 500ms, start_timeout: 1m}",
	"placement: {}", "placement: {numactl: -i 0 -N 1, cpus: 0, nice: -20, cpu_limit: 2, memory_limit: 512M}", "matrix: {cpus: [\"0\", 0-1, \"0,1\"], nice: [0, 5]}",
	"gate: {fail: regression}", "gate: {fail: suspected}", "gate: {fail: inconclusive}",
	"serve: {dataset: {path: d}, concurrency: 4}", "serve: {dataset: {path: d, rule: vllm, max_prompt_tokens: 1024}, rate: [0.5, 2]}",
	"serve: {dataset: {path: d}, concurrency: [1, 8], server: {parallel: 8, ctx_size: 8192, cont_batching: off, start_timeout: 2m}}",
	"serve: {dataset: {path: d}, concurrency: 1, objectives: {ttft: 500ms, tpot: 50ms}}\ngate: {goodput: {margin: 3%}, tpot_p50: {margin: 4%}}",
}

var refused = []string{
	"sampling: {cool_below: {gpu: 121}}", "sampling: {cool_below: {tpu: 60}}", "sampling: {cool_below: [60]}",
	"treads: 1", "baseline: ''", "baseline: true", "baseline: [base]", "store: ''", "store: /x", "store: \"dir:\"", "store: s3:///x", "store: 5",
	"serve: {}", "serve:", "serve: {dataset: {path: d}}", "serve: {concurrency: 4}", "serve: {dataset: {path: d}, concurrency: 0}",
	"serve: {dataset: {path: d}, rate: 0}", "serve: {dataset: {path: d}, rate: 1, arrivals: gamma}", "serve: {dataset: {path: d}, concurrency: 1, server: {port: 1}}",
	"serve: {dataset: {path: d}, concurrency: 1, objectives: {ttft: 5}}", "serve: {dataset: {path: d, sample: 0}, concurrency: 1}", "placement: []", "placement: {nice: 20}", "placement: {cpu_limit: 0}", "placement: {memory_limit: 4}", "placement: {numactl: ls}", "placement: {cpus: a}", "placement: {scheduler: default}", "matrix: {cpus: [0-1, 0-1]}", "matrix: []", "matrix: {scheduler: [cfs]}", "matrix: {scheduler: ''}", "matrix: {scheduler: [-x/y]}", "schedulers: {settle: 5}", "schedulers: {start: 5s}", "matrix: {treads: [1]}", "matrix: {threads: []}",
	"matrix: {threads: -1}", "matrix: {threads: 1.5}", "matrix: {threads: x}", "matrix: {threads: 2147483648}", "matrix: {threads: true}", "matrix: {threads: [[1]]}",
	"matrix: {threads: \"01\"}", "matrix: {threads: [1, 1]}", "matrix: {mmap: yes}", "matrix: {mmap: 1}", "matrix: {numa: true}", "matrix: {type_k: \"f16,q8_0\"}", "matrix: {type_k: ''}",
	"matrix: {type_k: null}", "matrix: {include: {threads: 1}}", "matrix: {include: [{}]}", "matrix: {include: [{threads: [1]}]}", "matrix: {threads: 1, exclude: [{}]}",
	"bench: 1", "bench:", "bench: {tests: []}", "bench: {tests: pp512}", "bench: {tests: [512]}", "bench: {tests: [pp0]}", "bench: {tests: [pp512tg128]}", "bench: {tests: [\"pp512\\n\"]}",
	"bench: {repetitions: 0}", "bench: {repetitions: 1001}", "bench: {repetitions: \"5\"}", "bench: {repetitions: 5.5}", "bench: {delay: 1}",
	"sampling: {blocks: 0}", "sampling: {blocks: -6}", "sampling: {warmup: -1}", "sampling: {repeat_contaminated: -1}", "sampling: {repeat_contaminated: 11}", "sampling: {cool_below: 121}", "sampling: {cool_below: -1}", "sampling: {cool_limit: 5}", "sampling: {seed: -1}", "sampling: {seed: x}", "sampling: {confirm_blocks: 3}", "sampling: {confirm_blocks: -1}", "sampling: {adaptive: -1}", "sampling: {adaptive: 1001}", "sampling: {adaptive: maybe}", "sampling: adapt",
	"sampling: {budget: 45}", "sampling: {budget: 45 m}", "sampling: {budget: -1m}", "sampling: {budget: forever}", "sampling: {control: two}", "sampling: {control: true}",
	"gate: {throughput: 3%}", "gate: {throughput: {margin: 0%}}", "gate: {throughput: {margin: 0.0%}}", "gate: {throughput: {margin: 0}}", "gate: {throughput: {margin: 50%}}", "gate: {throughput: {margin: 0.5}}",
	"gate: {throughput: {margin: -3%}}", "gate: {throughput: {margin: 2pp}}", "gate: {throughput: {margin: 3e0%}}", "gate: {throughput: {margin: true}}", "gate: {throughput: {alpha: 0.05}}",
	"gate: {success_rate: {margin: 2%}}", "gate: {speed: {margin: 3%}}", "gate: {fail: maybe}", "gate: {fail: true}",
}

func compileSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(config.Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("llama-regress.schema.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("llama-regress.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// instance reads text as an editor would.
func instance(t *testing.T, text string) any {
	t.Helper()
	data, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if len(bytes.TrimSpace(data)) == 0 {
		return nil
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatalf("%v\n%s", err, data)
	}
	return v
}
