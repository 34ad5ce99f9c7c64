package build

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/llama-regress/llama-regress/ci/git"
)

// A Snapshot is a work tree as it was, as a commit that no branch has. Equal files
// above the same commit make the same snapshot.
type Snapshot struct {
	Commit         // is Parent itself where nothing is changed
	Parent  Commit // what is checked out
	Changed int    // files that differ from Parent, new ones among them
}

// mostNewBytes bounds the files of a snapshot that git does not know yet: a model
// that lies beside the sources is no source.
const mostNewBytes = 256 << 20

// snapshot takes the files of the work tree that git knows or would add, and writes
// what is new of them to the folder objects.
func (r *Repository) snapshot(ctx context.Context, objects string) (Snapshot, error) {
	if !r.work {
		return Snapshot{}, fmt.Errorf("%s has no work tree that could be measured: name a revision", r.Dir)
	}
	parent, err := r.Commit(ctx, "HEAD")
	if err != nil {
		return Snapshot{}, err
	}
	if err := r.boundNew(ctx); err != nil {
		return Snapshot{}, err
	}
	index, drop, err := r.copyIndex(ctx, objects)
	if err != nil {
		return Snapshot{}, err
	}
	defer drop()
	apart := git.Command{Dir: r.Dir, Env: []string{
		"GIT_INDEX_FILE=" + index, "GIT_OBJECT_DIRECTORY=" + objects, "GIT_ALTERNATE_OBJECT_DIRECTORIES=" + r.objects,
		"GIT_AUTHOR_NAME=llama-regress", "GIT_AUTHOR_EMAIL=", "GIT_COMMITTER_NAME=llama-regress", "GIT_COMMITTER_EMAIL=",
		"GIT_AUTHOR_DATE=" + parent.Date, "GIT_COMMITTER_DATE=" + parent.Date,
	}}
	if _, err := apart.Run(ctx, "add", "--all"); err != nil {
		return Snapshot{}, fmt.Errorf("the work tree %s cannot be copied: %w", r.Dir, err)
	}
	tree, err := apart.Line(ctx, "write-tree", "--missing-ok") // of a partial clone
	if err != nil {
		return Snapshot{}, err
	}
	changed, err := apart.Run(ctx, "diff-tree", "-r", "--no-renames", "--name-only", "-z", parent.SHA, tree)
	if err != nil {
		return Snapshot{}, err
	}
	s := Snapshot{Commit: parent, Parent: parent, Changed: strings.Count(string(changed), "\x00")}
	if s.Changed == 0 {
		return s, nil
	}
	if s.SHA, err = apart.Line(ctx, "commit-tree", tree, "-p", parent.SHA, "-m", "uncommitted changes above "+parent.Short()); err != nil {
		return Snapshot{}, err
	}
	s.Subject, s.Author = "uncommitted changes above "+parent.Short(), ""
	return s, nil
}

// boundNew refuses files that nobody means to build with.
func (r *Repository) boundNew(ctx context.Context) error {
	names, err := r.git(ctx, "ls-files", "--others", "--exclude-standard", "-z", "--", ":/")
	if err != nil {
		return err
	}
	total, largest, most := int64(0), "", int64(-1)
	for name := range strings.SplitSeq(strings.TrimSuffix(names, "\x00"), "\x00") {
		if info, err := os.Lstat(filepath.Join(r.Dir, name)); err == nil && info.Mode().IsRegular() {
			total += info.Size()
			if info.Size() > most {
				most, largest = info.Size(), name
			}
		}
	}
	if total > mostNewBytes {
		return fmt.Errorf("files of %d MiB in %s are neither committed nor ignored, such as %q: move them, or ignore them in .git/info/exclude", total>>20, r.Dir, largest)
	}
	return nil
}

// copyIndex copies git's list of files, which says what has not changed since.
func (r *Repository) copyIndex(ctx context.Context, beside string) (path string, drop func(), err error) {
	from, err := r.line(ctx, "rev-parse", "--git-path", "index")
	if err != nil {
		return "", nil, err
	}
	if !filepath.IsAbs(from) {
		from = filepath.Join(r.Dir, from)
	}
	data, err := os.ReadFile(from)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", nil, err
	}
	dir, err := os.MkdirTemp(beside, "index")
	if err != nil {
		return "", nil, err
	}
	path = filepath.Join(dir, "index")
	if len(data) > 0 {
		err = os.WriteFile(path, data, 0o600)
	}
	return path, func() { os.RemoveAll(dir) }, err
}
