package record

import (
	"strconv"
	"strings"
)

// Compare lists in what two models that go by one name differ: "type", "bytes",
// "parameters", "sha256". What one of them does not know (empty, 0) is no
// difference. Two files of one SHA-256 are one file, whatever else is said of
// them. Sizes are compared where both models have a SHA-256 or both have none:
// llama-bench tells the size of the tensors, a session's record that of the file.
func (m Model) Compare(other Model) []KeyDiff {
	if m.SHA256 != "" && m.SHA256 == other.SHA256 {
		return nil
	}
	var diffs []KeyDiff
	add := func(key, a, b string) {
		if a != "" && b != "" && a != b {
			diffs = append(diffs, KeyDiff{key, a, b})
		}
	}
	if !sameType(m.Type, other.Type) {
		add("type", m.Type, other.Type)
	}
	if (m.SHA256 == "") == (other.SHA256 == "") {
		add("bytes", known(m.Bytes), known(other.Bytes))
	}
	add("parameters", known(m.Parameters), known(other.Parameters))
	add("sha256", m.SHA256, other.SHA256)
	return diffs
}

// sameType compares two descriptions of llama.cpp's, word by word. Builds that
// do not know a model's size write "?B" for it, and builds of 2023 wrote "mostly".
func sameType(a, b string) bool {
	words := func(s string) []string { return strings.Fields(strings.ReplaceAll(strings.ToLower(s), "mostly ", "")) }
	x, y := words(a), words(b)
	if len(x) != len(y) {
		return false
	}
	for i := range x {
		if x[i] != y[i] && x[i] != "?b" && y[i] != "?b" {
			return false
		}
	}
	return true
}

// Compare lists in what two datasets differ that makes other prompts of them:
// "sha256", and how prompts were chosen: "rule", "seed", "sample". What one of
// them does not know (empty, 0) is no difference. Names and paths are not
// compared: a file may be called anything.
func (d Dataset) Compare(other Dataset) []KeyDiff {
	var diffs []KeyDiff
	add := func(key, a, b string) {
		if a != "" && b != "" && a != b {
			diffs = append(diffs, KeyDiff{key, a, b})
		}
	}
	add("sha256", d.SHA256, other.SHA256)
	add("rule", d.Rule, other.Rule)
	if d.Seed != 0 && other.Seed != 0 {
		add("seed", strconv.FormatUint(d.Seed, 10), strconv.FormatUint(other.Seed, 10))
	}
	add("sample", known(int64(d.Sample)), known(int64(other.Sample)))
	return diffs
}

func known(n int64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatInt(n, 10)
}
