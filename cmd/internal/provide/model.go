package provide

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/llama-regress/llama-regress/ci/gguf"
	"github.com/llama-regress/llama-regress/ci/provision"
	"github.com/llama-regress/llama-regress/cmd/internal/cli"
)

// ModelTypes are those that a model can be made in.
var ModelTypes = []string{"f16", "q8_0", "q4_0", "q4_k_m"}

// A ModelOf says which synthetic model is wanted.
type ModelOf struct {
	Preset string // of gguf.Presets
	Type   string // of ModelTypes; "" for f16
	Seed   uint64 // of the weights
}

// file is the name in the cache folder, which says what it is.
func (m ModelOf) file() string {
	return fmt.Sprintf("%s-%s-v%d-seed%d.gguf", m.Preset, m.Type, gguf.Recipe, m.Seed)
}

// Model makes a synthetic model and returns its path. Without a path
// it lies in the cache folder, under a name that says what it is, and is made
// once. A file that the user names is only replaced by force. A type other than f16
// takes llama-quantize, which is looked for as find says.
func Model(ctx context.Context, a *cli.App, of ModelOf, find Flags, path string, force bool) (string, error) {
	shape, ok := gguf.Preset(of.Preset)
	if !ok {
		return "", fmt.Errorf("no model preset is called %q; there are %s", of.Preset, strings.Join(gguf.Presets(), ", "))
	}
	if of.Type = strings.ToLower(of.Type); of.Type == "" {
		of.Type = ModelTypes[0]
	}
	if !slices.Contains(ModelTypes, of.Type) {
		return "", fmt.Errorf("--type %s: want one of %s; llama-quantize makes others of the file in f16", of.Type, strings.Join(ModelTypes, ", "))
	}
	if path == "" {
		cache, err := provision.DefaultCacheDir()
		if err != nil {
			return "", err
		}
		path = filepath.Join(cache, "models", of.file())
		if header, err := gguf.Inspect(path); err == nil && header.Parameters == shape.Parameters() && !force {
			return path, nil
		}
	} else if _, err := os.Lstat(path); err == nil && !force {
		return "", fmt.Errorf("%s is there already; name another file, or replace it with --force", path)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return "", err
	}
	if of.Type != ModelTypes[0] {
		return path, quantise(ctx, a, of, find, path)
	}
	fmt.Fprintf(a.Err, "model: making %s\n", path)
	_, err := gguf.WriteFile(ctx, path, shape, of.Seed)
	return path, err
}

// quantise makes the model in f16 and has llama-quantize write path from it. The
// file appears whole or not at all.
func quantise(ctx context.Context, a *cli.App, of ModelOf, find Flags, path string) error {
	found, err := Find(ctx, a, find, "llama-quantize")
	if err != nil {
		return err
	}
	plain := of
	plain.Type = ModelTypes[0]
	from, err := Model(ctx, a, plain, find, "", false)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp(filepath.Dir(path), ".quantising-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	fmt.Fprintf(a.Err, "model: quantising %s\n", path)
	made := filepath.Join(dir, filepath.Base(path))
	if err := found.Quantise(ctx, from, made, strings.ToUpper(of.Type)); err != nil {
		return cli.Unmeasured(err)
	}
	header, err := gguf.Inspect(made)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return cli.Unmeasured(fmt.Errorf("llama-quantize of %s ended well and wrote no file; is it a wrapper of another program?", found.Dir))
	case err != nil:
		return cli.Unmeasured(fmt.Errorf("llama-quantize of %s wrote what is no model: %w", found.Dir, err))
	case !strings.EqualFold(header.FileType, of.Type):
		return cli.Unmeasured(fmt.Errorf("llama-quantize of %s wrote a model of type %s, asked for %s", found.Dir, header.FileType, of.Type))
	}
	return os.Rename(made, path)
}
