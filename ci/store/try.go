package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
)

// Try finds out whether the folder can be written to: it is made, and a file in it
// written, linked and removed.
func (d *dirStore) Try(_ context.Context) error {
	if err := os.MkdirAll(d.path, 0o755); err != nil {
		return fmt.Errorf("%s: %w", d, err)
	}
	root, err := os.OpenRoot(d.path)
	if err != nil {
		return fmt.Errorf("%s: %w", d, err)
	}
	defer root.Close()
	name := unfinished + strconv.FormatUint(rand.Uint64(), 36)
	if err := writeSynced(root, name, nil); err != nil {
		return fmt.Errorf("%s: cannot be written to: %w", d, err)
	}
	defer root.Remove(name)
	if err := root.Link(name, name+".link"); err != nil {
		return fmt.Errorf("%s: %w; the folder must be on a file system that has hard links", d, err)
	}
	return root.Remove(name + ".link")
}

// Try finds out whether the branch can be read and pushed to, by a push that
// changes nothing. What a server refuses only when it sees the commit, such as a
// push to a protected branch, it cannot tell.
func (g *gitStore) Try(ctx context.Context) error {
	tip, err := g.sync(ctx)
	if err != nil {
		return err
	}
	if tip == "" {
		out, err := g.git(ctx, nil, "hash-object", "-t", "tree", "-w", "--stdin")
		if err != nil {
			return err
		}
		if out, err = g.git(ctx, nil, "commit-tree", string(bytes.TrimSpace(out)), "-m", "try"); err != nil {
			return err
		}
		tip = string(bytes.TrimSpace(out))
	}
	if _, err := g.git(ctx, nil, "push", "--quiet", "--dry-run", "--no-verify", "--end-of-options", g.remote, tip+":"+g.ref()); err != nil {
		return fmt.Errorf("%s: cannot be pushed to: %w", g, err)
	}
	return nil
}

// tried is the object that Try puts: it stays, because who may write need not be
// allowed to remove.
const tried = "llama-regress-store"

// Try finds out whether the bucket can be read and written to: it puts one small
// object, the same each time, where there is none.
func (s *s3Store) Try(ctx context.Context) error {
	if _, err := s.List(ctx, verdictsFolder); err != nil {
		return err
	}
	err := s.create(ctx, tried, []byte("a store of llama-regress\n"))
	if err != nil && !errors.Is(err, errTaken) {
		return fmt.Errorf("cannot be written to: %w", err)
	}
	return nil
}
