package build

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/llama-regress/llama-regress/ci/git"
	"github.com/llama-regress/llama-regress/ci/internal/proc"
	"github.com/llama-regress/llama-regress/ci/record"
)

// places is how many builds are kept of a repository and a build command: as many
// as are measured in turns. More would each begin from nothing.
const places = 2

// Kept are the builds of one repository by one command, in clones that stay: a
// commit that one of them holds is not built again, and another commit is built on
// what is there. Nobody else uses them until Close.
type Kept struct {
	Builder Builder
	Logs    string       // folder for what the builds say, absolute
	Begin   func(Commit) // told before a commit is built; nil for nobody

	repo    *Repository
	dir     string // of all places
	lock    *os.File
	parents map[string]Commit // of snapshots, which the repository does not have
}

// Keep opens the builds below dir, an absolute path. Those of other repositories
// and other commands may lie beside.
func Keep(ctx context.Context, repo *Repository, dir string, b Builder) (*Kept, error) {
	k := &Kept{Builder: b, repo: repo, parents: make(map[string]Commit)}
	name := sha256.Sum256([]byte(repo.objects + "\x00" + b.Command + "\x00" + b.Bin))
	k.dir = filepath.Join(dir, fmt.Sprintf("%x", name[:6]))
	if err := os.MkdirAll(filepath.Join(k.dir, objectFolder), 0o755); err != nil {
		return nil, fmt.Errorf("no place for builds: %w; choose another folder: --builds DIR", err)
	}
	lock, err := os.OpenFile(filepath.Join(k.dir, "lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	if err := proc.TryLock(lock); err != nil {
		lock.Close()
		if errors.Is(err, proc.ErrLocked) {
			err = fmt.Errorf("another command uses the builds in %s now: wait until it has ended, or build elsewhere: --builds DIR", k.dir)
		}
		return nil, err
	}
	k.lock = lock
	return k, ctx.Err()
}

// Close lets others use the builds.
func (k *Kept) Close() error { return k.lock.Close() }

// Repository is where the commits come from.
func (k *Kept) Repository() *Repository { return k.repo }

// objectFolder holds what git needs of snapshots.
const objectFolder = "objects"

// Snapshot copies the work tree as it is.
func (k *Kept) Snapshot(ctx context.Context) (Snapshot, error) {
	s, err := k.repo.snapshot(ctx, filepath.Join(k.dir, objectFolder))
	if err == nil && s.SHA != s.Parent.SHA {
		k.parents[s.SHA] = s.Parent
	}
	return s, err
}

// A Build is a commit's programs.
type Build struct {
	Commit Commit
	Bin    string // folder of the programs
	Fresh  bool   // it was built just now, not found
}

// Pair returns the programs of two commits, which are built where they are not kept.
// The error is a *Error when one of them does not build.
func (k *Kept) Pair(ctx context.Context, a, b Commit) (pair [2]Build, err error) {
	wanted := [2]Commit{a, b}
	var at [2]int // places, from 1
	free := []int{1, 2}
	for i, commit := range wanted {
		at[i] = k.holding(commit)
		free = slices.DeleteFunc(free, func(n int) bool { return n == at[i] })
	}
	for i, commit := range wanted {
		fresh := at[i] == 0
		if fresh {
			at[i], free = free[0], free[1:]
			if err := k.build(ctx, at[i], commit); err != nil {
				return pair, err
			}
		}
		pair[i] = Build{commit, filepath.Join(k.place(at[i]), k.Builder.Bin), fresh}
	}
	return pair, nil
}

func (k *Kept) place(n int) string { return filepath.Join(k.dir, fmt.Sprint(n)) }

// A mark lies beside a place that holds a whole build.
type mark struct {
	Commit string `json:"commit"`
}

func (k *Kept) mark(n int) string { return k.place(n) + ".json" }

// holding is the place that holds a commit's programs, 0 for none.
func (k *Kept) holding(commit Commit) int {
	for n := 1; n <= places; n++ {
		var m mark
		data, err := os.ReadFile(k.mark(n))
		if err == nil && json.Unmarshal(data, &m) == nil && m.Commit == commit.SHA && k.Builder.lacks(k.place(n)) == "" {
			return n
		}
	}
	return 0
}

// build builds a commit in a place, in the place of what it held.
func (k *Kept) build(ctx context.Context, n int, commit Commit) error {
	if k.Begin != nil {
		k.Begin(commit)
	}
	if err := os.Remove(k.mark(n)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := k.checkout(ctx, n, commit); err != nil {
		return k.explain(err)
	}
	log := filepath.Join(k.Logs, "build-"+commit.Short()+".log")
	if err := k.Builder.build(ctx, k.place(n), commit, log); err != nil {
		return k.explain(err)
	}
	data, err := json.Marshal(mark{commit.SHA})
	if err != nil {
		return err
	}
	return record.WriteAtomically(k.mark(n), append(data, '\n'))
}

// checkout checks a commit out in a place. A clone in which that fails, such as one
// of a repository that has been made anew since, is made anew once.
func (k *Kept) checkout(ctx context.Context, n int, commit Commit) error {
	files := commit
	if parent, ok := k.parents[commit.SHA]; ok {
		files = parent
	}
	if err := k.repo.fetchFiles(ctx, files); err != nil {
		return err
	}
	c := clone{k.place(n)}
	_, err := os.Stat(filepath.Join(c.dir, ".git"))
	if err == nil {
		if err = k.repo.shareEnd(ctx, c.dir); err == nil {
			err = c.checkout(ctx, commit)
		}
		if err == nil || ctx.Err() != nil || full(err.Error(), k.dir) {
			return err
		}
	}
	if err := os.RemoveAll(c.dir); err != nil {
		return err
	}
	if err := k.repo.Share(ctx, c.dir, filepath.Join(k.dir, objectFolder)); err != nil {
		return err
	}
	return c.checkout(ctx, commit)
}

// ErrFull is wrapped by the error of a build for which the disk has no room. It says
// nothing about the commit.
var ErrFull = errors.New("no space left on device")

// explain tells a full disk from a commit that is at fault.
func (k *Kept) explain(err error) error {
	var failed *git.Error
	var broken *Error
	switch {
	case errors.As(err, &broken) && full(broken.said, k.dir):
		return fmt.Errorf("%w: %s was being built in %s; make room, or build elsewhere: --builds DIR; see %s", ErrFull, broken.Commit.Short(), k.dir, broken.Log)
	case errors.As(err, &failed) && full(failed.Said, k.dir):
		return fmt.Errorf("%w: a clone in %s; make room, or build elsewhere: --builds DIR", ErrFull, k.dir)
	}
	return err
}
