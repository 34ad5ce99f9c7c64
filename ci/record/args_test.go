package record_test

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/llama-regress/llama-regress/ci/record"
)

func TestCheckArgs(t *testing.T) {
	bench, serve := record.BenchWorkload, record.ServeWorkload
	for _, c := range []struct {
		workload, words, want string // want is a part of the error, "" for none
	}{
		{bench, "--prio 2 --no-host 1", ""},
		{bench, "-ot exps=CPU", ""},
		{bench, "--prio -1", ""},
		{serve, "-ot a=CPU,b=CPU --prio 2", ""},
		{serve, "--lora a --lora b", ""},
		{bench, "-m other.gguf", "-m: the model is one of models"},
		{bench, "--prio 2 --model x", "--model: the model is one of models"},
		{bench, "--output md", "--output: llama-regress reads the results"},
		{bench, "-oe json", "-oe: llama-regress reads the results"},
		{bench, "-r 1", "-r: set bench.repetitions"},
		{bench, "-pg 8,8", "-pg: tests are named by bench.tests"},
		{bench, "--n-prompt=8", "--n-prompt=8: tests are named by bench.tests"},
		{bench, "--n_prompt 8", "--n_prompt: tests are named by bench.tests"},
		{bench, "-t 2", "-t: set threads, in matrix or in the arm's params"},
		{bench, "-fa on", "-fa: set flash_attn"},
		{bench, "--list-devices", "would measure nothing"},
		{serve, "--host 0.0.0.0", "--host: llama-regress chooses where"},
		{serve, "--port=1", "--port=1: llama-regress chooses where"},
		{serve, "--api-key x", "asks without a key"},
		{serve, "-np 2", "-np: set parallel"},
		{serve, "--n_gpu_layers 1", "--n_gpu_layers: set gpu_layers"},
		{serve, "--cache-prompt", "--cache-prompt: set cache_prompt"},
		{serve, "-cram 0", "-cram: set cache_ram"},
		{serve, "--no-kv-unified", "held fixed"},
		{serve, "--embeddings", "answers no prompts"},
		{bench, "2", `"2": the first argument is a flag`},
		{bench, "--prio=2", `--prio=2: llama.cpp wants flag and value apart: [--prio, "2"]`},
		{bench, "--prio 1,2", `"1,2": llama-bench takes a comma for a list`},
		{bench, "--prio 1 --prio 2", "--prio: comes twice"},
		{bench, strings.Repeat("-x ", 65), "at most 64"},
		{bench, "--name " + strings.Repeat("x", 1000), "at most 64 of 1000 characters"},
	} {
		err := record.CheckArgs(c.workload, strings.Fields(c.words))
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s %.80s: %v, want %q", c.workload, c.words, err, c.want)
		}
	}
	for _, word := range []string{"--a\nb", "--a\x00"} {
		if record.CheckArgs(bench, []string{word}) == nil {
			t.Errorf("%q is taken", word)
		}
	}
}

// Every flag that a held setting has is refused, by every name.
func TestHeldFlagsAreRefused(t *testing.T) {
	for _, held := range record.HeldFixed {
		names := strings.Fields(held.Names)
		if !slices.Contains(names, held.Words[0]) && held.Words[0] != "--no-ui" {
			t.Errorf("%s is not one of its names %s", held.Words[0], held.Names)
		}
		for _, name := range append(names, held.Words[0]) {
			if err := record.CheckArgs(record.ServeWorkload, []string{name}); err == nil || !strings.Contains(err.Error(), "held fixed") {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

func TestSplitArgs(t *testing.T) {
	for text, want := range map[string][]string{
		"":                   nil,
		"  --prio   2 ":      {"--prio", "2"},
		`--x "a b" ""`:       {"--x", "a b", ""},
		`--x "say \"a\"" -y`: {"--x", `say "a"`, "-y"},
		"--x $HOME;`ls`|<b>": {"--x", "$HOME;`ls`|<b>"},
	} {
		if got, err := record.SplitArgs(text); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %q, %v", text, got, err)
		}
	}
	for _, text := range []string{`--x "a`, `--x "a"b`, `--x a"b`} {
		if got, err := record.SplitArgs(text); err == nil {
			t.Errorf("%s: %q", text, got)
		}
	}
}

func FuzzArgs(f *testing.F) {
	f.Add("--prio\n2")
	f.Add("a b\n\n\"\\")
	f.Fuzz(func(t *testing.T, lines string) {
		words := strings.Split(lines, "\n")
		if !utf8.ValidString(lines) {
			return
		}
		got, err := record.SplitArgs(record.JoinArgs(words))
		if err != nil || !slices.Equal(got, words) {
			t.Errorf("%q came back as %q, %v", words, got, err)
		}
	})
}
