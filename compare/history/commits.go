package history

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/llama-regress/llama-regress/ci/git"
)

// Commits are the commits between two builds.
type Commits struct {
	List  []Commit // the latest first; at most as many as were asked for
	Total int      // how many there are; 0 when not known
	Why   string   // why there is no list, one clause that may quote foreign text; "" when there is one, or none was asked for
}

// A Commit is one commit of the checkout. Everything but SHA and Time is
// foreign.
type Commit struct {
	SHA     string // 40 hexadecimal digits
	Author  string
	Time    time.Time
	Subject string
}

// A Checkout is a git repository that has the commits of the builds measured:
// a checkout of llama.cpp.
type Checkout struct{ dir string }

// OpenCheckout checks that there is a git repository in dir.
func OpenCheckout(ctx context.Context, dir string) (Checkout, error) {
	c := Checkout{dir}
	if _, err := c.git(ctx, 1<<10, "rev-parse", "--git-dir"); err != nil {
		return c, fmt.Errorf("%s is no git checkout: %w", dir, err)
	}
	return c, nil
}

// Blame fills in the commits of a machine's change points, of the latest ones
// where there are more than points, at most so many commits each.
func (c Checkout) Blame(ctx context.Context, m *Machine, points, most int) {
	for i := range m.ChangePoints[:min(points, len(m.ChangePoints))] {
		p := &m.ChangePoints[i]
		if !p.SameBuild {
			p.Commits = c.Between(ctx, m.Nights[p.LastGood].Commit, m.Nights[p.FirstBad].Commit, most)
		}
	}
}

var commitForm = regexp.MustCompile(`^[0-9a-f]{7,40}$`)

// Between lists the commits that bad has and good has not, at most so many. A
// build says its commit in seven and more digits.
func (c Checkout) Between(ctx context.Context, good, bad string, most int) Commits {
	for _, commit := range []string{good, bad} {
		if !commitForm.MatchString(commit) {
			return Commits{Why: "a build does not name the commit it was made from"}
		}
	}
	if strings.HasPrefix(good, bad) || strings.HasPrefix(bad, good) {
		return Commits{Why: "both were built from one commit"}
	}
	for _, commit := range []string{good, bad} {
		if _, err := c.git(ctx, 1<<10, "rev-parse", "--verify", "--quiet", "--end-of-options", commit+"^{commit}"); err != nil {
			return Commits{Why: "the checkout has no commit " + commit + " (fetch it, or all of a shallow clone)"}
		}
	}
	if _, err := c.git(ctx, 1<<10, "merge-base", "--is-ancestor", good, bad); err != nil {
		return Commits{Why: good + " is no ancestor of " + bad}
	}
	between := good + ".." + bad
	out, err := c.git(ctx, 64, "rev-list", "--count", between)
	total, parseErr := strconv.Atoi(strings.TrimSpace(out))
	if err = errors.Join(err, parseErr); err == nil {
		out, err = c.git(ctx, 0, "log", "--no-show-signature", "--no-color", "--format=%H%x00%an%x00%ct%x00%s%x1e", "-n", strconv.Itoa(most), between)
	}
	if err != nil {
		return Commits{Why: err.Error()}
	}
	commits := Commits{Total: total}
	for _, entry := range strings.Split(out, "\x1e") {
		f := strings.SplitN(strings.TrimPrefix(entry, "\n"), "\x00", 4)
		if len(f) < 4 || len(f[0]) != 40 {
			continue
		}
		seconds, _ := strconv.ParseInt(f[2], 10, 64)
		commits.List = append(commits.List, Commit{SHA: f[0], Author: cut(f[1]), Time: time.Unix(seconds, 0).UTC(), Subject: cut(f[3])})
	}
	return commits
}

// cut bounds what a commit says.
func cut(s string) string { return strings.ToValidUTF8(s[:min(len(s), 500)], "\ufffd") }

// git runs a command in the checkout and returns what it prints, at most so many
// bytes. The error is one line of git's.
func (c Checkout) git(ctx context.Context, most int, args ...string) (string, error) {
	out, err := git.Command{Dir: c.dir, Timeout: time.Minute, Most: most}.Run(ctx, args...)
	var refused *git.Error
	if errors.As(err, &refused) && refused.Said != "" {
		err = errors.New(refused.Said)
	}
	return string(out), err
}
