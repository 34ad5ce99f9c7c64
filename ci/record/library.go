package record

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// A Library is a shared library of llama.cpp that an arm's programs load.
type Library struct {
	Name   string `json:"name"` // by which it was loaded: "libllama.so.0"
	Path   string `json:"path"` // absolute, links followed
	SHA256 string `json:"sha256"`
}

// mostLibraries is how many an arm may have: a build of today has some ten.
const mostLibraries = 500

// LibrariesSHA256 is one digest of the names and contents of libraries, wherever
// they lie and in whatever order: the SHA-256 of a line for each, sorted. It is ""
// for nil, of which nothing is known, and a digest for an empty list.
func LibrariesSHA256(libraries []Library) string {
	if libraries == nil {
		return ""
	}
	sorted := slices.SortedFunc(slices.Values(libraries), func(a, b Library) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.SHA256, b.SHA256))
	})
	h := sha256.New()
	for _, l := range sorted {
		fmt.Fprintf(h, "%s\x00%s\n", l.Name, l.SHA256)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// JoinLibraries lists the libraries of both, each file once; nil where both are.
func JoinLibraries(a, b []Library) []Library {
	all := slices.Clone(a)
	for _, l := range b {
		if !slices.Contains(all, l) {
			all = append(all, l)
		}
	}
	if all == nil && b != nil {
		all = []Library{}
	}
	return all
}

// Identity is one digest of the programs of a build and of the libraries that they
// load, as far as they are known: 64 hexadecimal digits.
func (b Build) Identity() string {
	sum := sha256.Sum256([]byte(b.SHA256 + "\n" + b.ServerSHA256 + "\n" + b.Libraries))
	return hex.EncodeToString(sum[:])
}

// OtherFiles names the programs and libraries that two arms both have and that are
// not the same bytes. What one of them does not know is no difference: a session
// that served has no llama-bench.
func (a Arm) OtherFiles(b Arm) (differ []string) {
	other := func(name, x, y string) {
		if x != "" && y != "" && x != y {
			differ = append(differ, name)
		}
	}
	other("llama-bench", a.Build.SHA256, b.Build.SHA256)
	other("llama-server", a.Build.ServerSHA256, b.Build.ServerSHA256)
	for _, l := range a.Libraries {
		if i := slices.IndexFunc(b.Libraries, func(m Library) bool { return m.Name == l.Name }); i >= 0 {
			other(l.Name, l.SHA256, b.Libraries[i].SHA256)
		}
	}
	return differ
}

// BuildTree is the folder that was built or installed as one with a program in dir:
// the one above for build/bin, whose libraries may lie in build/src or prefix/lib,
// else dir.
func BuildTree(dir string) string {
	if filepath.Base(dir) == "bin" {
		return filepath.Dir(dir)
	}
	return dir
}

// Within says whether path lies in folder, at whatever depth; both are absolute.
func Within(path, folder string) bool {
	rel, err := filepath.Rel(folder, path)
	return err == nil && filepath.IsLocal(rel)
}

// AsksFor says whether the arm's own LD_LIBRARY_PATH names the folder of a library.
func (a Arm) AsksFor(library string) bool {
	for _, folder := range filepath.SplitList(a.Env["LD_LIBRARY_PATH"]) {
		plain, err := filepath.Abs(folder)
		if err != nil || folder == "" {
			continue
		}
		real, err := filepath.EvalSymlinks(plain)
		if dir := filepath.Dir(library); plain == dir || err == nil && real == dir {
			return true
		}
	}
	return false
}
