package config_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/llama-regress/llama-regress/ci/config"
	"github.com/llama-regress/llama-regress/ci/record"
)

// Three lines that are right stand before each text; want holds all messages,
// "N: message" for line N.
func TestErrors(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		// keys
		{"matrix:\n  treads: [2]\n", `5: unknown key "treads" in matrix; did you mean "threads"?`},
		{"Matrix: {}\n", `4: unknown key "Matrix"; did you mean "matrix"?`},
		{"colour: red\n", `4: unknown key "colour"; known here: arms, baseline, batched, bench, build, count, gate, matrix, models, ops, placement, sampling, schedulers, sentinel, serve, store, version`},
		{"matrix: {ngl: 99, batch-size: 1, n_threads: 2}\n", `4: unknown key "ngl" in matrix; did you mean "gpu_layers"?
4: unknown key "batch-size" in matrix; did you mean "batch"?
4: unknown key "n_threads" in matrix; did you mean "threads"?`},
		{"matrix:\n  include:\n    - {threads: 1, pol: 0}\n", `6: unknown key "pol" in matrix.include[0]; did you mean "poll"?`},
		{"gate:\n  throughptu: {margin: 3%}\n", `5: unknown metric "throughptu" in gate; did you mean "throughput"?`},
		{"gate: {throughput: {margins: 3%}}\n", `4: unknown key "margins" in gate.throughput; did you mean "margin"?`},
		{"sampling:\n  blocks: 6\n  blocks: 7\n", `6: key "blocks" in sampling comes twice, first on line 5`},
		{"version: 1\n", `4: key "version" comes twice, first on line 1`},
		{"gate: {pp512@d8: {margin: 3%}, pp512 @ d8: {margin: 4%}}\nbench: {tests: [pp512@d8]}\n", `4: key "pp512 @ d8" in gate means the same metric as "pp512@d8"`},
		{"serve: {}\n", `4: serve.dataset.path: missing: a file of conversations; 'llama-regress provision dataset' gets one
4: serve.concurrency: missing: how many requests are under way at a time, such as [4]; or a rate, requests a second`},
		{"serve:\n  dataset: {path: d.json, rule: vlm}\n  concurrency: [4, 0, 4]\n  rate: 0\n  api: chats\n  server: {parallel: x, threads: 2}\nmatrix: {threads: 2}\n", `5: serve.dataset.rule: want one of human, vllm, sglang, first, have "vlm"; did you mean "vllm"?
6: serve.concurrency[1]: want 1 to 4096, have 0
6: serve.concurrency[2]: 4 comes twice
7: serve.rate[0]: want requests a second, above 0 and at most 10000, have 0
8: serve.api: want one of completion, completions, chat, embeddings, rerank, have "chats"; did you mean "chat"?
9: serve.server.parallel: "x" is not a whole number from 1 to 1024
9: serve.server.threads: the matrix sets threads as well; take it out of one of them`},
		{"serve: {dataset: {path: d}, concurrency: 2, retries: 1.5, stop: yes, rate_limit: fast}\n", `4: serve.retries: want a whole number, have 1.5
4: serve.stop: want true or false, have "yes"
4: serve.rate_limit: want a number, have "fast"`},
		{"matrix: {parallel: [1, 2], concurrency: [1]}\n", `4: matrix.parallel: varies llama-server, and there is no serve section
4: unknown key "concurrency" in matrix; known here: batch, cache_prompt, cache_ram, cache_reuse, cont_batching, cpu_limit, cpu_mask, cpu_strict, cpus, ctx_checkpoints, ctx_size, devices, exclude, flash_attn, gpu_layers, include, kv_offload, main_gpu, memory_limit, mmap, n_cpu_moe, nice, numa, numactl, op_offload, override_tensor, parallel, poll, repack, scheduler, slot_similarity, split_mode, tensor_split, threads, type_k, type_v, ubatch`},
		{"bench:\n  args: [--prio, 2, --output=md]\nserve:\n  dataset: {path: d}\n  concurrency: 2\n  args: [[], [--port, 1], [--threads-http, 2], [--threads-http, 2]]\n", `5: bench.args: --output=md: llama-regress reads the results in a form of its own choice; take it out
9: serve.args[1]: --port: llama-regress chooses where the server listens; take it out
9: serve.args[3]: these arguments come twice`},
		{"bench: {args: --prio 2}\nserve: {dataset: {path: d}, concurrency: 2, args: [[1]]}\n", `4: bench.args: want a list of words, such as [--prio, 2]: no shell takes a text apart, have "--prio 2"
5: serve.args: "1": the first argument is a flag, such as --prio`},
		{"matrix: {bench_args: [-x]}\n", `4: unknown key "bench_args" in matrix; known here: batch, cache_prompt, cache_ram, cache_reuse, cont_batching, cpu_limit, cpu_mask, cpu_strict, cpus, ctx_checkpoints, ctx_size, devices, exclude, flash_attn, gpu_layers, include, kv_offload, main_gpu, memory_limit, mmap, n_cpu_moe, nice, numa, numactl, op_offload, override_tensor, parallel, poll, repack, scheduler, slot_similarity, split_mode, tensor_split, threads, type_k, type_v, ubatch`},
		{"gate: {goodput: {margin: 3%}}\n", `4: gate.goodput: nothing measures it: there is no serve section`},
		{"gate: {eventual_success_rate: {margin: 3%}}\n", `4: gate.eventual_success_rate.margin: a share's margin is in percentage points: write 3pp`},
		{"placement: {numactl: \"ls /\", nice: 20, cpu_limit: 0, memory_limit: 4, cpus: 3-1, gpu: 1}\nmatrix: {scheduler: [default, rusty]}\nsampling: {confirm_blocks: 12, adaptive: 6}\n", `4: placement.numactl: "ls": not a policy of numactl; want such as --interleave=0,1, --membind=0 or --cpunodebind=0
4: placement.nice: "20" is not a whole number from -20 to 19
4: placement.cpu_limit: "0": want processors' worth of time, at least 0.01, such as 1.5
4: placement.memory_limit: "4": want a whole number with K, M, G or T, such as 4G
4: placement.cpus: "3-1": 3-1 is no range of processors
4: unknown key "gpu" in placement; known here: cpu_limit, cpus, memory_limit, nice, numactl
5: matrix.scheduler[1]: "rusty": want default, a name that begins with scx_, or a path; did you mean scx_rusty?
6: sampling.confirm_blocks: is the most fresh blocks a cell may get, and so is adaptive, 6: give one of them
6: sampling.adaptive: is the most blocks a cell may get: want more than blocks, 6, have 6`},
		{"matrix:\n  <<: {threads: 1}\n", `5: only plain keys are supported in matrix: no merge keys, anchors or aliases`},
		{"matrix:\n  threads: &t [1]\n  batch: *t\n", `5: matrix.threads: anchors and aliases are not supported; write the value out
6: matrix.batch: anchors and aliases are not supported; write the value out`},
		{"1: 2\ntrue: 3\n", "4: unknown key \"1\"; known here: arms, baseline, batched, bench, build, count, gate, matrix, models, ops, placement, sampling, schedulers, sentinel, serve, store, version\n5: unknown key \"true\"; known here: arms, baseline, batched, bench, build, count, gate, matrix, models, ops, placement, sampling, schedulers, sentinel, serve, store, version"},

		// types
		{"bench: 5\n", `4: bench: want a mapping (key: value), have 5`},
		{"bench: [a]\n", `4: bench: want a mapping (key: value), have a list`},
		{"bench:\n", `4: bench: want a mapping (key: value), have nothing`},
		{"bench: {tests: pp512}\n", `4: bench.tests: want a list, have "pp512"`},
		{"bench:\n  tests:\n    - pp512\n    - {pp: 512}\n    - tg0\n", `7: bench.tests[1]: want the name of a test, have a mapping
8: bench.tests[2]: bench test "tg0": want a name such as pp512, tg128, pp512+tg128 or tg128@d4096`},
		{"bench: {repetitions: \"5\"}\n", `4: bench.repetitions: want a whole number, have "5"`},
		{"bench: {repetitions: 5.0}\n", `4: bench.repetitions: want a whole number, have 5.0`},
		{"bench: {repetitions: 0x5}\n", `4: bench.repetitions: want a whole number, have 0x5`},
		{"bench: {repetitions: 99999999999}\n", `4: bench.repetitions: want a whole number, have 99999999999`},
		{"bench: {repetitions: true}\n", `4: bench.repetitions: want a whole number, have true`},
		{"bench: {repetitions: !!int 5}\n", `4: bench.repetitions: want a whole number, have a tag`},
		{"sampling: {seed: -1}\n", `4: sampling.seed: want a whole number from 0 to 18446744073709551615, have -1`},
		{"sampling: {seed: 18446744073709551616}\n", `4: sampling.seed: want a whole number from 0 to 18446744073709551615, have "18446744073709551616"`},
		{"sampling: {budget: 45}\n", `4: sampling.budget: want a duration above 0 with its unit, such as 90s, 45m or 1h30m, have 45`},
		{"sampling: {budget: -45m}\n", `4: sampling.budget: want a duration above 0 with its unit, such as 90s, 45m or 1h30m, have "-45m"`},
		{"sampling: {budget: 0s}\n", `4: sampling.budget: want a duration above 0 with its unit, such as 90s, 45m or 1h30m, have "0s"`},
		{"baseline:\n", `4: baseline: want a text, have nothing`},
		{"baseline: ''\n", `4: baseline: want a text, have ""`},
		{"baseline: true\n", `4: baseline: want a text, have true`},
		{"store: |\n  dir:x\n", `4: store: want a text, have a block of text`},
		{"matrix: {threads: [[1]]}\n", `4: matrix.threads[0]: want a single value, have a list`},
		{"matrix: {threads: {from: 1}}\n", `4: matrix.threads: want a single value, have a mapping`},
		{"matrix:\n  threads: [1,\n    null]\n", `6: matrix.threads[1]: want a single value, have nothing`},
		{"matrix: {include: {threads: 1}}\n", `4: matrix.include: want a list, have a mapping`},
		{"matrix: {exclude: [threads]}\n", `4: matrix.exclude[0]: want a mapping (key: value), have "threads"`},
		{"gate: {throughput: 3%}\n", `4: gate.throughput: want a mapping (key: value), have "3%"`},
		{"gate: {throughput: {margin: [3%]}}\n", `4: gate.throughput.margin: want a margin such as 3%, have a list`},
		{"gate: {fail: maybe}\n", `4: gate.fail: want one of regression, suspected, inconclusive, have "maybe"`},
		{"gate: {fail: true}\n", `4: gate.fail: want a text, have true`},
		{"baseline: \"" + strings.Repeat("long ", 20) + "\"\n", `4: baseline: no arm is named "long long long long long long long long long long long long …"`},

		// values
		{"baseline: bass\n", `4: baseline: no arm is named "bass"; did you mean "base"?`},
		{"bench: {repetitions: 0}\n", `4: bench.repetitions: want 1 to 1000, have 0`},
		{"bench: {tests: []}\n", `4: bench.tests: at least one is needed, such as pp512`},
		{"bench:\n  tests: [pp512, tg128,\n    pp512]\n", `6: bench.tests[2]: pp512 is also bench.tests[0]`},
		{"sampling:\n  blocks: 0\n  warmup: -1\n  timeout: 500ms\n  control: two\n", `5: sampling.blocks: want 1 to 1000, have 0
6: sampling.warmup: want 0 to 100, have -1
7: sampling.timeout: want 1s to 24h, have 500ms
8: sampling.control: want none, one or all, have "two"`},
		{"build: {bin: ../elsewhere}\n", `4: build.bin: want a folder within the checkout, such as build/bin, have "../elsewhere"`},
		{"store: /var/lib\n", `4: store: want dir:PATH, git:REMOTE#BRANCH or s3://BUCKET/PREFIX, have "/var/lib"`},
		{"matrix:\n  threads: [2, -1, x]\n  mmap: [on, yes]\n", `5: matrix.threads[1]: "-1" is not a whole number from 1 to 4096
5: matrix.threads[2]: "x" is not a whole number from 1 to 4096
6: matrix.mmap[1]: "yes" is not one of on, off`},
		{"matrix: {threads: 1.5}\n", `4: matrix.threads[0]: "1.5" is not a whole number from 1 to 4096`},
		{"matrix: {threads: true}\n", `4: matrix.threads[0]: "on" is not a whole number from 1 to 4096`},
		{"matrix: {threads: []}\n", `4: matrix.threads: an empty list; leave the key out for the default`},
		{"matrix: {threads: [2, 4, 2]}\n", `4: matrix.threads[2]: "2" comes twice`},
		{"matrix: {mmap: [on, true]}\n", `4: matrix.mmap[1]: "on" comes twice`},
		{"matrix:\n  threads: [2]\n  exclude:\n    - threads: 2\n", `4: matrix: exclude leaves no combination`},
		{"matrix:\n  threads: [2, 4]\n  exclude:\n    - threads: 8\n    - batch: 1\n    - {}\n", `7: matrix.exclude[0].threads: excludes nothing: threads is never 8
8: matrix.exclude[1].batch: excludes nothing: the matrix does not vary batch
9: matrix.exclude[2]: would exclude everything`},
		{"matrix:\n  threads: [2]\n  include:\n    - threads: 4\n    - {}\n", `8: matrix.include[1]: sets nothing`},
		{"matrix:\n  threads: [2]\n  include:\n    - threads: 4\n    - threads: 4\n", `6: matrix.include: makes the same combination twice: threads=4`},
		{"matrix:\n  threads: [1,2,3,4,5,6,7,8,9,10,11]\n  batch: [1,2,3,4,5,6,7,8,9,10,11]\n  ubatch: [1,2,3,4,5,6,7,8,9,10,11]\n  poll: [1,2,3,4,5,6,7,8,9,10,11]\n",
			`4: matrix: more than 10000 combinations; vary fewer parameters at once`},
		{"gate: {throughput: {margin: 0%}}\n", `4: gate.throughput.margin: want a margin above 0 and below 50%, such as 3% or 0.03, have "0%"`},
		{"gate: {throughput: {margin: 0.5}}\n", `4: gate.throughput.margin: want a margin above 0 and below 50%, such as 3% or 0.03, have "0.5"`},
		{"gate: {throughput: {margin: 3}}\n", `4: gate.throughput.margin: want a margin above 0 and below 50%, such as 3% or 0.03, have "3"`},
		{"gate: {throughput: {margin: -3%}}\n", `4: gate.throughput.margin: want a margin above 0 and below 50%, such as 3% or 0.03, have "-3%"`},
		{"gate: {throughput: {margin: .nan}}\n", `4: gate.throughput.margin: want a margin such as 3%, have .nan`},
		{"gate: {throughput: {margin: 0x1p-4}}\n", `4: gate.throughput.margin: want a margin above 0 and below 50%, such as 3% or 0.03, have "0x1p-4"`},
		{"gate: {throughput: {margin: 2pp}}\n", `4: gate.throughput.margin: percentage points are for success_rate; write 2%`},
		{"gate: {success_rate: {margin: 2%}}\n", `4: gate.success_rate.margin: a share's margin is in percentage points: write 2pp`},
		{"gate: {success_rate: {margin: 60pp}}\n", `4: gate.success_rate.margin: want a margin above 0 and below 50%, such as 2pp or 0.02, have "60pp"`},
		{"gate:\n  pp1024: {margin: 3%}\n", `5: gate.pp1024: bench.tests has no such test`},

		// foreign text
		{"\"a\\nb\\e[31m\": 1\n", `4: unknown key "a\nb\x1b[31m"; known here: arms, baseline, batched, bench, build, count, gate, matrix, models, ops, placement, sampling, schedulers, sentinel, serve, store, version`},
		{"gate: {\"\\n\": {margin: 1%}}\n", `4: unknown metric "\n" in gate`},
		{"gate: {pp512: {\"x\\ty\": 1%}}\n", `4: unknown key "x\ty" in gate.pp512; known here: margin`},

		// several at once, without what only follows from another
		{"bench: {tests: [pp512, nope]}\ngate: {pp9: {margin: 1%}}\n", `4: bench.tests[1]: bench test "nope": want a name such as pp512, tg128, pp512+tg128 or tg128@d4096`},
		{"matrix:\n  threads: [2, [4]]\n  exclude: [{threads: 4}]\n", `5: matrix.threads[1]: want a single value, have a list`},
		{"bench: {tests: [], test: 1}\n", "4: bench.tests: at least one is needed, such as pp512\n4: unknown key \"test\" in bench; did you mean \"tests\"?"},
		{"<<: {store: x}\nstore: y\n", `4: only plain keys are supported: no merge keys, anchors or aliases`},
		{"sampling: {blocks: many}\nbaseline: nobody\nmatrix: {threads: x}\n", `4: sampling.blocks: want a whole number, have "many"
5: baseline: no arm is named "nobody"
6: matrix.threads[0]: "x" is not a whole number from 1 to 4096`},
	} {
		t.Run(c.text, func(t *testing.T) { wantErrors(t, minimal+c.text, c.want) })
	}
}

