package store

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/llama-regress/llama-regress/fixtures/effort"
)

// Every kind of store keeps the same promises.
func TestStores(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for _, p := range places(t) {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			a, b := p.open(t), p.open(t)
			if objects, err := a.List(ctx, ""); err != nil || len(objects) > 0 {
				t.Fatalf("an empty store lists %v, %v", objects, err)
			}
			if _, err := a.Get(ctx, "runs/none"); !errors.Is(err, ErrNotFound) {
				t.Errorf("get from an empty store: %v", err)
			}
			put(t, a, "runs/m-1/2026/x.json", "one\n")
			put(t, b, "runs/m/2026/y.json", "two, no newline")
			put(t, a, "segments/m/z.json", "")
			for i := range 4 { // more than one page
				put(t, b, fmt.Sprintf("runs/m/2026/z%d.json", i), "z")
			}
			if err := b.Put(ctx, "runs/m-1/2026/x.json", []byte("other")); !errors.Is(err, ErrExists) {
				t.Errorf("overwriting: %v", err)
			}
			for key, want := range map[string]string{"runs/m-1/2026/x.json": "one\n", "runs/m/2026/y.json": "two, no newline", "segments/m/z.json": ""} {
				for _, s := range []Store{a, b} {
					s.List(ctx, "") // a git store looks where it last listed
					if data, err := s.Get(ctx, key); err != nil || string(data) != want {
						t.Errorf("get %s: %q, %v", key, data, err)
					}
				}
			}
			if _, err := b.Get(ctx, "runs/m/2026/none.json"); !errors.Is(err, ErrNotFound) {
				t.Errorf("get what is not there: %v", err)
			}
			if _, err := b.Get(ctx, "runs/m/2026"); !errors.Is(err, ErrNotFound) && p.name != "dir" {
				t.Errorf("get a folder: %v", err)
			}
			listing := func(prefix string) (keys []string) {
				objects, err := a.List(ctx, prefix)
				if err != nil {
					t.Fatal(err)
				}
				for _, o := range objects {
					keys = append(keys, fmt.Sprint(o.Key, " ", o.Size))
					if o.Version == "" {
						t.Errorf("%s has no version", o.Key)
					}
				}
				return keys
			}
			z := []string{"runs/m/2026/z0.json 1", "runs/m/2026/z1.json 1", "runs/m/2026/z2.json 1", "runs/m/2026/z3.json 1"}
			if diff := cmp.Diff(append([]string{"runs/m/2026/y.json 15"}, z...), listing("runs/m/")); diff != "" {
				t.Error(diff)
			}
			if err := b.Remove(ctx, []string{"runs/m/2026/y.json", "runs/m/2026/never.json"}); err != nil {
				t.Error(err)
			}
			if diff := cmp.Diff(append(append([]string{"runs/m-1/2026/x.json 4"}, z...), "segments/m/z.json 0"), listing("")); diff != "" {
				t.Error(diff)
			}
			for _, key := range []string{"", "/a/b", "runs/../../x", "runs/.hidden", "-x", "runs/a\nb", "runs//x", "other/x", "runs/x/../y"} {
				if err := a.Put(ctx, key, nil); err == nil {
					t.Errorf("put %q was accepted", key)
				}
				if _, err := a.Get(ctx, key); err == nil || errors.Is(err, ErrNotFound) {
					t.Errorf("get %q: %v", key, err)
				}
				if err := a.Remove(ctx, []string{key}); err == nil {
					t.Errorf("remove %q was accepted", key)
				}
			}
		})
	}
}

// Whatever is put at the same moment is kept, and of those who want the same
// key one gets it.
func TestWritersAtOnce(t *testing.T) {
	t.Parallel()
	for _, writers := range []int{2, effort.Size(10, 5)} {
		for _, p := range places(t) {
			t.Run(fmt.Sprintf("%s/%d", p.name, writers), func(t *testing.T) {
				const each = 3
				var won atomic.Int32
				var winner atomic.Value
				var all sync.WaitGroup
				start := make(chan struct{})
				for w := range writers {
					s := p.open(t)
					all.Go(func() {
						<-start
						for i := range each {
							run := testRun(night.Add(time.Duration(w*each+i)*time.Minute), 1, 2)
							if _, err := Record(context.Background(), s, run, RecordOptions{Now: night.Add(24 * time.Hour)}); err != nil {
								t.Errorf("writer %d: %v", w, err)
							}
						}
						mine := fmt.Sprint("writer ", w)
						switch err := s.Put(context.Background(), "runs/m/contested.json", []byte(mine)); {
						case err == nil:
							won.Add(1)
							winner.Store(mine)
						case !errors.Is(err, ErrExists):
							t.Errorf("writer %d: %v", w, err)
						}
					})
				}
				close(start)
				all.Wait()
				s := p.open(t)
				c := load(t, s, LoadOptions{})
				if len(c.Sessions) != writers*each || len(c.Faults) != 1 { // the contested object is no record
					t.Errorf("have %d sessions, want %d; faults %v", len(c.Sessions), writers*each, c.Faults)
				}
				data, err := s.Get(context.Background(), "runs/m/contested.json")
				if err != nil || won.Load() != 1 || string(data) != winner.Load() {
					t.Errorf("%d writers won, the store has %q of %v, %v", won.Load(), data, winner.Load(), err)
				}
			})
		}
	}
}
