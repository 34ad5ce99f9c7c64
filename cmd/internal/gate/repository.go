package gate

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/llama-regress/llama-regress/ci/build"
	"github.com/llama-regress/llama-regress/ci/config"
	"github.com/llama-regress/llama-regress/cmd/internal/builds"
	"github.com/llama-regress/llama-regress/cmd/internal/cli"
	"github.com/llama-regress/llama-regress/cmd/internal/measure"
	"github.com/llama-regress/llama-regress/cmd/internal/settings"
)

// workTree is the revision that means the files as they are.
const workTree = "."

// repository is where a gate gets its builds from when it makes them itself.
type repository struct {
	dir    string // of the checkout; "" where the builds are there
	making builds.Flags

	base, head string // as the flags have them
	kept       *build.Kept
	pair       [2]build.Commit
	committed  build.Commit // head, without uncommitted changes
	notes      []string
}

func (r *repository) register(f *pflag.FlagSet) {
	f.StringVar(&r.dir, "repo", "", "checkout of llama.cpp: --base and --head are then revisions of it, which are built here")
	r.making.Register(f)
}

// load returns the configuration, with the arms base and head where both are built
// here.
func (r *repository) load(cmd *cobra.Command, what *settings.Flags) (*config.Config, error) {
	if r.dir == "" {
		for _, name := range []string{"build", "bin", "build-timeout", "builds"} {
			if cmd.Flags().Changed(name) {
				return nil, fmt.Errorf("--%s without --repo DIR: nothing is built here", name)
			}
		}
		return what.Load(cmd)
	}
	r.base, r.head = what.Base, what.Head
	if r.head == "" {
		return nil, errors.New("--repo without --head: name what to measure, --head REV, or --head . for the work tree as it is")
	}
	if cmd.Flags().Changed("url") {
		return nil, errors.New("--repo builds what it measures: leave out --url")
	}
	if what.Serve.Programs() != nil {
		return nil, errors.New("--repo builds what it measures: leave out --bench-binary and --server-binary")
	}
	return builds.Load(func() (*config.Config, error) { return what.Load(cmd) }, what, [2]string{"base", "head"})
}

// prepare resolves both revisions and finds out what stands in the way of building
// them.
func (r *repository) prepare(ctx context.Context, cfg *config.Config) (kept *build.Kept, err error) {
	if r.kept, err = r.making.Open(ctx, r.dir, cfg); err != nil {
		return nil, err
	}
	if err := r.resolve(ctx); err != nil {
		r.kept.Close()
		return nil, err
	}
	return r.kept, nil
}

func (r *repository) resolve(ctx context.Context) (err error) {
	if r.base != "" {
		if r.pair[0], err = r.side(ctx, "base", r.base); err != nil {
			return err
		}
	}
	if r.pair[1], err = r.side(ctx, "head", r.head); err != nil {
		return err
	}
	head := r.pair[1]
	if r.base != "" {
		if r.pair[0].SHA == head.SHA {
			err = fmt.Errorf("base and head are the same commit, %s%s: there is nothing to compare", head.Short(), r.unchanged())
		}
		return err
	}
	base, branch, err := r.kept.Repository().ForkPoint(ctx, r.committed)
	if err != nil {
		return err
	}
	if base.SHA == head.SHA {
		return fmt.Errorf("head %s is part of %s%s, so there is nothing that it left: name what to compare with, such as --base %s^", head.Short(), branch, r.unchanged(), head.Short())
	}
	r.pair[0] = base
	r.notes = append([]string{fmt.Sprintf("base is commit %s, where head left %s", base.Short(), branch)}, r.notes...)
	return nil
}

// unchanged says what a user may not expect of --head . or --base . .
func (r *repository) unchanged() string {
	if r.head == workTree || r.base == workTree {
		return ", for the work tree has no uncommitted change"
	}
	return ""
}

// side finds the commit of one arm, and notes which it is.
func (r *repository) side(ctx context.Context, arm, rev string) (build.Commit, error) {
	if rev != workTree {
		c, err := r.kept.Repository().Commit(ctx, rev)
		if err != nil {
			return c, fmt.Errorf("--%s: %w", arm, err)
		}
		r.committed = c
		r.notes = append(r.notes, fmt.Sprintf("%s is commit %s, %s", arm, c.Short(), cli.Printable(c.Subject)))
		if rev == "HEAD" && arm == "head" {
			if s, err := r.kept.Snapshot(ctx); err == nil && s.Changed > 0 {
				r.notes = append(r.notes, fmt.Sprintf("uncommitted changes of the work tree, in %s, are not part of head: --head . measures them", files(s.Changed)))
			}
		}
		return c, nil
	}
	s, err := r.kept.Snapshot(ctx)
	if err != nil {
		return s.Commit, fmt.Errorf("--%s .: %w", arm, err)
	}
	if r.committed = s.Parent; s.Changed > 0 {
		r.notes = append(r.notes, fmt.Sprintf("%s is the work tree: commit %s with uncommitted changes in %s, which its build calls %s", arm, s.Parent.Short(), files(s.Changed), s.Short()))
	}
	return s.Commit, nil
}

// build makes both builds the arms of the configuration, and says which they are in
// the record.
func (r *repository) build(ctx context.Context, a *cli.App, cfg *config.Config, how *measure.Flags) (err error) {
	if r.kept == nil {
		return nil
	}
	for _, note := range r.notes {
		fmt.Fprintln(a.Err, note)
	}
	if r.kept.Logs, err = filepath.Abs(how.Dir); err != nil {
		return err
	}
	r.kept.Begin = func(c build.Commit) {
		fmt.Fprintf(a.Err, "building %s %s\n", c.Short(), cli.Printable(c.Subject))
	}
	pair, err := r.kept.Pair(ctx, r.pair[0], r.pair[1])
	var broken *build.Error
	switch {
	case errors.As(err, &broken):
		arm := "head"
		if broken.Commit.SHA == r.pair[0].SHA {
			arm = "base"
		}
		return cli.Unmeasured(fmt.Errorf("%s: %w", arm, err))
	case errors.Is(err, build.ErrFull):
		return cli.Unmeasured(err)
	case ctx.Err() != nil:
		return fmt.Errorf("interrupted while building; the same command goes on: %w", ctx.Err())
	case err != nil:
		return err
	}
	for _, b := range pair {
		if !b.Fresh {
			fmt.Fprintf(a.Err, "%s is built already\n", b.Commit.Short())
		}
	}
	builds.Point(cfg, pair)
	how.Notes = append(how.Notes, r.notes...)
	return nil
}

func files(n int) string {
	if n == 1 {
		return "1 file"
	}
	return fmt.Sprintf("%d files", n)
}
