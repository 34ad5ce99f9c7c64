package store

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/llama-regress/llama-regress/ci/record"
)

// opened is a verdict that opens one finding about a session.
func opened(session string) Verdict {
	return Verdict{
		Machine: "runner-1", Session: session, Night: 9, Arm: "head", Commit: "71edf87", Host: map[string]string{"cpu": "C"},
		Against: []string{}, Made: night.Add(time.Hour), Confirmed: &Confirmed{Run: "r", Blocks: 12, Last: session},
		Findings: []Finding{{
			State: FindingOpen, Cell: "bench/m", Workload: "bench", Model: "m", Change: -0.076, Low: -0.08, High: -0.07, Confidence: 0.9, Trials: []string{"t1", "t2"},
			Metric: record.Metric{Name: "pp512", Kind: record.Throughput, Unit: "tok/s", Better: record.Higher},
		}},
	}
}

// In every kind of store a verdict is kept once, found again as it was, with what a
// newer version wrote into it.
func TestVerdicts(t *testing.T) {
	ctx := context.Background()
	for _, p := range places(t) {
		t.Run(p.name, func(t *testing.T) {
			s := p.open(t)
			session := keep(t, s, testRun(night, 2, 1))
			later := keep(t, s, testRun(night.AddDate(0, 0, 1), 2, 1))
			first := opened(session)
			first.Extra = record.Extra{"sentinel": json.RawMessage(`{"moved":true}`)}
			key, err := RecordVerdict(ctx, s, first)
			if err != nil {
				t.Fatal(err)
			}
			if again, err := RecordVerdict(ctx, s, first); err != nil || again != key {
				t.Errorf("stored again: %s, %v", again, err)
			}
			closing := opened(later)
			closing.Confirmed, closing.Against = nil, []string{session}
			closing.Findings[0].State, closing.Findings[0].Opened, closing.Findings[0].Trials = FindingClosed, key, nil
			if _, err := RecordVerdict(ctx, s, closing); err != nil {
				t.Fatal(err)
			}
			c := load(t, s, LoadOptions{Machine: "runner-1"})
			if len(c.Faults) > 0 || len(c.Verdicts) != 2 {
				t.Fatalf("%d verdicts, %v", len(c.Verdicts), c.Faults)
			}
			first.Schema, first.Key = VerdictSchema, key
			if diff := cmp.Diff(first, c.Verdicts[0]); diff != "" {
				t.Error(diff)
			}
			if c.Verdicts[1].Findings[0].Opened != key || !c.Verdicts[1].Start().Equal(night.AddDate(0, 0, 1)) {
				t.Errorf("got %+v", c.Verdicts[1])
			}
			if other := load(t, s, LoadOptions{Machine: "runner-2"}); len(other.Verdicts) > 0 {
				t.Errorf("another machine has %+v", other.Verdicts)
			}
		})
	}
}

// A verdict that says nothing that can be true is not stored.
func TestVerdictRefused(t *testing.T) {
	session := KeyOf(testRun(night, 1, 1), "runner-1", 1).String()
	for want, change := range map[string]func(*Verdict){
		"is not the key of a run":       func(v *Verdict) { v.Session = "x" },
		"another machine":               func(v *Verdict) { v.Session = strings.ReplaceAll(session, "runner-1", "runner-2") },
		"0 findings":                    func(v *Verdict) { v.Findings = nil },
		"no run confirmed it":           func(v *Verdict) { v.Confirmed = nil },
		"no key of the verdict":         func(v *Verdict) { v.Findings[0].State = FindingClosed },
		"opened by another verdict":     func(v *Verdict) { v.Findings[0].Opened = "verdicts/x" },
		"want open or closed":           func(v *Verdict) { v.Findings[0].State = "ajar" },
		"no cell or no metric":          func(v *Verdict) { v.Findings[0].Cell = "" },
		"whether more is better is not": func(v *Verdict) { v.Findings[0].Metric.Better = 0 },
		"night -1":                      func(v *Verdict) { v.Night = -1 },
	} {
		v := opened(session)
		change(&v)
		if _, err := MarshalVerdict(v); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// A damaged verdict is told and says nothing. That there is one stays known until
// the change is accepted.
func TestDamagedVerdict(t *testing.T) {
	ctx := context.Background()
	s := &dirStore{path: t.TempDir()}
	session := keep(t, s, testRun(night, 2, 1))
	whole, err := MarshalVerdict(opened(session))
	if err != nil {
		t.Fatal(err)
	}
	at := "verdicts/runner-1/" + night.Format(keyTime) + "-"
	for name, data := range map[string]string{
		at + "0000000000000001.json": string(whole[:len(whole)/2]),
		at + "0000000000000002.json": strings.Replace(string(whole), "/v1", "/v2", 1),
		"verdicts/runner-1/" + night.AddDate(0, 0, 3).Format(keyTime) + "-0000000000000003.json": string(whole),
		"verdicts/runner-1/notes.json": "{}",
	} {
		if err := s.Put(ctx, name, []byte(data)); err != nil {
			t.Fatal(err)
		}
	}
	c, err := Load(ctx, s, LoadOptions{})
	if err != nil || len(c.Verdicts) > 0 || len(c.Faults) != 4 || len(c.Sessions) != 1 {
		t.Fatalf("%d verdicts, %d sessions, %v, %v", len(c.Verdicts), len(c.Sessions), c.Faults, err)
	}
	told := func() (all []string) {
		c, err := Load(ctx, s, LoadOptions{Machine: "runner-1"})
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range c.LostVerdicts("runner-1") {
			all = append(all, l.Error())
		}
		return all
	}
	all := told()
	for _, want := range []string{"not a verdict", "verdict/v2", "lies where it was put", "no key of a verdict"} {
		if !slices.ContainsFunc(all, func(s string) bool { return strings.Contains(s, want) }) {
			t.Errorf("%q is not told in %q", want, all)
		}
	}
	if _, err := Promote(ctx, s, Segment{Machine: "runner-1", From: session, Reason: "agreed", Made: night}); err != nil {
		t.Fatal(err)
	}
	if all := told(); len(all) != 2 { // that of a later session, and the one without
		t.Errorf("accepted, and still told: %q", all)
	}
}

func FuzzReadVerdict(f *testing.F) {
	whole, err := MarshalVerdict(opened(KeyOf(testRun(night, 1, 1), "runner-1", 1).String()))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	f.Add([]byte(`{"schema":"llama-regress/verdict/v1","findings":[{}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := ReadVerdict("x", data)
		if err != nil {
			return
		}
		again, err := MarshalVerdict(v)
		if err != nil {
			t.Fatalf("read, and cannot be written: %v", err)
		}
		back, err := ReadVerdict("x", again)
		if err != nil {
			t.Fatal(err)
		}
		twice, err := MarshalVerdict(back)
		if err != nil || string(twice) != string(again) {
			t.Fatalf("%v\n%s\n%s", err, again, twice)
		}
	})
}
