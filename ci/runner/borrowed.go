package runner

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/llama-regress/llama-regress/ci/internal/proc"
	"github.com/llama-regress/llama-regress/ci/record"
)

// borrowed refuses arms whose programs load the libraries of another arm, as a
// copied build folder does: both would measure one build, and no difference would
// be found whatever was changed. An arm whose own LD_LIBRARY_PATH says so is left
// to its will.
func borrowed(arms []record.Arm) error {
	var faults []error
	for _, arm := range arms {
		if arm.ControlOf != "" {
			continue // runs what its arm runs
		}
		own := folders(arm)
		for _, other := range arms {
			if other.ControlOf != "" || other.Name == arm.Name {
				continue
			}
			theirs := folders(other)
			var names []string
			var from string
			for _, l := range arm.Libraries {
				depth, mine := nearest(theirs, l.Path), nearest(own, l.Path)
				if depth > mine && !arm.AsksFor(l.Path) {
					names, from = append(names, l.Name), filepath.Dir(l.Path)
				}
			}
			if names != nil {
				slices.Sort(names)
				faults = append(faults, fmt.Errorf("arm %s: %s loads %s from %s, which is the build of arm %s, and not from %s: "+
					"both arms would measure one build; set LD_LIBRARY_PATH in the arm's env to a folder that holds its own libraries, "+
					"build with -DBUILD_SHARED_LIBS=OFF before copying, or build the other commit in a folder of its own: "+
					"git worktree add ../base COMMIT && cmake -S ../base -B build-base && cmake --build build-base --target llama-bench llama-server",
					printable(arm.Name), program(arm), proc.List(names, 3), from, printable(other.Name), filepath.Dir(program(arm))))
			}
		}
	}
	return errors.Join(faults...)
}

func program(arm record.Arm) string { return cmp.Or(arm.Build.Program, arm.Build.Server) }

// folders are those of an arm's programs, as they are called and with links
// followed, and what was built with them.
func folders(arm record.Arm) (all []string) {
	for _, path := range []string{arm.Build.Program, arm.Build.Server} {
		if path == "" {
			continue
		}
		all = append(all, filepath.Dir(path), record.BuildTree(filepath.Dir(path)))
		if real, err := filepath.EvalSymlinks(path); err == nil {
			all = append(all, filepath.Dir(real), record.BuildTree(filepath.Dir(real)))
		}
	}
	return all
}

// nearest is the length of the longest of the folders that hold a file, 0 for none:
// one build may lie within another.
func nearest(folders []string, file string) (length int) {
	for _, folder := range folders {
		if record.Within(file, folder) {
			length = max(length, len(folder))
		}
	}
	return length
}