func TestErrorsOfArmsAndModels(t *testing.T) {
	const models = "models: [{path: m.gguf}]\n"
	const arms = "arms: [{name: base, bin: b}]\n"
	hash := strings.Repeat("0", 63)
	for _, c := range []struct{ text, want string }{
		{models, `1: arms: at least one is needed, such as {name: base, bin: build/bin}`},
		{arms, `1: models: at least one is needed, such as {path: models/tiny.gguf}`},
		{models + "arms: []\n", `3: arms: at least one is needed, such as {name: base, bin: build/bin}`},
		{models + "arms: {base: b}\n", `3: arms: want a list, have a mapping`},
		{models + "arms:\n  - base\n", `4: arms[0]: want a mapping (key: value), have "base"`},
		{models + "arms:\n  -\n", `4: arms[0]: want a mapping (key: value), have nothing`},
		{models + "arms:\n  - name: a\n  - bin: b\n", "4: arms[0].bin: missing: the folder that holds llama-bench; or, in its place, url: the address of a server that already runs\n5: arms[1].name: missing"},
		{models + "arms:\n  - {name: a, bin: b}\n  - name: c\n    bin: b\n  - bin: b\n    name: a\n", `8: arms[2].name: "a" is also the name of arms[0]`},
		{models + "arms:\n  - {name: a b, bin: b}\n  - {name: .., bin: b}\n  - {name: base~control, bin: b}\n", `4: arms[0].name: "a b": want at most 64 letters, digits and . _ + -, beginning with a letter or digit
5: arms[1].name: "..": want at most 64 letters, digits and . _ + -, beginning with a letter or digit
6: arms[2].name: "base~control": want at most 64 letters, digits and . _ + -, beginning with a letter or digit`},
		{models + "arms:\n  - {name: a, bin: b, params: {thread: 2}}\n", `4: unknown key "thread" in arms[0].params; did you mean "threads"?`},
		{models + "arms:\n  - {name: a, bin: b, params: {threads: [2]}}\n", `4: arms[0].params.threads: want a single value, have a list`},
		{models + "arms:\n  - name: a\n    bin: b\n    params:\n      threads: 2\n      mmap: maybe\nmatrix: {threads: 2}\n",
			"7: arms[0].params.threads: the matrix sets threads as well; take it out of one of them\n8: arms[0].params.mmap: \"maybe\" is not one of on, off"},
		{models + "arms: [{name: a, bin: b, params: {poll: 2}}]\nmatrix:\n  include: [{poll: 0}]\n", `3: arms[0].params.poll: the matrix sets poll as well; take it out of one of them`},
		{models + "arms: [{name: a, bin: b, env: {A=B: 1}}]\n", `3: arms[0].env.A=B: want a name of letters, digits and _`},
		{models + "arms: [{name: a, bin: b, env: {\"A\\n\\e\": 1}}]\n", `3: arms[0].env.A\n\x1b: want a name of letters, digits and _`},
		{models + "arms: [{name: a, bin: b, env: {A: [1]}}]\n", `3: arms[0].env.A: want a text, have a list`},
		{models + "arms: [{name: a, bin: b, env: {LLAMA_ARG_CACHE_REUSE: 64}}]\n", `3: arms[0].env.LLAMA_ARG_CACHE_REUSE: llama-regress passes --cache-reuse itself, which goes before the variable: set cache_reuse, in matrix or in the arm's params`},
		{models + "arms: [{name: a, bin: b, params: {ubatch: 32}, env: {LLAMA_ARG_UBATCH: 64}}]\n", `3: arms[0].env.LLAMA_ARG_UBATCH: llama-regress passes --ubatch-size itself, which goes before the variable: set ubatch, in matrix or in the arm's params`},
		{models + "arms: [{name: a, bin: b, env: {A: \"x\\0y\"}}]\n", `3: arms[0].env.A: holds a NUL character`},
		{models + "arms: [{name: a, bin: \"b\\n\"}]\n", `3: arms[0].bin: want the path of a folder`},
		{models + "arms: [{name: a, bin: b, scheduler: scx_rusty}]\nmatrix: {scheduler: scx_lavd}\n", `3: arms[0].scheduler: the matrix sets scheduler as well; take it out of one of them`},
		{models + "arms: [{name: a, bin: b, scheduler: scx_rusty, params: {scheduler: default}}]\n", `3: arms[0].scheduler: params sets it as well; take it out of one of them`},
		{models + "arms: [{name: a, bin: b, scheduler: cfs}]\n", `3: arms[0].scheduler: "cfs": want default, a name that begins with scx_, or a path`},
		{models + arms + "schedulers: {settle: 2h, start_timeout: 1ms}\n", `4: schedulers.settle: want at most 1h, have 2h0m0s
4: schedulers.start_timeout: want 1s to 1h, have 1ms`},

		{arms + "models: [{name: a}]\n", `3: models[0].path: missing: a GGUF file`},
		{arms + "models:\n  - {path: a.gguf}\n  - {path: x/a.gguf}\n", `5: models[1].name: "a" is also the name of models[0]`},
		{arms + "models:\n  - {name: a, path: a.gguf}\n  - {name: b, path: ./a.gguf}\n", `5: models[1].path: is also the path of models[0]`},
		{arms + "models: [{name: my model, path: m.gguf}]\n", `3: models[0].name: "my model": want at most 64 letters, digits and . _ + -, beginning with a letter or digit`},
		{arms + "models: [{path: a.gguf, sha256: " + hash + "}]\n", `3: models[0].sha256: want 64 hexadecimal digits, have "` + hash[:60] + `…"`},
		{arms + "models: [{path: a.gguf, sha265: x}]\n", `3: unknown key "sha265" in models[0]; did you mean "sha256"?`},
	} {
		t.Run(c.text, func(t *testing.T) { wantErrors(t, "version: 1\n"+c.text, c.want) })
	}
}

