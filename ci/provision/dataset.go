package provision

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// The public ShareGPT file, as most serving benchmarks use it: 94 145 records in
// 672 837 942 bytes. Its card declares the licence Apache-2.0; what is in it was
// written by users of ChatGPT and by the model. The revision is part of the
// address, so that it stays the file the checksum is of.
const (
	ShareGPTURL    = "https://huggingface.co/datasets/anon8231489123/ShareGPT_Vicuna_unfiltered/resolve/192ab2185289094fc556ec8ce5ce1e8e587154ca/ShareGPT_V3_unfiltered_cleaned_split.json"
	ShareGPTSHA256 = "35f0e213ce091ed9b9af2a1f0755e9d39f9ccec34ab281cd4ca60d70f6479ba4"
)

const maxDataset = 4 << 30 // bytes

// A Dataset says which file of conversations to fetch and where to keep it. The
// zero value is the public ShareGPT file in the cache folder.
type Dataset struct {
	// URL is the file's address, http or https, and SHA256 its checksum, 64
	// hexadecimal digits. Both are given, or neither.
	URL, SHA256 string
	// Out is the file to write. Its folder is made. Empty means one in the
	// cache folder, named after the checksum.
	Out string
	// Force replaces a file at Out that has another checksum.
	Force bool
	// Offline is content with the file if it is there and has the checksum.
	Offline bool
	// CacheDir is the cache folder. Empty means DefaultCacheDir.
	CacheDir string
	// Log receives one line for each step, and for every 32 MiB. Nil discards
	// them.
	Log func(string)

	step int64 // in place of 32 MiB
}

// FetchDataset returns the path of the dataset's file after fetching it, unless
// it is there already with the right checksum. The file appears under its name
// whole, or not at all; what a broken connection left lies beside it as NAME.part,
// and the next call goes on from there.
func FetchDataset(ctx context.Context, d Dataset) (string, error) {
	if d.URL == "" && d.SHA256 == "" {
		d.URL, d.SHA256 = ShareGPTURL, ShareGPTSHA256
	}
	name, err := d.check()
	if err != nil {
		return "", fmt.Errorf("dataset: %w", err)
	}
	f := &finder{Options: Options{CacheDir: d.CacheDir, Log: d.Log}}
	if f.Log == nil {
		f.Log = func(string) {}
	}
	file := d.Out
	if file == "" {
		if f.CacheDir == "" {
			if f.CacheDir, err = DefaultCacheDir(); err != nil {
				return "", err
			}
		}
		lock, err := f.lock(ctx) // two downloads into one part would spoil both
		if err != nil {
			return "", err
		}
		defer lock.Close()
		file = filepath.Join(f.CacheDir, "datasets", name)
	}
	if err := d.fetch(ctx, f, file); err != nil {
		if ctx.Err() != nil {
			return "", fmt.Errorf("dataset: %w", context.Cause(ctx))
		}
		return "", fmt.Errorf("dataset: %w", err)
	}
	return file, nil
}

// Validate finds mistakes in what is asked for; FetchDataset makes the same ones
// known, and cannot be told by its error from a file that cannot be had.
func (d Dataset) Validate() error {
	if d.URL == "" && d.SHA256 == "" {
		return nil
	}
	if _, err := d.check(); err != nil {
		return fmt.Errorf("dataset: %w", err)
	}
	return nil
}

// check finds mistakes in what was asked for, and returns the name of the file in
// the cache.
func (d Dataset) check() (name string, err error) {
	switch {
	case d.URL == "":
		return "", errors.New("a checksum is given for no address; give the address too (--url)")
	case d.SHA256 == "":
		return "", fmt.Errorf("no checksum is given for %s; what is fetched is only used if it is what was meant (--sha256)", d.URL)
	case !hexSHA256.MatchString(d.SHA256):
		return "", fmt.Errorf("%q is not a SHA-256: it has not 64 hexadecimal digits", d.SHA256)
	}
	u, err := url.Parse(d.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return "", fmt.Errorf("%q is no address of a file: want http:// or https://", d.URL)
	}
	name = path.Base(u.Path)
	if !safePath.MatchString(name) || strings.HasPrefix(name, ".") || name == "/" || len(name) > 100 {
		name = "dataset"
	}
	return strings.ToLower(d.SHA256[:12]) + "-" + name, nil
}

func (d Dataset) fetch(ctx context.Context, f *finder, file string) error {
	_, err := os.Stat(file)
	there := err == nil
	if there {
		err = checkSum(file, d.SHA256)
	}
	switch {
	case err == nil:
		f.logf("dataset: %s is there, with the right checksum", file)
		return nil
	case d.Offline:
		return fmt.Errorf("%w; it would have to be fetched, but the network is not to be used", err)
	case there && d.Out != "" && !d.Force:
		return fmt.Errorf("%w; name another file, or replace it with --force", err)
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	fetch := fetcher{limit: maxDataset, step: d.step, logf: func(format string, args ...any) { f.logf("dataset: "+format, args...) }}
	if fetch.step == 0 {
		fetch.step = progressStep
	}
	err = fetch.file(ctx, d.URL, file, d.SHA256)
	if errors.Is(err, errAbsent) {
		return fmt.Errorf("%s: %w", d.URL, err)
	}
	if _, statErr := os.Stat(file + ".part"); err != nil && statErr == nil {
		return fmt.Errorf("%w; run it again to go on from there", err)
	}
	return err
}
