package record

import "strings"

// AsksForDraft reports whether arguments of llama-server, or variables of its
// environment, ask for speculative decoding by a draft model or by the model's own
// heads (MTP, EAGLE). Lookups of n-grams are left out: they may find nothing to
// draft, so that no drafted token does not mean that they are off.
func AsksForDraft(words []string, env map[string]string) bool {
	drafts := func(types string) bool { return strings.Contains(types, "draft-") }
	for i, word := range words {
		switch flag, _ := FlagIn(word); flag {
		case "-md", "--model-draft", "--spec-draft-model":
			return true
		case "--spec-type":
			if i+1 < len(words) && drafts(words[i+1]) {
				return true
			}
		}
	}
	return env["LLAMA_ARG_SPEC_DRAFT_MODEL"] != "" || env["LLAMA_ARG_MODEL_DRAFT"] != "" || drafts(env["LLAMA_ARG_SPEC_TYPE"])
}
