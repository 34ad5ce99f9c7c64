package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/llama-regress/llama-regress/ci/git"
)

// A gitStore is a branch that shares no history with the others, in any
// repository git can reach. It is written by plumbing: no work tree is made or
// touched, and nothing is checked out. Objects pass through a bare repository in
// the cache folder, or through the repository we stand in where REMOTE is the
// name of one of its remotes, whose credentials then serve.
type gitStore struct {
	remote, branch string
	opts           Options

	mu  sync.Mutex
	dir string // the repository that objects pass through; "" until prepared
	tip string // commit of the branch as last seen, "" for none
}

func openGit(rest string, o Options) (Store, error) {
	i := strings.LastIndexByte(rest, '#')
	if i < 0 {
		return nil, fmt.Errorf("store git:%s: want git:REMOTE#BRANCH, such as git:origin#perf-data", short(rest))
	}
	g := &gitStore{remote: rest[:i], branch: rest[i+1:], opts: o}
	if err := checkRemote(g.remote); err != nil {
		return nil, err
	}
	if err := checkBranch(g.branch); err != nil {
		return nil, err
	}
	if info, err := os.Stat(g.remote); err == nil && info.IsDir() {
		abs, err := filepath.Abs(g.remote)
		if err != nil {
			return nil, err
		}
		if !remoteName.MatchString(g.remote) {
			g.remote = abs
		}
	}
	return g, nil
}

func (g *gitStore) String() string { return "git:" + g.remote + "#" + g.branch }

func (g *gitStore) ref() string { return "refs/heads/" + g.branch }

// tracked is our own ref to what was last seen of the branch: fetches start
// from it, and no garbage collection takes what it leads to.
func (g *gitStore) tracked() string { return "refs/llama-regress/" + digest(g.remote+"#"+g.branch) }

func (g *gitStore) List(ctx context.Context, prefix string) ([]Object, error) {
	tip, err := g.sync(ctx)
	if err != nil || tip == "" {
		return nil, err
	}
	out, err := g.git(ctx, nil, "ls-tree", "-r", "-l", "-z", "--full-tree", tip)
	if err != nil {
		return nil, err
	}
	var objects []Object
	for line := range strings.SplitSeq(string(out), "\x00") {
		about, key, _ := strings.Cut(line, "\t")
		fields := strings.Fields(about) // mode, type, hash, size
		if len(fields) != 4 || !strings.HasPrefix(fields[0], "100") || !strings.HasPrefix(key, prefix) {
			continue // what is no plain file, such as a link, is none of ours
		}
		size, err := strconv.ParseInt(fields[3], 10, 64)
		if err != nil {
			return nil, fmt.Errorf("%s: %s has size %q", g, key, fields[3])
		}
		objects = append(objects, Object{Key: key, Size: size, Version: fields[2]})
	}
	sortObjects(objects)
	return objects, nil
}

func (g *gitStore) Get(ctx context.Context, key string) ([]byte, error) {
	if err := checkKey(key); err != nil {
		return nil, err
	}
	g.mu.Lock()
	tip := g.tip
	g.mu.Unlock()
	if tip == "" {
		var err error
		if tip, err = g.sync(ctx); err != nil {
			return nil, err
		}
		if tip == "" {
			return nil, fmt.Errorf("%s: %s: %w", g, key, ErrNotFound)
		}
	}
	return g.read(ctx, tip, key)
}

// read returns the file at key in the tree of commit.
func (g *gitStore) read(ctx context.Context, commit, key string) ([]byte, error) {
	out, err := g.git(ctx, []byte(commit+":"+key+"\n"), "cat-file", "--batch")
	if errors.Is(err, git.ErrTooMuch) {
		return nil, fmt.Errorf("%s: %s: %w", g, key, errTooLarge)
	}
	if err != nil {
		return nil, err
	}
	about, data, _ := bytes.Cut(out, []byte("\n"))
	fields := strings.Fields(string(about)) // hash, type, size; or name, "missing"
	if len(fields) != 3 || fields[1] != "blob" {
		return nil, fmt.Errorf("%s: %s: %w", g, key, ErrNotFound)
	}
	data = bytes.TrimSuffix(data, []byte("\n")) // added by git
	if size, err := strconv.Atoi(fields[2]); err != nil || size != len(data) {
		return nil, fmt.Errorf("%s: %s: git says %s bytes and gave %d", g, key, fields[2], len(data))
	}
	return data, nil
}

