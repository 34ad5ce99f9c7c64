// Package bisect finds the first bad commit of a range with git's own
// bisection, in clones of its own, and builds the commits on the way. The
// user's repository is only read: nothing in it has to be put back.
//
// What makes a commit good or bad is the caller's to say.
package bisect

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/llama-regress/llama-regress/ci/git"
)

// A Commit is one of the repository. Its texts are foreign.
type Commit struct {
	SHA     string `json:"commit"`
	Subject string `json:"subject"`
	Author  string `json:"author,omitempty"`
	Date    string `json:"date,omitempty"` // of the commit, ISO 8601
}

// Short is the commit's hash as people write it.
func (c Commit) Short() string { return c.SHA[:min(len(c.SHA), 10)] }

// A Mark is what a commit turned out to be.
type Mark string

const (
	Good Mark = "good"
	Bad  Mark = "bad"
	Skip Mark = "skip" // cannot be told, such as one that does not build
)

// A Search is a bisection under way, in the clone that it checks commits out in.
type Search struct {
	clone     *Clone
	good, bad Commit
}

// A State is where a search has got to.
type State struct {
	Next Commit // to be marked next, checked out; zero when the search is over
	Left int    // commits that may still be the first bad one

	// First is the first bad commit once it is known. Where only commits that
	// were skipped are left, Candidates holds all it could be, oldest first.
	First      Commit
	Candidates []Commit
}

// Over reports whether there is nothing left to mark.
func (s State) Over() bool { return s.Next.SHA == "" }

// Begin starts a search for the first bad commit after good up to bad, of which
// good must be an ancestor.
func Begin(ctx context.Context, c *Clone, good, bad Commit) (*Search, State, error) {
	s := &Search{clone: c, good: good, bad: bad}
	if err := s.End(ctx); err != nil { // what an earlier one left
		return nil, State{}, err
	}
	if _, err := c.git(ctx, "bisect", "start", bad.SHA, good.SHA); err != nil {
		return nil, State{}, err
	}
	state, err := s.state(ctx)
	return s, state, err
}

// Mark says what a commit turned out to be, and checks the next one out.
func (s *Search) Mark(ctx context.Context, commit string, m Mark) (State, error) {
	if err := s.clone.discard(ctx); err != nil {
		return State{}, err
	}
	_, err := s.clone.git(ctx, "bisect", string(m), commit)
	var failed *git.Error
	if err != nil && !(errors.As(err, &failed) && failed.Status == onlySkipped) {
		return State{}, err
	}
	return s.state(ctx)
}

// onlySkipped is the status with which git ends a bisection that cannot go on.
const onlySkipped = 2

// state reads the marks, which are references, instead of git's sentences.
func (s *Search) state(ctx context.Context) (State, error) {
	refs, err := s.clone.git(ctx, "for-each-ref", "--format=%(refname) %(objectname)", "refs/bisect/")
	if err != nil {
		return State{}, err
	}
	bad, skipped, args := "", make(map[string]bool), []string{"rev-list", "--topo-order", "--reverse"}
	for line := range strings.Lines(refs) {
		name, sha, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch name = strings.TrimPrefix(name, "refs/bisect/"); {
		case name == "bad":
			bad = sha
		case strings.HasPrefix(name, "good-"):
			args = append(args, "^"+sha)
		case strings.HasPrefix(name, "skip-"):
			skipped[sha] = true
		}
	}
	if bad == "" {
		return State{}, errors.New("git bisect keeps no bad commit: its state in " + s.clone.Dir + " is lost; begin anew in another folder")
	}
	list, err := s.clone.git(ctx, append(args, bad)...)
	if err != nil {
		return State{}, err
	}
	left := strings.Fields(list)
	open := 0
	for _, sha := range left {
		if sha != bad && !skipped[sha] {
			open++
		}
	}
	state := State{Left: len(left)}
	switch {
	case len(left) == 1:
		state.First, err = s.clone.Commit(ctx, bad)
	case open == 0:
		for _, sha := range left {
			commit, err := s.clone.Commit(ctx, sha)
			if err != nil {
				return State{}, err
			}
			state.Candidates = append(state.Candidates, commit)
		}
	default:
		state.Next, err = s.clone.Commit(ctx, "HEAD")
	}
	return state, err
}

// End takes git's state back.
func (s *Search) End(ctx context.Context) error {
	if err := s.clone.discard(ctx); err != nil {
		return err
	}
	_, err := s.clone.git(ctx, "bisect", "reset")
	return err
}

