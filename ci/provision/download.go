package provision

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const (
	maxArchive   = 1 << 30 // bytes; llama.cpp's archives for the CPU have some tens of millions
	progressStep = 32 << 20
	stall        = 60 * time.Second
)

// errAbsent says that the server has no such file.
var errAbsent = errors.New("not found")

// A fetcher downloads files whose checksum is known.
type fetcher struct {
	limit int64 // bytes of a file
	step  int64 // bytes between two lines about the progress
	logf  func(format string, args ...any)
}

// An archive is a downloaded file whose checksum was right.
type archive struct {
	fetched
	path string
}

// download fetches the first of the named archives that the release has. What
// it fetched stays until it is complete, so a later call goes on from there.
func (h *holding) download(ctx context.Context, names []string, sum string) (archive, string, error) {
	base := h.ReleaseURL
	if base == "" {
		base = officialURL
	}
	dir := filepath.Join(h.CacheDir, "downloads")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return archive{}, "", err
	}
	var absent []string
	fetch := fetcher{limit: maxArchive, step: progressStep, logf: func(format string, args ...any) { h.logf("release: "+format, args...) }}
	for _, name := range names {
		url := strings.TrimSuffix(base, "/") + "/" + h.Release + "/" + name
		path := filepath.Join(dir, name)
		err := fetch.file(ctx, url, path, sum)
		if errors.Is(err, errAbsent) {
			absent = append(absent, url)
			continue
		}
		if err != nil {
			return archive{}, "", err
		}
		info, err := os.Stat(path)
		if err != nil {
			return archive{}, "", err
		}
		return archive{fetched{name, h.Release, info.Size(), sum}, path}, url, nil
	}
	return archive{}, "", fmt.Errorf("no such file on the server: %s", strings.Join(absent, ", "))
}

// file downloads url to path, unless that is the file wanted already. A part
// that turns out wrong is thrown away and fetched once more from its start.
func (d fetcher) file(ctx context.Context, url, path, sum string) error {
	if checkSum(path, sum) == nil {
		return nil // an earlier process was ended between download and unpacking
	}
	part := path + ".part"
	for {
		resumed, err := d.part(ctx, url, part)
		if err != nil {
			if info, statErr := os.Stat(part); statErr == nil && info.Size() == 0 {
				os.Remove(part)
			}
			return err
		}
		err = checkSum(part, sum)
		if err == nil {
			return os.Rename(part, path)
		}
		if rmErr := os.Remove(part); rmErr != nil {
			return rmErr
		}
		if !resumed {
			return fmt.Errorf("%s is not the file expected, and was thrown away: %w", url, err)
		}
		d.logf("the part kept from an earlier try does not fit; starting over")
	}
}

// part downloads what the file named part lacks, and tells whether it had
// something.
func (d fetcher) part(ctx context.Context, url, part string) (resumed bool, err error) {
	f, err := os.OpenFile(part, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	have, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return false, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watch := time.AfterFunc(stall, func() { cancel(fmt.Errorf("nothing arrived for %s", stall)) })
	defer watch.Stop()
	res, err := get(ctx, url, map[string]string{"Range": fmt.Sprintf("bytes=%d-", have)})
	if err != nil {
		if ctx.Err() != nil {
			err = fmt.Errorf("%s: %w", url, context.Cause(ctx))
		}
		return false, err
	}
	defer res.Body.Close()
	switch res.StatusCode {
	case http.StatusPartialContent:
		if !strings.HasPrefix(res.Header.Get("Content-Range"), fmt.Sprintf("bytes %d-", have)) {
			return false, fmt.Errorf("%s: asked for bytes from %d, got %q", url, have, res.Header.Get("Content-Range"))
		}
	case http.StatusRequestedRangeNotSatisfiable: // it was complete already
		return have > 0, nil
	case http.StatusOK: // the server knows no ranges, so this is the whole file
		have = 0
		if err := f.Truncate(0); err != nil {
			return false, err
		}
	case http.StatusNotFound:
		return false, errAbsent
	default:
		return false, fmt.Errorf("%s: %s", url, res.Status)
	}
	if res.ContentLength > d.limit-have {
		return false, fmt.Errorf("%s: larger than %d bytes", url, d.limit)
	}
	if have > 0 {
		d.logf("going on with %s at %.1f MB", url, float64(have)/1e6)
	} else {
		d.logf("downloading %s", url)
	}
	if _, err := f.Seek(have, io.SeekStart); err != nil {
		return false, err
	}
	arriving := &arriving{Reader: res.Body, fetcher: d, watch: watch, have: have, told: have, total: have + res.ContentLength}
	n, err := io.Copy(f, io.LimitReader(arriving, d.limit-have+1))
	switch {
	case err != nil && ctx.Err() != nil:
		return false, fmt.Errorf("%s: after %.1f MB: %w", url, float64(have+n)/1e6, context.Cause(ctx))
	case err != nil:
		return false, fmt.Errorf("%s: after %.1f MB: %w", url, float64(have+n)/1e6, err)
	case have+n > d.limit:
		return false, fmt.Errorf("%s: larger than %d bytes", url, d.limit)
	}
	return have > 0, nil
}

// arriving puts off the watch as long as something arrives, and tells how far it
// is.
type arriving struct {
	io.Reader
	fetcher
	watch      *time.Timer
	have, told int64
	total      int64 // less than have where the server does not say
}

func (a *arriving) Read(p []byte) (int, error) {
	n, err := a.Reader.Read(p)
	if n > 0 {
		a.watch.Reset(stall)
	}
	a.have += int64(n)
	if a.have-a.told >= a.step {
		a.told = a.have
		of := ""
		if a.total >= a.have {
			of = fmt.Sprintf(" of %.1f", float64(a.total)/1e6)
		}
		a.logf("%.1f%s MB", float64(a.have)/1e6, of)
	}
	return n, err
}

func get(ctx context.Context, url string, header map[string]string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", "llama-regress")
	for key, value := range header {
		req.Header.Set(key, value)
	}
	return http.DefaultClient.Do(req)
}
