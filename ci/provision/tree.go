package provision

import (
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// filesDir is where an entry keeps what was unpacked, binDir its wrappers.
const (
	filesDir = "files"
	binDir   = "bin"
)

// oneBackend names the folder of wrappers of a build without CPU variants.
const oneBackend = "default"

// A tree is what is needed to run an unpacked build. Paths are relative to the
// entry.
type tree struct {
	Programs map[string]string `json:"programs"` // llama-bench, its siblings, and test-backend-ops where it was unpacked
	Backends map[string]string `json:"backends"` // libggml-cpu-NAME.so by NAME
	// Loader is the dynamic loader that came with the programs, Libs the folders
	// it searches; both empty where the system's loader runs them.
	Loader string   `json:"loader,omitempty"`
	Libs   []string `json:"libs,omitempty"`
}

// survey looks below dir/files for llama-bench and what runs it.
func survey(dir string) (tree, error) {
	t := tree{Programs: map[string]string{}, Backends: map[string]string{}}
	var bench, ops string
	executables := map[string][]string{} // by folder
	err := filepath.WalkDir(filepath.Join(dir, filesDir), func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(dir, name)
		if err != nil {
			return err
		}
		base, folder := filepath.Base(rel), filepath.Dir(rel)
		if library.MatchString(base) {
			if !safePath.MatchString(rel) {
				return fmt.Errorf("a path with characters it should not have: %q", rel)
			}
			t.Libs = append(t.Libs, folder)
			if variant, ok := cpuVariant(base); ok && d.Type().IsRegular() {
				t.Backends[variant] = rel
			}
		}
		if base == opsProgram && safePath.MatchString(rel) && checkExecutable(name) == nil {
			ops = rel
		}
		if strings.HasPrefix(base, "llama-") && safePath.MatchString(rel) && checkExecutable(name) == nil {
			executables[folder] = append(executables[folder], rel)
			if base == "llama-bench" {
				bench = rel
			}
		}
		return nil
	})
	if err != nil {
		return t, err
	}
	if bench == "" {
		return t, errors.New("there is no llama-bench in what was unpacked")
	}
	for _, rel := range executables[filepath.Dir(bench)] {
		t.Programs[filepath.Base(rel)] = rel
	}
	if ops != "" {
		t.Programs[opsProgram] = ops
	}
	slices.Sort(t.Libs)
	t.Libs = slices.Compact(t.Libs)
	t.Loader, err = findLoader(dir, bench)
	if t.Loader == "" {
		t.Libs = nil
	}
	return t, err
}

// opsProgram is the one of llama.cpp's tests that measures, which packages keep in
// a folder of their own.
const opsProgram = "test-backend-ops"

// has reports whether the programs are among those that were unpacked.
func (t tree) has(programs []string) bool {
	return !slices.ContainsFunc(programs, func(name string) bool { return t.Programs[name] == "" })
}

var library = regexp.MustCompile(`^lib.*\.so(\.[0-9.]+)?$`)

// cpuVariant returns the NAME of libggml-cpu-NAME.so.
func cpuVariant(base string) (string, bool) {
	name, ok := strings.CutPrefix(base, "libggml-cpu-")
	if !ok {
		return "", false
	}
	name, ok = strings.CutSuffix(name, ".so")
	return name, ok && name != "" && name != oneBackend
}

// findLoader returns the loader that the program asks for, if it was unpacked
// too; else "": the program is static, a script, or made for the system's.
func findLoader(dir, program string) (string, error) {
	f, err := elf.Open(filepath.Join(dir, program))
	if err != nil {
		return "", nil
	}
	defer f.Close()
	for _, p := range f.Progs {
		if p.Type != elf.PT_INTERP {
			continue
		}
		interp, err := io.ReadAll(io.LimitReader(p.Open(), 4096))
		if err != nil {
			return "", fmt.Errorf("%s: %w", program, err)
		}
		name := path.Clean("/" + strings.TrimRight(string(interp), "\x00"))
		// Debian merged /lib into /usr/lib, and programs still say /lib.
		for _, rel := range []string{filesDir + name, filesDir + "/usr" + name} {
			if info, err := os.Stat(filepath.Join(dir, rel)); err == nil && info.Mode().IsRegular() && safePath.MatchString(rel) {
				return rel, nil
			}
		}
	}
	return "", nil
}

// writeWrappers writes dir/bin/BACKEND/PROGRAM for each backend and program.
func (t tree) writeWrappers(dir, what string) error {
	backends := map[string]string{oneBackend: ""}
	if len(t.Backends) > 0 {
		backends = t.Backends
	}
	for name, lib := range backends {
		folder := filepath.Join(dir, binDir, name)
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return err
		}
		for base, program := range t.Programs {
			script := t.wrapper(program, lib, what)
			if err := os.WriteFile(filepath.Join(folder, base), []byte(script), 0o755); err != nil {
				return err
			}
		}
	}
	return nil
}

// findTop has a wrapper find its entry.
const findTop = `self=$0
[ -L "$self" ] && self=$(readlink -f "$self")
case $self in */*) top=${self%/*}/../.. ;; *) top=../.. ;; esac
`

// wrapper returns a script that finds the entry from its own place, so that
// the cache folder can be moved, and becomes the program.
func (t tree) wrapper(program, backend, what string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "#!/bin/sh\n# %s of %s; written by llama-regress provision.\n", filepath.Base(program), what)
	b.WriteString(findTop)
	if backend != "" {
		fmt.Fprintf(&b, "export GGML_BACKEND_PATH=\"${GGML_BACKEND_PATH:-$top/%s}\"\n", backend)
	}
	if t.Loader == "" {
		fmt.Fprintf(&b, "exec \"$top/%s\" \"$@\"\n", program)
		return b.String()
	}
	libs := make([]string, len(t.Libs))
	for i, lib := range t.Libs {
		libs[i] = "$top/" + lib
	}
	fmt.Fprintf(&b, "exec \"$top/%s\" --library-path \"%s\" \\\n  \"$top/%s\" \"$@\"\n", t.Loader, strings.Join(libs, ":"), program)
	return b.String()
}
