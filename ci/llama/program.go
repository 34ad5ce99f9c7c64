package llama

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/llama-regress/llama-regress/ci/internal/proc"
	"github.com/llama-regress/llama-regress/ci/record"
)

// findProgram resolves what a configuration calls bin: the folder that holds
// the program, a build folder with bin/ inside, a checkout with build/bin/
// inside, the program itself, or "" for the one in PATH.
func findProgram(bin, name string) (string, error) {
	if bin == "" {
		path, err := exec.LookPath(name)
		if err != nil {
			return "", fmt.Errorf("%s is not in PATH; set bin to the folder that holds it, or run llama-regress provision", name)
		}
		return filepath.Abs(path)
	}
	info, err := os.Stat(bin)
	if err != nil {
		return "", fmt.Errorf("bin: %w; build llama.cpp there first, or correct the path", err)
	}
	if !info.IsDir() {
		return checkProgram(bin)
	}
	for _, path := range []string{filepath.Join(bin, name), filepath.Join(bin, "bin", name), filepath.Join(bin, "build", "bin", name)} {
		if _, err := os.Stat(path); err == nil {
			return checkProgram(path)
		}
	}
	return "", fmt.Errorf("bin: %s holds no %s; build it with `cmake --build BUILD --target %s`, or correct the path", bin, name, name)
}

// checkProgram catches what the kernel would answer with "permission denied".
func checkProgram(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return "", err
	case !info.Mode().IsRegular():
		return "", fmt.Errorf("%s is not a file", path)
	case info.Mode().Perm()&0o111 == 0:
		return "", fmt.Errorf("%s is not executable; `chmod +x` it, and mind that artifact downloads drop the bit", path)
	}
	return path, nil
}

// A watchedFile is a file that must stay what it was for a whole run.
type watchedFile struct {
	path    string
	size    int64
	changed time.Time
	sha256  string
}

// libraryName matches the shared libraries that CMake puts beside a program.
// The program itself often stays the same when they are rebuilt.
var libraryName = regexp.MustCompile(`^(lib)?(llama|ggml|mtmd).*(\.so(\.\d+)*|\.dylib|\.dll)$`)

// watch hashes the program, first in the result; the libraries that it loads were
// hashed when they were found.
func watch(program string, libraries []record.Library) ([]watchedFile, error) {
	f, err := hashFile(program)
	if err != nil {
		return nil, err
	}
	files := []watchedFile{f}
	for _, l := range libraries {
		if f, err = hashFile(l.Path); err != nil {
			return nil, fmt.Errorf("%w; it is a part of the build: make it readable, or build again", err)
		}
		files = append(files, f)
	}
	return files, nil
}

func hashFile(path string) (watchedFile, error) {
	f, err := os.Open(path)
	if err != nil {
		return watchedFile{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return watchedFile{}, err
	}
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return watchedFile{}, err
	}
	return watchedFile{path, info.Size(), info.ModTime(), hex.EncodeToString(h.Sum(nil))}, nil
}

// recheck says which file is no longer what it was. A file whose size and time
// are as before is taken to be the same; one that was only touched is noted
// with its new time.
func recheck(files []watchedFile) error {
	for i, was := range files {
		info, err := os.Stat(was.path)
		if err != nil {
			return fmt.Errorf("the build is gone; put it back, then resume: %w", err)
		}
		if info.Size() == was.size && info.ModTime().Equal(was.changed) {
			continue
		}
		now, err := hashFile(was.path)
		if err != nil {
			return err
		}
		if now.sha256 != was.sha256 {
			return fmt.Errorf("%s has changed since the run began", was.path)
		}
		files[i] = now
	}
	return nil
}

// A version is what a program says of its build.
type version struct {
	text   string // its whole first line
	commit string
	number int

	compiler string // "GNU 16.2.0 for Linux x86_64", "" where the build does not say
}

// versionLine covers both forms: "version: 6082 (5aa1105d)" and, since b10394,
// "version: 0.7.0 (build 11669, commit Debian)".
var versionLine = regexp.MustCompile(`(?m)^version: (?:(\d+) \(([^)\s]+)\)|\S+ \(build (\d+), commit ([^)\s]+)\))`)

// builtWith follows it.
var builtWith = regexp.MustCompile(`(?m)^built with (\S.{0,199})$`)

func readVersion(output string) (version, bool) {
	m := versionLine.FindStringSubmatch(output)
	if m == nil {
		return version{}, false
	}
	v := version{text: strings.TrimPrefix(m[0], "version: "), commit: m[2] + m[4], number: atoi(m[1] + m[3])}
	if m := builtWith.FindStringSubmatch(output); m != nil {
		v.compiler = proc.OneLine(m[1], 200)
	}
	return v, true
}
