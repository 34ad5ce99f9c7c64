// Package provide gets what a fresh machine lacks: llama.cpp's programs and a
// model.
package provide

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/llama-regress/llama-regress/ci/gguf"
	"github.com/llama-regress/llama-regress/ci/provision"
	"github.com/llama-regress/llama-regress/cmd/internal/cli"
)

// Model makes the preset's model and returns its path. Without a path
// it lies in the cache folder, under a name that says what it is, and is made
// once. A file that the user names is only replaced by force.
func Model(ctx context.Context, a *cli.App, preset string, seed uint64, path string, force bool) (string, error) {
	shape, ok := gguf.Preset(preset)
	if !ok {
		return "", fmt.Errorf("no model preset is called %q; there are %s", preset, strings.Join(gguf.Presets(), ", "))
	}
	if path == "" {
		cache, err := provision.DefaultCacheDir()
		if err != nil {
			return "", err
		}
		path = filepath.Join(cache, "models", fmt.Sprintf("%s-f16-v%d-seed%d.gguf", preset, gguf.Recipe, seed))
		if header, err := gguf.Inspect(path); err == nil && header.Parameters == shape.Parameters() && !force {
			return path, nil
		}
	} else if _, err := os.Lstat(path); err == nil && !force {
		return "", fmt.Errorf("%s is there already; name another file, or replace it with --force", path)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return "", err
	}
	fmt.Fprintf(a.Err, "model: making %s\n", path)
	_, err := gguf.WriteFile(ctx, path, shape, seed)
	return path, err
}
