package stored

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/ci/store"
	"github.com/llama-regress/llama-regress/cmd/internal/cli"
	"github.com/llama-regress/llama-regress/compare"
)

// Prefix begins what names stored sessions where a file is expected:
//
//	store:               all that history mode takes as baseline
//	store:latest         the latest session
//	store:commit=5aa11   the latest session of that commit
//	store:KEY            the session of that key, or of a part that no other has
//
// Each but the first may end in #ARM.
const Prefix = "store:"

// Help describes it in a command's help.
const Help = `store: in place of a file means the sessions of the store (--store, or the
configuration's): store:latest, store:commit=5aa1105d, store:KEY or a part of a
key that no other has; #ARM selects an arm. store: alone, as BASE, is history
mode: HEAD is judged by what the stored sessions of its machine lead to expect.`

// FromStore reads the session that a reference names.
func FromStore(ctx context.Context, a *cli.App, s store.Store, machine, ref string) (compare.Selection, error) {
	name, arm, named := strings.Cut(strings.TrimPrefix(ref, Prefix), "#")
	if name == "" {
		return compare.Selection{}, fmt.Errorf("%s: which session? Such as %slatest; %s alone is history mode, and BASE", ref, Prefix, Prefix)
	}
	key, err := Resolve(ctx, s, machine, name)
	if err != nil {
		return compare.Selection{}, fmt.Errorf("%s: %w", ref, err)
	}
	run, err := store.Fetch(ctx, s, key.String())
	if err != nil {
		return compare.Selection{}, fmt.Errorf("%s: %w", ref, err)
	}
	fmt.Fprintf(a.Err, "%s is %s\n", ref, key)
	if !named {
		arm = run.Baseline
	}
	return PickArm(run, key.String(), arm)
}

// PickArm selects an arm of a run by its name.
func PickArm(run *record.Run, name, arm string) (compare.Selection, error) {
	var names []string
	for _, a := range run.Arms {
		if a.Name == arm {
			return compare.Selection{Run: run, Arm: arm}, nil
		}
		names = append(names, a.Name)
	}
	return compare.Selection{}, fmt.Errorf("%s: no arm is named %q; it has %s", name, arm, strings.Join(names, ", "))
}

// Resolve finds the one session that the user means.
func Resolve(ctx context.Context, s store.Store, machine, name string) (store.Key, error) {
	prefix := "runs/"
	if machine != "" {
		prefix += store.Slug(machine) + "/"
	}
	objects, err := s.List(ctx, prefix)
	if err != nil {
		return store.Key{}, err
	}
	commit, byCommit := strings.CutPrefix(name, "commit=")
	latest := name == "latest" || byCommit
	means := func(key store.Key, text string) bool {
		switch {
		case byCommit:
			return commit != "" && (strings.HasPrefix(key.Commit, commit) || strings.HasPrefix(commit, key.Commit))
		case latest:
			return !key.Ahead(time.Now()) // its clock was wrong
		}
		return strings.Contains(text, name)
	}
	var found []store.Key
	for _, o := range objects {
		if key, err := store.ParseKey(o.Key); err == nil && means(key, o.Key) {
			found = append(found, key)
		}
	}
	switch {
	case len(found) == 0:
		return store.Key{}, fmt.Errorf("no session in %s matches %q; 'llama-regress baseline list' shows what there is", cli.Printable(s.String()), name)
	case latest:
		return slices.MaxFunc(found, func(x, y store.Key) int { return x.Started.Compare(y.Started) }), nil
	case len(found) > 1:
		return store.Key{}, fmt.Errorf("%q matches %d sessions, such as %s and %s: name more of the key", name, len(found), found[0], found[1])
	}
	return found[0], nil
}
