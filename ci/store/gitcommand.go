package store

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/llama-regress/llama-regress/ci/git"
)

// TokenVariable names the environment variable whose value git sends to an
// https remote as GitHub expects it. It never becomes part of a command line.
const TokenVariable = "LLAMA_REGRESS_GIT_TOKEN"

var (
	remoteName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]*$`)
	branchName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]*([./][A-Za-z0-9_-]+)*$`)
)

func checkBranch(name string) error {
	if short, ok := strings.CutPrefix(name, "refs/"); ok {
		return fmt.Errorf("store: %q: want the name of a branch alone, such as %s", name, strings.TrimPrefix(short, "heads/"))
	}
	if !branchName.MatchString(name) || strings.HasSuffix(name, ".lock") || len(name) > 200 {
		return fmt.Errorf("store: %q is no name of a branch for records: want letters, digits and ./_-, such as perf-data", short(name))
	}
	return nil
}

func checkRemote(remote string) error {
	u, err := url.Parse(remote)
	switch {
	case remote == "" || strings.HasPrefix(remote, "-") || strings.Contains(remote, "::") || strings.ContainsFunc(remote, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return fmt.Errorf("store: %q is no git remote: want a URL, a path or the name of a remote", short(remote))
	case err == nil && u.User != nil && (strings.HasPrefix(u.Scheme, "http") || hasPassword(u)):
		return fmt.Errorf("store git:%s://...@%s: credentials in a URL end up in logs; set %s or use git's credential helper", u.Scheme, u.Host, TokenVariable)
	}
	return nil
}

func hasPassword(u *url.URL) bool {
	_, has := u.User.Password()
	return has
}

// digest is a short name for a long one, safe in paths.
func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:8])
}

// prepare finds or makes the repository that objects pass through.
func (g *gitStore) prepare(ctx context.Context) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.dir != "" {
		return nil
	}
	if remoteName.MatchString(g.remote) {
		if _, err := g.exec(ctx, nil, nil, "config", "--get", "remote."+g.remote+".url"); err == nil {
			out, err := g.exec(ctx, nil, nil, "rev-parse", "--absolute-git-dir")
			g.dir = strings.TrimSpace(string(out))
			return err
		}
		if _, err := os.Stat(g.remote); err != nil {
			return fmt.Errorf("%s: this repository has no remote named %s, and there is no such folder; see 'git remote -v'", g, g.remote)
		}
		path, err := filepath.Abs(g.remote)
		if err != nil {
			return err
		}
		g.remote = path
	}
	if g.opts.Cache == "" {
		return fmt.Errorf("%s: git stores need a cache folder", g)
	}
	dir := filepath.Join(g.opts.Cache, "git", digest(g.remote)+".git")
	if _, err := os.Stat(filepath.Join(dir, "HEAD")); err != nil {
		if err := g.makeRepository(ctx, dir); err != nil {
			return err
		}
	}
	g.dir = dir
	return nil
}

// makeRepository makes it elsewhere and renames it: another process may be
// about to, and none may find half of it.
func (g *gitStore) makeRepository(ctx context.Context, dir string) error {
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return fmt.Errorf("%s: %w", g, err)
	}
	fresh, err := os.MkdirTemp(filepath.Dir(dir), ".new-")
	if err != nil {
		return fmt.Errorf("%s: %w", g, err)
	}
	defer os.RemoveAll(fresh)
	if _, err := g.exec(ctx, nil, nil, "init", "--quiet", "--bare", "--template=", fresh); err != nil {
		return err
	}
	if os.Rename(fresh, dir) == nil {
		return nil
	}
	if _, err := os.Stat(filepath.Join(dir, "HEAD")); err == nil {
		return nil // the other process was faster
	}
	os.Rename(dir, fresh+".broken") // what is there is no repository
	defer os.RemoveAll(fresh + ".broken")
	if err := os.Rename(fresh, dir); err != nil {
		return fmt.Errorf("%s: %w", g, err)
	}
	return nil
}

func (g *gitStore) git(ctx context.Context, stdin []byte, args ...string) ([]byte, error) {
	return g.gitWith(ctx, nil, stdin, args...)
}

// gitWith runs git in our repository, with additions to its environment.
func (g *gitStore) gitWith(ctx context.Context, env []string, stdin []byte, args ...string) ([]byte, error) {
	return g.exec(ctx, append(env, "GIT_DIR="+g.dir), stdin, args...)
}

func (g *gitStore) exec(ctx context.Context, env []string, stdin []byte, args ...string) ([]byte, error) {
	out, err := git.Command{
		Env: append(g.environment(), env...), Without: []string{TokenVariable}, Stdin: stdin, Timeout: g.opts.Timeout, Most: MaxBytes + 4096,
	}.Run(ctx, args...)
	if err != nil && ctx.Err() == nil {
		err = fmt.Errorf("%s: %w", g, err)
	}
	return out, err
}

// environment has a name for commits where the user has given none, and the token.
func (g *gitStore) environment() (env []string) {
	for _, who := range []string{"AUTHOR", "COMMITTER"} {
		if g.opts.Getenv("GIT_"+who+"_NAME") == "" {
			env = append(env, "GIT_"+who+"_NAME=llama-regress", "GIT_"+who+"_EMAIL=llama-regress@localhost")
		}
	}
	token, u := g.opts.Getenv(TokenVariable), (*url.URL)(nil)
	if token != "" {
		u, _ = url.Parse(g.remote)
	}
	if u == nil || u.Scheme != "https" {
		return env
	}
	n, _ := strconv.Atoi(g.opts.Getenv("GIT_CONFIG_COUNT")) // settings that are handed down stay
	header := "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte("x-access-token:"+token))
	return append(env, fmt.Sprintf("GIT_CONFIG_COUNT=%d", n+1),
		fmt.Sprintf("GIT_CONFIG_KEY_%d=http.https://%s/.extraHeader", n, u.Host), fmt.Sprintf("GIT_CONFIG_VALUE_%d=%s", n, header))
}
