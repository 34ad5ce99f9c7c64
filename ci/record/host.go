package record

import (
	"maps"
	"slices"
)

// Host says what machine this is. Records whose hard keys differ are never
// compared; differing soft keys only warn.
type Host struct {
	Name string            `json:"name"` // host name, or what the user calls the runner
	Hard map[string]string `json:"hard"` // such as "cpu", "kernel", "os"
	Soft map[string]string `json:"soft"` // such as "microcode", "memory_total"

	Extra Extra `json:"-"`
}

// A KeyDiff is a key on which two hosts differ.
type KeyDiff struct {
	Key  string
	A, B string // "" where that host does not have the key
}

// Compare lists the keys on which two hosts differ, sorted by name. Hard ones
// make their records incomparable; soft ones only warn. A hard key that one of
// them does not have is not known there, which is no proof of a difference: it
// is listed as soft.
func (h Host) Compare(other Host) (hard, soft []KeyDiff) {
	for _, d := range differing(h.Hard, other.Hard) {
		if d.A == "" || d.B == "" {
			soft = append(soft, d)
		} else {
			hard = append(hard, d)
		}
	}
	return hard, append(soft, differing(h.Soft, other.Soft)...)
}

func differing(a, b map[string]string) []KeyDiff {
	keys := make(map[string]bool)
	for key := range a {
		keys[key] = true
	}
	for key := range b {
		keys[key] = true
	}
	var diffs []KeyDiff
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		if a[key] != b[key] {
			diffs = append(diffs, KeyDiff{key, a[key], b[key]})
		}
	}
	return diffs
}
