// Package store keeps run records: in a folder, on a branch of a git
// repository, or in an object store that speaks S3.
//
//  1. A Store knows objects: keys and bytes, written once, never changed.
//  2. Record puts the record of one session under the key of its machine and time.
//  3. Load reads every session, by way of an index that can be lost at any time,
//     and lists the records that cannot be used beside those that can.
//  4. Promote accepts a change: the sessions before it are no baseline any more.
//  5. RecordVerdict keeps what was found out about a session: a loss that was
//     confirmed, or that one is over.
//
// Nothing here judges. Whoever may write to a store may say anything in it, so
// records are checked as they are read; a bad one never hides the others.
package store

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"
)

// MaxBytes bounds one object: twice a session of 1 000 cells, 20 blocks and 2
// arms, and less than GitHub takes as one file of a branch (100 MiB).
const MaxBytes = 64 << 20

// ErrExists is returned for a key that holds an object already.
var ErrExists = errors.New("exists already, and stored objects are never changed")

// ErrNotFound is returned for a key that holds nothing.
var ErrNotFound = errors.New("not in the store")

// A Store keeps objects that never change under keys that look like relative
// paths. Its methods may be called at once from several goroutines, and several
// processes on several machines may use one store: whatever is put at the same
// moment is kept. A store that was never written to is empty and no error.
type Store interface {
	// Put keeps data under key, whole or not at all. ErrExists, wrapped, says
	// that the key is taken, and nothing has changed.
	Put(ctx context.Context, key string, data []byte) error

	// List returns the objects whose keys begin with prefix, sorted by key.
	List(ctx context.Context, prefix string) ([]Object, error)

	// Get returns an object of at most MaxBytes, ErrNotFound, wrapped, when
	// there is none. A git branch is read as the last List of this Store saw it.
	Get(ctx context.Context, key string) ([]byte, error)

	// Remove deletes objects. Those that are gone already are no error.
	Remove(ctx context.Context, keys []string) error

	// Try finds out whether the store can be read and written to, before much
	// effort is spent on what is to be put there. It changes nothing of what is kept.
	Try(ctx context.Context) error

	// String is the reference that opens the store, without secrets.
	String() string
}

// An Object is what a store holds under a key. Version changes whenever the
// bytes do, even if someone breaks the rule that they do not.
type Object struct {
	Key     string
	Size    int64 // bytes
	Version string
}

// Options say how stores are reached. The zero value works.
type Options struct {
	// Cache is a folder for what can be fetched again: git objects and the
	// index of Load. "" keeps nothing between calls.
	Cache string

	// Getenv reads credentials and endpoints; nil is os.Getenv.
	Getenv func(string) string

	// Timeout bounds one git command, or one S3 operation with all its tries;
	// 0 is two minutes.
	Timeout time.Duration

	// Retries is how often an S3 request is tried while the server is busy, at
	// fault or out of reach; 0 is ten times.
	Retries int

	// Transport carries S3 requests; nil is minio-go's own.
	Transport http.RoundTripper
}

func (o Options) filled() Options {
	if o.Getenv == nil {
		o.Getenv = os.Getenv
	}
	if o.Timeout == 0 {
		o.Timeout = 2 * time.Minute
	}
	return o
}

// A kind of store, which the first word of a reference names.
type kind struct {
	scheme  string // how a reference begins
	rest    string // what follows, as messages spell it
	pattern string // of what follows
	example string // what a shell offers
	open    func(rest string, o Options) (Store, error)
}

var kinds = []kind{
	{"dir:", "PATH", `.+`, "dir:", openDir},
	{"git:", "REMOTE#BRANCH", `[^#]+#.+`, "git:origin#perf-data", openGit},
	{"s3://", "BUCKET/PREFIX", `[^/]+(/.*)?`, "s3://", openS3},
}

// each lists what word says of every kind of store.
func each(word func(kind) string) []string {
	var all []string
	for _, k := range kinds {
		all = append(all, word(k))
	}
	return all
}

// Pattern is a regular expression that references match.
func Pattern() string {
	return "^(" + strings.Join(each(func(k kind) string { return k.scheme + k.pattern }), "|") + ")$"
}

// Forms says how references are written.
func Forms() string {
	all := each(func(k kind) string { return k.scheme + k.rest })
	last := len(all) - 1
	return strings.Join(all[:last], ", ") + " or " + all[last]
}

// Examples returns the beginning of a reference to each kind of store.
func Examples() []string { return each(func(k kind) string { return k.example }) }

// Open returns the store that ref names, written as Forms says. Nothing is read, made
// or asked over the network yet.
func Open(ref string, o Options) (Store, error) {
	for _, k := range kinds {
		if rest, ok := strings.CutPrefix(ref, k.scheme); ok {
			return k.open(rest, o.filled())
		}
	}
	if strings.Contains(ref, "@") { // may follow a password
		ref, _, _ = strings.Cut(ref, ":")
	}
	return nil, fmt.Errorf("store %q: want %s", short(ref), Forms())
}

func sortObjects(objects []Object) {
	slices.SortFunc(objects, func(a, b Object) int { return strings.Compare(a.Key, b.Key) })
}
