package provision

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"time"
)

const (
	schema       = "llama-regress/provision/v1"
	manifestName = "manifest.json"
	maxManifest  = 8 << 20
	unfinished   = ".unfinished-" // starts the name of an entry being made
)

// safePath matches paths inside an entry that need no quoting in a shell, in
// apt's configuration or in the loader's list of folders.
var safePath = regexp.MustCompile(`^[A-Za-z0-9._+~@=,/-]+$`)

// A store is the folder that keeps the entries.
type store struct{ dir string }

// A manifest says what an entry holds and where it came from. It is written
// last, so an entry that has one is whole.
type manifest struct {
	Schema  string    `json:"schema"`
	Source  Source    `json:"source"`
	Version string    `json:"version"`
	Arch    string    `json:"arch"` // as Go calls it
	OS      string    `json:"os"`
	Created time.Time `json:"created"`
	Origin  string    `json:"origin"` // the mirror and suite, or the archive's address
	Fetched []fetched `json:"fetched"`
	Tree    tree      `json:"tree"`
	Files   []file    `json:"files"`
}

// fetched is one package or archive, as it was before unpacking.
type fetched struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Size    int64  `json:"size"`
	SHA256  string `json:"sha256"`
}

// A file is a regular file of the entry, by its path in it.
type file struct {
	Path string `json:"path"`
	Size int64  `json:"size"`
}

type entry struct {
	dir string
	manifest
}

// newest returns the latest whole entry of this machine's kind that match
// accepts. It reads sizes, not contents: quick, and enough to notice what an
// interrupted copy or an eager cleaner left. Damaged entries come back as errors.
func (s store) newest(match func(manifest) bool) (*entry, error) {
	names, err := filepath.Glob(filepath.Join(s.dir, "*", manifestName))
	if err != nil {
		return nil, err
	}
	var best *entry
	var damaged []error
	for _, name := range names {
		if strings.HasPrefix(filepath.Base(filepath.Dir(name)), unfinished) {
			continue
		}
		e, err := readEntry(filepath.Dir(name))
		if err != nil {
			damaged = append(damaged, err)
			continue
		}
		if e.Arch != runtime.GOARCH || e.OS != runtime.GOOS || !match(e.manifest) {
			continue
		}
		if best == nil || e.Created.After(best.Created) {
			best = e
		}
	}
	return best, errors.Join(damaged...)
}

func readEntry(dir string) (*entry, error) {
	path := filepath.Join(dir, manifestName)
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxManifest {
		return nil, fmt.Errorf("%s: larger than %d bytes", path, maxManifest)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	e := &entry{dir: dir}
	if err := json.Unmarshal(data, &e.manifest); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if e.Schema != schema {
		return nil, fmt.Errorf("%s: schema %q, want %q", path, e.Schema, schema)
	}
	if len(e.Files) == 0 {
		return nil, fmt.Errorf("%s: lists no files", path)
	}
	for _, f := range e.Files {
		if !filepath.IsLocal(f.Path) {
			return nil, fmt.Errorf("%s: path %q leaves the entry", path, f.Path)
		}
		info, err := os.Stat(filepath.Join(dir, f.Path))
		if err != nil {
			return nil, err
		}
		if info.Size() != f.Size {
			return nil, fmt.Errorf("%s: has %d bytes, want %d", filepath.Join(dir, f.Path), info.Size(), f.Size)
		}
	}
	return e, nil
}

// begin makes the folder of an entry to be, and clears away what earlier
// processes were killed over. The caller holds the lock.
func (s store) begin() (string, error) {
	if err := os.MkdirAll(s.dir, 0o755); err != nil {
		return "", err
	}
	left, err := filepath.Glob(filepath.Join(s.dir, unfinished+"*"))
	if err != nil {
		return "", err
	}
	for _, dir := range left {
		if err := os.RemoveAll(dir); err != nil {
			return "", err
		}
	}
	dir, err := os.MkdirTemp(s.dir, unfinished)
	if err != nil {
		return "", err
	}
	return dir, os.Chmod(dir, 0o755) // other users may run what one provisioned
}

// publish completes the entry in dir and moves it to its name. An entry that
// has the name already makes way: it is damaged, or to be refreshed.
func (s store) publish(dir, name string, m manifest) (*entry, error) {
	m.Schema, m.Arch, m.OS = schema, runtime.GOARCH, runtime.GOOS
	m.Created = time.Now().UTC()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		m.Files = append(m.Files, file{rel, info.Size()})
		return err
	})
	if err != nil {
		return nil, err
	}
	data, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return nil, err
	}
	if err := writeSynced(filepath.Join(dir, manifestName), data); err != nil {
		return nil, err
	}
	final := filepath.Join(s.dir, name)
	if _, err := os.Lstat(final); err == nil {
		if err := os.Rename(final, filepath.Join(s.dir, unfinished+"old-"+name)); err != nil {
			return nil, err
		}
	}
	if err := os.Rename(dir, final); err != nil {
		return nil, err
	}
	os.RemoveAll(filepath.Join(s.dir, unfinished+"old-"+name)) // else the next begin does
	return &entry{final, m}, nil
}

func writeSynced(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Sync(), f.Close())
}
