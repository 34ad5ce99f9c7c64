package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/llama-regress/llama-regress/ci/internal/proc"
)

// A dirStore is a folder. Objects are written to a hidden name beside their own
// and linked to it: a link, unlike a rename, fails where the name is taken, so
// that of two writers one wins and a killed one leaves nothing that looks whole.
// All access goes through os.Root: links in the folder lead nowhere outside.
type dirStore struct{ path string }

const unfinished = ".put-" // begins the hidden name of an object being written

func openDir(rest string, _ Options) (Store, error) {
	if rest == "" {
		return nil, errors.New("store dir: want dir:PATH, such as dir:results")
	}
	return &dirStore{path: rest}, nil
}

func (d *dirStore) String() string { return "dir:" + d.path }

func (d *dirStore) Put(_ context.Context, key string, data []byte) error {
	if err := checkKey(key); err != nil {
		return err
	}
	if err := os.MkdirAll(d.path, 0o755); err != nil {
		return fmt.Errorf("%s: %w", d, err)
	}
	root, err := os.OpenRoot(d.path)
	if err != nil {
		return fmt.Errorf("%s: %w", d, err)
	}
	defer root.Close()
	folder := path.Dir(key)
	if err := root.MkdirAll(folder, 0o755); err != nil {
		return fmt.Errorf("%s: %w", d, err)
	}
	sweep(root, folder)
	temp := path.Join(folder, unfinished+strconv.FormatUint(rand.Uint64(), 36))
	if err := writeSynced(root, temp, data); err != nil {
		return errors.Join(fmt.Errorf("%s: put %s: %w", d, key, err), root.Remove(temp))
	}
	defer root.Remove(temp)
	switch err := root.Link(temp, key); {
	case errors.Is(err, fs.ErrExist):
		return fmt.Errorf("%s: %s %w", d, key, ErrExists)
	case err != nil:
		return fmt.Errorf("%s: put %s: %w; the folder must be on a file system that has hard links", d, key, err)
	}
	if f, err := root.Open(folder); err == nil { // so that the name outlives a power cut, where folders can be synced
		f.Sync()
		f.Close()
	}
	return nil
}

func writeSynced(root *os.Root, name string, data []byte) error {
	f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Sync(), f.Close())
}

// sweep removes what killed writers left behind long ago.
func sweep(root *os.Root, folder string) {
	entries, _ := fs.ReadDir(root.FS(), folder)
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), unfinished) {
			continue
		}
		if info, err := e.Info(); err == nil && time.Since(info.ModTime()) > 24*time.Hour {
			root.Remove(path.Join(folder, e.Name()))
		}
	}
}

func (d *dirStore) List(_ context.Context, prefix string) ([]Object, error) {
	root, err := os.OpenRoot(d.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", d, err)
	}
	defer root.Close()
	start := strings.TrimSuffix(prefix[:strings.LastIndexByte(prefix, '/')+1], "/")
	var objects []Object
	err = fs.WalkDir(root.FS(), path.Clean(start), func(name string, e fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist): // never made, or removed while we walk
			return nil
		case err != nil:
			return err
		case !e.Type().IsRegular() || strings.HasPrefix(e.Name(), ".") || !strings.HasPrefix(name, prefix):
			return nil
		}
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err == nil {
			objects = append(objects, Object{Key: name, Size: info.Size(), Version: strconv.FormatInt(info.ModTime().UnixNano(), 36)})
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", d, err)
	}
	sortObjects(objects) // WalkDir sorts by folder: a-b before a/x
	return objects, nil
}

func (d *dirStore) Get(_ context.Context, key string) ([]byte, error) {
	if err := checkKey(key); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(d.path)
	if err == nil {
		defer root.Close()
		var f *os.File
		if info, statErr := root.Lstat(key); statErr == nil && !info.Mode().IsRegular() {
			return nil, fmt.Errorf("%s: %s is no regular file", d, key)
		}
		if f, err = root.Open(key); err == nil {
			defer f.Close()
			data, err := readSized(f)
			if err != nil {
				err = fmt.Errorf("%s: %s: %w", d, key, err)
			}
			return data, err
		}
	}
	if errors.Is(err, fs.ErrNotExist) {
		err = ErrNotFound
	}
	return nil, fmt.Errorf("%s: %s: %w", d, key, err)
}

func (d *dirStore) Remove(_ context.Context, keys []string) error {
	root, err := os.OpenRoot(d.path)
	if err != nil {
		return fmt.Errorf("%s: %w", d, err)
	}
	defer root.Close()
	for _, key := range keys {
		if err := checkKey(key); err != nil {
			return err
		}
		if err := root.Remove(key); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%s: %w", d, err)
		}
	}
	return nil
}

// readSized reads a file into memory of its size: what grows leaves twice as much
// behind. A file that changed meanwhile is read as far as it goes.
func readSized(f *os.File) ([]byte, error) {
	info, err := f.Stat()
	if err != nil || info.Size() > MaxBytes {
		return readBounded(f)
	}
	b := bytes.NewBuffer(make([]byte, 0, info.Size()+bytes.MinRead))
	n, err := b.ReadFrom(io.LimitReader(f, MaxBytes+1))
	if n > MaxBytes {
		return nil, errTooLarge
	}
	return b.Bytes(), err
}

// readBounded reads all of r, which must be at most MaxBytes.
func readBounded(r io.Reader) ([]byte, error) {
	data, err := proc.ReadAll(r, MaxBytes)
	if errors.Is(err, proc.ErrTooLarge) {
		err = errTooLarge
	}
	return data, err
}

var errTooLarge = fmt.Errorf("larger than %d MiB, which no session is", MaxBytes>>20)
