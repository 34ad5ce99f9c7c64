package provision

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
)

const (
	officialURL = "https://github.com/ggml-org/llama.cpp/releases/download"
	officialAPI = "https://api.github.com/repos/ggml-org/llama.cpp/releases/tags"
)

// platforms are the names that llama.cpp's releases give to the systems for
// which they have a build for the CPU alone.
var platforms = map[string]string{
	"linux/amd64":  "ubuntu-x64",
	"linux/arm64":  "ubuntu-arm64",
	"darwin/arm64": "macos-arm64",
	"darwin/amd64": "macos-x64",
}

var (
	releaseTag = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)
	hexSHA256  = regexp.MustCompile(`^[0-9a-fA-F]{64}$`)
)

// release finds the release that the user named, and fetches it where the
// cache has it not. An entry is the one wanted only if its archive had the
// checksum given.
func (f *finder) release(ctx context.Context) (*Llama, error) {
	if f.Release == "" {
		return nil, errors.New("no release is named (--release bNNNN --sha256 HEX)")
	}
	if !releaseTag.MatchString(f.Release) {
		return nil, fmt.Errorf("%q is not a release's tag, such as b6082", f.Release)
	}
	if f.SHA256 != "" && !hexSHA256.MatchString(f.SHA256) {
		return nil, fmt.Errorf("%q is not a SHA-256: it has not 64 hexadecimal digits", f.SHA256)
	}
	wanted := func(m manifest) bool {
		return m.Version == f.Release && len(m.Fetched) == 1 &&
			(f.SHA256 == "" || strings.EqualFold(m.Fetched[0].SHA256, f.SHA256))
	}
	return fetchOnce(ctx, f, f.openEntry, SourceRelease, wanted, fetchRelease)
}

// fetchRelease downloads the archive of the release, checks it and unpacks it.
func fetchRelease(ctx context.Context, h *holding) (*entry, error) {
	platform, ok := platforms[runtime.GOOS+"/"+runtime.GOARCH]
	if !ok {
		return nil, fmt.Errorf("the releases have no build for %s/%s", runtime.GOOS, runtime.GOARCH)
	}
	// Archives of Linux and macOS builds became tar.gz around the end of 2025
	// (llama.cpp pull request 17299); before they were zip.
	stem := fmt.Sprintf("llama-%s-bin-%s", h.Release, platform)
	names := []string{stem + ".tar.gz", stem + ".zip"}
	sum := strings.ToLower(h.SHA256)
	if sum == "" {
		name, digest, err := h.publishedDigest(ctx, names)
		if err != nil {
			return nil, err
		}
		h.logf("release: no checksum given; %s is published with SHA-256 %s", name, digest)
		names, sum = []string{name}, digest
	}
	got, from, err := h.download(ctx, names, sum)
	if err != nil {
		return nil, err
	}
	dir, err := h.store.begin()
	if err != nil {
		return nil, err
	}
	h.logf("release: unpacking into %s", h.store.dir)
	if err := unpack(ctx, got.path, filepath.Join(dir, filesDir), releaseBound); err != nil {
		return nil, fmt.Errorf("unpack %s: %w", got.Name, err)
	}
	m := manifest{Source: SourceRelease, Version: h.Release, Origin: from, Fetched: []fetched{got.fetched}}
	if m.Tree, err = survey(dir); err != nil {
		return nil, err
	}
	if err := m.Tree.setBackendsApart(dir); err != nil {
		return nil, err
	}
	if err := m.Tree.writeWrappers(dir, "llama.cpp "+h.Release); err != nil {
		return nil, err
	}
	e, err := h.store.publish(dir, entryName(SourceRelease, runtime.GOARCH, m), m)
	if err != nil {
		return nil, err
	}
	os.Remove(got.path)
	return e, nil
}

// setBackendsApart moves the CPU backends out of the folder of the programs:
// there ggml would load the best one by itself, whatever GGML_BACKEND_PATH says.
func (t tree) setBackendsApart(dir string) error {
	for name, rel := range t.Backends {
		apart := filepath.Join("backends", filepath.Base(rel))
		if err := os.MkdirAll(filepath.Join(dir, "backends"), 0o755); err != nil {
			return err
		}
		if err := os.Rename(filepath.Join(dir, rel), filepath.Join(dir, apart)); err != nil {
			return err
		}
		t.Backends[name] = apart
	}
	return nil
}

// publishedDigest returns the first of the named archives that the release has,
// and the SHA-256 published beside it. It guards against a broken or replaced
// download, not against whoever can publish: for that, give the checksum.
func (h *holding) publishedDigest(ctx context.Context, names []string) (name, digest string, err error) {
	api := h.ReleaseAPI
	if api == "" {
		api = officialAPI
	}
	ctx, cancel := context.WithTimeout(ctx, stall)
	defer cancel()
	res, err := get(ctx, strings.TrimSuffix(api, "/")+"/"+h.Release, nil)
	if err != nil {
		return "", "", err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return "", "", fmt.Errorf("%s: %s; give the checksum with --sha256", res.Request.URL, res.Status)
	}
	var published struct {
		Assets []struct{ Name, Digest string }
	}
	if err := json.NewDecoder(io.LimitReader(res.Body, 16<<20)).Decode(&published); err != nil {
		return "", "", fmt.Errorf("%s: %w", res.Request.URL, err)
	}
	for _, name := range names {
		for _, asset := range published.Assets {
			if asset.Name != name {
				continue
			}
			digest, ok := strings.CutPrefix(asset.Digest, "sha256:")
			if !ok || !hexSHA256.MatchString(digest) {
				return "", "", fmt.Errorf("%s is published without a SHA-256; give it with --sha256", name)
			}
			return name, strings.ToLower(digest), nil
		}
	}
	return "", "", fmt.Errorf("release %s has no %s", h.Release, strings.Join(names, " or "))
}
