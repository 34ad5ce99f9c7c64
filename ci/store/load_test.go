package store

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/fixtures/effort"
)

// counting counts what is read of a store.
type counting struct {
	Store
	gets atomic.Int32
}

func (c *counting) Get(ctx context.Context, key string) ([]byte, error) {
	c.gets.Add(1)
	return c.Store.Get(ctx, key)
}

func TestLoad(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := &counting{Store: open(t, "dir:"+dir, Options{})}
	late, early, other := testRun(night.AddDate(0, 0, 40), 3, 2), testRun(night, 3, 2), testRun(night.AddDate(0, 0, 1), 2, 2)
	other.Host.Name = "b"
	failed := early.Trials[2]
	failed.Outcome, failed.Measurements, failed.Failure = record.Failed, nil, &record.Failure{Class: record.Crashed}
	early.Trials[2] = failed
	late.Trials[0].Measurements[0] = record.Measurement{Metric: "pp512", Values: []float64{1}, Censored: true}
	late.Trials[0].Measurements[1].Count = &record.Count{Succeeded: 3, Total: 4}
	late.Trials[3].Measurements[1].Count = &record.Count{Succeeded: 4, Total: 5}
	for _, run := range []*record.Run{late, early, other} {
		keep(t, s, run)
	}
	o := LoadOptions{Cache: t.TempDir()}
	s.gets.Store(0)
	cold := load(t, s, o)
	if n := s.gets.Load(); n != 3 {
		t.Errorf("cold: %d records read, want 3", n)
	}
	var order []string
	for _, x := range cold.Sessions {
		order = append(order, x.Run.ID)
		if x.Run.Trials != nil {
			t.Error("a session holds trials")
		}
	}
	if diff := cmp.Diff([]string{early.ID, other.ID, late.ID}, order); diff != "" {
		t.Error(diff)
	}
	cell := early.Cells[2].Key
	x, ok := cold.Sessions[0].Sample("nightly", cell, "pp512")
	want := Sample{Cell: 2, Failed: 1, Values: []float64{early.Trials[5].Measurements[0].Values[0]}}
	if diff := cmp.Diff(want, x, cmpopts.EquateApprox(0.02, 0)); !ok || diff != "" {
		t.Errorf("%v %s", ok, diff)
	}
	x, _ = cold.Sessions[2].Sample("nightly", late.Cells[0].Key, "pp512")
	if x.Beyond != 1 || len(x.Values) != 1 {
		t.Errorf("a censored trial: %+v", x)
	}
	x, _ = cold.Sessions[2].Sample("nightly", late.Cells[0].Key, "tg128")
	if x.Count != (record.Count{Succeeded: 7, Total: 9}) {
		t.Errorf("counts: %+v", x)
	}
	if _, ok := cold.Sessions[0].Sample("nightly", cell, "none"); ok {
		t.Error("found a metric that is not there")
	}

	s.gets.Store(0)
	warm := load(t, s, o)
	if n := s.gets.Load(); n != 0 {
		t.Errorf("warm: %d records read, want 0", n)
	}
	if diff := cmp.Diff(cold, warm, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("the index says something else (-records +index):\n%s", diff)
	}
	if c := load(t, s, LoadOptions{Machine: "b"}); len(c.Sessions) != 1 || c.Sessions[0].Run.ID != other.ID {
		t.Errorf("one machine: %+v", c.Sessions)
	}
	if c := load(t, s, LoadOptions{Since: night.AddDate(0, 0, 1)}); len(c.Sessions) != 2 {
		t.Errorf("since the second night: %d sessions", len(c.Sessions))
	}

	// What someone did to a record shows, although the index had it.
	path := filepath.Join(dir, KeyOf(other, "", 1).String())
	text := encode(t, other)
	if err := os.WriteFile(path, append([]byte(strings.Replace(string(text), `"build":{"commit":"5aa`, `"build":{"commit":"6aa`, 1)), '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
	if c := load(t, s, o); len(c.Sessions) != 2 || len(c.Faults) != 1 { // of the same length
		t.Errorf("a forged record: %d sessions, faults %v", len(c.Sessions), c.Faults)
	}
	if err := os.WriteFile(path, []byte("{}"), 0o644); err != nil {
		t.Fatal(err)
	}
	if c := load(t, s, o); len(c.Sessions) != 2 || len(c.Faults) != 1 {
		t.Errorf("a changed record: %d sessions, faults %v", len(c.Sessions), c.Faults)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if c := load(t, s, o); len(c.Sessions) != 2 || len(c.Faults) != 0 {
		t.Errorf("a removed record: %d sessions, faults %v", len(c.Sessions), c.Faults)
	}
}

// Whatever happened to the index, the records decide.
func TestIndexIsOnlyACache(t *testing.T) {
	t.Parallel()
	s := &counting{Store: open(t, "dir:"+t.TempDir(), Options{})}
	for i := range 3 {
		keep(t, s, testRun(night.AddDate(0, 0, i), 2, 2))
	}
	o := LoadOptions{Cache: t.TempDir()}
	want := load(t, s, o)
	path := filepath.Join(o.Cache, "index", digest(s.String()))
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	flipped := []byte(string(whole))
	flipped[len(flipped)/2] ^= 1
	for name, data := range map[string][]byte{
		"empty": nil, "cut": whole[:len(whole)/2], "flipped": flipped, "of another version": append([]byte("x"), whole...),
		"name alone": []byte(indexName), "longer": append(flipped[:len(whole):len(whole)], 0),
	} {
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
		s.gets.Store(0)
		got := load(t, s, o)
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" || s.gets.Load() != 3 {
			t.Errorf("%s: %d records read\n%s", name, s.gets.Load(), diff)
		}
		s.gets.Store(0)
		if load(t, s, o); s.gets.Load() != 0 {
			t.Errorf("%s: the index was not written anew", name)
		}
	}
	if err := os.RemoveAll(o.Cache); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(o.Cache, nil, 0o644); err != nil { // no index can be written
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, load(t, s, o), cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
}

// A bad object is named, by its key and in one printable line, and hides none
// of the others.
func TestBadObjects(t *testing.T) {
	t.Parallel()
	good := testRun(night, 2, 2)
	text := func(change func(*record.Run)) string {
		run := testRun(night.AddDate(0, 0, 1), 2, 2)
		change(run)
		return string(encode(t, run))
	}
	key := KeyOf(testRun(night.AddDate(0, 0, 1), 2, 2), "", 1).String()
	whole := text(func(*record.Run) {})
	bad := map[string]struct{ key, data, want string }{
		"truncated":         {key, whole[:len(whole)/2], "unexpected end of JSON"},
		"cut at a line":     {key, "{\n\"schema\":", key + ":2"},
		"empty":             {key, "", "unexpected end"},
		"newer schema":      {key, strings.Replace(whole, "/run/v1", "/run/v2", 1), `schema is "llama-regress/run/v2", this version reads "llama-regress/run/v1"`},
		"another tool":      {key, `{"benchmarks":[{"name":"BM_x"}]}`, `schema is ""`},
		"another language":  {key, "\x7fELF\x02\x01", "not a run record"},
		"nested":            {key, strings.Repeat("[", 40), "nested deeper"},
		"of another night":  {key, string(encode(t, good)), "holds the record of runs/runner-1/2026/03/20260309T211500Z"},
		"no such cell":      {key, text(func(r *record.Run) { r.Trials[1].Cell = "bench/x" }), `no cell has the key "bench/x"`},
		"not a number":      {key, strings.Replace(whole, `"values":[`, `"values":["x",`, 1), "measurements[0].values"},
		"swollen":           {key, strings.Replace(whole, `"trials":[`, `"trials":[`+strings.Repeat("{},", 500_000), 1), `trials[0] "": no outcome`},
		"crowded":           {key, strings.Replace(whole, `"trials":[`, `"trials":[`+strings.Repeat(`{"arm":"a","cell":"c","outcome":"ok"},`, 60_000), 1), `trials[2500] "": more than 2500 trials of arm "a" in cell "c"`},
		"beyond statistics": {key, strings.Replace(whole, `"values":[`, `"values":[1e151,`, 1), "value 1e+151"},
		"large and odd":     {key, strings.Replace(whole, `{`, `{"TRIALS":[],`+strings.Repeat(" ", mostOdd), 1), "not written as run records are"},
		"too large":         {key, strings.Repeat("\x00", MaxBytes+1), "larger than 64 MiB"},
		"no key":            {"runs/runner-1/notes.json", "{}", "not the key of a run record"},
		"wrong month":       {"runs/runner-1/2026/04/20260310T211500Z-5aa1105d-x.1.json", "{}", "folder of another month"},
		"no such time":      {"runs/runner-1/2026/13/20261310T211500Z-5aa1105d-x.1.json", "{}", "is not a time"},
		"marker: no JSON":   {"segments/runner-1/20260310T211500Z-0123456789abcdef.json", "{", "not a segment"},
		"marker: schema":    {"segments/runner-1/20260310T211500Z-0123456789abcdef.json", `{"schema":"llama-regress/segment/v2"}`, "this version reads"},
		"marker: hostile":   {"segments/runner-1/20260310T211500Z-0123456789abcdef.json", `{"schema":"llama-regress/segment/v1","machine":"runner-1","from":"../../x","reason":"\u001b[2J"}`, "reason"},
		"marker: no key":    {"segments/runner-1/x.json", "{}", "no key of a segment"},
	}
	for name, b := range bad {
		for _, p := range places(t) {
			if b.want == "larger than 64 MiB" && testing.Short() {
				continue
			}
			if p.name != "dir" && effort.Race && !slices.Contains([]string{"truncated", "too large", "no key", "marker: no key"}, name) {
				continue // what a store gives is read alike, wherever it came from
			}
			t.Run(name+"/"+p.name, func(t *testing.T) {
				t.Parallel()
				s := p.open(t)
				keep(t, s, good)
				put(t, s, b.key, b.data)
				cache := t.TempDir()
				for _, how := range []string{"cold", "warm"} {
					c := load(t, s, LoadOptions{Cache: cache})
					if len(c.Sessions) != 1 || c.Sessions[0].Run.ID != good.ID {
						t.Errorf("%s: %d sessions are left", how, len(c.Sessions))
					}
					if len(c.Faults) != 1 || c.Faults[0].Key != b.key {
						t.Fatalf("%s: faults %v", how, c.Faults)
					}
					wantError(t, c.Faults[0], b.key, b.want)
					if msg := c.Faults[0].Error(); strings.ContainsFunc(msg, func(r rune) bool { return r < ' ' || r == 0x7f }) || len(msg) > 1000 {
						t.Errorf("cannot be printed: %.1000q", msg)
					}
				}
			})
		}
	}
}

// A folder may hold names that no store of ours would give.
func TestHostileNames(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, "dir:"+dir, Options{})
	good := testRun(night, 1, 1)
	keep(t, s, good)
	outside := filepath.Join(t.TempDir(), "secret.json")
	if err := os.WriteFile(outside, []byte("secret"), 0o644); err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(dir, "runs", "runner-1", "2026", "03")
	link := "20260310T211500Z-5aa1105dc0ff-link.1.json"
	for name, err := range map[string]error{
		"control":   os.WriteFile(filepath.Join(folder, "a\x1b[2J\nb.json"), nil, 0o644),
		"link":      os.Symlink(outside, filepath.Join(folder, link)),
		"dir link":  os.Symlink(filepath.Dir(outside), filepath.Join(dir, "runs", "elsewhere")),
		"dots":      os.WriteFile(filepath.Join(folder, "..x.json"), nil, 0o644),
		"long":      os.WriteFile(filepath.Join(folder, strings.Repeat("x", 240)+".json"), nil, 0o644),
		"folder":    os.Mkdir(filepath.Join(folder, "20260310T211500Z-5aa1105dc0ff-folder.1.json"), 0o755),
		"unwritten": os.WriteFile(filepath.Join(folder, unfinished+"1"), []byte("{"), 0o644),
	} {
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	c := load(t, s, LoadOptions{})
	if len(c.Sessions) != 1 || len(c.Faults) != 2 {
		t.Errorf("%d sessions, faults %v", len(c.Sessions), c.Faults)
	}
	for _, f := range c.Faults {
		if msg := f.Error(); strings.ContainsAny(msg, "\x1b\n") || len(msg) > 500 {
			t.Errorf("cannot be printed: %q", msg)
		}
	}
	if data, err := s.Get(context.Background(), "runs/runner-1/2026/03/"+link); err == nil {
		t.Errorf("read %q through a link", data)
	}
	if err := s.Put(context.Background(), "runs/elsewhere/x.json", nil); err == nil {
		t.Error("wrote through a link")
	}
	if err := s.Remove(context.Background(), []string{"runs/elsewhere/secret.json"}); err == nil {
		t.Error("removed through a link")
	}
}

// 200 MB are refused by their size alone.
func TestHugeRecord(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := &counting{Store: open(t, "dir:"+dir, Options{})}
	run := testRun(night, 1, 1)
	path := filepath.Join(dir, KeyOf(run, "", 1).String())
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, 200<<20); err != nil {
		t.Fatal(err)
	}
	c := load(t, s, LoadOptions{})
	if len(c.Faults) != 1 || s.gets.Load() != 0 {
		t.Fatalf("faults %v, %d read", c.Faults, s.gets.Load())
	}
	wantError(t, c.Faults[0], "larger than 64 MiB", run.ID[:8])
	if _, err := Fetch(context.Background(), s, KeyOf(run, "", 1).String()); err == nil {
		t.Error("read 200 MB")
	}
}

// The same session under two machines' names counts once.
func TestSessionStoredTwice(t *testing.T) {
	t.Parallel()
	s := open(t, "dir:"+t.TempDir(), Options{})
	run := testRun(night, 1, 1)
	for _, machine := range []string{"b", "a"} {
		if _, err := Record(context.Background(), s, run, RecordOptions{Machine: machine, Now: night.Add(time.Hour)}); err != nil {
			t.Fatal(err)
		}
	}
	c := load(t, s, LoadOptions{})
	if len(c.Sessions) != 1 || c.Sessions[0].Key.Machine != "a" || len(c.Faults) != 1 {
		t.Fatalf("%d sessions, faults %v", len(c.Sessions), c.Faults)
	}
	wantError(t, c.Faults[0], "runs/b/", "the same session as runs/a/")
	second := RecordOptions{Machine: "a", Attempt: 2, Now: night.Add(time.Hour)}
	if _, err := Record(context.Background(), s, run, second); err != nil {
		t.Fatal(err)
	}
	if c := load(t, s, LoadOptions{Machine: "a"}); len(c.Sessions) != 2 {
		t.Errorf("a second attempt: %d sessions", len(c.Sessions))
	}
}

// A repetition counts in the place of the trial that it repeats.
func TestRepeatedTrial(t *testing.T) {
	t.Parallel()
	run := testRun(night, 1, 4)
	plain := Summarize(Key{}, run)
	again := run.Trials[1]
	again.ID, again.Repeats = again.ID+".again1", again.ID
	run.Trials = append(run.Trials, again)
	s, err := readSession(Key{}, encode(t, run))
	if err != nil {
		t.Fatal(err)
	}
	if have, want := len(s.Samples[0].Values), len(plain.Samples[0].Values); have != want {
		t.Errorf("%d trials, want %d", have, want)
	}
	failed := again
	failed.ID, failed.Repeats, failed.Outcome, failed.Failure = "x", run.Trials[2].ID, record.Failed, new(record.Failure)
	run.Trials = append(run.Trials, failed)
	if s := Summarize(Key{}, run); len(s.Samples[0].Values) != len(plain.Samples[0].Values) || s.Samples[0].Failed != 1 {
		t.Errorf("a repetition that failed: %+v", s.Samples[0])
	}
}

// What the fast reader makes of a record is what record.Read makes of it.
func FuzzReadSession(f *testing.F) {
	run := testRun(night, 2, 2)
	f.Add(encode(f, run))
	again := run.Trials[1]
	again.ID, again.Repeats = again.ID+".again1", again.ID
	run.Trials = append(run.Trials, again)
	f.Add(encode(f, run))
	if golden, err := os.ReadFile(filepath.Join("..", "..", "ci", "record", "testdata", "run.json")); err != nil {
		f.Fatal(err)
	} else {
		f.Add(golden)
	}
	f.Add([]byte(`{"schema":"llama-regress/run/v1","arms":[{"name":"a"}],"baseline":"a","TRIALS":null}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		key := Key{Machine: "m", Started: night, Commit: "c", Run: "r", Attempt: 1}
		fast, fastErr := readSession(key, data)
		run, err := record.Read(strings.NewReader(string(data)), "run.json")
		if err != nil {
			return // the fast reader skips what it does not need, and may accept more
		}
		if fastErr != nil {
			t.Fatalf("record.Read accepts what the fast reader refuses: %v", fastErr)
		}
		want := Summarize(key, run)
		want.Run.Extra = nil // the fast reader does not keep what nobody asks for
		if diff := cmp.Diff(want, fast, cmpopts.EquateEmpty()); diff != "" {
			t.Fatal(diff)
		}
	})
}

func encode(t testing.TB, run *record.Run) []byte {
	t.Helper()
	data, err := run.MarshalJSON()
	if err != nil {
		t.Fatal(fmt.Errorf("encode: %w", err))
	}
	return data
}

// The same of records that are nearly what they should be: fields of other
// types, twice, in other letters, cut and pasted.
func TestReadersAgree(t *testing.T) {
	t.Parallel()
	run := testRun(night, 2, 2)
	again := run.Trials[1]
	again.ID, again.Repeats = again.ID+".again1", again.ID
	run.Trials = append(run.Trials, again)
	seed := string(encode(t, run))
	scraps := []string{
		`null`, `{}`, `[]`, `"x"`, `1`, `-1e3`, `true`, `,`, `:`, ` `, `{`, `}`, `[`, `]`, `"`, `\`, "é",
		`"id":"z",`, `"ID":"z",`, `"\u0069d":"q",`, `"Values":[1],`, `"trials":[],`, `"block":1.0,`,
	}
	rng := rand.New(rand.NewPCG(1, 2))
	accepted := 0
	draws := effort.Draws(4000, 800)
	for range draws {
		text := seed
		for range 1 + rng.IntN(3) {
			at := rng.IntN(len(text))
			if k := strings.IndexAny(text[at:], ",{["); k >= 0 && rng.IntN(2) == 0 {
				at += k + 1 // where a scrap may fit
			}
			to := min(len(text), at+rng.IntN(2)*rng.IntN(6))
			text = text[:at] + scraps[rng.IntN(len(scraps))] + text[to:]
		}
		fast, fastErr := readSession(Key{Machine: "m"}, []byte(text))
		run, err := record.Read(strings.NewReader(text), "run.json")
		if err != nil {
			continue // the fast reader skips what it does not need, and may accept more
		}
		accepted++
		if fastErr != nil {
			t.Fatalf("refused: %v\n%s", fastErr, text)
		}
		want := Summarize(Key{Machine: "m"}, run)
		want.Run.Extra = nil
		if diff := cmp.Diff(want, fast, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("%s\n%s", diff, text)
		}
	}
	if accepted < draws/40 {
		t.Errorf("only %d records were accepted: this tests nothing", accepted)
	}
}

// readSession reads one session as Load does.
func readSession(key Key, data []byte) (Session, error) { return new(reader).read(key, data) }
