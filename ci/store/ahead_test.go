package store

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"
)

// A machine whose clock was a year ahead for a week has its sessions named with what
// to do; they are no part of history until their day, and nothing is lost.
func TestSessionsDatedAfterNow(t *testing.T) {
	t.Parallel()
	s := open(t, "dir:"+t.TempDir(), Options{})
	now := night.AddDate(0, 0, 40)
	var right, wrong []string
	for n := range 14 {
		right = append(right, keep(t, s, testRun(night.AddDate(0, 0, n), 1, 2)))
		if n < 7 {
			wrong = append(wrong, keep(t, s, testRun(night.AddDate(1, 0, n), 1, 2)))
		}
	}
	near := keep(t, s, testRun(now.Add(59*time.Minute), 1, 2)) // two clocks may differ
	mark, err := Promote(context.Background(), s, Segment{Machine: "runner-1", From: wrong[2], Reason: "latest, then", Made: night})
	if err != nil {
		t.Fatal(err)
	}
	o := LoadOptions{Now: now, Cache: t.TempDir()}
	for _, how := range []string{"cold", "warm"} {
		c := load(t, s, o)
		var got, named []string
		for _, x := range c.Sessions {
			got = append(got, x.Key.String())
		}
		if want := append(slices.Clone(right), near); !slices.Equal(got, want) {
			t.Errorf("%s: sessions %v, want %v", how, got, want)
		}
		for _, f := range c.Ahead {
			named = append(named, f.Key)
			if want := map[bool]string{true: "--revoke " + mark, false: "baseline put FILE --at TIME"}[f.Key == mark]; !strings.Contains(f.Error(), "still to come") || !strings.Contains(f.Error(), want) {
				t.Errorf("%s: %v does not say what to do", how, f)
			}
		}
		if want := append(slices.Clone(wrong), mark); !slices.Equal(named, want) || len(c.Faults) > 0 || len(c.Segments) > 0 {
			t.Errorf("%s: named %v, want %v; faults %v, segments %v", how, named, want, c.Faults, c.Segments)
		}
	}
	o.Now = now.AddDate(2, 0, 0)
	if c := load(t, s, o); len(c.Sessions) != 22 || len(c.Segments) != 1 || len(c.Ahead) > 0 {
		t.Errorf("when their day has come: %d sessions, %d segments, %v", len(c.Sessions), len(c.Segments), c.Ahead)
	}

	// A session that is stored with the right clock is the latest, and says nothing of those.
	r, err := Record(context.Background(), s, testRun(now.Add(time.Hour), 1, 2), RecordOptions{Now: now.Add(2 * time.Hour)})
	if err != nil || len(r.Warnings) > 0 {
		t.Errorf("warnings %q, %v", r.Warnings, err)
	}
	objects, err := s.List(context.Background(), runsFolder)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := Prunable(objects, Retention{Keep: 4, Before: now.AddDate(2, 0, 0), Now: now}), right[:12]; !slices.Equal(got, want) {
		t.Errorf("prune lets go of %v, want the oldest of those with the right date, %v", got, want)
	}
}
