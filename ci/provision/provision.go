// Package provision gets llama.cpp's programs onto a machine that lacks them,
// without root, and says what it did.
//
// Find asks its sources in this order and takes the first that has every
// program needed:
//
//  1. a folder that the user names: then only that folder;
//  2. the folder that PATH finds llama-bench in;
//  3. apt, on Debian, Ubuntu and their relatives: the package llama.cpp-tools
//     and all it depends on, with llama.cpp-tools-extra and llama.cpp-tests
//     where there are such, from the mirror that the machine is configured
//     for, with a private apt state and signature checks on. Where the
//     machine's own release has no such package, from the suite "sid" (Debian)
//     or "devel" (Ubuntu). Nothing is installed: the packages are unpacked
//     below the cache folder and run with the loader and libraries unpacked
//     with them;
//  4. an official release that the user names, for the platform: then only
//     that release. Its archive is unpacked only when its SHA-256 is the one
//     the user gave, or else the one published beside it. No release is picked
//     on the user's behalf.
//
// What is fetched lies in the cache folder, one entry a build:
//
//	llama.cpp/<entry>/manifest.json   what was fetched, from where, with SHA-256
//	llama.cpp/<entry>/files/          the unpacked files
//	llama.cpp/<entry>/bin/<backend>/  one executable wrapper a program
//
// An entry appears whole, by one rename, or not at all. A wrapper can be run
// from anywhere, moved with the cache folder and named in a configuration
// (`bin: .../bin/zen4`). It replaces itself with the program, so signals and
// resource accounting reach the program itself. It loads the CPU backend it is
// named after unless GGML_BACKEND_PATH names another.
//
// Run for real was apt on Debian 12. Release archives, Ubuntu, and a mirror that
// is a folder were tested against stand-ins only.
package provision

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A Source is where llama.cpp's programs came from.
type Source string

// The sources, in the order in which Find asks them.
const (
	SourceDir     Source = "dir"     // a folder the user named
	SourcePath    Source = "path"    // found by PATH
	SourceApt     Source = "apt"     // the system's package mirror, unpacked into the cache
	SourceRelease Source = "release" // an official release archive, unpacked into the cache
)

// Options says what to find and where. The zero value asks every source for
// llama-bench.
type Options struct {
	// LlamaDir is a folder with llama.cpp's programs, or the top of a source
	// tree built in build/. When set, no other source is asked: a gate that
	// quietly measured another build would be worse than none.
	LlamaDir string
	// Release is the tag of an official release, such as "b6082". When set, no
	// other source is asked.
	Release string
	// SHA256 is the checksum of Release's archive for this platform, 64
	// hexadecimal digits. Empty asks ReleaseAPI for the published one.
	SHA256 string
	// Need lists the programs that must be there. Empty means llama-bench,
	// which is always needed.
	Need []string
	// Sources limits which sources are asked; the order stays. Empty means all.
	Sources []Source
	// CacheDir is the folder for what is fetched. Empty means DefaultCacheDir.
	CacheDir string
	// Offline keeps apt and the network out: only programs already on the
	// machine or in the cache are found.
	Offline bool
	// Refresh fetches anew although the cache has an entry. An entry with other
	// packages stays, for configurations that name it; one with the same is
	// replaced.
	Refresh bool
	// ReleaseURL and ReleaseAPI replace the official addresses, for a mirror.
	// The archive is at ReleaseURL/TAG/NAME, the published checksums are in the
	// JSON at ReleaseAPI/TAG.
	ReleaseURL, ReleaseAPI string
	// Log receives one line for each step. Nil discards them.
	Log func(string)

	root string // the folder to read etc/ and proc/ below; empty means "/"
}

// DefaultCacheDir returns the folder named by LLAMA_REGRESS_CACHE, else
// llama-regress in the user's cache folder. It creates nothing.
func DefaultCacheDir() (string, error) {
	if dir := os.Getenv("LLAMA_REGRESS_CACHE"); dir != "" {
		return filepath.Abs(dir)
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("no cache folder: %w; set LLAMA_REGRESS_CACHE", err)
	}
	return filepath.Join(dir, "llama-regress"), nil
}

// Find returns the first build of llama.cpp that has every program needed and
// whose llama-bench was seen to start. When there is none the error is a
// *NotFoundError, which says what was tried and what to do by hand; a cancelled
// ctx gives ctx's error, and no child process outlives it.
func Find(ctx context.Context, o Options) (*Llama, error) {
	f, sources, err := newFinder(o)
	if err != nil {
		return nil, err
	}
	ask := map[Source]func(context.Context) (*Llama, error){
		SourceDir: f.dir, SourcePath: f.path, SourceApt: f.apt, SourceRelease: f.release,
	}
	notFound := &NotFoundError{Need: f.Need}
	for _, s := range sources {
		l, err := ask[s](ctx)
		if err == nil {
			f.logf("%s: using %s", s, l)
			return l, nil
		}
		if ctx.Err() != nil {
			return nil, fmt.Errorf("provision: %w", context.Cause(ctx))
		}
		f.logf("%s: %v", s, err)
		notFound.Tried = append(notFound.Tried, Attempt{s, err})
	}
	return nil, notFound
}

// A finder is one call of Find: its options with their defaults filled in.
type finder struct {
	Options
	store   store
	noCache error // why there is no cache folder; only what is fetched needs one
}

func newFinder(o Options) (*finder, []Source, error) {
	if o.LlamaDir != "" && o.Release != "" {
		return nil, nil, errors.New("provision: a folder and a release are both named; name one")
	}
	if o.SHA256 != "" && o.Release == "" {
		return nil, nil, errors.New("provision: a checksum is given for no release; name the release too")
	}
	if o.Log == nil {
		o.Log = func(string) {}
	}
	if o.root == "" {
		o.root = "/"
	}
	if !slices.Contains(o.Need, "llama-bench") {
		o.Need = append([]string{"llama-bench"}, o.Need...)
	}
	for _, name := range o.Need {
		if !strings.HasPrefix(name, "llama-") && name != opsProgram || !safePath.MatchString(name) || strings.Contains(name, "/") {
			return nil, nil, fmt.Errorf("provision: %q is not the name of a llama.cpp program", name)
		}
	}
	f := &finder{Options: o}
	if f.CacheDir == "" {
		f.CacheDir, f.noCache = DefaultCacheDir()
	} else {
		f.CacheDir, f.noCache = filepath.Abs(f.CacheDir)
	}
	f.store.dir = filepath.Join(f.CacheDir, "llama.cpp")
	sources, err := o.order()
	return f, sources, err
}

// order returns the sources to ask: the one that the options name, else all
// that find something by themselves.
func (o Options) order() ([]Source, error) {
	all := []Source{SourceDir, SourcePath, SourceApt, SourceRelease}
	for _, s := range o.Sources {
		if !slices.Contains(all, s) {
			return nil, fmt.Errorf("provision: there is no source %q; there are %v", s, all)
		}
	}
	switch {
	case o.LlamaDir != "":
		return []Source{SourceDir}, nil
	case o.Release != "":
		return []Source{SourceRelease}, nil
	case len(o.Sources) == 0:
		return all[1:], nil
	}
	return slices.DeleteFunc(all, func(s Source) bool { return !slices.Contains(o.Sources, s) }), nil
}

func (f *finder) logf(format string, args ...any) { f.Log(fmt.Sprintf(format, args...)) }
