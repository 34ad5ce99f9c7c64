// Package llama drives llama.cpp's programs: it finds out what a build
// understands, spells every setting in that build's own form, runs it so that
// nothing is left behind, and reads what it prints, whatever its age.
package llama

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/llama-regress/llama-regress/ci/device"
	"github.com/llama-regress/llama-regress/ci/record"
)

// A Bench measures trials with llama-bench. Its zero value is ready to use.
// It must not be copied after its first use.
type Bench struct {
	// LogDir is an existing folder that gets one file a trial, ID.log: the
	// commands, what they wrote to stderr (16 MiB at most) and, of a trial
	// that failed, the beginning of its results. "" writes none.
	LogDir string

	// Environ is the environment that programs inherit, os.Environ() when nil.
	// Variables of llama.cpp itself (GGML_*, LLAMA_*) are not inherited.
	Environ []string

	// Links are the paths by which programs are started; nil for their own.
	Links *Links

	Devices *device.Set // that are watched while a program runs; nil for none

	maxResults int // bytes of results that a program may print; 0 for 64 MiB
	programs   programs
}

// Identify finds the llama-bench of an arm, learns from its help what it
// understands, and checks that the arm's own parameters can be passed to it. Commit and
// number are filled in where the build has --version (b11669 has); of other
// builds they are known after the first trial, from its Echo.
func (b *Bench) Identify(ctx context.Context, arm record.Arm) (record.Build, error) {
	p, err := identify(ctx, arm, inherited(b.Environ), "llama-bench", readHelp)
	if err != nil {
		return record.Build{}, forArm(ctx, arm, err)
	}
	if _, err := parameterArgs(p.caps, parameters(record.BenchWorkload, nil, arm.Params)); err != nil {
		return record.Build{}, forArm(ctx, arm, fmt.Errorf("%s: %w", p.name(), err))
	}
	if _, err := freeArgs(p.caps, record.BenchWorkload, nil, arm.Params); err != nil {
		return record.Build{}, forArm(ctx, arm, fmt.Errorf("%s: %w", p.name(), err))
	}
	b.programs.put(arm.Name, p)
	return record.Build{
		Program: p.path, SHA256: p.files[0].sha256, Libraries: record.LibrariesSHA256(p.libraries),
		Version: p.version.text, Commit: p.version.commit, Number: p.version.number, Compiler: p.version.compiler,
	}, nil
}

// Libraries are those of llama.cpp that the llama-bench of an identified arm
// loads; nil where that is not known.
func (b *Bench) Libraries(arm string) []record.Library { return b.programs.libraries(arm) }

func inherited(environ []string) []string {
	if environ != nil {
		return environ
	}
	return os.Environ()
}

// logFile opens the log of a trial; its name is the trial's ID made harmless.
func (b *Bench) logFile(id string) (*os.File, error) {
	harmless := func(r rune) rune {
		if strings.ContainsRune(`/\:*?"<>|`, r) || r < ' ' {
			return '_'
		}
		return r
	}
	return os.Create(filepath.Join(b.LogDir, strings.Map(harmless, id)+".log"))
}
