package record

import (
	"regexp"
	"strings"
)

// Compare lists in what two builds differ that keeps sessions of one from being
// the history of the other: "build.backends" and the name and major version of
// "build.compiler". What one of them does not know is no difference, and another
// commit is what a history is about.
func (b Build) Compare(other Build) []KeyDiff {
	var hard []KeyDiff
	if b.Backends != "" && other.Backends != "" && b.Backends != other.Backends {
		hard = append(hard, KeyDiff{"build.backends", b.Backends, other.Backends})
	}
	if b.Compiler != "" && other.Compiler != "" && majorVersions(b.Compiler) != majorVersions(other.Compiler) {
		hard = append(hard, KeyDiff{"build.compiler", b.Compiler, other.Compiler})
	}
	return hard
}

var versionNumber = regexp.MustCompile(`\b(\d+)(\.\d+)+[-\w.~+]*`)

// majorVersions shortens each version number in text to its first part.
func majorVersions(text string) string {
	return strings.TrimSpace(versionNumber.ReplaceAllString(text, "$1"))
}