func TestErrorsOfTheWholeFile(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"empty", "", "1: empty; 'llama-regress config init' writes one to start from"},
		{"comments", "# nothing\n\n", "1: empty; 'llama-regress config init' writes one to start from"},
		{"scalar", "hello\n", `1: want a mapping that begins with version: 1, have "hello"`},
		{"list", "- version: 1\n", `1: want a mapping that begins with version: 1, have a list`},
		{"braces", "{}\n", `1: want a mapping that begins with version: 1, have a mapping`},
		{"no version", "\narms: []\ntreads: 1\n", `2: the first key must be version: 1`},
		{"version last", "arms: []\nversion: 1\n", `1: the first key must be version: 1`},
		{"version 2", "# new\nversion: 2\nnew_key: 1\n", `2: version: have 2, this llama-regress reads version 1`},
		{"version text", strings.Replace(minimal, "1", `"1"`, 1), `1: version: want a whole number, have "1"`},
		{"version nothing", "version:\n", `1: version: have null, this llama-regress reads version 1`},
		{"second document", minimal + "---\nversion: 1\n", `5: a second YAML document; a configuration is one`},
		{"second document after the end", minimal + "...\n# more\nversion: 1\n", `6: a second YAML document; a configuration is one`},
		{"tab", minimal + "bench:\n\ttests: []\n", `5: column 1: not valid YAML: found character '\t' that cannot start any token`},
		{"open list", minimal + "bench: {tests: [pp512\n", `4: column 16: not valid YAML: sequence end token ']' not found`},
		{"colon", minimal + "bench: tests: 1\n", `4: column 8: not valid YAML: mapping value is not allowed in this context`},
		{"the library quotes", "a: |" + strings.Repeat("U", 2000) + "\n", `1: column 4: not valid YAML: invalid header option: "` + strings.Repeat("U", 200-len(`invalid header option: "`)) + "…"},
		{"UTF-16", "\xff\xfev\x00e\x00", `1: not a text in UTF-8`},
		{"Latin-1", minimal + "# caf\xe9\n", `4: not a text in UTF-8`},
		{"NUL", minimal + "\x00", `4: a control character (U+0000)`},
		{"escape", minimal + "# \x1b[31m\n", `4: a control character (U+001B)`},
		{"old Mac", strings.ReplaceAll(minimal, "\n", "\r"), `1: a carriage return that ends no line`},
	} {
		t.Run(c.name, func(t *testing.T) { wantErrors(t, c.text, c.want) })
	}
}

