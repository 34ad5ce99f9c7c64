package record

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Parameters that hold arguments of llama.cpp's programs which no other
// parameter stands for, in the form of JoinArgs.
const (
	BenchArgs = "bench_args" // of llama-bench
	ServeArgs = "serve_args" // of llama-server
)

// ArgsParam names the parameter that holds the arguments of a workload's
// program, "" for a workload that takes none.
func ArgsParam(workload string) string {
	w, _ := WorkloadByName(workload)
	return map[string]string{bench.Program: BenchArgs, serve.Program: ServeArgs}[w.Program]
}

// Bounds of a list of arguments.
const (
	mostArgs     = 64   // words
	mostArgsText = 1000 // bytes of all of them, in the form of JoinArgs
)

// JoinArgs writes words as one text that SplitArgs reads back: joined by blanks,
// with Go's quotes around a word that is empty, has a blank, a quote, a backslash
// or what cannot be printed.
func JoinArgs(words []string) string {
	texts := make([]string, len(words))
	for i, w := range words {
		texts[i] = w
		if w == "" || strings.ContainsAny(w, " \"\\") || strconv.Quote(w) != `"`+w+`"` {
			texts[i] = strconv.Quote(w)
		}
	}
	return strings.Join(texts, " ")
}

// SplitArgs reads what JoinArgs wrote. No shell ever sees it: a word has
// nothing special but quotes around the whole of it.
func SplitArgs(text string) ([]string, error) {
	var words []string
	for rest := strings.Trim(text, " "); rest != ""; rest = strings.TrimLeft(rest, " ") {
		if rest[0] == '"' {
			quoted, err := strconv.QuotedPrefix(rest)
			if err != nil || len(rest) > len(quoted) && rest[len(quoted)] != ' ' {
				return nil, fmt.Errorf("%.60q: a word that begins with a quote ends with one, and a blank follows", rest)
			}
			word, _ := strconv.Unquote(quoted) // a prefix that is quoted can be unquoted
			words, rest = append(words, word), rest[len(quoted):]
			continue
		}
		word, more, _ := strings.Cut(rest, " ")
		if strings.Contains(word, `"`) {
			return nil, fmt.Errorf("%.60q: a quote stands within a word; put the whole word in quotes", word)
		}
		words, rest = append(words, word), more
	}
	return words, nil
}

// CheckArgs says what is wrong with arguments for the program of a workload, nil
// when nothing is. Refused are those that llama-regress itself passes, those that
// have a parameter, those that make the program do something else than be
// measured, and lists that are too long. Whether a build has a flag is not known
// here.
func CheckArgs(workload string, words []string) error {
	if len(words) > mostArgs || len(JoinArgs(words)) > mostArgsText {
		return fmt.Errorf("%d arguments of %d characters; at most %d of %d characters together are passed on", len(words), len(JoinArgs(words)), mostArgs, mostArgsText)
	}
	for i, word := range words {
		if strings.ContainsAny(word, "\x00\n\r") {
			return fmt.Errorf("%q: want words of one line", word)
		}
		flag, isFlag := FlagIn(word)
		switch {
		case !isFlag && i == 0:
			return fmt.Errorf("%q: the first argument is a flag, such as --prio", word)
		case !isFlag && workload == BenchWorkload && strings.Contains(word, ","):
			return fmt.Errorf("%q: llama-bench takes a comma for a list and measures each; write one list of arguments for each value", word)
		case !isFlag:
			continue
		}
		if why := ownedFlags[workload][flag]; why != "" {
			return fmt.Errorf("%s: %s", word, why)
		}
		if strings.Contains(word, "=") {
			name, value, _ := strings.Cut(word, "=")
			return fmt.Errorf("%s: llama.cpp wants flag and value apart: [%s, %q]", word, name, value)
		}
		if workload == BenchWorkload && slices.Contains(words[:i], word) {
			return fmt.Errorf("%s: comes twice; llama-bench would measure both values: take one of them out", word)
		}
	}
	return nil
}

// FlagIn returns the flag that a word is, as llama.cpp reads it: "_" is "-" in a
// long one. A value after "=" is left out, and a negative number is no flag.
func FlagIn(word string) (flag string, ok bool) {
	name, _, _ := strings.Cut(word, "=")
	if len(name) < 2 || name[0] != '-' {
		return "", false
	}
	if _, err := strconv.ParseFloat(name, 64); err == nil {
		return "", false
	}
	if strings.HasPrefix(name, "--") {
		name = strings.ReplaceAll(name, "_", "-")
	}
	return name, true
}

