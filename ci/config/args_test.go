package config_test

import (
	"strings"
	"testing"

	"github.com/llama-regress/llama-regress/ci/config"
)

func TestArmArgs(t *testing.T) {
	const rest = "models: [{path: m.gguf}]\n"
	for text, want := range map[string]string{
		"args: {bench: [--prio, 2]}":                                   "",
		"args: [--prio, 2]":                                            "arms[0].args: want {bench: [--flag, value]} for llama-bench, {serve: [--flag, value]} for llama-server, or both: their flags differ",
		"args: {bench: [-m, x]}":                                       "arms[0].args.bench: -m: the model is one of models",
		"args: {bench: [--threads=2]}":                                 "arms[0].args.bench: --threads=2: set threads, in matrix or in the arm's params",
		"args: {serve: [--prio, 2]}":                                   "arms[0].args.serve: --prio 2 is for llama-server, and the configuration has no serve section",
		"args: {bnech: [--prio, 2]}":                                   `unknown key "bnech" in arms[0].args; did you mean "bench"?`,
		"args: {bench: [--prio, 2]}}]\nbench: {args: [--no-host, 1]}#": "arms[0].args.bench: bench.args gives arguments as well; take them out of one of them",
		"params: {bench_args: x}":                                      `unknown key "bench_args" in arms[0].params`,
	} {
		text = "version: 1\narms: [{name: base, bin: b, " + text + "}]\n" + rest
		_, err := config.Parse([]byte(text), "c.yaml")
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s\n%v\nwant %s", text, err, want)
		}
	}
}
