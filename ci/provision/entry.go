package provision

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// openEntry chooses the fastest CPU backend that this processor can run, sees
// that it is loaded, and returns the entry's build. A cache folder may be
// shared by machines, so the choice is made anew each time.
func (f *finder) openEntry(ctx context.Context, e *entry) (*Llama, error) {
	if len(e.Tree.Backends) == 0 {
		l, err := f.open(ctx, e.Source, filepath.Join(e.dir, binDir, oneBackend))
		if err != nil {
			return nil, err
		}
		l.Version = e.Version
		return l, nil
	}
	if path := os.Getenv("GGML_BACKEND_PATH"); path != "" {
		f.logf("%s: GGML_BACKEND_PATH is set, so the programs will load %s", e.Source, path)
	}
	backends := rank(e.Tree.Backends, f.cpuFeatures())
	for i, b := range backends {
		backends[i].Path = filepath.Join(e.dir, e.Tree.Backends[b.Name])
		backends[i].Dir = filepath.Join(e.dir, binDir, b.Name)
	}
	l, err := f.firstLoaded(ctx, e.Source, backends)
	if err != nil {
		return nil, err
	}
	l.Version, l.backends = e.Version, backends
	return l, nil
}

// firstLoaded opens the first backend that loads: of those that the processor's
// features allow, else of those about which the features say nothing.
func (f *finder) firstLoaded(ctx context.Context, source Source, backends []Backend) (*Llama, error) {
	tryable := slices.DeleteFunc(slices.Clone(backends), func(b Backend) bool { return !b.Usable })
	if len(tryable) == 0 {
		tryable = backends
	}
	var failed []error
	for _, b := range tryable {
		if err := checkBackend(ctx, b.Dir, b.Path); err != nil {
			if ctx.Err() != nil {
				return nil, err
			}
			f.logf("%s: CPU backend %s: %v", source, b.Name, err)
			failed = append(failed, err)
			continue
		}
		l, err := f.open(ctx, source, b.Dir)
		if err != nil {
			return nil, err
		}
		l.Backend = b.Name
		return l, nil
	}
	return nil, fmt.Errorf("no CPU backend runs on this processor: %w", errors.Join(failed...))
}

// holding is a finder that has the cache folder's lock.
type holding struct {
	*finder
	lock *os.File
}

// run runs a child that inherits the lock.
func (h *holding) run(ctx context.Context, argv ...string) (output, error) {
	return command{argv: argv, hold: h.lock}.run(ctx)
}

// cached returns the newest cached build that match accepts and open opens, or nil.
// What is damaged or does not start is logged, and left for a fresh one to replace.
func cached[T any](ctx context.Context, f *finder, open func(context.Context, *entry) (*T, error), source Source, match func(manifest) bool) *T {
	e, damaged := f.store.newest(func(m manifest) bool { return m.Source == source && match(m) })
	if damaged != nil {
		f.logf("%s: passing over a damaged cache entry: %v", source, damaged)
	}
	if e == nil {
		return nil
	}
	found, err := open(ctx, e)
	if err != nil {
		f.logf("%s: passing over %s: %v", source, e.dir, err)
		return nil
	}
	return found
}

// fetchOnce returns a cached build, or makes an entry with fetch while holding
// the cache folder's lock, unless another process made it in the meantime.
func fetchOnce[T any](ctx context.Context, f *finder, open func(context.Context, *entry) (*T, error), source Source, match func(manifest) bool,
	fetch func(context.Context, *holding) (*entry, error)) (*T, error) {
	if f.noCache != nil {
		return nil, f.noCache
	}
	if !f.Refresh || f.Offline {
		if found := cached(ctx, f, open, source, match); found != nil {
			return found, nil
		}
	}
	if f.Offline {
		return nil, fmt.Errorf("nothing in the cache folder %s, and told to stay offline", f.CacheDir)
	}
	lock, err := f.lock(ctx)
	if err != nil {
		return nil, err
	}
	defer lock.Close()
	if !f.Refresh {
		if found := cached(ctx, f, open, source, match); found != nil {
			return found, nil
		}
	}
	e, err := fetch(ctx, &holding{f, lock})
	if err != nil {
		return nil, err
	}
	return open(ctx, e)
}