// wantErrors parses text and compares all messages.
func wantErrors(t *testing.T, text, want string) {
	t.Helper()
	got, err := config.Parse([]byte(text), "llama-regress.yaml")
	if err == nil || got != nil {
		t.Fatalf("got %+v, want the error %s", got, want)
	}
	var lines []string
	for _, line := range strings.Split(want, "\n") {
		lines = append(lines, "llama-regress.yaml:"+line)
	}
	if diff := cmp.Diff(strings.Join(lines, "\n"), err.Error()); diff != "" {
		t.Errorf("-want +got:\n%s\n%s", diff, text)
	}
	var first *config.Error
	if !errors.As(err, &first) {
		t.Fatalf("error of type %T", err)
	}
	if before, _, _ := strings.Cut(err.Error(), "\n"); first.Error() != before || first.File != "llama-regress.yaml" || first.Line < 1 {
		t.Errorf("first error is %+v", first)
	}
}

func TestColumns(t *testing.T) {
	for _, c := range []struct {
		text         string
		line, column int
	}{
		{minimal + "matrix: {threads: 1, pool: 2}\n", 4, 22},
		{minimal + "matrix:\n  pool: 2\n", 5, 3},
		{minimal + "bench: {tests: [pp512, 9]}\n", 4, 24},
		{"version: 1\nmodels: [{path: m}]\narms:\n  - bin: b\n", 4, 5},
		{"version: 1\nmodels: [{path: m}]\narms: [{bin: b}]\n", 3, 8},
		{minimal + "\t", 4, 1},
	} {
		_, err := config.Parse([]byte(c.text), "c.yaml")
		var first *config.Error
		if !errors.As(err, &first) || first.Line != c.line || first.Column != c.column {
			t.Errorf("got %+v, want line %d, column %d:\n%s", first, c.line, c.column, c.text)
		}
	}
}

