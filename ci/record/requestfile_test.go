package record_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/fixtures/effort"
)

func rows(trial string, n int) []record.Request {
	var rs []record.Request
	for i := range n {
		rs = append(rs, record.Request{Trial: trial, Index: i, Prompt: "p", Sent: float64(i) / 8, Elapsed: 0.5, InFlight: 1, Attempts: 1})
	}
	return rs
}

func readAll(path string) (rs []record.Request, err error) {
	for r, err := range record.ReadRequests(path) {
		if err != nil {
			return rs, err
		}
		rs = append(rs, r)
	}
	return rs, nil
}

func TestRequestsSurviveAppending(t *testing.T) {
	path := filepath.Join(t.TempDir(), record.RequestFile)
	var want []record.Request
	for _, trial := range []string{"a", "b", "c"} {
		more := rows(trial, 50)
		if trial == "b" {
			more[7].Failure = &record.RequestFailure{Class: record.StaleConnection, Message: "closed", Body: "\x00<&>"}
		}
		if err := record.AppendRequests(path, more); err != nil {
			t.Fatal(err)
		}
		want = append(want, more...)
	}
	got, err := readAll(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// A killed process may leave any part of the last member behind: what was
// written before it is read, and the next trial is added after it.
func TestRequestsAfterATornEnd(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, record.RequestFile)
	if err := record.AppendRequests(path, rows("a", 20)); err != nil {
		t.Fatal(err)
	}
	first, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := record.AppendRequests(path, rows("b", 20)); err != nil {
		t.Fatal(err)
	}
	both, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for cut := len(first) + 1; cut < len(both); cut += effort.Every(7) {
		if err := os.WriteFile(path, both[:cut], 0o644); err != nil {
			t.Fatal(err)
		}
		got, err := readAll(path)
		if err == nil {
			t.Fatalf("cut at %d of %d: no error", cut, len(both))
		}
		if len(got) < 20 {
			t.Fatalf("cut at %d: %d rows of the whole member, want 20", cut, len(got))
		}
		if err := record.AppendRequests(path, rows("c", 3)); err != nil {
			t.Fatal(err)
		}
		if got, err = readAll(path); err != nil || len(got) != 23 || got[22].Trial != "c" {
			t.Fatalf("cut at %d: after another trial %d rows, %v", cut, len(got), err)
		}
	}
}

// What is not ours is left as it is.
func TestRequestsLeaveAForeignFileAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), record.RequestFile)
	if err := os.WriteFile(path, []byte("somebody's notes"), 0o644); err != nil {
		t.Fatal(err)
	}
	err := record.AppendRequests(path, rows("a", 1))
	if err == nil || !strings.Contains(err.Error(), "not a file of requests") {
		t.Errorf("error %v, want that it is not a file of requests", err)
	}
	if data, _ := os.ReadFile(path); string(data) != "somebody's notes" {
		t.Errorf("the file is now %q", data)
	}
}

// A process that is killed between a trial's rows and its entry in the journal
// leaves rows of a trial that does not count: those and a torn end go, and
// nothing before the last trial that counts.
func TestCutRequests(t *testing.T) {
	path := filepath.Join(t.TempDir(), record.RequestFile)
	if err := record.CutRequests(path, func(string) bool { return false }); err != nil {
		t.Fatalf("no file: %v", err)
	}
	log := &record.RequestLog{Path: path}
	for _, trial := range []string{"a", "b", "c"} {
		if err := log.Append(rows(trial, 20)); err != nil {
			t.Fatal(err)
		}
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		keep string
		torn int // bytes of the end that are gone
		want int // rows
	}{{"abc", 0, 60}, {"ab", 0, 40}, {"a", 0, 20}, {"ac", 0, 60}, {"", 0, 0}, {"abc", 5, 40}, {"a", 5, 20}} {
		if err := os.WriteFile(path, whole[:len(whole)-tt.torn], 0o644); err != nil {
			t.Fatal(err)
		}
		if err := record.CutRequests(path, func(trial string) bool { return strings.Contains(tt.keep, trial) }); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(path); err == nil && info.Size() == 0 && tt.want == 0 {
			continue
		}
		if got, err := readAll(path); err != nil || len(got) != tt.want {
			t.Errorf("keeping %q of a file %d bytes short: %d rows, %v, want %d", tt.keep, tt.torn, len(got), err, tt.want)
		}
	}
}

// Adding to a file does not read what is there already, but for once.
func TestRequestLogReadsOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), record.RequestFile)
	log := &record.RequestLog{Path: path}
	if err := log.Append(rows("a", 20)); err != nil {
		t.Fatal(err)
	}
	first, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	spoilt := append([]byte{}, first...)
	spoilt[len(spoilt)/2] ^= 0xff // which reading would notice, and cut
	if err := os.WriteFile(path, spoilt, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := log.Append(rows("b", 20)); err != nil {
		t.Fatal(err)
	}
	if both, err := os.ReadFile(path); err != nil || len(both) <= len(first) {
		t.Errorf("%d bytes after %d, %v: the first member was read again", len(both), len(first), err)
	}
}