// ownedFlags says, by workload and flag, why an argument cannot have the flag
// and what to do instead.
var ownedFlags = map[string]map[string]string{
	BenchWorkload: flagTable([]ownedFlag{
		{"-m --model -hf -hfr --hf-repo -hff --hf-file -hft --hf-token", "the model is one of models"},
		{"-p --n-prompt -n --n-gen -pg -d --n-depth", "tests are named by bench.tests, such as pp512 or tg128@d4096"},
		{"-r --repetitions", "set bench.repetitions"},
		{"-o --output -oe --output-err", "llama-regress reads the results in a form of its own choice; take it out"},
		{"--delay", "a pause is a part of no measurement; take it out"},
		{"-h --help --version --list-devices", "llama-bench would measure nothing; take it out"},
	}, map[string]string{
		"-t --threads": "threads", "-b --batch-size": "batch", "-ub --ubatch-size": "ubatch", "-fa --flash-attn": "flash_attn",
		"-ngl --n-gpu-layers": "gpu_layers", "-ctk --cache-type-k": "type_k", "-ctv --cache-type-v": "type_v",
		"-lm --load-mode -mmp --mmap -dio --direct-io": "mmap", "--poll": "poll", "-sm --split-mode": "split_mode",
		"-mg --main-gpu": "main_gpu", "-ts --tensor-split": "tensor_split", "-nkvo --no-kv-offload": "kv_offload",
		"-nopo --no-op-offload": "op_offload", "-C --cpu-mask": "cpu_mask", "--cpu-strict": "cpu_strict", "--numa": "numa",
		"-ncmoe --n-cpu-moe": "n_cpu_moe", "-dev --device": "devices",
	}),
	ServeWorkload: flagTable([]ownedFlag{
		{"-m --model -mu --model-url -dr --docker-repo -hf -hfr --hf-repo -hff --hf-file -hft --hf-token --models-dir --models-preset --models-max --models-autoload --no-models-autoload", "the model is one of models"},
		{"--host --port --reuse-port --path --api-prefix --ssl-key-file --ssl-cert-file", "llama-regress chooses where the server listens; take it out"},
		{"--api-key --api-key-file", "llama-regress asks without a key; take it out"},
		{"-n --predict --n-predict --ignore-eos", "set serve.output_tokens"},
		{"--embedding --embeddings --rerank --reranking", "such a server answers no prompts; take it out"},
		{"--log-disable --log-file --log-jsonl -v --verbose -lv --verbosity --log-verbosity", "the log is read for what goes wrong; take it out"},
		{"-h --help --usage --version -cl --cache-list --completion-bash --list-devices --license", "llama-server would not serve; take it out"},
		{"--sleep-idle-seconds", "a server that sleeps is measured waking up; take it out"},
		{heldFlags(), "it is held fixed, as measuring needs it; take it out"},
	}, serverParams),
}

// serverParams are the parameters by the names of their flags of llama-server.
var serverParams = map[string]string{
	"-t --threads -tb --threads-batch": "threads", "-b --batch-size": "batch", "-ub --ubatch-size": "ubatch", "-fa --flash-attn": "flash_attn",
	"-ngl --gpu-layers --n-gpu-layers": "gpu_layers", "-ctk --cache-type-k": "type_k", "-ctv --cache-type-v": "type_v",
	"-lm --load-mode --mmap --no-mmap": "mmap", "--poll": "poll", "-sm --split-mode": "split_mode", "-mg --main-gpu": "main_gpu",
	"-ts --tensor-split": "tensor_split", "-kvo --kv-offload -nkvo --no-kv-offload": "kv_offload", "--op-offload --no-op-offload": "op_offload",
	"-C --cpu-mask": "cpu_mask", "--cpu-strict": "cpu_strict", "--numa": "numa", "-ncmoe --n-cpu-moe": "n_cpu_moe", "-dev --device": "devices",
	"-np --parallel": "parallel", "-c --ctx-size": "ctx_size", "-cb --cont-batching -nocb --no-cont-batching": "cont_batching",
	"--cache-prompt --no-cache-prompt": CachePrompt, "--cache-reuse": "cache_reuse", "-cram --cache-ram": "cache_ram",
	"-ctxcp --ctx-checkpoints --swa-checkpoints": "ctx_checkpoints", "-sps --slot-prompt-similarity": "slot_similarity",
}

// An ownedFlag is a flag by all its names, joined by blanks, and why no argument can have it.
type ownedFlag struct{ names, why string }

// flagTable is owned and the flags of parameters, by name.
func flagTable(owned []ownedFlag, params map[string]string) map[string]string {
	table := make(map[string]string)
	for _, f := range owned {
		for _, name := range strings.Fields(f.names) {
			table[name] = f.why
		}
	}
	for names, param := range params {
		for _, name := range strings.Fields(names) {
			table[name] = "set " + param + ", in matrix or in the arm's params"
		}
	}
	return table
}
