package provision

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// valgrindPackage is the name of valgrind in every distribution.
const valgrindPackage = "valgrind"

// LeastValgrind is the oldest version, major and minor, that counts as this tool
// asks it to.
var LeastValgrind = [2]int{3, 15}

// A Valgrind is a valgrind that runs on this machine.
type Valgrind struct {
	Source  Source // SourcePath or SourceApt
	Version string // as it names itself: "valgrind-3.19.0"
	Path    string // absolute path of the program; of an unpacked one a wrapper that tells it where its tools lie
	// SHA256 is the checksum of the package it was unpacked from; "" of one in PATH.
	SHA256 string
}

// FindValgrind returns the valgrind in PATH, else the one in the cache folder, else
// the one of the system's packages, unpacked there: nothing is installed. Of o it
// takes CacheDir, Offline, Refresh and Log. Its error has several lines: what was
// tried, and what to do by hand.
func FindValgrind(ctx context.Context, o Options) (*Valgrind, error) {
	f, _, err := newFinder(Options{CacheDir: o.CacheDir, Offline: o.Offline, Refresh: o.Refresh, Log: o.Log, root: o.root})
	if err != nil {
		return nil, err
	}
	f.store.dir = filepath.Join(f.CacheDir, valgrindPackage)
	var tried []string
	for _, source := range []struct {
		name Source
		ask  func(context.Context) (*Valgrind, error)
	}{{SourcePath, f.valgrindInPath}, {SourceApt, f.valgrindOfPackages}} {
		v, err := source.ask(ctx)
		if err == nil {
			f.logf("%s: using %s (%s)", source.name, v.Path, v.Version)
			return v, nil
		}
		if ctx.Err() != nil {
			return nil, fmt.Errorf("provision: %w", context.Cause(ctx))
		}
		f.logf("%s: %v", source.name, err)
		tried = append(tried, fmt.Sprintf("  %-6s%s", string(source.name)+":", strings.ReplaceAll(err.Error(), "\n", "\n        ")))
	}
	return nil, fmt.Errorf("no valgrind found that counts instructions; tried:\n%s\nby hand: %s", strings.Join(tried, "\n"), installValgrind())
}

// installValgrind is what a person can type.
func installValgrind() string {
	if runtime.GOOS != "linux" {
		return "count on Linux: valgrind has no port to " + runtime.GOOS + "/" + runtime.GOARCH + " that runs llama.cpp"
	}
	return "install it (apt-get install valgrind, dnf install valgrind, zypper install valgrind, pacman -S valgrind), or build valgrind 3.19 or later from https://valgrind.org and put it in PATH"
}

func (f *finder) valgrindInPath(ctx context.Context) (*Valgrind, error) {
	path, err := exec.LookPath(valgrindPackage)
	if err != nil {
		return nil, errors.New("no valgrind in PATH")
	}
	if path, err = filepath.Abs(path); err != nil {
		return nil, err
	}
	version, err := valgrindVersion(ctx, path)
	return &Valgrind{Source: SourcePath, Version: version, Path: path}, err
}

// valgrindOfPackages finds the valgrind unpacked from the system's packages, and
// fetches it where the cache has none. It needs of the others nothing but the C
// library, which every system has.
func (f *finder) valgrindOfPackages(ctx context.Context) (*Valgrind, error) {
	return fetchOnce(ctx, f, openValgrind, SourceApt, func(manifest) bool { return true }, func(ctx context.Context, h *holding) (*entry, error) {
		return h.fetchApt(ctx, aptState{pkg: valgrindPackage, alone: true}, finishValgrind)
	})
}

// wrapperOfValgrind is where an entry has the program.
var wrapperOfValgrind = filepath.Join(binDir, oneBackend, valgrindPackage)

// openValgrind sees that an entry's valgrind runs.
func openValgrind(ctx context.Context, e *entry) (*Valgrind, error) {
	v := &Valgrind{Source: e.Source, Path: filepath.Join(e.dir, wrapperOfValgrind)}
	for _, p := range e.Fetched {
		if p.Name == valgrindPackage {
			v.SHA256 = p.SHA256
		}
	}
	var err error
	v.Version, err = valgrindVersion(ctx, v.Path)
	return v, err
}

// finishValgrind finds the program and the folder of its tools in what was unpacked,
// and writes the wrapper.
func finishValgrind(dir string, m *manifest) error {
	// Debian's usr/bin/valgrind is a script that changes the environment for the sake
	// of debug libraries; what it starts is beside it.
	program, err := first(dir, "usr/bin/valgrind.bin", "usr/bin/valgrind")
	if err != nil {
		return err
	}
	tools, err := first(dir, "usr/libexec/valgrind", "usr/lib/*/valgrind", "usr/lib/valgrind")
	if err != nil {
		return err
	}
	m.Tree.Programs = map[string]string{valgrindPackage: program}
	m.Tree.Libs = []string{tools}
	path := filepath.Join(dir, wrapperOfValgrind)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	script := "#!/bin/sh\n# valgrind " + m.Version + "; written by llama-regress provision.\n" + findTop +
		fmt.Sprintf("export VALGRIND_LIB=\"$top/%s\"\nexec \"$top/%s\" \"$@\"\n", tools, program)
	return os.WriteFile(path, []byte(script), 0o755)
}

// first is the first path that what was unpacked has.
func first(dir string, patterns ...string) (string, error) {
	for _, pattern := range patterns {
		found, err := filepath.Glob(filepath.Join(dir, filesDir, pattern))
		if err != nil {
			return "", err
		}
		for _, path := range found {
			if rel, err := filepath.Rel(dir, path); err == nil && safePath.MatchString(rel) {
				return rel, nil
			}
		}
	}
	return "", fmt.Errorf("there is no %s in what was unpacked", strings.Join(patterns, " or "))
}

var versionOfValgrind = regexp.MustCompile(`^valgrind-(\d{1,4})\.(\d{1,4})[0-9A-Za-z.-]{0,40}$`)

// valgrindVersion runs a valgrind to see that it starts, and returns its version.
func valgrindVersion(ctx context.Context, path string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	out, err := command{argv: []string{path, "--version"}}.run(ctx)
	if err != nil {
		return "", fmt.Errorf("%s does not start: %w", path, err)
	}
	version := strings.TrimSpace(string(out.stdout))
	m := versionOfValgrind.FindStringSubmatch(version)
	if m == nil {
		return "", fmt.Errorf("%s is not valgrind: to --version it printed %.60q", path, version)
	}
	major, _ := strconv.Atoi(m[1])
	minor, _ := strconv.Atoi(m[2])
	if major < LeastValgrind[0] || major == LeastValgrind[0] && minor < LeastValgrind[1] {
		return "", fmt.Errorf("%s is %s; %d.%d or later is needed", path, version, LeastValgrind[0], LeastValgrind[1])
	}
	return version, nil
}
