package provision

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// A Llama is one build of llama.cpp that can be run on this machine.
type Llama struct {
	Source Source
	// Version is the package's version or the release's tag; empty for a folder
	// and for PATH, where only the program itself can tell.
	Version string
	// Dir is the absolute path of the folder with the programs, fit to be named
	// as an arm's `bin:`.
	Dir string
	// Backend is the CPU backend that the programs in Dir load, such as "zen4";
	// empty where the build has but one or chooses by itself.
	Backend string

	backends []Backend
}

// A Backend is one CPU backend of a build: the same code compiled for other
// processors.
type Backend struct {
	Name string // "haswell"
	// Path is the library, for GGML_BACKEND_PATH.
	Path string
	// Dir is a folder like Llama.Dir whose programs load this backend.
	Dir string
	// Usable tells whether this processor has what the backend is compiled for,
	// as far as the kernel's list of its features tells. False for a backend
	// that this package does not know.
	Usable bool
}

// Backends returns the CPU backends to choose from, the fastest first; none for
// a build with but one, or one that chooses by itself and would not follow
// GGML_BACKEND_PATH.
func (l *Llama) Backends() []Backend { return append([]Backend(nil), l.backends...) }

// Program returns the absolute path of the named program, such as
// "llama-server". The error says where it was looked for.
func (l *Llama) Program(name string) (string, error) {
	path := filepath.Join(l.Dir, name)
	if err := checkExecutable(path); err != nil {
		return "", err
	}
	return path, nil
}

// Quantise has the build's llama-quantize write the model to from the one that
// stands in from, in a type as the program names it, such as "Q4_K_M". It works
// with one thread. What stands in to after an error may be anything.
func (l *Llama) Quantise(ctx context.Context, from, to, typ string) error {
	program, err := l.Program("llama-quantize")
	if err != nil {
		return err
	}
	_, err = command{argv: []string{program, from, to, typ, "1"}}.run(ctx)
	return err
}

// String returns what a person wants to know of it in one line.
func (l *Llama) String() string {
	var b strings.Builder
	b.WriteString(l.Dir)
	if l.Version != "" {
		fmt.Fprintf(&b, " (llama.cpp %s)", l.Version)
	}
	return b.String()
}

// open checks that dir has the programs needed and that its llama-bench starts.
func (f *finder) open(ctx context.Context, source Source, dir string) (*Llama, error) {
	l := &Llama{Source: source, Dir: dir}
	var missing []string
	for _, name := range f.Need {
		if _, err := l.Program(name); err != nil {
			missing = append(missing, err.Error())
		}
	}
	if len(missing) > 0 {
		return nil, fmt.Errorf("%s", strings.Join(missing, "\n"))
	}
	return l, checkBench(ctx, filepath.Join(dir, "llama-bench"))
}

func checkExecutable(path string) error {
	info, err := os.Stat(path)
	switch {
	case os.IsNotExist(err):
		return fmt.Errorf("%s has no %s", filepath.Dir(path), filepath.Base(path))
	case err != nil:
		return err
	case !info.Mode().IsRegular() || info.Mode().Perm()&0o111 == 0:
		return fmt.Errorf("%s is not an executable file", path)
	}
	return nil
}

// checkBench runs the program's help, which every build has and which needs no
// model, to find a missing library or a program that is none of llama.cpp's.
func checkBench(ctx context.Context, path string) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	out, err := command{argv: []string{path, "-h"}}.run(ctx)
	if err != nil {
		return fmt.Errorf("%s does not start: %w", path, err)
	}
	if text := string(out.stdout) + out.stderr; !strings.Contains(text, "usage:") || !strings.Contains(text, "--n-gen") {
		return fmt.Errorf("%s is not llama.cpp's llama-bench: its help does not mention --n-gen", path)
	}
	return nil
}

// checkBackend runs llama-bench in dir to see that it loads the CPU backend
// that the folder is for. The program says so itself, and exits 0 either way.
func checkBackend(ctx context.Context, dir, library string) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	bench := filepath.Join(dir, "llama-bench")
	out, err := command{
		argv: []string{bench, "--list-devices"},
		env:  []string{"GGML_BACKEND_PATH="}, // the wrapper's own choice, whatever the user's is
	}.run(ctx)
	if err != nil {
		return fmt.Errorf("%s does not start: %w", bench, err)
	}
	for line := range strings.Lines(out.stderr) {
		_, loaded, ok := strings.Cut(strings.TrimSpace(line), "loaded CPU backend from ")
		switch {
		case ok && strings.HasSuffix(loaded, "/"+filepath.Base(library)) && strings.HasPrefix(loaded, filepath.Dir(filepath.Dir(dir))):
			return nil
		case ok: // of several, the first is the one used
			return fmt.Errorf("%s uses %s instead", bench, loaded)
		}
	}
	return fmt.Errorf("%s does not load it: %s", bench, lastLine(out.stderr))
}
