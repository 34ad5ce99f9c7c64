// Package bisect finds the first bad commit of a range with git's own bisection,
// in a clone of its own. The user's repository is only read: nothing in it has to
// be put back.
//
// What makes a commit good or bad is the caller's to say.
package bisect

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/llama-regress/llama-regress/ci/build"
	"github.com/llama-regress/llama-regress/ci/git"
)

// A Mark is what a commit turned out to be.
type Mark string

const (
	Good Mark = "good"
	Bad  Mark = "bad"
	Skip Mark = "skip" // cannot be told, such as one that does not build
)

// A Search is a bisection under way. It keeps its marks in a clone without files.
type Search struct {
	dir string
}

// A State is where a search has got to.
type State struct {
	Next build.Commit // to be marked next; zero when the search is over
	Left int          // commits that may still be the first bad one

	// First is the first bad commit once it is known. Where only commits that
	// were skipped are left, Candidates holds all it could be, oldest first.
	First      build.Commit
	Candidates []build.Commit
}

// Over reports whether there is nothing left to mark.
func (s State) Over() bool { return s.Next.SHA == "" }

// Range resolves both ends and counts the commits that may be the first bad one.
func Range(ctx context.Context, repo *build.Repository, good, bad string) (g, b build.Commit, between int, err error) {
	if g, err = repo.Commit(ctx, good); err != nil {
		return g, b, 0, err
	}
	if b, err = repo.Commit(ctx, bad); err != nil {
		return g, b, 0, err
	}
	if g.SHA == b.SHA {
		return g, b, 0, fmt.Errorf("good and bad are the same commit, %s", g.Short())
	}
	between, err = repo.Between(ctx, g, b)
	return g, b, between, err
}

// Begin starts a search for the first bad commit after good up to bad, of which
// good must be an ancestor. Its clone, dir, is made anew.
func Begin(ctx context.Context, repo *build.Repository, dir string, good, bad build.Commit) (*Search, State, error) {
	s := &Search{dir}
	if err := s.End(); err != nil { // what an earlier one left
		return nil, State{}, err
	}
	if err := repo.Share(ctx, dir); err != nil {
		return nil, State{}, err
	}
	for _, args := range [][]string{{"update-ref", "--no-deref", "HEAD", bad.SHA}, {"bisect", "start", "--no-checkout", bad.SHA, good.SHA}} {
		if _, err := s.git(ctx, args...); err != nil {
			return nil, State{}, err
		}
	}
	state, err := s.state(ctx)
	return s, state, err
}

func (s *Search) git(ctx context.Context, args ...string) (string, error) {
	out, err := git.Command{Dir: s.dir}.Run(ctx, args...)
	return string(out), err
}

// Mark says what a commit turned out to be, and chooses the next one.
func (s *Search) Mark(ctx context.Context, commit string, m Mark) (State, error) {
	_, err := s.git(ctx, "bisect", string(m), commit)
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
	refs, err := s.git(ctx, "for-each-ref", "--format=%(refname) %(objectname)", "refs/bisect/")
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
		return State{}, errors.New("git bisect keeps no bad commit: its state in " + s.dir + " is lost; begin anew in another folder")
	}
	list, err := s.git(ctx, append(args, bad)...)
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
		state.First, err = build.Read(ctx, s.dir, bad)
	case open == 0:
		for _, sha := range left {
			commit, err := build.Read(ctx, s.dir, sha)
			if err != nil {
				return State{}, err
			}
			state.Candidates = append(state.Candidates, commit)
		}
	default:
		state.Next, err = build.Read(ctx, s.dir, "BISECT_HEAD")
	}
	return state, err
}

// End forgets the search.
func (s *Search) End() error { return os.RemoveAll(s.dir) }
