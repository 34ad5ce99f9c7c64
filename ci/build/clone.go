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

// A clone is a working copy that shares the objects of the repository it was made
// from: a commit that is fetched there later is here at once.
type clone struct {
	dir string // absolute
}

func (c clone) git(ctx context.Context, args ...string) (string, error) {
	out, err := git.Command{Dir: c.dir}.Run(ctx, args...)
	return string(out), err
}

// Share makes a clone without files in dir, which must not exist. It sees the
// objects of the repository, and those in more folders.
func (r *Repository) Share(ctx context.Context, dir string, objects ...string) error {
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	// A folder of another user is safe to read here: no hook, filter or monitor of it runs in a clone.
	_, err := git.Command{Dir: filepath.Dir(dir)}.Run(ctx, "clone", "--quiet", "--shared", "--no-checkout", "--template=", "--", r.Dir, dir)
	if err == nil { // of a shallow repository git copies what it has instead of sharing it
		err = alternates(filepath.Join(dir, ".git", "objects", "info"), append([]string{r.objects}, objects...))
	}
	if err == nil {
		err = r.shareEnd(ctx, dir)
	}
	if err != nil {
		os.RemoveAll(dir) // half a clone would be taken for a whole one
	}
	return err
}

// alternates adds folders of objects to those that a clone sees.
func alternates(info string, folders []string) error {
	if err := os.MkdirAll(info, 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(filepath.Join(info, "alternates"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = f.WriteString(strings.Join(folders, "\n") + "\n")
	return errors.Join(err, f.Close())
}

// shareEnd makes a clone's history end where the repository's ends: a shallow one
// may have got deeper since.
func (r *Repository) shareEnd(ctx context.Context, dir string) error {
	from, err := r.line(ctx, "rev-parse", "--git-path", "shallow")
	if err != nil {
		return err
	}
	if !filepath.IsAbs(from) {
		from = filepath.Join(r.Dir, from)
	}
	data, err := os.ReadFile(from)
	to := filepath.Join(dir, ".git", "shallow")
	if errors.Is(err, fs.ErrNotExist) {
		if err = os.Remove(to); errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
		return err
	}
	if err != nil {
		return err
	}
	return os.WriteFile(to, data, 0o644)
}

// checkout makes the files those of a commit. What a build left beside them stays,
// so that the next one need not begin anew; what it changed of them is undone.
func (c clone) checkout(ctx context.Context, commit Commit) error {
	for _, lock := range []string{"index.lock", "HEAD.lock"} { // of a git that was ended; nobody else works here
		if err := os.Remove(filepath.Join(c.dir, ".git", lock)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	_, err := c.git(ctx, "checkout", "--quiet", "--force", "--detach", commit.SHA)
	return err
}

// mostRounds bounds how often what is missing is fetched: each round brings one
// level of folders where those are missing too.
const mostRounds = 40

// fetchFiles fetches the files of a commit that a partial clone has left out, from
// where the user's own git would get them. In any other repository it does nothing.
func (r *Repository) fetchFiles(ctx context.Context, commit Commit) error {
	remote, err := r.promisor(ctx)
	if err != nil || remote == "" {
		return err
	}
	for range mostRounds {
		list, err := r.git(ctx, "rev-list", "--objects", "--missing=print", "--no-walk", commit.SHA)
		if err != nil {
			return err
		}
		var missing []string
		for line := range strings.Lines(list) {
			if sha, ok := strings.CutPrefix(strings.TrimSpace(line), "?"); ok {
				missing = append(missing, sha)
			}
		}
		if len(missing) == 0 {
			return nil
		}
		_, err = git.Command{Dir: r.Dir, Stdin: []byte(strings.Join(missing, "\n") + "\n")}.Run(ctx,
			"-c", "fetch.negotiationAlgorithm=noop", "fetch", remote, "--quiet", "--no-tags", "--no-write-fetch-head", "--recurse-submodules=no", "--filter=blob:none", "--stdin")
		if err != nil {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			return fmt.Errorf("%s is a partial clone and lacks %d files of %s, which could not be fetched from its remote %s (%w); get them by hand: git -C %s archive %s >/dev/null",
				r.Dir, len(missing), commit.Short(), remote, err, r.Dir, commit.SHA)
		}
	}
	return fmt.Errorf("%s is a partial clone, and its remote %s does not have all files of %s", r.Dir, remote, commit.Short())
}

// promisor is the remote from which a partial clone fetches what it lacks, "" for
// any other repository.
func (r *Repository) promisor(ctx context.Context) (string, error) {
	out, err := r.git(ctx, "config", "--get-regexp", `^remote\..*\.promisor$`)
	var failed *git.Error
	if errors.As(err, &failed) && failed.Status == 1 {
		return "", nil
	}
	for line := range strings.Lines(out) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		if name := strings.TrimSuffix(strings.TrimPrefix(key, "remote."), ".promisor"); value == "true" && !strings.HasPrefix(name, "-") {
			return name, nil
		}
	}
	return "", err
}
