// Package build makes llama.cpp's programs of commits, in clones of its own. The
// user's repository is only read: nothing in it has to be put back.
package build

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/llama-regress/llama-regress/ci/git"
)

// A Commit is one of a repository. Its texts are foreign.
type Commit struct {
	SHA     string `json:"commit"`
	Subject string `json:"subject"`
	Author  string `json:"author,omitempty"`
	Date    string `json:"date,omitempty"` // of the commit, ISO 8601
}

// Short is the commit's hash as people write it.
func (c Commit) Short() string { return c.SHA[:min(len(c.SHA), 10)] }

// A Repository is a checkout of llama.cpp that belongs to the user. Revisions mean
// what they mean there: its branches, its remotes, its HEAD.
type Repository struct {
	Dir string // absolute

	objects string // folder of its objects, absolute
	work    bool   // it has a work tree
}

// Open finds the repository that a folder belongs to.
func Open(ctx context.Context, dir string) (*Repository, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	r := &Repository{Dir: dir}
	objects, err := r.line(ctx, "rev-parse", "--git-path", "objects")
	if err != nil {
		return nil, fmt.Errorf("%s is no git repository: name a checkout of llama.cpp with --repo: %w", dir, err)
	}
	if r.objects = objects; !filepath.IsAbs(objects) {
		r.objects = filepath.Join(dir, objects)
	}
	if top, err := r.line(ctx, "rev-parse", "--show-toplevel"); err == nil {
		r.Dir, r.work = top, true
	}
	return r, ctx.Err()
}

func (r *Repository) git(ctx context.Context, args ...string) (string, error) {
	out, err := git.Command{Dir: r.Dir}.Run(ctx, args...)
	return string(out), err
}

func (r *Repository) line(ctx context.Context, args ...string) (string, error) {
	return git.Command{Dir: r.Dir}.Line(ctx, args...)
}

// Commit resolves a revision. A branch that is known of the remote "origin" alone,
// as in the checkouts of CI, is found by its plain name too.
func (r *Repository) Commit(ctx context.Context, rev string) (Commit, error) {
	sha, err := r.line(ctx, "rev-parse", "--verify", "--quiet", "--end-of-options", rev+"^{commit}")
	if err != nil {
		if sha, err = r.line(ctx, "rev-parse", "--verify", "--quiet", "--end-of-options", "refs/remotes/origin/"+rev+"^{commit}"); err != nil {
			return Commit{}, fmt.Errorf("the repository has no commit %q: %w", rev, errors.Join(ctx.Err(), r.unknown()))
		}
	}
	return Read(ctx, r.Dir, sha)
}

func (r *Repository) unknown() error {
	return fmt.Errorf("fetch it there (git -C %s fetch --tags), or all of history where the clone is shallow: git fetch --unshallow", r.Dir)
}

// Read resolves a revision in any folder of git.
func Read(ctx context.Context, dir, rev string) (Commit, error) {
	out, err := git.Command{Dir: dir}.Line(ctx, "show", "--no-patch", "--no-show-signature", "--format=%H%n%aN%n%cI%n%s", "--end-of-options", rev)
	lines := strings.SplitN(out, "\n", 4)
	if err != nil || len(lines) < 3 {
		return Commit{}, errors.Join(err, ctx.Err())
	}
	commit := Commit{SHA: lines[0], Author: lines[1], Date: lines[2]}
	if len(lines) == 4 {
		commit.Subject = lines[3]
	}
	return commit, nil
}

// Parent is the first parent of a commit.
func (r *Repository) Parent(ctx context.Context, commit Commit) (Commit, error) {
	return r.Commit(ctx, commit.SHA+"^1")
}

// Between counts the commits that bad has and good has not. good must be an
// ancestor of bad.
func (r *Repository) Between(ctx context.Context, good, bad Commit) (n int, err error) {
	if _, err := r.git(ctx, "merge-base", "--is-ancestor", good.SHA, bad.SHA); err != nil {
		var failed *git.Error
		if errors.As(err, &failed) && failed.Status == 1 {
			err = fmt.Errorf("good %s is no ancestor of bad %s, so no commit between them can be the first bad one; exchange them, or take their 'git merge-base' as the good one", good.Short(), bad.Short())
		}
		return 0, err
	}
	list, err := r.line(ctx, "rev-list", "--count", bad.SHA, "^"+good.SHA)
	if err == nil {
		_, err = fmt.Sscan(list, &n)
	}
	return n, err
}

// mainBranches may be what work branches off, the likeliest first: of a fork it is
// the branch of the repository that it was forked from.
var mainBranches = []string{"upstream/HEAD", "upstream/master", "upstream/main", "origin/HEAD", "origin/master", "origin/main", "master", "main"}

// ForkPoint is the commit at which head left the default branch, and that branch.
func (r *Repository) ForkPoint(ctx context.Context, head Commit) (base Commit, branch string, err error) {
	for _, branch := range mainBranches {
		if _, err := r.line(ctx, "rev-parse", "--verify", "--quiet", branch+"^{commit}"); err != nil {
			continue
		}
		sha, err := r.line(ctx, "merge-base", branch, head.SHA)
		if err != nil {
			return Commit{}, branch, errors.Join(ctx.Err(), fmt.Errorf("%s and %s have no commit in common: name what to compare with (--base REV), or fetch all of history where the clone is shallow: git fetch --unshallow", branch, head.Short()))
		}
		base, err := Read(ctx, r.Dir, sha)
		return base, branch, err
	}
	return Commit{}, "", errors.Join(ctx.Err(), fmt.Errorf("%s has none of the branches %s: name what to compare with: --base REV", r.Dir, strings.Join(mainBranches, ", ")))
}
