package store

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"
)

// How often a push is tried: while the branch moves, others get through and so
// shall we; while it stands still, something is wrong.
const (
	maxMoved = 100
	maxStill = 4
)

// change commits an edit of the branch and pushes it. edit is given the commit
// to build on, "" for none, and returns lines for git update-index --index-info,
// "" when there is nothing to do. It runs again on the new commit each time
// that someone else was faster.
func (g *gitStore) change(ctx context.Context, message string, edit func(tip string) (string, error)) error {
	for try, still := 0, 0; ; try++ {
		tip, err := g.sync(ctx)
		if err != nil {
			return err
		}
		lines, err := edit(tip)
		if err != nil || lines == "" {
			return err
		}
		commit, err := g.commit(ctx, tip, lines, message)
		if err != nil {
			return err
		}
		// The lease makes the push fail unless the branch is what we built on.
		_, err = g.git(ctx, nil, "push", "--quiet", "--no-verify", "--force-with-lease="+g.ref()+":"+tip,
			"--end-of-options", g.remote, commit+":"+g.ref())
		if err == nil {
			g.git(ctx, nil, "update-ref", g.tracked(), commit) // only saves the next fetch
			g.mu.Lock()
			g.tip = commit
			g.mu.Unlock()
			return nil
		}
		now, asked := g.remoteTip(ctx)
		if asked == nil && now == tip {
			still++
		}
		if asked != nil || still == maxStill || try == maxMoved {
			return fmt.Errorf("%w; nothing was stored", err)
		}
		if err := pause(ctx, try); err != nil {
			return err
		}
	}
}

// commit applies the lines to the tree of tip and returns a commit of it. The
// index is a file of its own, in a folder for this call alone.
func (g *gitStore) commit(ctx context.Context, tip, lines, message string) (string, error) {
	folder, err := os.MkdirTemp("", "llama-regress-index-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(folder)
	index := "GIT_INDEX_FILE=" + filepath.Join(folder, "index")
	from := tip
	if tip == "" {
		from = "--empty"
	}
	if _, err := g.gitWith(ctx, []string{index}, nil, "read-tree", from); err != nil {
		return "", err
	}
	if _, err := g.gitWith(ctx, []string{index}, []byte(lines), "update-index", "-z", "--index-info"); err != nil {
		return "", err
	}
	tree, err := g.gitWith(ctx, []string{index}, nil, "write-tree")
	if err != nil {
		return "", err
	}
	args := []string{"commit-tree", string(bytes.TrimSpace(tree)), "-m", message}
	if tip != "" {
		args = append(args, "-p", tip)
	}
	commit, err := g.git(ctx, nil, args...)
	return string(bytes.TrimSpace(commit)), err
}

// pause waits a little longer each time, by a random part, so that writers who
// met do not meet again.
func pause(ctx context.Context, try int) error {
	longest := min(50*time.Millisecond<<min(try, 5), time.Second)
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(rand.N(longest)):
		return nil
	}
}