// Range resolves both ends and checks that they are a range.
func (c *Clone) Range(ctx context.Context, good, bad string) (g, b Commit, between int, err error) {
	if g, err = c.Commit(ctx, good); err != nil {
		return g, b, 0, err
	}
	if b, err = c.Commit(ctx, bad); err != nil {
		return g, b, 0, err
	}
	if g.SHA == b.SHA {
		return g, b, 0, fmt.Errorf("good and bad are the same commit, %s", g.Short())
	}
	if _, err := c.git(ctx, "merge-base", "--is-ancestor", g.SHA, b.SHA); err != nil {
		var failed *git.Error
		if errors.As(err, &failed) && failed.Status == 1 {
			err = fmt.Errorf("good %s is no ancestor of bad %s, so no commit between them can be the first bad one; exchange them, or take their 'git merge-base' as the good one", g.Short(), b.Short())
		}
		return g, b, 0, err
	}
	list, err := c.git(ctx, "rev-list", "--count", b.SHA, "^"+g.SHA)
	if err == nil {
		_, err = fmt.Sscan(list, &between)
	}
	return g, b, between, err
}

// A Clone is a working copy that shares the objects of the repository it was
// made from.
type Clone struct {
	Dir string // absolute
}

func (c *Clone) git(ctx context.Context, args ...string) (string, error) {
	out, err := git.Command{Dir: c.Dir}.Run(ctx, args...)
	return string(out), err
}

// NewClone makes a clone of the repository at from in dir, or takes the one
// that is there already.
func NewClone(ctx context.Context, from, dir string) (*Clone, error) {
	from, err := filepath.Abs(from)
	if err != nil {
		return nil, err
	}
	dir, err = filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	c := &Clone{Dir: dir}
	if _, err := os.Stat(filepath.Join(dir, ".git")); err == nil {
		return c, nil
	}
	if _, err := (&Clone{from}).git(ctx, "rev-parse", "--git-dir"); err != nil {
		return nil, fmt.Errorf("%s is no git repository: name a checkout of llama.cpp with --repo: %w", from, err)
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return nil, err
	}
	_, err = (&Clone{filepath.Dir(dir)}).git(ctx, "clone", "--quiet", "--shared", "--no-checkout", "--template=", "--", from, dir)
	if err != nil {
		os.RemoveAll(dir) // half a clone would be taken for a whole one
	}
	return c, err
}

// Commit resolves a revision.
func (c *Clone) Commit(ctx context.Context, rev string) (Commit, error) {
	sha, err := c.git(ctx, "rev-parse", "--verify", "--quiet", "--end-of-options", rev+"^{commit}")
	if err != nil {
		// A branch of the repository is a remote one of the clone.
		if sha, err = c.git(ctx, "rev-parse", "--verify", "--quiet", "--end-of-options", "refs/remotes/origin/"+rev+"^{commit}"); err != nil {
			return Commit{}, fmt.Errorf("the repository has no commit %q: %w", rev, errors.Join(ctx.Err(), errUnknownCommit))
		}
	}
	out, err := c.git(ctx, "show", "--no-patch", "--no-show-signature", "--format=%H%n%aN%n%cI%n%s", strings.TrimSpace(sha))
	lines := strings.SplitN(strings.TrimSpace(out), "\n", 4)
	if err != nil || len(lines) < 3 {
		return Commit{}, errors.Join(err, ctx.Err())
	}
	commit := Commit{SHA: lines[0], Author: lines[1], Date: lines[2]}
	if len(lines) == 4 {
		commit.Subject = lines[3]
	}
	return commit, nil
}

var errUnknownCommit = errors.New("fetch it, or all of history where the clone is shallow: git fetch --unshallow")

// Parent is the first parent of a commit.
func (c *Clone) Parent(ctx context.Context, commit Commit) (Commit, error) {
	return c.Commit(ctx, commit.SHA+"^1")
}

// Checkout makes the files those of a commit. What a build left beside them
// stays, so that the next one need not begin anew.
func (c *Clone) Checkout(ctx context.Context, commit Commit) error {
	_, err := c.git(ctx, "checkout", "--quiet", "--force", "--detach", commit.SHA)
	return err
}

// discard undoes what a build changed of the files that git knows, which would
// keep git from checking out another commit.
func (c *Clone) discard(ctx context.Context) error {
	if _, err := c.git(ctx, "rev-parse", "--verify", "--quiet", "HEAD^{commit}"); err != nil {
		return ctx.Err() // nothing was checked out yet
	}
	_, err := c.git(ctx, "reset", "--quiet", "--hard")
	return err
}
