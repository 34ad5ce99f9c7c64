package llama

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/llama-regress/llama-regress/ci/internal/proc"
	"github.com/llama-regress/llama-regress/ci/record"
)

// settleLibraries finds out which libraries of llama.cpp the program loads, and
// sees to it that they are those of its own build where these are at hand.
// llama.cpp links its programs with the absolute path of the folder in which it
// was built (RUNPATH), so that a program in a copy of that folder loads the
// libraries of the original.
func (p *program) settleLibraries(ctx context.Context, arm record.Arm, loaded loading) error {
	if !loaded.known {
		return p.takeBeside()
	}
	own := p.ownFolders(loaded.program)
	if foreign := foreignTo(own, loaded.paths, arm); len(foreign) > 0 && own.hold(foreign) {
		mended, err := p.mend(ctx, arm, own, foreign)
		if err != nil {
			return err
		}
		if mended != nil {
			loaded = *mended
		}
	}
	if foreign := foreignTo(own, loaded.paths, arm); len(foreign) > 0 && !allSystem(foreign) {
		p.remarks = append(p.remarks, fmt.Sprintf(
			"%s of %s %s loaded from %s, which is neither the program's folder nor the system's: whoever changes it changes what is measured; set LD_LIBRARY_PATH in the arm's env, or build with -DBUILD_SHARED_LIBS=OFF",
			libraryNames(foreign), p.kind, isAre(len(foreign)), strings.Join(folders(foreign), ", ")))
	}
	p.libraries = []record.Library{} // known, and perhaps none
	for _, path := range loaded.paths {
		if err := p.takeLibrary(path); err != nil {
			return err
		}
	}
	if len(p.libraries) > 0 && !slices.ContainsFunc(p.libraries, isBackend) {
		return p.takeBeside() // builds of before 2025 load their backends after they have read their arguments
	}
	return nil
}

// isBackend says whether a library is one of ggml's backends.
func isBackend(l record.Library) bool {
	name := strings.TrimPrefix(l.Name, "lib")
	return strings.HasPrefix(name, "ggml-") && !strings.HasPrefix(name, "ggml-base.")
}

// mend puts the program's own folder in front of where its loader looks, and
// returns what it loads then: nil, and nothing is changed, where that does not
// help.
func (p *program) mend(ctx context.Context, arm record.Arm, own ownFolders, foreign []string) (*loading, error) {
	before := p.env
	p.env = withLibraryPath(before, arm, own.dirs)
	_, loaded, err := p.askTraced(ctx, "-h")
	if err != nil || len(foreignTo(own, loaded.paths, arm)) > 0 || len(loaded.paths) == 0 {
		p.env = before
		return nil, ctx.Err()
	}
	p.remarks = append(p.remarks, fmt.Sprintf(
		"LD_LIBRARY_PATH was set to %s for %s, which would have loaded %s from %s (RUNPATH) instead of its own: a copied build folder looks for its libraries where it was built",
		strings.Join(own.dirs, ":"), p.kind, libraryNames(foreign), strings.Join(folders(foreign), ", ")))
	return &loaded, nil
}

// withLibraryPath puts folders in front of LD_LIBRARY_PATH, behind what the arm
// itself says there.
func withLibraryPath(env []string, arm record.Arm, dirs []string) []string {
	const name = "LD_LIBRARY_PATH"
	value := ""
	env = slices.DeleteFunc(slices.Clone(env), func(entry string) bool {
		was, ok := strings.CutPrefix(entry, name+"=")
		if ok {
			value = was
		}
		return ok
	})
	parts := slices.Clone(dirs)
	switch _, asked := arm.Env[name]; {
	case value == "":
	case asked:
		parts = append([]string{value}, parts...)
	default:
		parts = append(parts, value)
	}
	return append(env, name+"="+strings.Join(parts, ":"))
}

// ownFolders are the folders that belong to a program.
type ownFolders struct {
	dirs  []string // that hold it, links followed
	trees []string // that were built or installed with it
}

func (p *program) ownFolders(started string) ownFolders {
	var own ownFolders
	for _, path := range []string{p.path, started} {
		if real, err := filepath.EvalSymlinks(path); err == nil && path != "" {
			dir := filepath.Dir(real)
			own.dirs, own.trees = add(own.dirs, dir), add(own.trees, record.BuildTree(dir))
		}
	}
	return own
}

// hold says whether every library has one of its name in a folder of the program.
func (own ownFolders) hold(libraries []string) bool {
	return !slices.ContainsFunc(libraries, func(library string) bool {
		return !slices.ContainsFunc(own.dirs, func(dir string) bool {
			_, err := os.Stat(filepath.Join(dir, filepath.Base(library)))
			return err == nil
		})
	})
}

// foreignTo lists the libraries that lie neither in the program's own folders nor
// where the arm's LD_LIBRARY_PATH says.
func foreignTo(own ownFolders, libraries []string, arm record.Arm) []string {
	return slices.DeleteFunc(slices.Clone(libraries), func(library string) bool {
		real, err := filepath.EvalSymlinks(library)
		if err != nil {
			return true // takeLibrary tells
		}
		inside := func(folder string) bool { return record.Within(real, folder) || record.Within(library, folder) }
		return slices.ContainsFunc(own.trees, inside) || arm.AsksFor(library)
	})
}

// systemFolders hold what belongs to the machine.
var systemFolders = []string{"/lib", "/lib64", "/usr", "/nix/store", "/gnu/store"}

func allSystem(libraries []string) bool {
	return !slices.ContainsFunc(libraries, func(library string) bool {
		return !slices.ContainsFunc(systemFolders, func(folder string) bool { return record.Within(library, folder) })
	})
}

// takeLibrary adds a library to those that the program loads.
func (p *program) takeLibrary(path string) error {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return fmt.Errorf("%s loads %s, which cannot be found again: %w", p.path, path, err)
	}
	if slices.ContainsFunc(p.libraries, func(l record.Library) bool { return l.Name == filepath.Base(path) }) {
		return nil
	}
	f, err := hashFile(real)
	if err != nil {
		return fmt.Errorf("%w; it is a part of the build: make it readable, or build again", err)
	}
	p.libraries = append(p.libraries, record.Library{Name: filepath.Base(path), Path: real, SHA256: f.sha256})
	return nil
}

// takeBeside adds llama.cpp's libraries that lie beside the program: the best that
// is known where the loader cannot be asked.
func (p *program) takeBeside() error {
	entries, err := os.ReadDir(filepath.Dir(p.path))
	if err != nil && !errors.Is(err, fs.ErrPermission) {
		return err
	}
	for _, e := range entries {
		if e.Type().IsRegular() && libraryName.MatchString(e.Name()) {
			if err := p.takeLibrary(filepath.Join(filepath.Dir(p.path), e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

// LibrariesBeside is record.LibrariesSHA256 of llama.cpp's libraries that lie beside
// a program; "" without any, or where they cannot be read.
func LibrariesBeside(path string) string {
	p := &program{path: path}
	if p.takeBeside() != nil {
		return ""
	}
	return record.LibrariesSHA256(p.libraries)
}

func libraryNames(paths []string) string {
	var all []string
	for _, path := range paths {
		all = add(all, filepath.Base(path))
	}
	return proc.List(all, 3)
}

func folders(paths []string) []string {
	var all []string
	for _, path := range paths {
		all = add(all, filepath.Dir(path))
	}
	return all
}

func isAre(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}
