package record_test

import (
	"strings"
	"testing"

	"github.com/llama-regress/llama-regress/ci/record"
)

func TestCheckEnv(t *testing.T) {
	held := func(name string) bool {
		p, _ := record.ParamByName(name)
		return p.HeldIn(nil)
	}
	for name, want := range map[string]string{
		"LLAMA_ARG_CACHE_PROMPT": "passes --cache-prompt itself, which goes before the variable: set cache_prompt",
		"LLAMA_ARG_CACHE_REUSE":  "passes --cache-reuse itself",
		"LLAMA_ARG_PORT":         "passes --port itself",
		"LLAMA_ARG_CTX_SIZE":     "set ctx_size",
		"LLAMA_ARG_N_PARALLEL":   "set parallel",
		"LLAMA_ARG_MODEL":        "the model is one of models",
		"LLAMA_ARG_UBATCH":       "", // no flag unless somebody sets ubatch

		"LLAMA_ARG_SPEC_DRAFT_MODEL": "", "LLAMA_ARG_OVERRIDE_TENSOR": "", "GGML_VK_VISIBLE_DEVICES": "", "LLAMA_CACHE": "", "LD_LIBRARY_PATH": "", "A": "",
	} {
		err := record.CheckEnv(name, held)
		switch {
		case want == "" && err != nil, want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
	// In conversations the cache is the build's own, and a variable sets it.
	if err := record.CheckEnv("LLAMA_ARG_CACHE_REUSE", func(string) bool { return false }); err != nil {
		t.Error(err)
	}
	if err := record.CheckEnv("LLAMA_ARG_UBATCH", func(p string) bool { return p == "ubatch" }); err == nil || !strings.Contains(err.Error(), "set ubatch, in matrix or in the arm's params") {
		t.Error("a variable that a parameter of the arm overrides is taken")
	}
}
