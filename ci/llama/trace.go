package llama

import (
	"cmp"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
)

// A loading is what the dynamic loader did for a program and for what it became:
// a wrapper script is a shell before it is a program of llama.cpp.
type loading struct {
	known   bool     // the loader told, and the program of llama.cpp was among what it told of
	program string   // path of that program
	paths   []string // llama.cpp's libraries as they were opened, each once, in the order of loading
}

// initialized and started are what the loader of glibc says with LD_DEBUG=files of
// each library it has loaded, dlopen included, and of the program that begins.
var (
	initialized = regexp.MustCompile(`^\s*\d+:\s*calling init: (.+)$`)
	started     = regexp.MustCompile(`^\s*\d+:\s*transferring control: (.+)$`)
)

// askTraced is ask, and tells which of llama.cpp's libraries the program loaded
// meanwhile. Builds of today load their backends before they read their arguments.
// Only glibc's loader can be asked: elsewhere, and of a program without a loader,
// nothing is known.
func (p *program) askTraced(ctx context.Context, flag string) (*childEnd, loading, error) {
	if runtime.GOOS != "linux" {
		end, err := p.ask(ctx, flag, p.env)
		return end, loading{}, err
	}
	dir, err := os.MkdirTemp("", "llama-regress-loader")
	if err != nil {
		return nil, loading{}, err
	}
	defer os.RemoveAll(dir)
	env := slices.DeleteFunc(slices.Clone(p.env), func(entry string) bool { return strings.HasPrefix(entry, "LD_DEBUG") })
	end, err := p.ask(ctx, flag, append(env, "LD_DEBUG=files", "LD_DEBUG_OUTPUT="+filepath.Join(dir, "process")))
	if err != nil {
		return nil, loading{}, err
	}
	traces, err := filepath.Glob(filepath.Join(dir, "process.*")) // one a process
	if err != nil {
		return nil, loading{}, err
	}
	var all loading
	for _, trace := range traces {
		text, err := os.ReadFile(trace)
		if err != nil {
			return nil, loading{}, err
		}
		l := readTrace(string(text), p.kind)
		all.known = all.known || l.known
		all.program = cmp.Or(all.program, l.program)
		for _, path := range l.paths {
			all.paths = add(all.paths, path)
		}
	}
	return end, all, nil
}

// readTrace reads what the loader said of one process, which may have become
// another program more than once. kind is the name of the program that is meant.
func readTrace(text, kind string) (l loading) {
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		if m := started.FindStringSubmatch(line); m != nil && l.program == "" && (filepath.Base(m[1]) == kind || len(l.paths) > 0) {
			l.known, l.program = true, filepath.Clean(m[1])
		}
		if m := initialized.FindStringSubmatch(line); m != nil && libraryName.MatchString(filepath.Base(m[1])) {
			l.paths = add(l.paths, filepath.Clean(m[1]))
		}
	}
	return l
}