func TestAtMostTwentyErrors(t *testing.T) {
	var text strings.Builder
	text.WriteString(minimal)
	for i := range 35 {
		fmt.Fprintf(&text, "wrong%d: 1\n", i)
	}
	_, err := config.Parse([]byte(text.String()), "c.yaml")
	lines := strings.Split(fmt.Sprint(err), "\n")
	if len(lines) != 21 || !strings.HasPrefix(lines[0], `c.yaml:4: unknown key "wrong0";`) || !strings.HasPrefix(lines[19], `c.yaml:23: unknown key "wrong19";`) || lines[20] != "and 15 more" {
		t.Errorf("got %d lines:\n%v", len(lines), err)
	}
}

// A configuration built in Go is held to the same rules.
func TestValidate(t *testing.T) {
	valid := func() *config.Config {
		c := config.Default()
		c.Arms = []config.Arm{{Name: "base", Bin: "b"}, {Name: "head", Bin: "h"}}
		c.Baseline = "base"
		c.Models = []config.Model{{Name: "m", Path: "m.gguf"}}
		return c
	}
	if err := valid().Validate(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		spoil func(*config.Config)
		want  string
	}{
		{func(c *config.Config) { *c = config.Config{} }, "version: want 1, have 0"},
		{func(c *config.Config) { c.Baseline = "" }, `baseline: no arm is named ""`},
		{func(c *config.Config) { c.Models[0].Name = "" }, "models[0].name: missing"},
		{func(c *config.Config) { c.Arms[1].Name = "base" }, `arms[1].name: "base" is also the name of arms[0]`},
		{func(c *config.Config) { c.Matrix.Params = map[string][]string{"treads": {"1"}} }, "matrix.treads[0]: no such parameter"},
		{func(c *config.Config) { c.Matrix.Params = map[string][]string{"threads": {""}} }, "matrix.threads[0]: want a value"},
		{func(c *config.Config) { c.Matrix.Include = []map[string]string{{"treads": "1"}} }, "matrix.include[0].treads: no such parameter"},
		{func(c *config.Config) { c.Bench.Tests = []record.Test{{}} }, "bench.tests[0]: {Prompt:0 Gen:0 Depth:0} is not a test"},
		{func(c *config.Config) { c.Bench.Tests = []record.Test{{Prompt: -1}} }, "bench.tests[0]: {Prompt:-1 Gen:0 Depth:0} is not a test"},
		{func(c *config.Config) { c.Bench.Repetitions = 1001 }, "bench.repetitions: want 1 to 1000, have 1001"},
		{func(c *config.Config) { c.Sampling.Budget = -time.Second }, "sampling.budget: want a duration above 0, have -1s"},
		{func(c *config.Config) { c.Sampling.Timeout = 25 * time.Hour }, "sampling.timeout: want 1s to 24h, have 25h0m0s"},
		{func(c *config.Config) { c.Gate.Margins = nil }, "bench.tests[0]: gate has no margin for pp512"},
		{func(c *config.Config) { c.Gate.Margins["throughput"] = 0.5 }, "gate.throughput.margin: want a ratio above 0 and below 0.5, have 0.5"},
		{func(c *config.Config) { c.Gate.Margins["speed"] = 0.1 }, "gate.speed: no workload has such a metric"},
	} {
		cfg := valid()
		c.spoil(cfg)
		err := cfg.Validate()
		if err == nil || !strings.Contains(err.Error(), "configuration: "+c.want) {
			t.Errorf("got %v, want %q", err, c.want)
		}
		var first *config.Error
		if errors.As(err, &first) && (first.File != "" || first.Line != 0) {
			t.Errorf("a place in no file: %+v", first)
		}
	}
}
