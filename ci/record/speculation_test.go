package record_test

import (
	"strings"
	"testing"

	"github.com/llama-regress/llama-regress/ci/record"
)

func TestAsksForDraft(t *testing.T) {
	for words, want := range map[string]bool{
		"": false, "--prio 2": false, "-md draft.gguf": true, "--spec_draft_model d.gguf": true, "--model-draft d": true,
		"--spec-type draft-mtp": true, "--spec-type ngram-simple,draft-simple": true, "--spec-type ngram-simple": false, "--spec-type none": false, "--spec-type": false,
	} {
		if got := record.AsksForDraft(strings.Fields(words), nil); got != want {
			t.Errorf("%s: %v", words, got)
		}
	}
	for name, want := range map[string]bool{"LLAMA_ARG_SPEC_DRAFT_MODEL": true, "LLAMA_ARG_MODEL_DRAFT": true, "LLAMA_ARG_THREADS": false} {
		if got := record.AsksForDraft(nil, map[string]string{name: "x"}); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
	if !record.AsksForDraft(nil, map[string]string{"LLAMA_ARG_SPEC_TYPE": "draft-eagle3"}) {
		t.Error("a type in a variable is not seen")
	}
}