func (g *gitStore) Put(ctx context.Context, key string, data []byte) error {
	if err := checkKey(key); err != nil {
		return err
	}
	if err := g.prepare(ctx); err != nil {
		return err
	}
	out, err := g.git(ctx, data, "hash-object", "-w", "--stdin")
	if err != nil {
		return err
	}
	blob := string(bytes.TrimSpace(out))
	pushed := false
	return g.change(ctx, "add "+key, func(tip string) (string, error) {
		if tip != "" {
			out, err := g.git(ctx, nil, "ls-tree", "-z", "--full-tree", tip, key)
			if err != nil {
				return "", err
			}
			if fields := strings.Fields(string(out)); len(fields) > 2 {
				if pushed && fields[2] == blob {
					return "", nil // the answer to our push was lost, not the push
				}
				return "", fmt.Errorf("%s: %s %w", g, key, ErrExists)
			}
		}
		pushed = true
		return fmt.Sprintf("100644 %s\t%s\x00", blob, key), nil
	})
}

// Remove takes records off the branch. Its earlier commits keep them.
func (g *gitStore) Remove(ctx context.Context, keys []string) error {
	for _, key := range keys {
		if err := checkKey(key); err != nil {
			return err
		}
	}
	return g.change(ctx, fmt.Sprintf("remove %d records", len(keys)), func(tip string) (string, error) {
		if tip == "" {
			return "", nil
		}
		out, err := g.git(ctx, nil, "ls-tree", "-r", "-z", "--full-tree", "--name-only", tip)
		if err != nil {
			return "", err
		}
		there := make(map[string]bool)
		for key := range strings.SplitSeq(string(out), "\x00") {
			there[key] = true
		}
		var edit strings.Builder
		for _, key := range keys {
			if there[key] {
				fmt.Fprintf(&edit, "0 %s\t%s\x00", strings.Repeat("0", len(tip)), key)
			}
		}
		return edit.String(), nil
	})
}

// sync brings what the branch holds now into our repository and returns its
// commit, "" where there is no such branch yet. A branch that someone rewrote is
// followed: what counts is what it holds.
func (g *gitStore) sync(ctx context.Context) (string, error) {
	if err := g.prepare(ctx); err != nil {
		return "", err
	}
	var last error
	for try := range 6 {
		tip, err := g.remoteTip(ctx)
		if err != nil {
			return "", err
		}
		if tip != "" && g.seen(ctx) != tip {
			// Another process may hold the lock of our ref, or have moved it.
			_, last = g.git(ctx, nil, "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance",
				"--end-of-options", g.remote, "+"+g.ref()+":"+g.tracked())
			if last != nil {
				g.unlock()
				if err := pause(ctx, try); err != nil {
					return "", err
				}
				continue
			}
			tip = g.seen(ctx)
		}
		g.mu.Lock()
		g.tip = tip
		g.mu.Unlock()
		return tip, nil
	}
	return "", last
}

// remoteTip asks the remote for the branch's commit, "" for none.
func (g *gitStore) remoteTip(ctx context.Context) (string, error) {
	out, err := g.git(ctx, nil, "ls-remote", "--refs", "--end-of-options", g.remote, g.ref())
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(out)) {
		if hash, name, _ := strings.Cut(strings.TrimSpace(line), "\t"); name == g.ref() {
			return hash, nil
		}
	}
	return "", nil
}

// seen is the commit our ref leads to, "" for none.
func (g *gitStore) seen(ctx context.Context) string {
	out, err := g.git(ctx, nil, "rev-parse", "--verify", "--quiet", g.tracked())
	if err != nil {
		return ""
	}
	return string(bytes.TrimSpace(out))
}

// unlock removes the lock of our ref that a killed process left behind.
func (g *gitStore) unlock() {
	lock := filepath.Join(g.dir, filepath.FromSlash(g.tracked())+".lock")
	if info, err := os.Stat(lock); err == nil && time.Since(info.ModTime()) > 10*time.Minute {
		os.Remove(lock)
	}
}
