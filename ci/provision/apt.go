package provision

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// aptPackage is Debian's and Ubuntu's name for llama.cpp's programs, and
// aptBeside those of the programs that few need: llama-batched-bench, and
// test-backend-ops. They are a tenth of the download.
const aptPackage = "llama.cpp-tools"

var aptBeside = []string{"llama.cpp-tools-extra", "llama.cpp-tests"}

// apt finds the build unpacked from the system's packages, and fetches it where
// the cache has none.
func (f *finder) apt(ctx context.Context) (*Llama, error) {
	return fetchOnce(ctx, f, f.openEntry, SourceApt, func(m manifest) bool { return m.Tree.has(f.Need) }, fetchLlama)
}

// fetchLlama asks the configured archives for llama.cpp's programs.
func fetchLlama(ctx context.Context, h *holding) (*entry, error) {
	return h.fetchApt(ctx, aptState{pkg: aptPackage, beside: aptBeside}, func(dir string, m *manifest) (err error) {
		if m.Tree, err = survey(dir); err != nil {
			return err
		}
		return m.Tree.writeWrappers(dir, aptPackage+" "+m.Version)
	})
}

// fetchApt asks the configured archives for the package that wanted names, each at
// the machine's own release and then at the next suite. finish completes what was
// unpacked.
func (h *holding) fetchApt(ctx context.Context, wanted aptState, finish func(dir string, m *manifest) error) (*entry, error) {
	for _, program := range []string{"apt-get", "dpkg", "dpkg-deb"} {
		if _, err := exec.LookPath(program); err != nil {
			return nil, fmt.Errorf("no %s: not a Debian or Ubuntu system", program)
		}
	}
	out, err := h.run(ctx, "dpkg", "--print-architecture")
	if err != nil {
		return nil, err
	}
	release := readOSRelease(h.root)
	sources, problems := readAptSources(h.root)
	for _, p := range problems {
		h.logf("apt: skipped %v", p)
	}
	found := archives(sources, release)
	if len(found) == 0 {
		return nil, fmt.Errorf("no archive of this distribution among the %d configured sources in /etc/apt", len(sources))
	}
	a := &wanted
	a.holding, a.dir, a.arch = h, filepath.Join(h.CacheDir, "apt"), strings.TrimSpace(string(out.stdout))
	var failed []error
	for _, archive := range found {
		suites := []string{archive.suite}
		if next := release.nextSuite(); archive.suite != next && archive.suite != "unstable" { // as sid is called, too
			suites = append(suites, next)
		}
		for _, suite := range suites {
			one := *a
			e, err := one.fetch(ctx, archive.withSuite(suite), finish)
			if err == nil || ctx.Err() != nil {
				return e, err
			}
			h.logf("apt: %s: %v", archive.withSuite(suite), err)
			failed = append(failed, fmt.Errorf("%s: %w", archive.withSuite(suite), err))
		}
	}
	return nil, errors.Join(failed...)
}

// fetch downloads the package and, unless it is wanted alone, all it depends on from
// one suite, unpacks them and publishes the entry.
func (a *aptState) fetch(ctx context.Context, archive aptSource, finish func(dir string, m *manifest) error) (*entry, error) {
	a.logf("apt: reading the package list of %s", archive)
	if err := a.update(ctx, archive); err != nil {
		return nil, err
	}
	debs, err := a.resolve(ctx)
	if beside := a.beside; err != nil && len(beside) > 0 && ctx.Err() == nil {
		a.beside = nil
		if debs, err = a.resolve(ctx); err == nil {
			a.logf("apt: %s has no %s: %s comes without", archive, strings.Join(beside, " or "), a.pkg)
		}
	}
	if err != nil {
		return nil, err
	}
	var size int64
	for _, d := range debs {
		size += d.Size
	}
	packages := "packages"
	if len(debs) == 1 {
		packages = "package"
	}
	a.logf("apt: downloading %d %s, %.1f MB", len(debs), packages, float64(size)/1e6)
	if err := a.download(ctx, debs); err != nil {
		return nil, err
	}
	dir, err := a.store.begin()
	if err != nil {
		return nil, err
	}
	a.logf("apt: unpacking into %s (nothing is installed)", a.store.dir)
	m := manifest{Source: SourceApt, Origin: archive.String()}
	for _, d := range debs {
		if _, err := a.run(ctx, "dpkg-deb", "--extract", d.path, filepath.Join(dir, filesDir)); err != nil {
			return nil, fmt.Errorf("unpack %s: %w", d.Name, err)
		}
		m.Fetched = append(m.Fetched, d.fetched)
		if d.Name == a.pkg {
			m.Version = d.Version
		}
	}
	if err := finish(dir, &m); err != nil {
		return nil, err
	}
	e, err := a.store.publish(dir, entryName(SourceApt, a.arch, m), m)
	if err != nil {
		return nil, err
	}
	os.RemoveAll(a.dir) // some 50 MB that only an interrupted download needs
	return e, nil
}
